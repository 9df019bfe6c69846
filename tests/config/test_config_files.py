"""Configuration files: what is accepted, and the one line that says what is wrong."""

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from raiden_core.config import Config
from raiden_core.config.loading import dump_config, load_config, parse_config
from raiden_core.config.trl_fields import trainer_fields
from raiden_core.errors import ConfigError, DataError, StageError, UsageError
from raiden_core.training.arguments import ColdStartArguments, GrpoArguments
from tests.support.tables import table


def refusal(text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, overrides, where="my.yaml")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_an_empty_file_gives_the_defaults_of_the_models() -> None:
    assert parse_config("") == Config()
    assert parse_config("# nothing\n") == Config()


@table(
    ("text", "words"),
    [
        ("gropo: {}", ["gropo: unknown key", "'grpo'"]),
        ("seeed: 3", ["seeed: unknown key", "'seed'"]),
        ("generation: {include_cn: true}", ["generation.include_cn: unknown key", "'include_cm'"]),
        ("student: {nano: {hiden_size: 64}}", ["student.nano.hiden_size: unknown key", "'hidden_size'"]),
        ("grpo: {launch: {num_proceses: 2}}", ["grpo.launch.num_proceses: unknown key", "'num_processes'"]),
        ("grpo: {num_generation: 4}", ["grpo.num_generation: unknown key", "'num_generations'"]),
        ("grpo: {learning_rte: 1}", ["grpo.learning_rte: unknown key", "'learning_rate'"]),
        ("grpo: {warmup_stepz: 1}", ["grpo.warmup_stepz: unknown key", "'warmup_steps'"]),
        ("cold_start: {packng: true}", ["cold_start.packng: unknown key", "'packing'"]),
        ("cold_start: {num_generations: 4}", ["cold_start.num_generations: unknown key"]),
        ("zzzzzzzz: 1", ["zzzzzzzz: unknown key"]),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_right_name(text: str, words: list[str]) -> None:
    message = refusal(text)
    assert message.startswith("my.yaml: ")
    assert all(word in message for word in words), message


@pytest.mark.parametrize("setting", ["patience_seconds: 4", "api_key_env: KEY", "attempts: 2", "{}"])
def test_one_setting_of_served_models_leaves_the_others_alone(setting: str) -> None:
    text = "{}" if setting == "{}" else f"{{{setting}}}"
    served = parse_config(f"evaluation: {{served: {text}}}").evaluation.served
    assert (served.dialect, served.thinking) == ("openai", "default")
    assert parse_config("evaluation: {served: {dialect: vllm}}").evaluation.served.thinking == "default"
    assert parse_config("evaluation: {judge: {model: m}}").evaluation.judge.dialect == "sglang"


def test_no_name_is_suggested_where_none_is_near() -> None:
    assert "did you mean" not in refusal("zzzzzzzz: 1")


@table(
    ("text", "words"),
    [
        ("seed: many", ["seed: ", "integer", "'many'"]),
        ("generation: {cm_share: 1.5}", ["generation.cm_share: ", "less than or equal to 1", "1.5"]),
        ("characters: {paths: one.csv}", ["characters.paths: ", "'one.csv'"]),
        ("characters: {composed: {facts: [3, x]}}", ["characters.composed.facts.1: "]),
        ("grpo: {num_generations: 1}", ["grpo.num_generations: ", "greater than or equal to 2"]),
        ("grpo: {warmup_steps: soon}", ["grpo.warmup_steps: ", "'soon'"]),
        ("grpo: {bf16: perhaps}", ["grpo.bf16: ", "'perhaps'"]),
        ("grpo: {seed: 3}", ["grpo.seed: raiden sets this field itself"]),
        ("grpo: {output_dir: x}", ["grpo.output_dir: raiden sets this field itself"]),
        ("grpo: 3", ["grpo: ", "3"]),
        ("student: {nano: {hidden_size: 100, heads: 3}}", ["student.nano: hidden_size 100 must be a multiple"]),
        ("cold_start: {probe: {stop_at: 0.5}}", ["cold_start.probe: stop_at 0.5 must lie below ceiling 0.45"]),
        ("cold_start: {enabled: false}", ["cold_start.enabled is false", "enable it"]),
        ("seed: -1", ["seed", "greater than or equal to 0"]),
        ("seed: 4294967296", ["seed", "less than or equal to 4294967295"]),
        ("characters: {composed: {count: 100000000000}}", ["characters.composed.count", "less than or equal"]),
        ("student: {nano: {layers: 1000000}}", ["student.nano.layers", "less than or equal"]),
        ("grpo: {learning_rate: .inf}", ["grpo.learning_rate", "finite"]),
        ("teacher: {temperature: .nan}", ["teacher.temperature", "finite"]),
        ("- a\n- b", ["mapping of keys", "list"]),
        ("just words", ["mapping of keys", "str"]),
    ],
)
def test_a_wrong_value_is_named_with_its_place(text: str, words: list[str]) -> None:
    message = refusal(text)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("grpo:\n  a: [1, 2\nb: 3", ["broken YAML at line 3"]),
        ("a: b: c", ["broken YAML at line 1, column 5"]),
        ("seed: !!python/object:os.system x", ["broken YAML at line 1"]),
        ("name: a\0b", ["broken YAML"]),
        ("name: 2024-13-45", ["broken YAML"]),
        ("[" * 2000, ["broken YAML at line 1", "nested"]),
        ("seed: 1\nname: x\nseed: 2\n", ["lines 1 and 3: 'seed' stands twice; keep one"]),
        ("grpo:\n  beta: 0\n  'beta': 0.1\n", ["lines 2 and 3: 'beta' stands twice"]),
        ("name: &a [*a]\n", ["line 1: an alias that contains itself"]),
    ],
)
def test_broken_yaml_is_one_line(text: str, words: list[str]) -> None:
    message = refusal(text)
    assert all(word in message for word in words), message


@pytest.mark.parametrize("text", ["grpo: {learning_rate: 3e-6}", 'grpo: {learning_rate: "3e-6"}'])
def test_exponents_that_yaml_reads_as_strings_are_numbers(text: str) -> None:
    assert parse_config(text).grpo.learning_rate == 3e-6


def test_exponents_in_fields_of_trl_and_in_overrides_are_numbers_too() -> None:
    config = parse_config("grpo: {weight_decay: 1e-2}", ["grpo.learning_rate=5e-5", "grpo.adam_epsilon=1E-7"])
    assert config.grpo.job_fields()["weight_decay"] == 0.01
    assert (config.grpo.learning_rate, config.grpo.job_fields()["adam_epsilon"]) == (5e-5, 1e-7)


def test_words_with_an_e_stay_words() -> None:
    assert parse_config("name: 2nd experiment").name == "2nd experiment"


def test_fields_of_trl_are_accepted_and_handed_on_beside_ours() -> None:
    config = parse_config(
        "grpo: {max_steps: 5, loss_type: dr_grpo, use_vllm: false, patience: 9, lora_r: 8}\n"
        "cold_start: {packing: false, warmup_steps: 3, shortest_first: true}"
    )
    grpo, cold = config.grpo.job_fields(), config.cold_start.job_fields()
    assert (grpo["max_steps"], grpo["loss_type"], grpo["num_generations"]) == (5, "dr_grpo", 4)
    assert (cold["packing"], cold["warmup_steps"], cold["max_length"]) == (False, 3, 4096)
    assert (grpo["patience"], grpo["lora_r"], grpo["use_peft"], cold["shortest_first"]) == (9, 8, True, True)
    assert not {"launch", "eval_on"} & set(grpo)
    assert not {"probe", "enabled", "launch", "lora_r", "lora_alpha", "use_peft"} & set(cold)


def test_every_field_that_we_hand_on_is_one_of_the_installed_trl_or_of_the_script() -> None:
    config = parse_config("{}", ["grpo.lora_r=4", "cold_start.lora_r=4"])
    for section, kind, ours in (
        (config.grpo, "GRPOConfig", GrpoArguments),
        (config.cold_start, "SFTConfig", ColdStartArguments),
    ):
        script, trl = {one.name for one in fields(ours)}, set(trainer_fields(kind))
        assert not script & trl
        assert set(section.job_fields()) <= script | trl | {"use_peft", "lora_r", "lora_alpha", "lora_target_modules"}


def test_overrides_go_before_the_file_and_make_sections_that_it_lacks() -> None:
    config = parse_config(
        "seed: 1\ngrpo:\n", ["seed=2", "grpo.max_steps=7", "student.nano.layers=1", 'characters.paths=["a b.csv", c]']
    )
    assert (config.seed, config.grpo.job_fields()["max_steps"], config.student.nano.layers) == (2, 7, 1)
    assert config.characters.paths == ("a b.csv", "c")
    assert parse_config("split: {validation_share: 0.2}", ["split.validation_share=null"]).split == (
        Config().split.model_copy(update={"validation_share": None})
    )


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("grpo.max_steps", ["--set grpo.max_steps", "key=value"]),
        ("=3", ["--set =3", "key=value"]),
        ("grpo..beta=3", ["key=value"]),
        ("seed.x=3", ["--set seed.x=3", "seed is a value, not a section"]),
        ("grpo.beta=[1", ["--set grpo.beta=[1", "not valid YAML"]),
        ("grpo.max_stepz=3", ["grpo.max_stepz: unknown key", "'max_steps'"]),
        ("seed=x", ["seed: "]),
    ],
)
def test_a_wrong_override_is_one_line(override: str, words: list[str]) -> None:
    message = refusal("seed: 3", override)
    assert all(word in message for word in words), message


def test_the_resolved_configuration_reads_back_as_the_same() -> None:
    text = "name: 实验\ngrpo: {learning_rate: 3e-6, max_steps: 5}\ncharacters: {evaluation_only: {手写: [shipped]}}"
    config = parse_config(text)
    assert parse_config(dump_config(config)) == config


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
def test_the_quickstarts_differ_in_nothing_but_their_language_and_the_sizes_that_it_takes(language: str) -> None:
    configs = Path(__file__).parents[2] / "configs"
    chinese, other = (
        yaml.safe_load((configs / name).read_text("utf-8"))
        for name in ("quickstart.yaml", f"quickstart-{language}.yaml")
    )
    assert load_config(configs / f"quickstart-{language}.yaml").characters.composed.language == language
    for config in (chinese, other):
        del config["name"], config["report"]["title"], config["characters"]["composed"]["language"]
        del config["student"]["nano"]["vocab_size"], config["grpo"]["max_completion_length"]
    assert other == chinese


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("name: caf\xe9".encode("latin-1"))
    for path, word in ((tmp_path / "none.yaml", "no such file"), (tmp_path, "is a folder"), (latin, "not UTF-8")):
        with pytest.raises(ConfigError, match=word) as caught:
            load_config(path)
        assert str(caught.value).startswith(str(path))


def test_the_quickstart_is_not_advised_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"no such file; run raiden in its checkout"):
        load_config(Path("configs/quickstart.yaml"))
    with pytest.raises(ConfigError, match=r"no such file; configs/quickstart.yaml is a good start"):
        load_config(Path("mine.yaml"))


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfseed: 3\n")
    assert load_config(path).seed == 3


def test_exit_codes_say_whose_fault_it_is() -> None:
    assert [kind.exit_code for kind in (UsageError, ConfigError, DataError, StageError)] == [2, 2, 1, 1]


def test_the_recipe_for_boundaries_asks_a_nano_student_on_a_cpu() -> None:
    config = load_config(Path(__file__).parents[2] / "configs" / "boundaries.yaml")
    assert config.generation.boundaries.share == 0.3 and config.student.model == "nano"
    assert config.characters.composed.language == "zh" and config.characters.composed.count == 1000
    assert config.split.validation_characters == 72 and config.seed == 7
