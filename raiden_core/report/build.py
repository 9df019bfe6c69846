"""Builds report.html: everything about a run in one file that can be sent to anybody.

    build_report(results=…, predictions=run / "evaluate/predictions.jsonl", …, out=run / "report/report.html")

The page needs no network: style, script and charts are inside, and a content security policy forbids it to load or to
run anything else. Names, profiles and replies come from strangers and from models; the template escapes all of them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raiden_core.evaluation.predictions import SLICES, read_predictions
from raiden_core.evaluation.results import PARTS, Cell, Comparison, Pair, Results
from raiden_core.report import charts
from raiden_core.report.boundaries import boundary_figures
from raiden_core.report.curves import read_log, training_charts
from raiden_core.report.data import dropped_rows
from raiden_core.report.examples import OUTCOMES, choose_examples
from raiden_core.report.further import judge_table, reward_table, sampling_table
from raiden_core.report.pages import page_environment
from raiden_core.report.take_home import Place, introduction, programs
from raiden_core.report.tree import mask_secrets, tree
from raiden_core.report.wording import control_rows, explanation, reading_guide, verdict
from raiden_core.samples import Sample

MODEL_LABELS = {"original": "Original", "base": "Base", "trained": "Trained"}
SLICE_LABELS = {"language": "Language", "question_type": "Question", "difficulty": "Difficulty", "source": "Source"}
DIFFICULTIES = {"easy": 1, "medium": 2, "hard": 3}
VALUE_LABELS = {
    "zh": "Chinese", "en": "English", "ja": "Japanese", "ko": "Korean",
    "SBK": "Profile knowledge (SBK)", "CM": "Conversation memory (CM)", "all": "All questions",
    "SCK": "False premises (SCK)", "RCB": "Limits of knowledge (RCB)",
}  # fmt: skip


def build_report(
    *,
    results: Results,
    predictions: Path,
    dataset_stats: Mapping[str, Any],
    metrics: Path | None,
    generation_stats: Mapping[str, Any],
    config: Mapping[str, Any],
    run: Mapping[str, Any],
    out: Path,
    samples: Sequence[Sample] = (),
    home: Place | None = None,
) -> None:
    """Write the page.

    Args:
        results: of the evaluation; it holds a model ``trained``.
        predictions: predictions.jsonl of the same evaluation; the examples come from it.
        dataset_stats: statistics of the split; any shape.
        metrics: JSONL of the trainer's logs, or None where nothing was trained.
        generation_stats: statistics of the generation; any shape.
        config: the resolved configuration; secrets in it are masked.
        run: ``name`` and ``notes`` (sentences shown at the top), ``commands`` (how to run it again); everything else
            (versions, seeds, hashes, hardware, …) is listed as it is.
        out: the file to write.
        samples: some of the data, chosen at random, to be read as they are.
        home: the trained model, for the section that says how to run it; None leaves that out.

    Raises:
        DataError: results, predictions or metrics are not what evaluation and training write.
    """
    script, style = _asset("report.js"), _asset("report.css")
    page = (
        _environment()
        .get_template("report.html.jinja")
        .render(
            run=run,
            notes=[*run.get("notes", []), *results.notes],
            results=results,
            models=list(results.models),
            verdict=verdict(results),
            explanation=explanation(results),
            guide=reading_guide(results),
            tables=_result_tables(results),
            strips=_strip_groups(results),
            boundaries=boundary_figures(results.boundaries),
            phases=training_charts(read_log(metrics)) if metrics is not None else [],
            kl_free=_trains_without_kl(config),
            examples=choose_examples(read_predictions(predictions)),
            outcomes=OUTCOMES,
            sampling=sampling_table(results.sampling, MODEL_LABELS),
            judge=judge_table(results.judge),
            rewards=reward_table(results.rewards, MODEL_LABELS),
            controls=control_rows(results.controls),
            generation=tree({key: value for key, value in generation_stats.items() if key != "dropped"}),
            dropped=dropped_rows(generation_stats.get("dropped")),
            samples=samples,
            dataset=tree(dataset_stats),
            facts=tree({key: value for key, value in run.items() if key not in ("name", "notes", "commands")}),
            config=_yaml(config),
            home=home,
            programs=programs(home) if home else [],
            introduction=introduction(home) if home else "",
            style=style,
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    # Half of a surrogate pair, as some card files hold, has no UTF-8 form.
    partial.write_text(page, encoding="utf-8", errors="replace")
    partial.replace(out)


def _environment() -> Any:
    environment = page_environment("raiden_core.report")
    environment.filters["model_label"] = MODEL_LABELS.__getitem__
    environment.globals |= {
        "chart": {name: getattr(charts, name) for name in ("WIDTH", "HEIGHT", "LEFT", "RIGHT", "BOTTOM")}
    }
    return environment


def _asset(name: str) -> Any:
    """One of our own files, marked as safe to stand in the page as it is."""
    from markupsafe import Markup

    text = (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
    return Markup(text)


def _trains_without_kl(config: Mapping[str, Any]) -> bool:
    """Whether GRPO ran with ``beta`` 0: then there is no reference model to measure a KL against."""
    grpo = config.get("grpo")
    return isinstance(grpo, Mapping) and grpo.get("beta") == 0


def _yaml(config: Mapping[str, Any]) -> str:
    import yaml

    plain = json.loads(json.dumps(mask_secrets(config), default=str))
    return str(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=100))


def _result_tables(results: Results) -> list[dict[str, Any]]:
    """The result table's parts: the validation set, then each further set; rows without samples are left out."""
    tables = []
    for title, comparison in [("", results), *results.extra.items()]:
        rows = []
        for name in PARTS:
            cells = [of_parts.part(name) for of_parts in comparison.models.values()]
            if cells[-1].n:
                rows.append(
                    {
                        "label": VALUE_LABELS[name],
                        "n": cells[-1].n,
                        "characters": cells[-1].characters,
                        "cells": cells,
                        "change": comparison.paired.part(name) if comparison.paired else None,
                    }
                )
        tables.append({"title": title, "models": list(comparison.models), "rows": rows})
    return tables


@dataclass(frozen=True)
class Strip:
    """A row of the breakdown: intervals to draw."""

    label: str
    models: Mapping[str, Cell]
    change: Pair | None

    @property
    def n(self) -> int:
        """Samples of the model under test."""
        return list(self.models.values())[-1].n


def _strip_groups(results: Results) -> list[tuple[str, list[Strip]]]:
    """Intervals to draw, by group: dimensions, every breakdown, further sets."""
    groups = [("Dimension", [_strip(VALUE_LABELS[part], results, part) for part in PARTS])]
    for name in SLICES:
        strips = {
            value: Strip(VALUE_LABELS.get(value, value), entry.models, entry.paired)
            for value, entry in results.by.get(name, {}).items()
        }
        # Easy comes before hard; everything else goes by how many questions there are.
        order = sorted(strips, key=lambda value: (DIFFICULTIES.get(value, 0), -strips[value].n))
        groups.append((SLICE_LABELS[name], [strips[value] for value in order]))
    groups.append(("Further sets", [_strip(name, part, "all") for name, part in results.extra.items()]))
    shown = [(title, [strip for strip in strips if strip.n]) for title, strips in groups]
    # A breakdown with one value says what the headline says.
    return [(title, strips) for title, strips in shown if len(strips) > (title not in ("Dimension", "Further sets"))]


def _strip(label: str, comparison: Comparison, part: str) -> Strip:
    models = {model: cells.part(part) for model, cells in comparison.models.items()}
    return Strip(label, models, comparison.paired.part(part) if comparison.paired else None)
