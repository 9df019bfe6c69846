"""Byte-level BPE tokenizers from a GGUF's metadata, with the splitting rule that its ``tokenizer.ggml.pre`` names.

A GGUF holds vocabulary and merges, but of how text is split before them only a name. transformers follows a few of the
names and takes GPT-2's rule for all others without a word; a digit too many in one token, and a model reads numbers that
it has never seen. Here a name has its rule, or the file is refused. That the rules are llama.cpp's is checked against
llama.cpp itself in tests/integration/test_gguf.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError
from raiden_core.models.gguf.header import Header

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

MODEL = "gpt2"
"""GGUF's name of byte-level BPE."""
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


@dataclass(frozen=True)
class Splitting:
    """How text is cut before merges apply."""

    pattern: str | None = None
    """None: GPT-2's own."""
    digits_apart: bool = False
    """Each digit by itself, before GPT-2's pattern."""
    composed: bool = False
    """Whether text is brought into NFC first."""
    whole_words: bool = False
    """Whether a piece that is in the vocabulary is one token, whatever the merges say."""


SPLITTINGS: Mapping[str, Splitting] = {
    "gpt-2": Splitting(),
    "smollm": Splitting(digits_apart=True),
    "llama-bpe": Splitting(f"{CONTRACTIONS}|{WORDS}|\\p{{N}}{{1,3}}|{REST}", whole_words=True),
    "qwen2": Splitting(f"{CONTRACTIONS}|{WORDS}|\\p{{N}}|{REST}", composed=True),
}
"""GGUF's ``tokenizer.ggml.pre`` -> rule. Each is one that llama.cpp knows by this name."""

TEXTS = (
    "Hello 2024, it's 12.5 kg!\n\n\tYes: “quoted” – done.",
    "你好，世界。我今年十七岁。",
    "こんにちは、カワイ アズサです。",
    "안녕하세요? 저는 달입니다.",
    "<think>why</think><answer>因为 🙂</answer>",
    "They're 1,234.56 or ３３％; I'LL  see…   well\r\n\r\n  ok\t\tno",
    "x²+y³=½ №5 ¥100 2024年5月3日 １７歳 ๑๒๓",
    "naïve café Ångström Ελληνικά Русский עברית العربية हिन्दी",
    "🙂👩‍👩‍👧 <|im_start|>user\nhi<|im_end|> </think>",
    "snake_case camelCase HTTPServer2 -- ... !!! (a)[b]{c}",
)
"""What splitting rules differ on. All are in NFC, which llama.cpp leaves to whoever asks."""

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED = 1, 2, 3, 4, 5
"""What GGUF says of a token."""


def backend_parts(rule: Splitting) -> tuple[Any, Any]:
    """Normaliser (or None) and pre-tokenizer of a rule, as the package tokenizers has them."""
    from tokenizers import Regex, normalizers, pre_tokenizers

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=rule.pattern is None)
    before: list[Any] = []
    if rule.digits_apart:
        before.append(pre_tokenizers.Digits(individual_digits=True))
    if rule.pattern is not None:
        before.append(pre_tokenizers.Split(Regex(rule.pattern), "isolated"))
    return normalizers.NFC() if rule.composed else None, pre_tokenizers.Sequence([*before, byte_level])


def rule_of(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """The name of the rule by which a tokenizer splits text; None where it is none of `SPLITTINGS`."""
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or backend.pre_tokenizer is None or type(backend.model).__name__ != "BPE":
        return None
    decomposed = "e\u0301"
    composes = backend.normalizer is not None and backend.normalizer.normalize_str(decomposed) != decomposed
    for name, rule in SPLITTINGS.items():
        _, splits = backend_parts(rule)
        same = all(splits.pre_tokenize_str(text) == backend.pre_tokenizer.pre_tokenize_str(text) for text in TEXTS)
        if same and composes == rule.composed and bool(backend.model.ignore_merges) == rule.whole_words:
            return name
    return None


def tokenizer_of(header: Header, context: int) -> PreTrainedTokenizerFast:
    """The file's tokenizer, with its chat template.

    Args:
        header: of the file.
        context: tokens that the model can see.

    Raises:
        DataError: another kind of tokenizer, a splitting rule that is not known, no chat template, a broken vocabulary.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, processors
    from transformers import PreTrainedTokenizerFast

    rule = _rule(header)
    tokens, kinds = _vocabulary(header)
    merges = [tuple(merge.split(" ", 1)) for merge in header.metadata.get("tokenizer.ggml.merges") or ()]
    # What pads the vocabulary to a round size is no token: decoded, it would show as [PAD…].
    vocabulary = {token: number for number, token in enumerate(tokens) if kinds[number] != UNUSED}
    lost = next((pair for pair in merges if len(pair) != 2 or "".join(pair) not in vocabulary), None)
    if lost is not None or not merges:
        raise DataError(
            f"{header.path}: tokenizer.ggml.merges: {'no merges' if lost is None else lost}: a broken vocabulary"
        )
    backend = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=rule.whole_words))
    normaliser, backend.pre_tokenizer = backend_parts(rule)
    if normaliser is not None:
        backend.normalizer = normaliser
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.ByteLevel(trim_offsets=False)
    # Control tokens are special: TRL decodes without them. User-defined ones, such as Qwen3's <think>, stay text.
    for special in (True, False):
        wanted = (CONTROL, UNKNOWN) if special else (USER_DEFINED,)
        added = [
            AddedToken(token, normalized=False, special=special)
            for token, kind in zip(tokens, kinds, strict=True)
            if kind in wanted
        ]
        backend.add_special_tokens(added) if special else backend.add_tokens(added)
    template = header.metadata.get("tokenizer.chat_template")
    if not isinstance(template, str) or not template.strip():
        raise DataError(f"{header.path}: tokenizer.chat_template: missing; use an instruction-tuned model's file")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=context,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        **_named(header, tokens),
    )
    tokenizer.chat_template = template
    return tokenizer


def _rule(header: Header) -> Splitting:
    model = header.text("tokenizer.ggml.model")
    if model != MODEL:
        raise DataError(
            f"{header.path}: tokenizer.ggml.model {model}: only byte-level BPE (gpt2) is read from GGUF; name the folder or "
            "the Hub id of the model's safetensors instead"
        )
    name = str(header.metadata.get("tokenizer.ggml.pre", "missing"))
    if name not in SPLITTINGS:
        raise DataError(
            f"{header.path}: tokenizer.ggml.pre {name}: how this tokenizer splits text is not known here "
            f"({', '.join(SPLITTINGS)} are), and read by another rule the model would see other tokens; name the folder or "
            "the Hub id of the model's safetensors instead"
        )
    return SPLITTINGS[name]


def _vocabulary(header: Header) -> tuple[list[str], list[int]]:
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    kinds = header.metadata.get("tokenizer.ggml.token_type")
    if not isinstance(tokens, list) or not isinstance(kinds, list) or len(tokens) != len(kinds):
        raise DataError(
            f"{header.path}: tokenizer.ggml.tokens and token_type do not belong together; copy the file again"
        )
    return tokens, kinds


def _named(header: Header, tokens: list[str]) -> dict[str, str]:
    """The tokens that have a part to play, by transformers' names."""
    named = {}
    for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown")):
        number = header.metadata.get(f"tokenizer.ggml.{key}_token_id")
        if number is None:
            continue
        if not isinstance(number, int) or not 0 <= number < len(tokens):
            raise DataError(f"{header.path}: tokenizer.ggml.{key}_token_id: {number!r} is no token of its vocabulary")
        named[f"{name}_token"] = tokens[number]
    if "eos_token" not in named:
        raise DataError(f"{header.path}: tokenizer.ggml.eos_token_id: missing, so no reply would ever end")
    return named
