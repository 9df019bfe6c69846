"""Admissions: whether an answer says that its speaker does not know, and whether it turns down the question's premise.

A character cannot know everything: what its profile does not say, what belongs to another time, what the user never
mentioned. The right answer admits that and invents nothing. Admissions are looked for clause by clause:

- a statement that admits (我不知道, you never told me, 聞いたことがない, 글쎄요), unless it is somebody else's ignorance or
  a turn of phrase (you don't know, I don't know what I'd do without films);
- a question back that shows that the thing is unknown (手机是什么？, a tele-what?);
- without a guess beside it: "I don't know. Probably Fluffy." invents.

Tables beside this module hold the phrases; raiden_core/rewards/admission/table.py reads them. Names of values that must
not be claimed are the validator's ``none_of``; they are no matter of these rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from raiden_core.rewards.admission.table import LANGUAGES, load
from raiden_core.rewards.negation.table import Table
from raiden_core.text.scripts import HAN, HANGUL, KANA

_STOP = re.compile(r"[,.:;!?。、—\n…~()\[\]*\"“”‘’「」『』《》]+")
_LEAST_REST = 2
"""So many letters beside a phrase of guessing make it a guess: "I don't know, I suppose." is none."""
_LETTER = re.compile(r"\w")
_SCRIPTS = {
    "japanese": re.compile(f"[{KANA}]"),
    "korean": re.compile(f"[{HANGUL}]"),
    "chinese": re.compile(f"[{HAN}]"),
    "english": re.compile("[a-z]{2}"),
}
_BLANK = "＿"


class Clause(NamedTuple):
    """What stands between two stops."""

    text: str
    asked: bool
    """Whether its sentence part ends in a question mark."""


def admits(text: str, question: str = "") -> bool:
    """Whether a folded answer says that its speaker does not know, and guesses nothing.

    Args:
        text: the answer.
        question: folded; repeating it admits nothing.
    """
    text = text.replace(question, " ") if question else text
    return any(_admits_in(load(language), text) for language in _spoken(text))


def turns_down(text: str) -> bool:
    """Whether a folded answer says that the question is mistaken (you have the wrong person), without naming a value."""
    return any(
        table.may_hold("mistaken", text) and table["mistaken"].search(text) is not None
        for table in map(load, _spoken(text))
    )


def declines(text: str) -> bool:
    """Whether a folded answer refuses on other grounds than that it does not know (that is a secret)."""
    return any(
        table.may_hold("declines", text) and table["declines"].search(text) is not None
        for table in map(load, _spoken(text))
    )


def _admits_in(table: Table, text: str) -> bool:
    if not (table.may_hold("admits", text) or table.may_hold("asks", text)):
        return False
    clauses = list(_clauses(text))
    said = [table["harmless"].sub(_blank, clause.text) for clause in clauses]
    admitted = [
        table["asks" if clause.asked else "admits"].search(words) is not None
        for clause, words in zip(clauses, said, strict=True)
    ]
    if True not in admitted:
        return False
    # What else is stated; beside a phrase of guessing it is the guess.
    stated = [
        "" if clause.asked or is_admission else table["no guess"].sub(_blank, words)
        for clause, words, is_admission in zip(clauses, said, admitted, strict=True)
    ]
    return not any(_guesses(table, stated, place) for place in range(len(stated)))


def _guesses(table: Table, stated: Sequence[str], place: int) -> bool:
    """Whether a clause guesses something, be it in its neighbours: "Fluffy, I suppose."."""
    found = table["guess"].search(stated[place])
    if not found:
        return False
    rest = stated[place][: found.start()] + stated[place][found.end() :]
    beside = (*stated[max(0, place - 1) : place], rest, *stated[place + 1 : place + 2])
    return any(len(_LETTER.findall(words)) >= _LEAST_REST for words in beside)


def _clauses(text: str) -> Iterator[Clause]:
    """The clauses of a text; a stage direction is one of its own."""
    start = 0
    for stop in _STOP.finditer(text):
        if part := text[start : stop.start()].strip():
            yield Clause(part, "?" in stop.group())
        start = stop.end()
    if part := text[start:].strip():
        yield Clause(part, False)


@cache
def _order() -> tuple[str, ...]:
    return tuple(language for language in LANGUAGES if language != "chinese")


def _spoken(text: str) -> list[str]:
    """The languages whose scripts a text holds; Han among kana is Japanese."""
    spoken = [language for language in _order() if _SCRIPTS[language].search(text)]
    if "japanese" not in spoken and _SCRIPTS["chinese"].search(text):
        spoken.append("chinese")
    return spoken


def _blank(match: re.Match[str]) -> str:
    return _BLANK * len(match.group())
