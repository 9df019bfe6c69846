"""Tables that one test checks: no row is left out, and every one that fails is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tables import table

NUMBERS = [(1, 1), (2, 5), (3, 3), (4, 6)]


def test_every_row_that_fails_is_named_with_its_reason() -> None:
    seen: list[int] = []

    @table(("one", "other"), NUMBERS)
    def compare(one: int, other: int) -> None:
        seen.append(one)
        assert one == other, f"{other - one} too much"

    with pytest.raises(AssertionError) as caught:
        compare()
    assert seen == [1, 2, 3, 4]
    lines = str(caught.value).splitlines()
    assert lines[0] == "2 of 4 rows fail:"
    assert [line.partition(")")[0] for line in lines if line.startswith("row")] == ["row 1 (2, 5", "row 3 (4, 6"]
    assert "3 too much" in str(caught.value) and "2 too much" in str(caught.value)
    assert "3 too much" in str(caught.value.__cause__), "the traceback is that of the first one"


def test_what_does_not_raise_although_it_should_fails_too() -> None:
    @table("value", [1, 0])
    def divide(value: int) -> None:
        with pytest.raises(ZeroDivisionError):
            assert 1 / value

    with pytest.raises(AssertionError, match=r"(?s)1 of 2 rows fail:\nrow 0 \(1\): Failed: DID NOT RAISE"):
        divide()


def test_rows_that_are_skipped_do_not_hide_one_that_fails(tmp_path: Path) -> None:
    @table("value", ["skipped", "good", "bad"], ids=str.upper)
    def skip(value: str, tmp_path: Path) -> None:
        assert tmp_path.is_dir() and not list(tmp_path.iterdir()), "a folder of its own"
        (tmp_path / value).touch()
        if value == "skipped":
            pytest.skip("no disk")
        assert value == "good" or bad_is_fine

    bad_is_fine = False
    with pytest.raises(AssertionError, match=r"1 of 3 rows fail:\nrow 2 \(BAD\)"):
        skip(tmp_path=tmp_path)
    bad_is_fine = True
    (tmp_path / "again").mkdir()
    with pytest.raises(pytest.skip.Exception, match=r"1 of 3 rows: row 0 \(SKIPPED\): no disk"):
        skip(tmp_path=tmp_path / "again")


def test_stacked_tables_check_every_pair() -> None:
    seen: list[tuple[int, str]] = []

    @table("one", [1, 2])
    @table("other", "ab")
    def pair(one: int, other: str) -> None:
        seen.append((one, other))
        assert (one, other) != (2, "b")

    with pytest.raises(AssertionError, match=r"(?s)row 1 \(2\): AssertionError: 1 of 2 rows fail:\nrow 1 \('b'\)"):
        pair()
    assert seen == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]


def test_rows_are_given_as_parametrize_takes_them() -> None:
    seen: list[object] = []

    @table(("value",), [((1, 2),), pytest.param((3, 4), id="named")])
    def note(value: tuple[int, int]) -> None:
        seen.append(value)
        assert value == (1, 2)

    with pytest.raises(AssertionError, match=r"row 1 \(named\)"):
        note()
    assert seen == [(1, 2), (3, 4)]
    with pytest.raises(ValueError, match="row 0: a row of a table takes no marks"):
        table("value", [pytest.param(1, marks=pytest.mark.skip)])


def test_a_timeout_ends_the_table() -> None:
    seen: list[int] = []

    @table("value", [1, 2])
    def hang(value: int) -> None:
        seen.append(value)
        pytest.fail("Timeout (>600.0s) from pytest-timeout.")

    with pytest.raises(pytest.fail.Exception, match="Timeout"):
        hang()
    assert seen == [1]


def test_tables_out_of_order_are_refused() -> None:
    def check(value: int, monkeypatch: pytest.MonkeyPatch) -> None: ...

    with pytest.raises(ValueError, match="the table is empty"):
        table("value", [])(check)
    with pytest.raises(ValueError, match="takes no number"):
        table("number", [1])(check)
    with pytest.raises(ValueError, match="rows would share monkeypatch; use parametrize"):
        table("value", [1])(check)


def test_a_table_without_its_file_is_skipped_with_the_reason() -> None:
    @table("value", [], absent="the file is not there")
    def check(value: int) -> None:
        pytest.fail("there is nothing to check")

    marks: list[pytest.Mark] = check.pytestmark  # type: ignore[attr-defined]
    assert [(mark.name, mark.kwargs) for mark in marks] == [("skip", {"reason": "the file is not there"})]
