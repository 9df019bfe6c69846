"""``raiden evaluate``: what is said on its command line is what is evaluated, and a killed one goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raiden_core.cli import group as cli
from raiden_core.errors import StageError
from raiden_core.evaluation.settings import EvaluateSettings

SERVER = "http://127.0.0.1:1/v1#m"


def evaluate_with(*argv: object) -> int:
    return cli.run(cli.build(cli.COMMANDS, "raiden"), ["evaluate", *map(str, argv)])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[EvaluateSettings, Mapping[str, Any], Path, list[str]]]:
    """What every evaluation was given: settings, models, data, and the files that its folder held already."""
    seen: list[tuple[EvaluateSettings, Mapping[str, Any], Path, list[str]]] = []

    def evaluate_files(
        settings: EvaluateSettings, models: Mapping[str, Any], data: Path, _more: object, folder: Path, *_: object
    ) -> None:
        seen.append((settings, models, data, sorted(path.name for path in folder.iterdir())))
        (folder / "answers").touch()
        raise StageError("the server is gone")

    monkeypatch.setattr("raiden_core.evaluation.stage.evaluate_files", evaluate_files)
    return seen


def test_a_run_that_failed_goes_on_from_what_was_answered(asked: list[Any], tmp_path: Path) -> None:
    for _ in range(2):
        assert evaluate_with("--model", SERVER, "--data", "v.json", "--out", tmp_path / "out") == 1
    assert [files for *_, files in asked] == [[], ["answers"]]


def test_the_command_line_is_what_is_evaluated(asked: list[Any], tmp_path: Path) -> None:
    flags = ["--samples", 4, "--engine", "transformers", "--drop-bad-gold", "--judge", "http://127.0.0.1:2/v1#referee"]
    base = tmp_path / "base"
    base.mkdir()
    models = ["--model", SERVER, "--base", base]
    assert evaluate_with(*models, "--data", "v.json", "--out", tmp_path / "out", *flags) == 1
    [(settings, answering, data, _)] = asked
    assert answering == {"base": base, "trained": SERVER} and data == Path("v.json")
    evaluation = settings.evaluation
    assert (evaluation.samples, evaluation.engine, evaluation.drop_bad_gold) == (4, "transformers", True)
    assert evaluation.judge is not None and evaluation.judge.model == "referee"


def test_without_flags_the_configured_evaluation_is_asked(asked: list[Any], tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("evaluation:\n  samples: 3\n  judge: {url: 'http://127.0.0.1:2/v1', model: own}\n", "utf-8")
    assert evaluate_with("--model", SERVER, "--data", "v.json", "--out", tmp_path / "out", "--config", config) == 1
    [(settings, answering, *_)] = asked
    assert answering == {"trained": SERVER}
    assert settings.evaluation.samples == 3 and not settings.evaluation.drop_bad_gold
    assert settings.evaluation.judge is not None and settings.evaluation.judge.model == "own"
