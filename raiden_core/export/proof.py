"""The proof that an exported file answers as the trained model does: both are asked, and what they say is compared.

    asked = answers_of_folder(model, samples, settings)          # transformers, from the folder
    proofs = prove(packed, asked, log)                           # llama.cpp, from the file, through its OpenAI endpoint

The commonest trouble of people with such files is a lost tuning, and its cause is nearly always the template or the tokens.
So llama.cpp is given the chat and not the text, and its token ids count, not its looks.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from raiden_core.dataset.card import markdown_table
from raiden_core.errors import StageError
from raiden_core.evaluation.statistics import Estimate, paired_difference
from raiden_core.models.folder import load_model, load_tokenizer, render
from raiden_core.models.gguf.packing import Packed
from raiden_core.models.llama_cpp import running
from raiden_core.models.local_model import cut_reply, decoding
from raiden_core.prompts import Layout, Message, build_prompt
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample
from raiden_core.stages.progress import Progress, silent
from raiden_core.text.formatting import percent, points, points_range

QUESTIONS = 50
EQUAL = 0.98
"""Share of questions whose greedy reply has the same tokens, that an f16 file must reach."""


@dataclass(frozen=True)
class Answers:
    """What the folder says, question by question."""

    samples: tuple[Sample, ...]
    chats: tuple[tuple[Message, ...], ...]
    prompts: tuple[str, ...]
    """The chats as transformers renders them."""
    tokens: tuple[tuple[int, ...], ...]
    """Of each reply, without the one that ends it."""
    ends: frozenset[int]
    scores: tuple[float, ...]
    """Accuracy of each reply by VRAR."""
    max_new_tokens: int


@dataclass(frozen=True)
class Proof:
    """How a file answered beside its folder."""

    quant: str
    size: int
    n: int
    same_prompt: int
    """Questions whose prompt llama.cpp rendered letter by letter as transformers did."""
    same_tokens: int
    """Questions whose greedy replies have the same token ids."""
    file_accuracy: float
    folder_accuracy: float
    difference: Estimate
    """Of accuracy, file minus folder, paired and clustered by character."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @property
    def warning(self) -> str | None:
        """What to say of a file that answers worse than the folder; None where that is not certain."""
        high = self.difference.high
        if high is None or high >= 0:
            return None
        return (
            f"{self.quant}: {points(self.difference.mean)} points of accuracy against the folder, at best {points(high)} "
            "(95% interval): too coarse a packing for this model; q8_0 or f16 keeps more"
        )


def chosen(samples: Sequence[Sample], count: int = QUESTIONS) -> list[Sample]:
    """Questions spread evenly over a file."""
    usable = [sample for sample in samples if sample.keywords or sample.validator]
    if len(usable) <= count:
        return usable
    return [usable[place * len(usable) // count] for place in range(count)]


def answers_of_folder(
    model: Path,
    samples: Sequence[Sample],
    scorer: Scorer,
    instructions: str | None,
    layout: Layout,
    max_new_tokens: int,
    progress: Progress = silent,
) -> Answers:
    """Greedy replies of a model folder, one question at a time, so that no padding changes the order of additions."""
    import torch

    tokenizer, loaded = load_tokenizer(model), load_model(model)
    chats = [build_prompt(sample, instructions, layout) for sample in samples]
    prompts = render(tokenizer, chats, model)
    settings = decoding(loaded, tokenizer, max_new_tokens, 0)
    ends = frozenset(settings.eos_token_id or ())
    replies, scores = [], []
    try:
        for place, (sample, prompt) in enumerate(zip(samples, prompts, strict=True)):
            inputs = tokenizer(prompt, add_special_tokens=False, return_tensors="pt").to(loaded.device)
            with torch.inference_mode():
                rows = loaded.generate(**inputs, generation_config=settings)
            ids = _before_end(rows[0, inputs["input_ids"].shape[1] :].tolist(), ends)
            replies.append(ids)
            scores.append(float(scorer.score(sample, cut_reply(tokenizer, list(ids), set(ends)).text).accuracy))
            progress(place + 1, len(samples), "transformers")
    finally:
        del loaded
        gc.collect()
    return Answers(
        tuple(samples), tuple(map(tuple, chats)), tuple(prompts), tuple(replies), ends, tuple(scores), max_new_tokens
    )


def prove(packed: Packed, asked: Answers, scorer: Scorer, log: Path, progress: Progress = silent) -> Proof:
    """Ask an exported file what its folder was asked.

    Raises:
        StageError: llama.cpp does not load it; or it is an f16 file, and too few replies have the folder's tokens.
    """
    context = (
        max(len(prompt) for prompt in asked.prompts) + asked.max_new_tokens + 64
    )  # no token is less than a character
    same_prompt = same_tokens = 0
    scores, first = [], ""
    with running(packed.file, context=context, log=log) as server:
        for place, (sample, chat) in enumerate(zip(asked.samples, asked.chats, strict=True)):
            reply = server.reply(chat, asked.max_new_tokens)
            equal_prompt = server.prompt(chat) == asked.prompts[place]
            equal = _before_end(list(reply.tokens), asked.ends) == asked.tokens[place]
            same_prompt += equal_prompt
            same_tokens += equal
            if not equal and not first:
                first = f"{sample.question!r}: {reply.text!r}{'' if equal_prompt else ', from another prompt'}"
            scores.append(float(scorer.score(sample, reply.text).accuracy))
            progress(place + 1, len(asked.samples), f"llama.cpp, {packed.quant}")
    log.unlink(missing_ok=True)
    n = len(scores)
    if packed.quant == "f16" and same_tokens < EQUAL * n:
        raise StageError(
            f"{packed.file.name}: llama.cpp gives the tokens of transformers on {same_tokens} of {n} questions only, so the file "
            f"is not the trained model; the first that differs: {first}"
        )
    clusters = [sample.character_name for sample in asked.samples]
    return Proof(
        packed.quant,
        packed.size,
        n,
        same_prompt,
        same_tokens,
        sum(scores) / n,
        sum(asked.scores) / n,
        paired_difference(scores, asked.scores, clusters),
    )


def proof_table(proofs: Sequence[Proof]) -> str:
    """The proofs as a table of Markdown."""
    rows = [
        (
            proof.quant,
            f"{proof.size / 2**20:,.0f}",
            proof.n,
            f"{proof.same_prompt} of {proof.n}",
            f"{proof.same_tokens} of {proof.n}",
            percent(proof.file_accuracy),
            percent(proof.folder_accuracy),
            f"{points(proof.difference.mean)} ({points_range(proof.difference.interval)})",
        )
        for proof in proofs
    ]
    head = (
        "File",
        "MiB",
        "n",
        "Same prompt",
        "Same tokens",
        "File right %",
        "Folder right %",
        "Difference in points (95%)",
    )
    return markdown_table(head, rows, numbers=7)


def _before_end(ids: Sequence[int], ends: frozenset[int]) -> tuple[int, ...]:
    end = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    return tuple(ids[:end])
