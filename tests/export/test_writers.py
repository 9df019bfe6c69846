"""Exports for other trainers: what a recipe names is what the configuration says, or the recipe says why it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from raiden_core.cli.export import export

SAMPLE = {
    "character_name": "Ann", "character_profile": {"Home": "Leeds"}, "question": "Where are you from?",
    "answer": "I am from Leeds.", "keywords": ["Leeds"], "language": "en",
}  # fmt: skip


def _export(folder: Path, to: str, *options: str) -> Result:
    (folder / "train.json").write_text(json.dumps([SAMPLE]), "utf-8")
    arguments = [str(folder / "out"), "--to", to, "--data", str(folder / "train.json"), *options]
    return CliRunner().invoke(export, arguments, catch_exceptions=False)


@pytest.mark.parametrize("model", ["HuggingFaceTB/SmolLM2-135M-Instruct", "/models/mine"])
def test_an_openr1_recipe_names_the_student_of_the_configuration(model: str, tmp_path: Path) -> None:
    result = _export(tmp_path, "openr1", "--set", f"student.model={model}")
    recipe = yaml.safe_load((tmp_path / "out/recipe.yaml").read_text("utf-8"))
    assert recipe["model_name_or_path"] == model and recipe["dataset_name"] == str(tmp_path / "out")
    assert "note" not in result.output


def test_a_student_that_is_made_inside_the_run_is_never_replaced_by_another_model(tmp_path: Path) -> None:
    result = _export(tmp_path, "openr1", "--set", "student.model=nano")
    text = (tmp_path / "out/recipe.yaml").read_text("utf-8")
    assert "model_name_or_path" not in yaml.safe_load(text) and "Qwen" not in text
    for said in (text.splitlines()[0], result.stderr):
        assert "model_name_or_path is missing: the student is nano" in said
        assert "--set student.model=NAME" in said
    assert result.exit_code == 0 and (tmp_path / "out/train.parquet").is_file()


def test_exports_without_a_recipe_say_nothing_about_models(tmp_path: Path) -> None:
    assert "model_name_or_path" not in _export(tmp_path, "trl", "--set", "student.model=nano").output
