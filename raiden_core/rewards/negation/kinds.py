"""Which kinds of a table's rows a topic asks for."""

from __future__ import annotations

from functools import cache

from raiden_core.rewards.negation.topic import Topic


@cache
def looked_for(topic: Topic, kind: str) -> tuple[str, ...]:
    """The kinds of rows that read the surroundings of a mention, or that something behind it is asked for."""
    kinds = ["around", "open", "not said", "contrast", "takes back", "no, but", "retracts", "affirming"]
    if topic.about:
        kinds += ["past", "future", "others", "lost"]
    return (*kinds, kind) if kind else tuple(kinds)


def kind_of(topic: Topic) -> str:
    """The kind of rows that a topic adds to, or puts in the place of, the general rules."""
    if topic.about == "fear":
        return "fear"
    if topic.is_name:
        return "name"
    return "dislike" if topic.about in ("taste", "activity", "other") else ""
