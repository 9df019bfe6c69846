"""The final results for the places that training reports to: MLflow, Weights & Biases, trackio.

``grpo.report_to`` sends a training's metrics there, by transformers' own integrations. When a run has been evaluated, its
result goes to the same places, as a run of its own: accuracies by model and part, the paired difference, the controls.
Projects, addresses and keys are those that the integrations use, from the environment of each library; nothing of raiden
holds a key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec

from raiden_core.config import Config
from raiden_core.evaluation.results import PARTS, Results

PROJECT = "huggingface"
"""The project of transformers' integrations where nobody names one."""

Send = Callable[[str, str, Mapping[str, float], Mapping[str, str]], None]
"""Sends figures and facts: (project, name of the run, figures, facts)."""


def trackers_of(config: Config) -> list[str]:
    """The places of ``grpo.report_to`` to which final results can be sent."""
    wanted = (config.grpo.model_extra or {}).get("report_to") or []
    names = [wanted] if isinstance(wanted, str) else [str(name) for name in wanted]
    return [name for name in SENDERS if name in names or ("all" in names and find_spec(name))]


def send_results(config: Config, results: Results, facts: Mapping[str, str]) -> list[str]:
    """Send a run's final results to where its training reported.

    Args:
        config: the run's configuration.
        results: what the evaluation found.
        facts: where the run and its report lie.

    Returns:
        A line for each place that did not take them. A run whose results are on disk does not fail for that.
    """
    extra = config.grpo.model_extra or {}
    project = str(extra.get("project") or PROJECT)
    name = f"{extra.get('run_name') or config.name}: results"
    problems = []
    for tracker in trackers_of(config):
        if find_spec(tracker) is None:
            problems.append(
                f"{tracker}: the final results were not sent: it is not installed where the run is; pip install it"
            )
            continue
        try:
            SENDERS[tracker](project, name, figures_of(results), facts)
        except Exception as error:  # noqa: BLE001
            # Each library raises errors of its own, of its HTTP client and of its server, and none of them is about the run.
            first = " ".join(str(error).split())[:200]
            problems.append(f"{tracker}: the final results were not sent: {type(error).__name__}: {first}")
    return problems


def figures_of(results: Results) -> dict[str, float]:
    """The numbers of a result by name: ``trained/SBK/strict``, ``difference/strict``, ``control/gold``."""
    figures: dict[str, float | None] = {}
    for model, cells in results.models.items():
        for part in PARTS:
            row = cells.part(part)
            if row.n:
                figures |= {f"{model}/{part}/strict": row.strict, f"{model}/{part}/lenient": row.lenient}
                figures[f"{model}/{part}/n"] = float(row.n)
    if (paired := results.paired) is not None:
        figures |= {
            "difference/strict": paired.delta,
            "difference/lenient": paired.lenient_delta,
            "difference/p": paired.p,
        }
        if paired.ci95 is not None:
            figures["difference/strict_low"], figures["difference/strict_high"] = paired.ci95
    for control in ("gold", "other_character", "recital", "profile_recited", "keyword_list"):
        figures[f"control/{control}"] = getattr(results.controls, control)
    return {name: float(value) for name, value in figures.items() if value is not None}


def _to_mlflow(project: str, name: str, figures: Mapping[str, float], facts: Mapping[str, str]) -> None:
    import mlflow

    experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME")
    if experiment:
        mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name=name):
        mlflow.set_tags(dict(facts))
        mlflow.log_metrics(dict(figures))


def _to_wandb(project: str, name: str, figures: Mapping[str, float], facts: Mapping[str, str]) -> None:
    import wandb

    with wandb.init(project=os.environ.get("WANDB_PROJECT", PROJECT), name=name, config=dict(facts)) as run:
        run.summary.update(dict(figures))
        run.log(dict(figures))


def _to_trackio(project: str, name: str, figures: Mapping[str, float], facts: Mapping[str, str]) -> None:
    import trackio

    trackio.init(project=project, name=name, config=dict(facts))
    trackio.log(dict(figures))
    trackio.finish()


SENDERS: Mapping[str, Send] = {"mlflow": _to_mlflow, "wandb": _to_wandb, "trackio": _to_trackio}
"""Name in ``report_to`` and of the package -> what sends results there."""
