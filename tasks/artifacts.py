"""What the run's page in Prefect's UI shows: a table of stages, a table of results, the report's path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact


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


def results_markdown(record: Mapping[str, Any]) -> str:
    """The headline as a Markdown table."""
    results = record["results"]
    lines = ["| model | part | n | strict | lenient | 95% interval |", "|---|---|--:|--:|--:|---|"]
    for model in ("base", "trained"):
        for part, row in results[model].items():
            interval = "none" if row["ci95"] is None else f"{row['ci95'][0]:.1%} to {row['ci95'][1]:.1%}"
            lines.append(f"| {model} | {part} | {row['n']} | {row['strict']:.1%} | {row['lenient']:.1%} | {interval} |")
    paired = results["paired"]
    lines.append("")
    lines.append(f"Trained minus base, strict: **{paired['delta']:+.1%}** (p = {paired['p']:.2g})")
    if record["report"]:
        lines.append(f"\nReport: `{record['report']}`")
    return "\n".join(lines)
