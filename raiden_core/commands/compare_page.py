"""A comparison of runs as one HTML page that needs no network and runs no script; all text in it is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from raiden_core.evaluation.compare import Run, common_predictions
from raiden_core.evaluation.formatting import p_value, percent, percent_range, points, points_range

EXAMPLES = 6
"""Questions shown for each run and direction of change."""
MAX_TEXT = 1500
"""Characters of one text on the page."""


def write_page(path: Path, comparison: Mapping[str, Any], runs: Sequence[Run]) -> None:
    """Write the page; it appears under its name only when it is whole."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("raiden_core.commands"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "points": points,
        "percent_range": percent_range,
        "points_range": points_range,
        "p_value": p_value,
        "clip": _clip,
    }
    page = environment.get_template("compare.html.jinja").render(
        comparison=comparison,
        parts=[part for part in ("all", "SBK", "CM") if _has_questions(comparison, part)],
        labels={"all": "All questions", "SBK": "Profile knowledge (SBK)", "CM": "Conversation memory (CM)"},
        examples=[_examples(runs[0], run) for run in runs[1:]],
        # Our own file: the report and this page look alike.
        style=Markup(files("raiden_core.report").joinpath("templates/report.css").read_text("utf-8")),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    # Half of a surrogate pair, as some card files hold, has no UTF-8 form.
    partial.write_text(page, encoding="utf-8", errors="replace")
    partial.replace(path)


def _has_questions(comparison: Mapping[str, Any], part: str) -> bool:
    return any(run["models"][run["tested"]][part]["n"] for run in comparison["runs"])


def _examples(first: Run, run: Run) -> dict[str, Any]:
    """Questions that one of the two tested models gets right and the other wrong, a character at most once in each."""
    gained: dict[str, Any] = {}
    lost: dict[str, Any] = {}
    for before, after in zip(*common_predictions(first, run), strict=True):
        if before.strict != after.strict:
            chosen = gained if after.strict > before.strict else lost
            if len(chosen) < EXAMPLES:
                chosen.setdefault(after.character, (before, after))
    kinds = (("Right here, wrong in the first run", gained), ("Wrong here, right in the first run", lost))
    return {"label": run.label, "kinds": [(title, list(found.values())) for title, found in kinds if found]}


def _clip(text: str) -> str:
    """A text that fits on the page, without control characters."""
    shown = "".join(letter if letter >= " " or letter in "\n\t" else "\ufffd" for letter in text[:MAX_TEXT])
    return shown if len(text) <= MAX_TEXT else f"{shown} … ({len(text) - MAX_TEXT:,} more characters)"
