"""The OpenR1 guide's job, data and Python names: its keys are read as they are, and its page's snippets run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from raiden_core.cli.group import COMMANDS, build, run
from raiden_core.errors import ConfigError, DataError
from raiden_core.export.openr1 import RAIDENDataAdapter, create_raiden_reward_function, opens_think
from raiden_core.samples import Sample, read_samples
from raiden_core.training.arguments import ALIASES, GrpoArguments, parse_script
from raiden_core.training.checks import Machine
from raiden_core.training.flat import read_any_config
from tests.support.tables import table

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).parents[2]
JOB = ROOT / "configs" / "openr1_config.yaml"
PAGE = ROOT / "docs" / "from-openr1.md"
GUIDE_KEYS = {
    "train_data_path": "./data/training/train.json",
    "eval_data_path": "./data/training/validation.json",
    "model_name_or_path": "Qwen/Qwen2.5-14B-Instruct",
    "accuracy_weight": 0.7,
    "format_weight": 0.3,
    "num_samples_per_prompt": 4,
    "kl_penalty": 0.1,
    "num_train_epochs": 1,
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "learning_rate": 3.0e-6,
    "warmup_steps": 100,
    "logging_steps": 10,
    "save_steps": 100,
    "eval_steps": 50,
    "bf16": True,
    "gradient_checkpointing": True,
    "report_to": [],
    "output_dir": "./outputs_openr1",
    "system_prompt": "Stay in character.",
    "seed": 42,
}
GUIDE_SAMPLE: dict[str, Any] = {
    "character_name": "小明",
    "character_profile": {"Name": "小明", "Gender": "male", "Introduction": "喜欢打篮球的高中生。"},
    "question": "你叫什么名字？",
    "answer": "我叫小明。",
    "keywords": ["小明"],
}


def parse(path: Path, *flags: str) -> tuple[GrpoArguments, Any, Any]:
    """The job as the script reads it; on a machine without GPUs, bf16 is only accepted for the CPU."""
    from trl import GRPOConfig, ModelConfig

    script, training, model = parse_script((GrpoArguments, GRPOConfig, ModelConfig), [str(path), "--use_cpu", *flags])
    return script, training, model


@pytest.fixture
def guide_file(tmp_path: Path) -> Path:
    path = tmp_path / "openr1_config.yaml"
    path.write_text(yaml.safe_dump(GUIDE_KEYS), "utf-8")
    return path


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_of_the_guide_reads_as_it_is(guide_file: Path) -> None:
    script, training, model = parse(guide_file)
    for key, value in GUIDE_KEYS.items():
        name = ALIASES.get(key, key)
        owner = next(one for one in (script, training, model) if hasattr(one, name))
        assert getattr(owner, name) == value, key


def test_our_file_has_every_key_of_the_guide_with_its_value() -> None:
    ours = yaml.safe_load(JOB.read_text("utf-8"))
    chosen = {"model_name_or_path", "system_prompt"}
    assert {key: ours[key] for key in GUIDE_KEYS if key not in chosen} == {
        key: value for key, value in GUIDE_KEYS.items() if key not in chosen
    }
    assert chosen <= set(ours)


def test_plan_and_doctor_give_what_a_flat_file_leaves_out_the_scripts_defaults(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("model_name_or_path: a/b\nuse_cpu: true\n", "utf-8")
    _, training, _ = parse(path, "--bf16", "false")
    planned = read_any_config(path)[0].grpo
    for name in (
        "beta",
        "num_generations",
        "gradient_accumulation_steps",
        "learning_rate",
        "save_steps",
        "temperature",
    ):
        assert getattr(planned, name) == getattr(training, name), name
    assert planned.per_device_train_batch_size == training.per_device_train_batch_size


def test_our_file_reads_and_the_command_line_goes_before_it() -> None:
    script, training, model = parse(JOB)
    assert (script.accuracy_weight, script.format_weight, training.num_generations, training.beta) == (0.7, 0.3, 4, 0.1)
    assert (training.learning_rate, training.warmup_steps, training.bf16) == (3e-6, 100, True)
    assert (model.model_name_or_path, model.dtype) == ("Qwen/Qwen2.5-7B-Instruct", "bfloat16")
    flags = ["--learning_rate", "1e-5", "--num_samples_per_prompt", "8", "--kl-penalty=0", "--accuracy_weight", "0.5"]
    script, training, _ = parse(JOB, *flags)
    assert (training.learning_rate, training.num_generations, training.beta) == (1e-5, 8, 0)
    assert script.accuracy_weight == 0.5
    assert parse(JOB, "--num_generations", "2")[1].num_generations == 2


def test_it_fits_the_eight_processes_of_its_accelerate_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from accelerate.commands.config import load_config_from_file

    ddp8 = load_config_from_file(str(ROOT / "configs" / "accelerate" / "ddp8.yaml"))
    assert (ddp8.num_processes, ddp8.mixed_precision) == (8, "bf16")
    monkeypatch.setattr(Machine, "here", classmethod(lambda cls: cls(8, True, 8, 8)))
    parse(JOB)
    with pytest.raises(ConfigError, match="groups of num_generations 3"):
        parse(JOB, "--num_samples_per_prompt", "3")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("num_generations: 4", ["num_samples_per_prompt and num_generations are the same setting"]),
        ("beta: 0.1", ["kl_penalty and beta are the same setting"]),
        ("kl_penality: 0.1", ["kl_penality: unknown key", "'kl_penalty'"]),
        ("num_sample_per_prompt: 4", ["num_sample_per_prompt: unknown key", "'num_samples_per_prompt'"]),
        ("warmup_step: 4", ["warmup_step: unknown key", "'warmup_steps'"]),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(guide_file: Path, line: str, words: list[str]) -> None:
    guide_file.write_text(guide_file.read_text("utf-8") + line + "\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        parse(guide_file)
    message = str(caught.value)
    assert message.startswith(str(guide_file)) and "\n" not in message
    assert all(word in message for word in words), message


@table(
    ("change", "language", "dimension", "reasoning"),
    [
        ({}, "zh", "SBK", ""),
        ({"metadata": {"language": "en", "reasoning": "why", "focus": "script_knowledge"}}, "en", "SBK", "why"),
        ({"metadata": {"language": "ko", "focus": "conversation_memory", "reasoning": ""}}, "ko", "CM", ""),
        ({"metadata": {"language": None, "focus": 1, "reasoning": 2}}, "zh", "SBK", ""),
        ({"question": "What is your name?", "answer": "My name is 小明."}, "en", "SBK", ""),
        ({"question": "What is your name?", "answer": "I am Ming."}, "en", "SBK", ""),
        ({"question": "お名前は？", "answer": "小明です。"}, "ja", "SBK", ""),
        ({"question": "이름이 뭐예요?", "answer": "小明입니다."}, "ko", "SBK", ""),
        ({"question": "???", "answer": "17"}, "zh", "SBK", ""),
        ({"question": "???", "answer": "小明です。"}, "ja", "SBK", ""),
        ({"language": "en", "dimension": "CM", "reasoning": "own", "metadata": {"language": "ja"}}, "en", "CM", "own"),
    ],
)
def test_data_of_the_guide_says_its_language_dimension_and_reasoning(
    tmp_path: Path, change: dict[str, Any], language: str, dimension: str, reasoning: str
) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps([GUIDE_SAMPLE | change], ensure_ascii=False), "utf-8")
    sample = read_samples(path)[0]
    assert (sample.language, sample.dimension, sample.reasoning) == (language, dimension, reasoning)


def test_the_adapter_loads_what_can_be_checked_and_drops_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    wrong = GUIDE_SAMPLE | {"keywords": ["小红"]}
    path.write_text(json.dumps([wrong, GUIDE_SAMPLE, GUIDE_SAMPLE | {"keywords": []}], ensure_ascii=False), "utf-8")
    table = RAIDENDataAdapter("Be {name}.").load_raiden_dataset(str(path))
    assert (len(table), table[0]["expected_answer"], table[0]["keywords"]) == (1, "我叫小明。", ["小明"])
    system, question = table[0]["prompt"]
    assert system["content"].startswith("Be 小明.\n") and "喜欢打篮球" in system["content"]
    assert question == {"role": "user", "content": "你叫什么名字？"}
    row = RAIDENDataAdapter("Be {name}.").convert_sample_to_openr1(GUIDE_SAMPLE)
    assert {key: table[0][key] for key in row} == row
    path.write_text(json.dumps([wrong], ensure_ascii=False), "utf-8")
    with pytest.raises(DataError, match=r"no usable sample; .*row 1"):
        RAIDENDataAdapter().load_raiden_dataset(path)
    with pytest.raises(DataError, match="sample: answer: "):
        RAIDENDataAdapter().convert_sample_to_openr1({**GUIDE_SAMPLE, "answer": None})


RIGHT, BARE, WRONG = (
    "<think>?</think><answer>我叫小明。</answer>",
    "我叫小明。",
    "<think>?</think><answer>不知道</answer>",
)


def test_the_reward_finds_its_sample_in_columns_prompts_or_metadata() -> None:
    chat = RAIDENDataAdapter().convert_sample_to_openr1(GUIDE_SAMPLE)["prompt"]
    completions = [RIGHT, BARE, WRONG]
    by_columns = create_raiden_reward_function(None, 0.6, 0.4)
    assert by_columns([chat] * 3, completions, keywords=[["小明"]] * 3) == [1.0, 0.6, 0.4]
    assert by_columns(prompts=[GUIDE_SAMPLE] * 3, completions=completions) == [1.0, 0.6, 0.4]
    by_metadata = create_raiden_reward_function(dataset_metadata={str(chat): {"keywords": ["小明"]}})
    assert by_metadata([chat] * 3, completions) == [1.0, 0.7, 0.3]
    assert by_columns.__name__ == "RAIDEN_VRAR"
    with pytest.raises(DataError, match="what a right answer"):
        by_columns([chat], [RIGHT])
    with pytest.raises(DataError, match="what a right answer"):
        by_columns([{"keywords": []}], [RIGHT])


def test_the_length_bound_reads_the_guides_name_of_the_reference() -> None:
    reward = create_raiden_reward_function()
    prompt = {"keywords": ["小明"], "expected_answer": "我" * 100 + "小明"}
    long = "<think>?</think><answer>" + "我" * 400 + "小明</answer>"
    assert reward([prompt], [long]) == [1.0]
    assert reward([{"keywords": ["小明"], "expected_answer": "小明"}], [long]) == [0.3]


def test_the_tokenizer_tells_whether_its_template_opens_the_thought(nano_tokenizer: PreTrainedTokenizerFast) -> None:
    import copy

    assert not opens_think(nano_tokenizer)
    opened = copy.deepcopy(nano_tokenizer)
    opened.chat_template = f"{nano_tokenizer.chat_template}{{% if add_generation_prompt %}}<think>\n{{% endif %}}"
    assert opens_think(opened)
    reward = create_raiden_reward_function(opened)
    assert reward([GUIDE_SAMPLE], ["他问名字。</think><answer>我叫小明。</answer>"]) == [1.0]


def snippets(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)


def test_the_pages_raiden_commands_and_light_snippets_run(in_tmp: Path) -> None:
    lines = [line for text in snippets("bash") for line in text.replace("\\\n", "").splitlines()]
    commands = [line.removeprefix("raiden ").split() for line in lines if line.startswith("raiden ")]
    assert [command[0] for command in commands] == ["generate", "split", "evaluate"]
    for command in commands[:2]:
        assert run(build(COMMANDS, ""), command) == 0, command
    done = CliRunner().invoke(build(COMMANDS, ""), ["evaluate", "--help"])
    assert all(option in done.output for option in commands[2] if option.startswith("--"))
    assert {path.name for path in (in_tmp / "data" / "training").glob("*n.json")} == {"train.json", "validation.json"}
    light = [text for text in snippets("python") if "GRPOTrainer" not in text]
    assert len(light) == 2
    for text in light:
        exec(compile(text, str(PAGE), "exec"), {})
    assert all(isinstance(sample, Sample) for sample in read_samples(in_tmp / "data" / "copy.jsonl"))


def test_the_page_names_every_key_of_the_guide() -> None:
    text = PAGE.read_text("utf-8")
    assert [key for key in GUIDE_KEYS if f"`{key}`" not in text] == []
