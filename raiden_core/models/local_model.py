"""Answers of a model in a local folder, in batches, by transformers.

    model = LocalModel(Path("run/train/model"), max_new_tokens=128, batch_size=96)
    replies = model.answer(prompts, store=Path("out/answers.jsonl"), progress=silent)

Replies are decoded with their special tokens and cut at the first end-of-turn token: ``<think>`` and ``<answer>`` must
reach the scorer, whatever the tokenizer has registered them as. A prompt that several samples share is asked once.
"""

from __future__ import annotations

import copy
import gc
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from raiden_core.config.sections.evaluation import EvaluationConfig
from raiden_core.errors import StageError
from raiden_core.models.answering import GREEDY, Prompt, Reply
from raiden_core.models.folder import check_weights, end_tokens, load_model, load_tokenizer, model_digest, render
from raiden_core.models.kv_cache import cache_name
from raiden_core.models.replies import append_replies, read_replies
from raiden_core.stages.progress import Progress, silent

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_DEFAULT = EvaluationConfig()

MAX_BATCH_TOKENS = 131_072
"""Padded tokens, prompt and reply together, that one batch may hold: long prompts make smaller batches."""

CPU_BATCH_TOKENS = 16_384
"""The same on a CPU: 90 prompts of 600 to 1,400 tokens took nano 12.2 CPU seconds at 65,536, 9.9 at 32,768, 9.0 at this,
9.4 at 8,192 and 11.5 at 4,096."""

MUCH_SHORTER = 0.7
"""On a CPU a batch ends before a prompt whose length, reply included, is below this share of the longest's, once it holds
`LEAST_BATCH`: padding is computed like everything else. 64 prompts of 30 to 250 tokens took nano 0.64 CPU seconds, not 0.81."""

LEAST_BATCH = 16


@dataclass(frozen=True)
class Job:
    """A rendered prompt and which draw of it is wanted."""

    text: str
    draw: int


@dataclass(frozen=True)
class LocalModel:
    """A model folder (safetensors, tokenizer, chat template) that answers on the GPU if there is one."""

    folder: Path
    max_new_tokens: int = _DEFAULT.max_new_tokens
    batch_size: int = _DEFAULT.batch_size
    """Prompts at most in one batch."""
    temperature: float = _DEFAULT.temperature
    """Of all draws but the greedy one."""
    seed: int = 0
    """Of the same draws: the same batches give the same replies."""
    engine: ClassVar[str] = ""
    """Keeps the replies of another engine apart: they may differ where two tokens are nearly as likely."""

    def answer(
        self,
        prompts: Sequence[Prompt],
        *,
        store: Path,
        progress: Progress = silent,
        draws: Sequence[int] | None = None,
    ) -> list[Reply]:
        """One reply a prompt, in their order; the model is loaded only when something is left to ask.

        Raises:
            DataError: the folder is missing or holds no usable model; the store is broken.
            StageError: a single prompt does not fit into memory.
        """
        check_weights(self.folder)
        tokenizer = load_tokenizer(self.folder)
        texts = render(tokenizer, prompts, self.folder)
        digest = model_digest(self.folder)
        jobs = [Job(text, draw) for text, draw in zip(texts, draws or [GREEDY] * len(texts), strict=True)]
        keys = [self._key(digest, job) for job in jobs]
        replies = read_replies(store)
        missing = {key: job for key, job in zip(keys, jobs, strict=True) if key not in replies}
        done = len(set(keys)) - len(missing)
        total = done + len(missing)
        progress(done, total)
        if missing:
            for batch in self._generate(tokenizer, missing):
                append_replies(store, batch.items())
                replies |= batch
                done += len(batch)
                progress(done, total)
        return [replies[key] for key in keys]

    def _key(self, digest: str, job: Job) -> str:
        how = "greedy" if job.draw == GREEDY else f"temperature {self.temperature} seed {self.seed} draw {job.draw}"
        settings = f"{digest} {how} {self.max_new_tokens}{self.engine}"
        return hashlib.sha256(f"{settings}\0{job.text}".encode("utf-8", "surrogatepass")).hexdigest()

    def _generate(self, tokenizer: PreTrainedTokenizerBase, jobs: dict[str, Job]) -> Iterator[dict[str, Reply]]:
        """Replies by key, a batch at a time, greedy ones first, and the longest first: what breaks breaks early."""
        import torch

        model = load_model(self.folder)
        most, share = (CPU_BATCH_TOKENS, MUCH_SHORTER) if model.device.type == "cpu" else (MAX_BATCH_TOKENS, 0.0)
        try:
            tokens, refused = self._encode(tokenizer, jobs, getattr(model.config, "max_position_embeddings", None))
            if refused:
                yield refused
            for sampled in (False, True):
                settings = decoding(model, tokenizer, self.max_new_tokens, self.temperature if sampled else 0)
                part = [(key, ids) for key, ids in tokens if (jobs[key].draw != GREEDY) == sampled]
                for batch in _batches(part, self.batch_size, self.max_new_tokens, most, share):
                    keys, ids = zip(*batch, strict=True)
                    # By the batch's own first key: a batch draws the same whatever was asked before it.
                    torch.manual_seed(int(keys[0][:15], 16))
                    yield dict(zip(keys, _reply(model, tokenizer, settings, list(ids)), strict=True))
        finally:
            del model
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _encode(
        self, tokenizer: PreTrainedTokenizerBase, jobs: dict[str, Job], context: int | None
    ) -> tuple[list[tuple[str, list[int]]], dict[str, Reply]]:
        """Tokens of the prompts by key, the longest first, and replies to those that do not fit the model's context."""
        encoded = tokenizer([job.text for job in jobs.values()], add_special_tokens=False)["input_ids"]
        tokens = sorted(zip(jobs, encoded, strict=True), key=lambda item: -len(item[1]))
        if context is None:
            return tokens, {}
        too_long = [(key, ids) for key, ids in tokens if len(ids) > context - self.max_new_tokens]
        words = f"leaves no room for {self.max_new_tokens} more in the model's context of {context}"
        refused = {key: Reply("", 0, False, f"the prompt of {len(ids)} tokens {words}") for key, ids in too_long}
        return tokens[len(too_long) :], refused


def decoding(model: Any, tokenizer: PreTrainedTokenizerBase, max_new_tokens: int, temperature: float) -> Any:
    """Argmax or plain sampling until an end-of-turn token, whatever sampling and penalties the folder recommends."""
    from transformers import GenerationConfig

    make_settings: Any = GenerationConfig
    ends = end_tokens(model.generation_config, model.config, tokenizer)
    sampling = {"do_sample": True, "temperature": temperature, "top_p": 1.0, "top_k": 0} if temperature else {}
    settings = make_settings(
        **{"do_sample": False, **sampling},
        num_beams=1,
        max_new_tokens=max_new_tokens,
        eos_token_id=ends or None,
        pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0,
    )
    # transformers fills what a call leaves open from the model's own settings; these replace them altogether.
    model.generation_config = settings
    return settings


def _batches(
    tokens: Sequence[tuple[str, list[int]]], batch_size: int, new_tokens: int, most: int, share: float
) -> Iterator[list[tuple[str, list[int]]]]:
    """Batches of prompts that are sorted from long to short, within the number of prompts and of padded tokens, and
    without those that are below ``share`` of the longest."""
    start = 0
    while start < len(tokens):
        width = len(tokens[start][1]) + new_tokens
        batch = list(tokens[start : start + max(1, min(batch_size, most // width))])
        shorter = (place for place, (_, ids) in enumerate(batch) if len(ids) + new_tokens < share * width)
        batch = batch[: max(next(shorter, len(batch)), LEAST_BATCH)]
        yield batch
        start += len(batch)


def _reply(model: Any, tokenizer: PreTrainedTokenizerBase, settings: Any, prompts: list[list[int]]) -> list[Reply]:
    """Replies to one batch; a batch that does not fit into the GPU's memory is halved."""
    import torch

    batch = tokenizer.pad({"input_ids": prompts}, return_tensors="pt").to(model.device)
    try:
        with torch.inference_mode():
            rows = _new_tokens(model, settings, batch["input_ids"], batch["attention_mask"])
    except torch.cuda.OutOfMemoryError:
        if len(prompts) == 1:
            words = f"a prompt of {len(prompts[0])} tokens alone does not fit into the GPU's memory"
            raise StageError(f"{words}; use a smaller model or shorter profiles") from None
        torch.cuda.empty_cache()
        middle = len(prompts) // 2
        parts = (prompts[:middle], prompts[middle:])
        return [reply for part in parts for reply in _reply(model, tokenizer, settings, part)]
    ends = set(settings.eos_token_id or [])
    return [cut_reply(tokenizer, row, ends) for row in rows]


def _new_tokens(model: Any, settings: Any, ids: Any, mask: Any) -> list[list[int]]:
    """What follows each prompt. Whenever half of the batch has ended, the other half goes on without it: one reply that
    never ends would otherwise have all of them computed up to the limit.

    Args:
        ids, mask: the batch, padded on the left.
    """
    import torch

    start, cache = ids.shape[1], _divisible_cache(model)
    if cache is None:
        output = model.generate(input_ids=ids, attention_mask=mask, generation_config=settings)
        return [list(row) for row in output[:, start:].tolist()]
    ends = torch.tensor(settings.eos_token_id or [], device=ids.device, dtype=ids.dtype)
    limit = start + settings.max_new_tokens
    rows: dict[int, list[int]] = {}
    places = list(range(len(ids)))
    while True:
        rest = copy.copy(settings)
        rest.max_new_tokens = limit - ids.shape[1]
        output = model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=rest,
            stopping_criteria=[_half_ended(ends)],
            **{cache_name(): cache},
        )
        going = ~torch.isin(output[:, start:], ends).any(dim=1) & (output.shape[1] < limit)
        rows |= {places[row]: output[row, start:].tolist() for row in (~going).nonzero().flatten().tolist()}
        chosen = going.nonzero().flatten()
        if not len(chosen):
            return [rows[place] for place in sorted(rows)]
        places = [places[row] for row in chosen.tolist()]
        mask = torch.cat([mask, mask.new_ones(len(mask), output.shape[1] - mask.shape[1])], dim=1)[chosen]
        ids = output[chosen]
        cache.batch_select_indices(chosen)


def _divisible_cache(model: Any) -> Any:
    """An empty cache that can lose rows of the batch; None for architectures that keep states of another kind."""
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    return cache if all(hasattr(layer, "batch_select_indices") for layer in cache.layers) else None


def _half_ended(ends: Any) -> Callable[..., Any]:
    """A criterion of ``generate`` that stops the whole batch as soon as at least half of its rows have ended."""
    import torch

    ended = None

    def stop(ids: Any, scores: Any, **_: Any) -> Any:
        nonlocal ended
        now = torch.isin(ids[:, -1], ends)
        ended = now if ended is None else ended | now
        return (2 * ended.sum() >= len(ended)).expand(len(ended))

    return stop


def cut_reply(tokenizer: PreTrainedTokenizerBase, ids: list[int], ends: set[int]) -> Reply:
    """A reply of its tokens up to the first that ends a turn."""
    end = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    text = tokenizer.decode(ids[:end], skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return Reply(str(text), end, end < len(ids))
