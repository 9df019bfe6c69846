"""The tables of negation: each row decides its own example, and a table that is not in order does not load."""

import re
from pathlib import Path
from types import ModuleType

import pytest

from raiden_core.errors import DataError
from raiden_core.rewards import rules
from raiden_core.rewards.folding import fold
from raiden_core.rewards.negation import Negation, chinese, english, japanese, korean
from raiden_core.rewards.negation.table import Row, Table, read_rows
from raiden_core.rewards.rules import rules_of

LANGUAGES = (chinese, english, japanese, korean)


EVERY = 20
"""Of so many rows one is also tried with the whole rest of its kind, which takes long to compile."""


def forget() -> None:
    """What clauses said by the rules that were there is remembered no more."""
    for language in LANGUAGES:
        for value in vars(language).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def denies(row: Row) -> bool:
    forget()
    # Where there is a question, the bare term is its reference.
    reference = row.term if row.question else ""
    verdict = rules_of([row.term], None, row.question, reference).judge(fold(row.example))
    assert bool(verdict.met) != bool(verdict.denied), f"{row.where}: the term is not found"
    return bool(verdict.denied)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda module: module.__name__.rsplit(".", 1)[-1])
def test_each_row_decides_its_example(language: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    table = language.RULES
    wrong = [f"{row.where}: {row.example}" for row in table.rows if denies(row) != row.denied]
    assert wrong == []
    idle = []
    for number, row in enumerate(table.rows):
        monkeypatch.setattr(language, "RULES", table.without(row, fold(row.example)))
        said = denies(row)
        if number % EVERY == 0:
            monkeypatch.setattr(language, "RULES", table.without(row))
            assert denies(row) == said, f"{row.where}: the rows that were left out as well decide here"
        if said == row.denied:
            idle.append(f"{row.where}: {row.kind} {row.pattern}: {row.example}")
    assert idle == [], "without the row its example says the same"


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda module: module.__name__.rsplit(".", 1)[-1])
def test_every_kind_has_rows(language: ModuleType) -> None:
    assert {row.kind for row in language.RULES.rows} == set(language.RULES.kinds)


def test_the_quick_looks_hide_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row for language in LANGUAGES for row in language.RULES.rows]
    quick = [denies(row) for row in rows]
    monkeypatch.setattr(rules, "may_negate", lambda text, topic=None: True)
    monkeypatch.setattr(Negation, "_reach", lambda self, start, end: (True, True))
    monkeypatch.setattr(Negation, "_is_followed", lambda self, end: True)
    for language in (chinese, english):
        monkeypatch.setattr(language, "_MAY_NEGATE", re.compile(""))
    assert [row.where for row, found in zip(rows, quick, strict=True) if denies(row) != found] == []


GOOD = "negator\t不\t我不是医生。\t医生\tdenied"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("negator\t不", "line 2: 2 fields instead of 5"),
        ("negator\t不\t\t医生\tdenied", "line 2: example is blank; every rule needs an example"),
        ("negator\t不\t我不是医生。\t老师\tdenied", "line 2: the example does not hold its term '老师'"),
        ("negator\t不\t我不是医生。\t医生\tno", "line 2: the verdict is 'no'"),
        ("negator\t(不\t我不是医生。\t医生\tdenied", "line 2: the pattern is no regular expression"),
        ("negater\t不\t我不是医生。\t医生\tdenied", "line 2: the kind 'negater' is unknown; known are negator"),
    ],
)
def test_a_row_out_of_order_does_not_load(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "test.tsv"
    path.write_text(f"# rules\n{line}\n{GOOD}\n", "utf-8")
    with pytest.raises(DataError, match=r"test\.tsv: ") as error:
        Table(read_rows(path), {"negator": "<rows>"})
    assert reason in str(error.value)


def test_rows_are_the_alternatives_of_their_frame_in_order(tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    path.write_text(f"{GOOD}\n\nno\t没\t医生？没。\t医生\tdenied\n{GOOD.replace('不', '未')}\n", "utf-8")
    table = Table(read_rows(path), {"negator": "(?:<rows>)$", "no": "^(?:<rows>)"})
    assert table["negator"].pattern == "(?:不|未)$"
    assert table.either("no", "negator").pattern == "^(?:没)|(?:不|未)$"
