"""Flat files for the training scripts: aliases, precedence, and one line for what is wrong."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config.sections.reward import AccuracyConfig, FormatConfig
from raiden_core.config.sections.training import ProbeConfig
from raiden_core.errors import ConfigError
from raiden_core.training.arguments import ColdStartArguments, GrpoArguments, parse_script, read_flat
from tests.support.tables import table


@dataclass
class Training:
    """Stands for GRPOConfig, which costs seconds to make."""

    output_dir: str = field(default="out")
    num_generations: int = field(default=8)
    beta: float = field(default=0.0)
    learning_rate: float = field(default=1e-6)
    bf16: bool = field(default=False)
    use_cpu: bool = field(default=True)


def parse(tmp_path: Path, text: str, *flags: str) -> tuple[GrpoArguments, Training]:
    path = tmp_path / "job.yaml"
    path.write_text(text, "utf-8")
    script, training = parse_script((GrpoArguments, Training), [str(path), *flags])
    return script, training


def test_the_file_gives_defaults_and_the_command_line_goes_before_them(tmp_path: Path) -> None:
    text = "train_data_path: a.json\nnum_generations: 4\nlearning_rate: 3e-6\nbf16: true\nsystem_prompt: 你是{name}。"
    script, training = parse(tmp_path, text, "--learning_rate", "1e-5", "--num-generations=6")
    assert (script.train_data_path, script.system_prompt) == ("a.json", "你是{name}。")
    assert (training.num_generations, training.learning_rate, training.bf16) == (6, 1e-5, True)


def test_numbers_with_exponents_are_numbers(tmp_path: Path) -> None:
    assert parse(tmp_path, "learning_rate: 3e-6")[1].learning_rate == 3e-6


def test_the_names_of_the_guide_are_read_in_files_and_flags(tmp_path: Path) -> None:
    _, training = parse(tmp_path, "num_samples_per_prompt: 2\nkl_penalty: 0.2")
    assert (training.num_generations, training.beta) == (2, 0.2)
    _, training = parse(tmp_path, "num_generations: 4", "--num_samples_per_prompt", "16", "--kl-penalty=0.3")
    assert (training.num_generations, training.beta) == (16, 0.3)


def test_an_alias_beside_its_native_key_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="num_samples_per_prompt and num_generations are the same setting"):
        parse(tmp_path, "num_samples_per_prompt: 2\nnum_generations: 2")
    with pytest.raises(ConfigError, match="--kl_penalty and --beta are the same setting"):
        parse(tmp_path, "{}", "--kl_penalty", "0.1", "--beta=0.2")


@table(
    ("text", "flags", "words"),
    [
        ("num_generation: 4", [], ["job.yaml: num_generation: unknown key", "'num_generations'"]),
        ("acuracy_weight: 4", [], ["acuracy_weight: unknown key", "'accuracy_weight'"]),
        ("{}", ["--num_generation", "4"], ["--num_generation: unknown option", "'num_generations'"]),
        ("{}", ["--learning-rte=4"], ["--learning-rte=4: unknown option", "'learning_rate'"]),
        ("num_generations: many", [], ["num_generations", "many"]),
        ("{}", ["--beta", "much"], ["beta", "much"]),
        ("{}", ["--beta"], ["beta", "expected"]),
        ("- a", [], ["mapping of keys"]),
        ("a: [1", [], ["job.yaml: broken YAML at line 2, column 1"]),
        ("a: 2024-13-45", [], ["job.yaml: broken YAML: month must be in 1..12"]),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str, flags: list[str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(tmp_path, text, *flags)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_the_file_may_stand_after_config(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("beta: 0.5")
    _, training = parse_script((GrpoArguments, Training), ["--bf16", "true", "--config", str(path)])
    assert (training.beta, training.bf16) == (0.5, True)


@pytest.mark.parametrize("argv", [[], ["--beta", "1"], ["--config"]])
def test_without_a_file_it_says_so(argv: list[str]) -> None:
    with pytest.raises(ConfigError, match="give a YAML file"):
        parse_script((GrpoArguments, Training), argv)


def test_help_lists_the_keys(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_script((GrpoArguments, Training), ["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0 and "FILE.yaml" in shown
    assert "--train_data_path" in shown and "--learning_rate" in shown


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: \xff")
    for path in (tmp_path / "none.yaml", tmp_path, latin):
        with pytest.raises(ConfigError) as caught:
            read_flat(path)
        assert str(caught.value).startswith(f"{path}: ")


def test_a_file_made_for_the_script_by_us_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("probe_stop_at: null\nmax_prompt_length: null\n")
    assert read_flat(path) == {"probe_stop_at": None, "max_prompt_length": None}


def test_defaults_are_those_of_the_configuration() -> None:
    grpo, cold, accuracy = GrpoArguments(), ColdStartArguments(), AccuracyConfig()
    assert (grpo.accuracy_weight, grpo.format_weight) == (accuracy.weight, FormatConfig().weight)
    assert (grpo.min_length_bound, grpo.length_ratio) == (accuracy.min_length_bound, accuracy.length_ratio)
    probe: Any = ProbeConfig()
    assert (cold.probe_stop_at, cold.probe_ceiling, cold.probe_every) == (probe.stop_at, probe.ceiling, probe.every)
