"""A comparison of runs as one HTML page that needs no network and runs no script; all text in it is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from raiden_core.evaluation.compare import Run, common_predictions
from raiden_core.evaluation.compared import RunComparison
from raiden_core.evaluation.earned import weight_text
from raiden_core.evaluation.results import PARTS
from raiden_core.report.pages import page_environment

EXAMPLES = 6
"""Questions shown for each run and direction of change."""


def write_page(path: Path, comparison: RunComparison, runs: Sequence[Run]) -> None:
    """Write the page; it appears under its name only when it is whole."""
    from markupsafe import Markup

    environment = page_environment("raiden_core.report")
    page = environment.get_template("compare.html.jinja").render(
        comparison=comparison,
        numbers={run.label: number for number, run in enumerate(comparison.runs, 1)},
        weight_text=weight_text,
        parts=[part for part in PARTS if _has_questions(comparison, part)],
        labels={
            "all": "All questions",
            "SBK": "Profile knowledge (SBK)",
            "CM": "Conversation memory (CM)",
            "SCK": "False premises (SCK)",
            "RCB": "Limits of knowledge (RCB)",
        },
        examples=[_examples(runs[0], run) for run in runs[1:]],
        # Our own file: the report and this page look alike.
        style=Markup(files("raiden_core.report").joinpath("templates/report.css").read_text("utf-8")),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    # Half of a surrogate pair, as some card files hold, has no UTF-8 form.
    partial.write_text(page, encoding="utf-8", errors="replace")
    partial.replace(path)


def _has_questions(comparison: RunComparison, part: str) -> bool:
    return any(run.models[run.tested].part(part).n for run in comparison.runs)


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
