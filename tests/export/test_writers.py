"""Exports for other trainers: what a recipe names is what the configuration says, or the recipe says why it cannot."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from pyarrow import parquet

from raiden_core.cli.export import export
from raiden_core.config.loading import load_config
from raiden_core.prompts import build_prompt
from raiden_core.rewards.configured import training_scorer
from raiden_core.rewards.listed.chosen import chosen_rewards
from raiden_core.rewards.listed.running import RewardRun
from raiden_core.rewards.listed.trial import as_chats, columns_of
from raiden_core.samples import Sample

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


OWN = """from beside import SHARE


def warmth(completions, question, **columns):
    return [SHARE * len(one) for one in question]
"""
LIST = """
rewards:
  - {use: accuracy, weight: 0.5}
  - {use: format, weight: 0.25}
  - {use: "OWN:warmth", name: warm-1, weight: 0.1}
  - {use: length, weight: 0.2, arguments: {max_length: 4, cache_length: 2}}
  - {use: one_voice, gate: true}
"""
COMPLETIONS = (
    "<think>?</think><answer>I am from Leeds.</answer>",
    "<think>?</think><answer>Leeds.\nUser: Why?</answer>",
    "I forgot.",
    "",
)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A configuration with a list that holds a user's file, arguments and a gate."""
    (tmp_path / "their_rewards.py").write_text(OWN)
    (tmp_path / "beside.py").write_text("SHARE = 0.01\n")
    file = tmp_path / "config.yaml"
    file.write_text(LIST.replace("OWN", str(tmp_path / "their_rewards.py")))
    return file


def _module(file: Path) -> Any:
    for name in ("beside", "raiden_rewards", *(one for one in sys.modules if one.startswith("raiden_own_rewards"))):
        sys.modules.pop(name, None)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _earned(config: Path) -> Any:
    chosen, scorer = chosen_rewards(load_config(config)), training_scorer(load_config(config))
    sample = Sample.model_validate(SAMPLE)
    with RewardRun(chosen) as run:
        count = len(COMPLETIONS)
        return run([build_prompt(sample)] * count, as_chats(COMPLETIONS), columns_of([sample] * count, scorer))


@pytest.mark.parametrize("to", ["trl", "openr1"])
def test_a_list_goes_to_trl_whole_with_gates_arguments_and_the_users_files(
    to: str, listed: Path, tmp_path: Path
) -> None:
    wanted = _earned(listed)
    result = _export(tmp_path, to, "--config", str(listed))
    assert result.exit_code == 0, result.output
    names = ["accuracy_reward", "format_reward", "warm_1", "length", "one_voice", "total"]
    paths = [f"raiden_rewards.{name}" for name in names]
    if to == "trl":
        assert f"--reward_funcs {' '.join(paths)} --reward_weights 0.0 0.0 0.0 0.0 0.0 1.0" in result.output
    else:
        recipe = yaml.safe_load((tmp_path / "out/recipe.yaml").read_text("utf-8"))
        assert (recipe["reward_funcs"], recipe["reward_weights"]) == (paths, [0.0] * 5 + [1.0])
    # The folder stands by itself: the user's own file may be gone.
    (tmp_path / "their_rewards.py").unlink()
    (tmp_path / "beside.py").unlink()
    module = _module(tmp_path / "out" / "raiden_rewards.py")
    table = parquet.read_table(tmp_path / "out" / "train.parquet").to_pylist()[0]
    row = {name: [value] * len(COMPLETIONS) for name, value in table.items() if name != "prompt"}
    batch = as_chats(COMPLETIONS)
    said = [getattr(module, name)(completions=batch, prompts=[table["prompt"]] * len(batch), **row) for name in names]
    assert said == [*wanted.values.values(), wanted.totals]


def test_a_list_goes_to_verl_one_completion_at_a_time(listed: Path, tmp_path: Path) -> None:
    wanted = _earned(listed)
    result = _export(tmp_path, "verl", "--config", str(listed))
    assert result.exit_code == 0, result.output
    module = _module(tmp_path / "out" / "raiden_reward.py")
    row = parquet.read_table(tmp_path / "out" / "train.parquet").to_pylist()[0]
    for place, completion in enumerate(COMPLETIONS):
        got = module.compute_score("raiden", completion, row["reward_model"]["ground_truth"], row["extra_info"])
        assert got == {"score": wanted.totals[place]} | {name: values[place] for name, values in wanted.values.items()}


def test_what_verl_cannot_have_is_said(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("rewards: [{use: by_character}, {use: judge, endpoint: judge}]\nevaluation: {judge: {model: m}}\n")
    told = _export(tmp_path, "verl", "--config", str(file)).stderr
    assert "by_character: verl scores completions one by one" in told and "judge: verl scores" in told


def test_the_usual_two_need_no_file_of_ours(tmp_path: Path) -> None:
    result = _export(tmp_path, "trl")
    assert "--reward_funcs raiden_core.rewards.accuracy_reward raiden_core.rewards.format_reward" in result.output
    assert "--reward_weights 0.7 0.3" in result.output and not (tmp_path / "out" / "raiden_rewards.py").exists()
