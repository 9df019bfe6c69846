"""Completions: where the answer stands, and whether the format is kept.

A completion should be ``<think>reasoning</think><answer>reply</answer>`` (the format of DeepSeek-R1, arXiv
2501.12948). What stands only in the reasoning never counts as answer. One pass over the tags,
linear in the text's length, however they are nested, repeated or cut off.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from raiden_core.rewards.folding import has_ink

_THINK = re.compile("think>(?:(?<=<think>)|(?<=</think>))")
_ANSWER = re.compile("answer>(?:(?<=<answer>)|(?<=</answer>))")
"""They look for the end of a tag and then back: a search for ``<`` would stop at every place of a text full of it."""


_TAGS = 4


class Extracted(NamedTuple):
    """The answer text of a completion; ``why`` says why there is none, and is empty otherwise."""

    text: str
    why: str = ""


def read(completion: str, prefilled_think: bool = False) -> tuple[bool, Extracted]:
    """Whether a completion keeps the format, and its answer text."""
    reply = _formatted(completion, prefilled_think)
    return (False, _extract(completion, prefilled_think)) if reply is None else (True, Extracted(reply))


def _extract(completion: str, prefilled_think: bool) -> Extracted:
    rest = _without_reasoning(completion, prefilled_think)
    lowered = _lower(rest)
    start = lowered.find("<answer>")
    if start < 0:
        text = _without(_ANSWER, _without(_THINK, rest)) if "think>" in lowered or "answer>" in lowered else rest
        return Extracted(text) if has_ink(text) else Extracted("", "no answer text")
    start += len("<answer>")
    if lowered.find("<answer>", start) >= 0:
        return Extracted("", "more than one <answer>")
    end = lowered.find("</answer>", start)
    text = rest[start:] if end < 0 else rest[start:end]
    return Extracted(text) if has_ink(text) else Extracted("", "the answer is blank")


def extract_answer(completion: str, prefilled_think: bool = False) -> str:
    """The answer text, or "" where there is none.

    >>> extract_answer("<think>A doctor?</think><answer>I'm a teacher.</answer>")
    "I'm a teacher."
    """
    return read(completion, prefilled_think)[1].text


def keeps_format(completion: str, prefilled_think: bool = False) -> bool:
    """Whether a completion is exactly one reasoning and one answer, both non-blank, in lower-case tags."""
    return _formatted(completion, prefilled_think) is not None


def _formatted(completion: str, prefilled_think: bool) -> str | None:
    """The reply of a completion that keeps the format; None where it does not."""
    text = completion.strip()
    if prefilled_think:
        text = "<think>" + text
    if not (text.startswith("<think>") and text.endswith("</answer>")):
        return None
    if text.count("<") != _TAGS:
        # The four tags are found below; where there is more, none of it may be a further tag.
        count = text.lower().count
        if count("<think>") != 1 or count("</think>") != 1 or count("<answer>") != 1 or count("</answer>") != 1:
            return None
    reasoning, closed, rest = text[len("<think>") : -len("</answer>")].partition("</think>")
    between, opened, reply = rest.partition("<answer>")
    kept = closed and opened and has_ink(reasoning) and not between.strip() and has_ink(reply)
    return reply if kept else None


def _without_reasoning(completion: str, prefilled_think: bool) -> str:
    lowered = _lower(completion)
    if not prefilled_think and "think>" not in lowered:
        return completion
    kept: list[str] = []
    inside, place = prefilled_think, 0
    for tag in _THINK.finditer(lowered):
        start = tag.start() - 1
        if lowered[start] == "/":
            # A closing tag that nothing opened: everything so far was reasoning.
            if not inside:
                kept.clear()
            inside, place = False, tag.end()
        elif not inside:
            kept.append(completion[place:start])
            inside = True
    if not inside:
        kept.append(completion[place:])
    return "".join(kept)


def _without(tags: re.Pattern[str], text: str) -> str:
    lowered = _lower(text)
    kept, place = [], 0
    for tag in tags.finditer(lowered):
        kept.append(text[place : tag.start() - (2 if lowered[tag.start() - 1] == "/" else 1)])
        place = tag.end()
    return "".join([*kept, text[place:]])


def _lower(text: str) -> str:
    """The text in lower case, every letter at its place: İ alone would become two."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.replace("İ", "I").lower()
