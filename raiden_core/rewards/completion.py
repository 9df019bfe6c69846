"""Completions: where the answer stands, and whether the format is kept.

A completion should be ``<think>reasoning</think><answer>reply</answer>`` (the format of DeepSeek-R1, arXiv
2501.12948). What stands only in the reasoning never counts as answer. One pass over the tags,
linear in the text's length, however they are nested, repeated or cut off.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from raiden_core.rewards.folding import has_ink

_THINK = re.compile(r"<(/?)think>", re.IGNORECASE)
_ANSWER_OPEN = re.compile(r"<answer>", re.IGNORECASE)
_ANSWER_CLOSE = re.compile(r"</answer>", re.IGNORECASE)
_TAG = re.compile(r"</?(?:think|answer)>", re.IGNORECASE)


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
    opening = _ANSWER_OPEN.search(rest) if _holds(rest, "answer>") else None
    if opening is None:
        text = _TAG.sub("", rest) if _holds(rest, "think>") or _holds(rest, "answer>") else rest
        return Extracted(text) if has_ink(text) else Extracted("", "no answer text")
    if _ANSWER_OPEN.search(rest, opening.end()):
        return Extracted("", "more than one <answer>")
    closing = _ANSWER_CLOSE.search(rest, opening.end())
    text = rest[opening.end() : closing.start() if closing else len(rest)]
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
    lowered = text.lower()
    if any(lowered.count(tag) != 1 for tag in ("<think>", "</think>", "<answer>", "</answer>")):
        return None
    reasoning, closed, rest = text[len("<think>") : -len("</answer>")].partition("</think>")
    between, opened, reply = rest.partition("<answer>")
    kept = closed and opened and has_ink(reasoning) and not between.strip() and has_ink(reply)
    return reply if kept else None


def _without_reasoning(completion: str, prefilled_think: bool) -> str:
    if not prefilled_think and not _holds(completion, "think>"):
        return completion
    kept: list[str] = []
    inside, place = prefilled_think, 0
    for tag in _THINK.finditer(completion):
        if tag.group(1):
            # A closing tag that nothing opened: everything so far was reasoning.
            if not inside:
                kept.clear()
            inside, place = False, tag.end()
        elif not inside:
            kept.append(completion[place : tag.start()])
            inside = True
    if not inside:
        kept.append(completion[place:])
    return "".join(kept)


def _holds(text: str, end_of_tag: str) -> bool:
    """A quick look that spares the search for tags in a text of nothing but <."""
    return end_of_tag in text or end_of_tag in text.lower()
