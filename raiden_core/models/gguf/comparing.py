"""Whether an unpacked model is what llama.cpp makes of the same file: tokens, template, and how likely each word is.

Done where llama.cpp is installed, once for each file. It finds what asking the model alone does not: a splitting rule that
differs for a few texts, a base of the rotation that is a little off.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError
from raiden_core.models.folder import load_model, load_tokenizer, render
from raiden_core.models.gguf.tokenizers import TEXTS
from raiden_core.models.llama_cpp import LlamaServer, running
from raiden_core.prompts import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CONTEXT = 512
QUESTION = "Tell me a story about an old lighthouse and a whale."
"""Its answer is open, so that small differences show."""
REPLY_TOKENS = 32
FAR = 0.1
"""Nats a token that the two may lie apart on average: llama.cpp rounds what goes into packed matrices to 8 bits. Measured:
0.055 with SmolLM2-135M Q4_1, 0.019 with Qwen2.5-Coder-0.5B Q4_K_M; 0.17 and 0.13 with a tenth of the rotation's base, 0.12
with three times it."""


def compare(folder: Path, source: Path, log: Path) -> float:
    """Compare an unpacked model with llama.cpp.

    Args:
        folder: what the file was unpacked into.
        source: the file.
        log: file for what llama.cpp prints; it goes when all is well.

    Returns:
        Nats a token that log-probabilities of llama.cpp's greedy reply lie apart, on average.

    Raises:
        DataError: tokens, prompts or log-probabilities differ.
        StageError: llama.cpp does not load the file.
    """
    tokenizer, model = load_tokenizer(folder), load_model(folder)
    chat: list[Message] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    with running(source, context=CONTEXT, log=log) as server:
        compare_tokens(tokenizer, server, source)
        prompt = render(tokenizer, [chat], folder)[0]
        if (theirs := server.prompt(chat)) != prompt:
            raise DataError(f"{source}: llama.cpp renders its template as {theirs!r}, transformers as {prompt!r}")
        reply = server.reply(chat, REPLY_TOKENS)
    apart = _apart(model, tokenizer, prompt, reply.tokens, reply.logprobs)
    if apart > FAR:
        raise DataError(
            f"{source}: log-probabilities lie {apart:.2f} nats a token from llama.cpp's, so it is not read rightly here: name "
            "the model's safetensors instead"
        )
    log.unlink(missing_ok=True)
    return apart


def compare_tokens(tokenizer: PreTrainedTokenizerBase, server: LlamaServer, source: Path) -> None:
    """Whether both split texts into the same tokens.

    Raises:
        DataError: a text is split otherwise.
    """
    for text in TEXTS:
        ours, theirs = list(tokenizer(text, add_special_tokens=False)["input_ids"]), server.tokens(text)
        if ours != theirs:
            place = next(
                (n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs))
            )
            raise DataError(
                f"{source}: llama.cpp splits {text!r} otherwise from token {place} on "
                f"({tokenizer.convert_ids_to_tokens(theirs[place : place + 3])}, here "
                f"{tokenizer.convert_ids_to_tokens(ours[place : place + 3])}): name the model's safetensors instead"
            )


def _apart(
    model: Any, tokenizer: PreTrainedTokenizerBase, prompt: str, tokens: tuple[int, ...], theirs: tuple[float, ...]
) -> float:
    """Mean difference of log-probabilities of the same tokens after the same prompt."""
    import torch

    before = list(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    ids = torch.tensor([[*before, *tokens]], device=model.device)
    with torch.inference_mode():
        logits = model(ids).logits[0, len(before) - 1 : -1].float().log_softmax(-1)
    ours = logits.gather(-1, ids[0, len(before) :, None])[:, 0].tolist()
    return float(sum(abs(one - other) for one, other in zip(ours, theirs, strict=True)) / max(1, len(ours)))
