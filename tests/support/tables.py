"""A table of cases that one test checks: ``@table`` where ``@pytest.mark.parametrize`` would make a test of each row.

Collecting, setting up and reporting a test takes some milliseconds in each process, a row of a table of data often less
than one. So a table whose rows need nothing of their own is one test. It checks every row, whatever became of those
before, and names all that fail with their ids and reasons; the traceback is that of the first one.

    @table(("text", "number"), [("seventeen", 17), ("十七", 17)])
    def test_numbers(text: str, number: int) -> None: ...

Arguments are those of ``parametrize``; tables can be stacked. Each row has a ``tmp_path`` of its own. Fixtures that rows
would share although they change (monkeypatch, capsys, …) are refused: such a table stays with ``parametrize``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

Test = Callable[..., None]
SHARED = frozenset({"monkeypatch", "capsys", "capfd", "caplog", "recwarn", "request"})
"""Fixtures that would carry over what one row does to the next."""
LONGEST_ID = 100
PARAM = type(pytest.param())


def table(
    names: str | Sequence[str],
    rows: Iterable[Any],
    *,
    ids: Callable[[Any], object] | Sequence[object] | None = None,
    absent: str | None = None,
) -> Callable[[Test], Test]:
    """Have a test check every row of a table.

    Args:
        names: the arguments that a row fills, as one string with commas or as several strings.
        rows: a value for each argument (for one that is named by a string, the value itself), or a ``pytest.param``
            with an id.
        ids: what a row is called where it fails: given its value or values one by one, or a list; else its values.
        absent: why there may be no rows; the test is skipped then. Without it an empty table is an error.
    """
    arguments = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    is_bare = isinstance(names, str) and len(arguments) == 1
    filled: list[tuple[Any, ...]] = []
    called: list[str] = []
    for number, row in enumerate(rows):
        if isinstance(row, PARAM):
            if row.marks:
                raise ValueError(f"row {number}: a row of a table takes no marks; use parametrize")
            values, own = tuple(row.values), None if row.id is None else str(row.id)
        else:
            values, own = (row,) if is_bare else tuple(row), None
        filled.append(values)
        called.append(_id(number, values, ids, own))

    def decorate(test: Test) -> Test:
        signature = inspect.signature(test)
        fixtures = [parameter for name, parameter in signature.parameters.items() if name not in arguments]
        if not filled and absent is not None:
            return pytest.mark.skip(reason=absent)(test)
        if not filled:
            raise ValueError(f"{test.__name__}: the table is empty")
        if missing := set(arguments) - set(signature.parameters):
            raise ValueError(f"{test.__name__}: takes no {', '.join(sorted(missing))}")
        if shared := SHARED & {parameter.name for parameter in fixtures}:
            raise ValueError(f"{test.__name__}: rows would share {', '.join(sorted(shared))}; use parametrize")

        @functools.wraps(test)
        def check(**given: Any) -> None:
            _check(test, [dict(zip(arguments, row, strict=True)) for row in filled], called, given)

        check.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        check.rows = len(filled) * getattr(test, "rows", 1)  # type: ignore[attr-defined]
        return check

    return decorate


def _check(test: Test, rows: Sequence[dict[str, Any]], called: Sequence[str], given: dict[str, Any]) -> None:
    failed: list[str] = []
    skipped: list[str] = []
    first: BaseException | None = None
    for number, (row, name) in enumerate(zip(rows, called, strict=True)):
        own = dict(given)
        if isinstance(own.get("tmp_path"), Path):
            own["tmp_path"] = own["tmp_path"] / f"row{number}"
            own["tmp_path"].mkdir()
        try:
            test(**own, **row)
        except pytest.skip.Exception as error:
            skipped.append(f"{name}: {error}")
        except (Exception, pytest.fail.Exception) as error:
            if str(error).startswith("Timeout"):
                raise  # pytest-timeout interrupts a test once: the rows behind would have no end
            first = first or error
            failed.append(f"{name}: {type(error).__name__}: {error}")
    if failed:
        raise AssertionError(f"{len(failed)} of {len(rows)} rows fail:\n" + "\n".join(failed)) from first
    if skipped:
        pytest.skip(f"{len(skipped)} of {len(rows)} rows: {'; '.join(skipped)}")


def _id(
    number: int,
    row: tuple[Any, ...],
    ids: Callable[[Any], object] | Sequence[object] | None,
    own: str | None,
) -> str:
    if own is not None:
        said = own
    elif ids is None:
        said = ", ".join(map(repr, row))
    elif callable(ids):
        said = ", ".join(str(ids(value)) for value in row)
    else:
        said = str(ids[number])
    return f"row {number} ({said if len(said) <= LONGEST_ID else said[:LONGEST_ID] + '…'})"
