"""Whether an unpacked model is the model that was packed: it is asked, and must answer like a language model.

What goes wrong when weights are read wrongly (rows in another order, a part left out, tokens split by another rule) raises
no error: the model says nonsense. So lists that every language model has seen in their order are compared with the same
words in disorder. SmolLM2-135M and Qwen2.5-Coder-0.5B find the order likely (-0.2 to -1.6 nats a token) and the disorder
0.9 to 1.9 nats less so; with rows in the wrong order the first had no list with a gap of 0.3 above -2.4, the second none
above -6. A base of the rotation that is a little off is not seen so; llama.cpp is asked for that where it is installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError
from raiden_core.models.folder import load_model, load_tokenizer, render
from raiden_core.models.gguf.tokenizers import TEXTS
from raiden_core.models.local_model import cut_reply, decoding

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LISTS = (
    ("one, two, three, four, five, six, seven, eight", "five, two, eight, one, seven, four, six, three"),
    ("1, 2, 3, 4, 5, 6, 7, 8, 9, 10", "7, 2, 10, 5, 1, 9, 3, 8, 4, 6"),
    ("一、二、三、四、五、六、七、八、九、十", "六、二、九、四、一、十、七、三、八、五"),
)
"""Known in the order of the first; the second holds the same words."""
LIKELY = -2.0
"""Nats a token that a known list has at least."""
GAP = 0.75
"""Nats a token between order and disorder."""
QUESTION = "What is the capital of France?"
REPLY_TOKENS = 24


def ask(folder: Path, source: Path) -> tuple[str, str]:
    """Ask an unpacked model.

    Args:
        folder: what it was unpacked into.
        source: the file, for messages.

    Returns:
        A question, and the model's greedy reply (at most 24 tokens).

    Raises:
        DataError: tokens do not give their text back, a special token is not one token, the template loses a turn, numbers
            are not finite, or the model does not know any list better than its disorder.
    """
    tokenizer = load_tokenizer(folder)
    check_tokens(tokenizer, source)
    model = load_model(folder)
    gaps = [
        (_log_probability(model, tokenizer, known), _log_probability(model, tokenizer, other)) for known, other in LISTS
    ]
    if not any(known >= LIKELY and known - other >= GAP for known, other in gaps):
        figures = ", ".join(f"{known:.1f} and {other:.1f}" for known, other in gaps)
        raise DataError(
            f"{source}: unpacked, it does not speak: lists in order and in disorder have {figures} nats a token; it is no "
            "trained model, or is not read rightly here: name the model's safetensors instead"
        )
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    prompt = render(tokenizer, [chat], folder)[0]
    if not all(turn["content"] in prompt for turn in chat):
        raise DataError(f"{source}: its chat template leaves out a turn; give the model a template that shows all")
    reply = _greedy(model, tokenizer, prompt)
    if not reply.strip() or "\ufffd" in reply[:-1]:
        raise DataError(
            f"{source}: asked {QUESTION!r} it says {reply!r}; it is no instruct model, or is not read rightly"
        )
    return QUESTION, reply


def check_tokens(tokenizer: PreTrainedTokenizerBase, source: Path) -> None:
    """Whether texts come back as they were, and special tokens are one token each.

    Raises:
        DataError: they do not.
    """
    for text in TEXTS:
        back = tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"], skip_special_tokens=False)
        if back != text:
            raise DataError(
                f"{source}: its tokenizer gives {back!r} for {text!r}; name the model's safetensors instead"
            )
    for token in (tokenizer.eos_token, tokenizer.pad_token, tokenizer.bos_token):
        ids = tokenizer(token, add_special_tokens=False)["input_ids"] if token else [0]
        if len(ids) != 1:
            raise DataError(f"{source}: its special token {token} is read as {len(ids)} tokens, not as one")


def _log_probability(model: Any, tokenizer: PreTrainedTokenizerBase, text: str) -> float:
    """Mean log-probability of a text's tokens after the first; not a number where a logit is none."""
    import torch

    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]], device=model.device)
    with torch.inference_mode():
        logits = model(ids).logits[:, :-1].float().log_softmax(-1)
    return float(logits.gather(-1, ids[:, 1:, None]).mean())


def _greedy(model: Any, tokenizer: PreTrainedTokenizerBase, prompt: str) -> str:
    import torch

    inputs = tokenizer(prompt, add_special_tokens=False, return_tensors="pt").to(model.device)
    settings = decoding(model, tokenizer, REPLY_TOKENS, 0)
    with torch.inference_mode():
        rows = model.generate(**inputs, generation_config=settings)
    ids = rows[0, inputs["input_ids"].shape[1] :].tolist()
    return cut_reply(tokenizer, ids, set(settings.eos_token_id or ())).text
