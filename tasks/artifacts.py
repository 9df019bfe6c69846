"""What the run's page in Prefect's UI shows: stages, results, dropped samples, the report; and the event at a run's end.

The event ``raiden.run.finished`` carries the headline, so that an automation can react to a model that got worse.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.events import emit_event
from prefect.runtime import flow_run

from raiden_core.errors import DataError
from raiden_core.evaluation.results import PARTS, Results, parse_results
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import RESULTS_FILE
from raiden_core.stages.runs import RunRecord, list_runs
from raiden_core.text.formatting import signed_value, value
from tasks.links import report_link

EVENT = "raiden.run.finished"
TREND_RUNS = 20
"""So many runs stand in a trend."""
MOST_SKIPPED = 50
"""Rows of characters that were left out; more of them stand in `skipped.jsonl`."""


def publish_results(record: Mapping[str, Any]) -> None:
    """Publish a run's record as artifacts."""
    create_table_artifact(
        key="stages",
        description="Stages of this run",
        table=[
            {"stage": name, "cached": stage["cached"], "seconds": stage["seconds"], "folder": stage["folder"]}
            for name, stage in record["stages"].items()
        ],
    )
    if record["results"]:
        create_markdown_artifact(key="results", description="Base and trained", markdown=results_markdown(record))
    if record["report"]:
        page = Path(record["report"])
        create_link_artifact(
            link=report_link(page), link_text=str(page), key="report", description="The page of this run"
        )


def publish_samples(generated: StageResult) -> None:
    """Publish what generation dropped, and why."""
    create_table_artifact(
        key="dropped", description="What generation kept and dropped, and why", table=dropped_rows(generated.stats)
    )


def publish_trend(output_dir: Path, config_name: str) -> None:
    """Publish the headlines of the last runs of a configuration, this one included, beside each other."""
    rows = trend_rows(output_dir, config_name)
    if rows:
        create_table_artifact(
            key=f"trend-{re.sub(r'[^a-z0-9]+', '-', config_name.lower()).strip('-') or 'unnamed'}",
            description=f"The last {len(rows)} evaluated runs of {config_name}, the newest first",
            table=rows,
        )


def trend_rows(output_dir: Path, config_name: str) -> list[dict[str, Any]]:
    """A row for each of the last evaluated runs of a configuration's name, the newest first; broken records are left out."""
    named = (
        run
        for run in list_runs(output_dir)
        if isinstance(run, RunRecord) and run.results and run.folder.name.endswith(f"-{config_name}")
    )
    rows = []
    for run in deque(named, maxlen=TREND_RUNS):
        try:
            results = parse_results(run.results or {}, f"{run.folder}/{RESULTS_FILE}")
        except DataError:
            continue  # of an earlier version; raiden runs lists it
        row: dict[str, Any] = {"run": run.folder.name, "n": results.models[results.tested].all.n}
        row |= {model: cells.all.strict for model, cells in results.models.items()}
        if results.paired is not None:
            row |= {"difference": results.paired.delta, "p": results.paired.p}
        rows.append({name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()})
    return rows[::-1]


def dropped_rows(stats: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the dropped-samples table: samples kept, drafts dropped by filter, characters that were left out."""
    rows: list[dict[str, Any]] = [{"what": "sample", "why": "kept", "count": stats["samples"]}]
    rows += [{"what": "draft", "why": why, "count": count} for why, count in stats["dropped"].items() if count]
    skipped = [str(one) for one in stats["skipped"]]
    rows += [{"what": "character", "why": one, "count": 1} for one in skipped[:MOST_SKIPPED]]
    if len(skipped) > MOST_SKIPPED:
        rows.append({"what": "character", "why": "more, see skipped.jsonl", "count": len(skipped) - MOST_SKIPPED})
    return rows


def results_markdown(record: Mapping[str, Any]) -> str:
    """The headline as a Markdown table, rows without questions left out."""
    results = parse_results(record["results"], RESULTS_FILE)
    lines = ["| model | part | n | strict | lenient | 95% interval |", "|---|---|--:|--:|--:|---|"]
    for model, cells in results.models.items():
        for part in PARTS:
            row = cells.part(part)
            if row.strict is not None and row.lenient is not None:
                interval = "none" if row.ci95 is None else f"{row.ci95[0]:.1%} to {row.ci95[1]:.1%}"
                lines.append(f"| {model} | {part} | {row.n} | {row.strict:.1%} | {row.lenient:.1%} | {interval} |")
    paired = results.paired
    if paired is not None and paired.delta is not None and paired.p is not None:
        lines.append("")
        lines.append(f"Trained minus base, strict: **{paired.delta:+.1%}** (p = {paired.p:.2g})")
    lines += reward_lines(results)
    if record["report"]:
        lines.append(f"\nReport: `{record['report']}`")
    return "\n".join(lines)


def reward_lines(results: Results) -> list[str]:
    """What replies earn by each reward of a list, as a Markdown table; nothing where it is accuracy and format."""
    if not results.rewards:
        return []
    models = list(next(iter(results.rewards.values())).models)
    lines = ["", f"| reward | weight | {' | '.join(models)} | change |", f"|---|---|{'--:|' * (len(models) + 1)}"]
    for name, row in results.rewards.items():
        weight = "gate" if row.gate else f"{row.weight:g}"
        means = " | ".join(value(row.models[model].mean) for model in models)
        lines.append(f"| {name} | {weight} | {means} | {signed_value(row.paired.delta) if row.paired else ''} |")
    return lines


def announce(record: Mapping[str, Any], config_name: str) -> None:
    """Emit the event of a finished run, with the headline's numbers."""
    related = {"prefect.resource.id": f"prefect.flow-run.{flow_run.id}", "prefect.resource.role": "flow-run"}
    emit_event(
        event=EVENT,
        resource={"prefect.resource.id": f"raiden.config.{config_name}", "prefect.resource.name": config_name},
        related=[related] if flow_run.id else None,
        payload=headline(record),
    )


def headline(record: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers that somebody who is woken wants first."""
    stages: Mapping[str, Mapping[str, Any]] = record["stages"]
    numbers: dict[str, Any] = {
        "run": record["run"],
        "report": record["report"],
        "seconds": round(sum(stage["seconds"] for stage in stages.values()), 2),
        "cached": [name for name, stage in stages.items() if stage["cached"]],
    }
    if record["results"]:
        results = parse_results(record["results"], RESULTS_FILE)
        numbers |= {model: cells.all.strict for model, cells in results.models.items() if model != "original"}
        numbers["n"] = results.models[results.tested].all.n
        if results.paired is not None:
            numbers |= {"delta": results.paired.delta, "p": results.paired.p}
    return numbers
