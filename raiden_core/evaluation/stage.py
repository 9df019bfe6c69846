"""The evaluate stage: from the configuration and finished stages to ``results.json`` and ``predictions.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import ConfigError
from raiden_core.evaluation.evaluate import evaluate
from raiden_core.evaluation.predictions import MAIN_SET
from raiden_core.evaluation.results import Results
from raiden_core.evaluation.sets import Measure, QuestionSets
from raiden_core.evaluation.settings import EvaluateSettings
from raiden_core.models.answering import Answerer
from raiden_core.models.local_model import LocalModel
from raiden_core.models.served_model import ServedModel, endpoint_at, is_url
from raiden_core.samples import Sample, read_samples
from raiden_core.stages.layout import EVALUATION_ONLY
from raiden_core.stages.progress import Progress

if TYPE_CHECKING:
    from raiden_core.evaluation.judge.judge import Judge


def evaluation_only_files(folder: Path) -> dict[str, Path]:
    """Row -> samples of the characters that are only evaluated, in a generate stage's folder."""
    return {path.stem: path for path in sorted((folder / EVALUATION_ONLY).glob("*.jsonl"))}


def evaluate_stage(
    settings: EvaluateSettings,
    models: Mapping[str, Path | str],
    validation: Path,
    extra: Mapping[str, Path],
    train: Path,
    out: Path,
    progress: Progress,
) -> Mapping[str, Any]:
    """The stage: results go to ``out``, the headline is its statistics; ``train`` is searched for leaks."""
    return headline(evaluate_files(settings, models, validation, extra, out, progress, train))


def headline(results: Results) -> dict[str, Any]:
    """The figures of all validation samples by model, and the paired difference, None where there is no base, as JSON."""
    figures = {model: cells.all.as_json() for model, cells in results.models.items()}
    return {**figures, "paired": results.paired.as_json() if results.paired else None}


def evaluate_files(
    settings: EvaluateSettings,
    models: Mapping[str, Path | str],
    validation: Path,
    extra: Mapping[str, Path],
    out: Path,
    progress: Progress,
    train: Path | None = None,
) -> Results:
    """Evaluate models on the validation file and the extra files, and leave the results in ``out``.

    The validation file may also be a folder with a benchmark's npc.json and dialogue.json.
    """
    samples, notes = read_evaluation_data(validation)
    questions = QuestionSets(
        validation=samples,
        extra={name: read_samples(path) for name, path in extra.items()},
        training=read_samples(train) if train else None,
        notes=notes,
        files={MAIN_SET: validation, **extra},
    )
    measure = measure_of(settings)
    return evaluate(answerers(settings, models), questions, measure, out, judge=_judge(settings), progress=progress)


def measure_of(settings: EvaluateSettings) -> Measure:
    """How the settings have models asked and scored."""
    return Measure(
        settings.scorer,
        settings.evaluation,
        settings.system_prompt,
        settings.seed,
        settings.layout,
        settings.rewards,
    )


def read_evaluation_data(path: Path) -> tuple[list[Sample], list[str]]:
    """Samples of a file, or of a folder in RAIDEN's benchmark format, and what a reader must know about them.

    Raises:
        DataError: it cannot be read.
    """
    if not path.is_dir():
        return read_samples(path), []
    from raiden_core.evaluation.raiden_benchmark import read_benchmark

    return read_benchmark(path)


def answerers(settings: EvaluateSettings, models: Mapping[str, Path | str]) -> dict[str, Answerer]:
    """Who answers for each model: its folder, or its server; a folder named by its Hub id is taken from the Hub's cache, or
    fetched.

    Raises:
        UsageError, ConfigError: an address names no model; the Hub has none of that name.
        ConnectionError: the Hub does not work.
    """
    return {name: _answerer(model, settings) for name, model in models.items()}


def _judge(settings: EvaluateSettings) -> Judge | None:
    evaluation = settings.evaluation
    if evaluation.judge is None:
        return None
    from raiden_core.evaluation.judge.judge import Judge

    return Judge(
        evaluation.judge,
        evaluation.judge_rubrics,
        evaluation.judge_questions,
        evaluation.judge_max_tokens,
        settings.seed,
    )


def _answerer(model: Path | str, settings: EvaluateSettings) -> Answerer:
    """Who answers for a model: its server, transformers, or vLLM."""
    evaluation = settings.evaluation
    if isinstance(model, str) and is_url(model):
        return ServedModel(endpoint_at(model, evaluation.served), evaluation.max_new_tokens, evaluation.temperature)
    folder = model if isinstance(model, Path) else _from_hub(model)
    if evaluation.engine == "transformers":
        return LocalModel(
            folder, evaluation.max_new_tokens, evaluation.batch_size, evaluation.temperature, settings.seed
        )
    from raiden_core.models.vllm_model import VllmModel

    return VllmModel(
        folder,
        evaluation.max_new_tokens,
        temperature=evaluation.temperature,
        seed=settings.seed,
        gpus=evaluation.vllm_gpus,
    )


def _from_hub(model: str) -> Path:
    """The folder of a model that is named by its Hub id, from the Hub's cache, or fetched."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(model, allow_patterns=["*.safetensors", "*.json", "*.txt", "*.jinja", "*.model"]))
    except (LocalEntryNotFoundError, RepositoryNotFoundError) as error:
        raise ConfigError(f"student.model: {model}: not on the Hub, or the Hub cannot be reached: {error}") from error
    except HfHubHTTPError as error:
        raise ConnectionError(f"{model}: the Hub answered: {error}") from error
