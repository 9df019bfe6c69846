"""Tables of admissions: every phrase is a row with an example that tests it.

``chinese.tsv``, ``english.tsv``, ``japanese.tsv`` and ``korean.tsv`` stand beside this module. A line is blank, a
comment (``#``), or a row of four fields parted by tabs:

    kind    pattern example verdict
    admits  记不(?:得|清)   我记不得你说过这个。    admits
    guess   大概    我不知道，大概叫阿黄吧。    claims

``pattern`` is a regular expression over one folded clause. ``verdict`` is what the example as a whole does: it admits,
it claims (something, or nothing of the sort), or, for the kind ``mistaken``, it denies the question's premise. The
example is the row's test (tests/rewards/test_admission.py): without the row its verdict must change. The language is
the table's, so a language's examples stand where its rows do.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from raiden_core.errors import DataError
from raiden_core.rewards.folding import simplify
from raiden_core.rewards.negation.table import ROWS, Row, Table

LANGUAGES = ("chinese", "english", "japanese", "korean")
FRAMES = {
    "admits": ROWS,
    "asks": f"^(?:{ROWS})$",
    "harmless": ROWS,
    "guess": ROWS,
    "no guess": ROWS,
    "mistaken": ROWS,
    "declines": ROWS,
}
"""The kinds: statements that admit, questions that do, what only looks so, guesses, what only looks like one, denials of the
premise, and refusals on other grounds."""
VERDICTS = {
    **dict.fromkeys(("admits", "asks", "no guess"), "admits"),
    **dict.fromkeys(("harmless", "guess"), "claims"),
    "mistaken": "denies",
    "declines": "refuses",
}
"""What the example of each kind shows."""
_FIELDS = ("kind", "pattern", "example", "verdict")


@cache
def load(language: str) -> Table:
    """The table of one of `LANGUAGES`."""
    return Table(read_rows(Path(__file__).with_name(f"{language}.tsv")), FRAMES, simplify)


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a table.

    Raises:
        DataError: a row is not in order; the message names file and line.
    """
    lines = enumerate(path.read_text("utf-8").splitlines(), 1)
    return tuple(
        _row(line, f"{path.name}: line {number}") for number, line in lines if line.strip() and not line.startswith("#")
    )


def _row(line: str, where: str) -> Row:
    fields = line.split("\t")
    if len(fields) != len(_FIELDS):
        raise DataError(f"{where}: {len(fields)} fields instead of {len(_FIELDS)} ({', '.join(_FIELDS)}, by tabs)")
    for name, field in zip(_FIELDS, fields, strict=True):
        if not field.strip():
            raise DataError(f"{where}: {name} is blank; every rule needs an example that tests it")
    kind, pattern, example, verdict = fields
    if kind not in FRAMES:
        raise DataError(f"{where}: the kind {kind!r} is unknown; known are {', '.join(FRAMES)}")
    if verdict != VERDICTS[kind]:
        raise DataError(f"{where}: the verdict is {verdict!r}; an example of {kind} {VERDICTS[kind]}")
    try:
        re.compile(pattern)
    except re.error as error:
        raise DataError(f"{where}: the pattern is no regular expression: {error}") from None
    return Row(kind, pattern, example, "", verdict != "claims", "", where)
