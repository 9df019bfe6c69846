"""Further rewards to put beside VRAR, each with TRL's signature; none is on by default.

    trl grpo --reward_funcs raiden_core.rewards.accuracy_reward raiden_core.rewards.format_reward \\
             raiden_core.rewards.extras.length_penalty --reward_weights 0.7 0.3 0.2 …

- `length_penalty`: the soft overlong punishment of DAPO (arXiv 2503.14476).
- `repetition_penalty`: repeated n-grams, after Demystifying Long CoT (arXiv 2502.03373).
- `language_consistency`: the share of the target language, after DeepSeek-R1 (arXiv 2501.12948).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from raiden_core.rewards.completion import extract_answer
from raiden_core.rewards.folding import SPACELESS, fold, units
from raiden_core.rewards.scorer import text_of
from raiden_core.text.scripts import HAN, HANGUL, KANA

_WORD = re.compile(f"[{SPACELESS}]|[^\\W{SPACELESS}]+")
_SCRIPTS = {
    "zh": re.compile(f"[{HAN}]"),
    "ja": re.compile(f"[{HAN}{KANA}]"),
    "ko": re.compile(f"[{HANGUL}]"),
    "en": re.compile("[a-z]+"),
}
_KANA = re.compile(f"[{KANA}]")


def length_penalty(
    completions: Sequence[object], *, max_length: int = 1024, cache_length: int = 256, **columns: Any
) -> list[float]:
    """0 up to ``max_length - cache_length``, then falling linearly to -1 at ``max_length`` and beyond.

    DAPO's soft overlong punishment, over the whole completion. Lengths are in tokens where TRL hands over
    ``completion_ids``, else in units (a Chinese, Japanese or Korean character or another word is one).
    """
    tokens = columns.get("completion_ids")
    texts = [text_of(completion) or "" for completion in completions]
    lengths = [len(ids) for ids in tokens] if tokens is not None else [units(fold(text)) for text in texts]
    start = max_length - cache_length
    return [0.0 if length <= start else max(-1.0, (start - length) / max(cache_length, 1)) for length in lengths]


def repetition_penalty(
    completions: Sequence[object], *, ngram: int = 4, penalty: float = -1.0, **columns: Any
) -> list[float]:
    """``penalty`` times the share of n-grams that have occurred before in the same completion."""
    rewards = []
    for completion in completions:
        words = _WORD.findall(fold(text_of(completion) or ""))
        grams = [tuple(words[place : place + ngram]) for place in range(len(words) - ngram + 1)]
        rewards.append(penalty * (1 - len(set(grams)) / len(grams)) if grams else 0.0)
    return rewards


def language_consistency(
    completions: Sequence[object], *, language: Sequence[str | None] | str | None = None, **columns: Any
) -> list[float]:
    """The share of the answer's words that are in the sample's language (column ``language``); 0 without an answer.

    Words are counted as units, numbers left aside. Han characters count for Chinese and for Japanese; an answer without
    any kana is no Japanese. A language that is not zh, en, ja or ko gives 1: nothing is known about it.
    """
    languages = [language] * len(completions) if language is None or isinstance(language, str) else language
    opened = columns.get("prefilled_think")
    prefilled = opened if isinstance(opened, (list, tuple)) else [opened] * len(completions)
    return [
        _share(fold(extract_answer(text_of(completion) or "", bool(begun))), code)
        for completion, code, begun in zip(completions, languages, prefilled, strict=True)
    ]


def _share(text: str, language: str | None) -> float:
    words = [word for word in _WORD.findall(text) if not word.isdecimal()]
    if not words:
        return 0.0
    script = _SCRIPTS.get(language or "")
    if script is None:
        return 1.0
    if (language == "ja") != bool(_KANA.search(text)) and language in ("ja", "zh"):
        return 0.0
    return sum(script.match(word) is not None for word in words) / len(words)
