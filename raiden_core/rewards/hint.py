"""``hint``: whether the reasoning takes its cues from the right place before the answer is given.

After VeriRole (ICLR 2026), where a model first writes down hints from profile, conversation and requirements, and earns for
those that the sample says it needs. Here the reasoning itself is read: a sample's ``metadata.evidence`` holds the cues, a
quotation of the profile or the conversation or several of them, and what counts is how much of each stands in the
``<think>`` block.

    hint_reward(completions, metadata=[{"evidence": "家乡：长沙"}], …)

Quoting the whole profile holds every cue as well, and must not pay. So what the reasoning quotes of the prompt besides is
counted, and beyond a free share it is taken off: a reasoning that recites everything earns 0.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from raiden_core.rewards.folding import SPACELESS, fold
from raiden_core.rewards.scorer import text_of

_THOUGHT = re.compile(r"<think>(.*?)(?:</think>|$)", re.DOTALL)
_UNIT = re.compile(f"[{SPACELESS}]|[^\\W{SPACELESS}]+")

GRAM = 2
"""Units in a row by which quoting is told from using the same words: a CJK character or another word is one."""
FREE = 0.35
"""Share of the rest of the prompt that may be quoted: a cue has neighbours, and a thought has words."""


def hint_reward(
    completions: Sequence[object], *, metadata: Any = None, prompts: Any = None, free: float = FREE, **columns: Any
) -> list[float | None]:
    """From 0 to 1: the share of the sample's cues that the reasoning holds, less what it quotes of the prompt besides.

    Args:
        completions: texts or chats.
        metadata: a sample's each, as an object or as JSON; ``evidence`` in it is a text, a list of texts, or an object
            of them by where they are from.
        prompts: chats or texts; without them quoting cannot be told, and costs nothing.
        free: share of the prompt's other pairs of words that may be quoted without cost; twice as much costs all.
        columns: ``prefilled_think`` is read.

    Returns:
        None for samples without evidence.
    """
    count = len(completions)
    rows = zip(
        completions,
        _column(metadata, count),
        prompts if isinstance(prompts, (list, tuple)) else [None] * count,
        _column(columns.get("prefilled_think"), count),
        strict=True,
    )
    return [_one(text_of(one) or "", said, prompt, bool(opened), free) for one, said, prompt, opened in rows]


def evidence_of(metadata: object) -> tuple[str, ...]:
    """The cues in a sample's metadata."""
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except ValueError:
            return ()
    found = metadata.get("evidence") if isinstance(metadata, Mapping) else None
    return tuple(text for text in _texts(found) if _UNIT.search(fold(text)))


def reasoning_of(completion: str, prefilled_think: bool = False) -> str:
    """What stands in the completion's ``<think>`` block; "" where there is none."""
    found = _THOUGHT.search(f"<think>{completion}" if prefilled_think else completion)
    return found[1] if found else ""


def _one(completion: str, metadata: object, prompt: object, prefilled: bool, free: float) -> float | None:
    cues = evidence_of(metadata)
    if not cues:
        return None
    thought = _grams(reasoning_of(completion, prefilled))
    if not thought:
        return 0.0
    wanted = [_grams(cue) for cue in cues]
    held = sum(len(cue & thought) / len(cue) for cue in wanted) / len(wanted)
    besides = _grams(_prompt_text(prompt)) - frozenset().union(*wanted)
    quoted = len(besides & thought) / len(besides) if besides else 0.0
    return max(0.0, held - max(0.0, quoted - free) / free) if free else held * (quoted == 0.0)


@lru_cache(maxsize=4096)
def _grams(text: str) -> frozenset[tuple[str, ...]]:
    """Pairs of neighbouring units; a text of one unit is that unit."""
    units = _UNIT.findall(fold(text))
    if len(units) < GRAM:
        return frozenset({tuple(units)}) if units else frozenset()
    return frozenset(itertools.pairwise(units))


def _prompt_text(prompt: object) -> str:
    """What a prompt says of the character: profile and conversation, without the question."""
    if isinstance(prompt, str):
        return prompt
    turns = list(prompt) if isinstance(prompt, (list, tuple)) else []
    return "\n".join(str(turn.get("content", "")) for turn in turns[:-1] if isinstance(turn, Mapping))


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, (list, tuple)) else []


def _column(values: Any, count: int) -> Sequence[Any]:
    return values if isinstance(values, (list, tuple)) else [values] * count
