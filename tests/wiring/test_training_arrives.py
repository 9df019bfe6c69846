"""Settings of training on their way: section -> flat job -> the script's arguments -> trainer, reward and hooks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from raiden_core.config import Config
from raiden_core.config.sections.training import ProbeConfig
from raiden_core.errors import ConfigError
from raiden_core.rewards import Scorer
from raiden_core.rewards.configured import data_scorer, evaluation_scorer, training_scorer
from raiden_core.rewards.listed.chosen import chosen_rewards
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.progress import silent
from raiden_core.training import cold_start as cold_start_script
from raiden_core.training import grpo as grpo_script
from raiden_core.training import stage
from raiden_core.training.arguments import ColdStartArguments, GrpoArguments, parse_script
from raiden_core.training.launch import accelerate
from raiden_core.training.launch.accelerate import Runner, accelerate_command
from raiden_core.training.settings import ColdStartSettings, TrainSettings
from tests.support.config_tree import configured, off_default, value_of
from tests.support.places import (
    JOB_OF_COLD_START,
    JOB_OF_GRPO,
    LAUNCHER,
    REWARD,
    REWARDS,
    STUDENT,
    WATCHED,
    all_set,
    keys_at,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

CPU = {"use_cpu": True, "bf16": False}
Job = dict[str, Any]


class Taken(Exception):
    """What was looked for is there; the rest of the work is not done."""


def job_of(config: Config, which: str, out: Path) -> Job:
    """The flat job that a stage launches, as its file holds it."""
    taken: Job = {}

    def take(self: object, job: Mapping[str, Any]) -> None:
        taken.update(job)
        raise Taken

    inputs: dict[str, Path | str] = {"train": out / "train.json", "validation": out / "validation.json"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runner, "run", take)
        with pytest.raises(Taken):
            if which == "grpo":
                grpo_script.train_stage(TrainSettings.of(config), inputs | {"base": "base"}, out, silent)
            else:
                student = {"student": config.student.model}
                cold_start_script.cold_start_stage(ColdStartSettings.of(config), inputs | student, out, silent)
    read: Job = yaml.safe_load(yaml.safe_dump(taken))
    return read


def parsed(job: Job, which: str, out: Path) -> tuple[Any, ...]:
    """The argument objects of a script that reads a job's file."""
    from trl import GRPOConfig, ModelConfig, SFTConfig

    kinds = (GrpoArguments, GRPOConfig) if which == "grpo" else (ColdStartArguments, SFTConfig)
    file = out / "job.yaml"
    file.write_text(yaml.safe_dump({**job, "output_dir": str(out), **CPU}), "utf-8")
    return parse_script((*kinds, ModelConfig), [str(file)])


def found(arguments: Sequence[Any], name: str) -> Any:
    """The value of a name that exactly one of the argument objects has."""
    values = [getattr(one, name) for one in arguments if name in {field.name for field in fields(one)}]
    assert len(values) == 1, f"{name} is a field of {len(values)} argument classes"
    return values[0]


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(("which", "place"), [("cold_start", JOB_OF_COLD_START), ("grpo", JOB_OF_GRPO)])
def test_every_key_of_a_section_is_an_argument_of_its_script(which: str, place: str, tmp_path: Path) -> None:
    wanted = keys_at(place)
    values = all_set(
        wanted, {"seed": 11, "system_prompt": "Be {name}.", "prompt.layout": "risu", "prefilled_think": True}
    )
    assert set(wanted) <= set(values), "some keys cannot be off their defaults beside the others"
    config = configured(values)
    arguments = parsed(job_of(config, which, tmp_path), which, tmp_path)
    for key in set(wanted) - {"grpo.eval_on", "grpo.eval_questions"}:
        name = key.removeprefix(f"{which}.").replace(".", "_")
        assert plain(found(arguments, name)) == plain(value_of(config, key)), key
    assert (found(arguments, "seed"), found(arguments, "system_prompt")) == (11, "Be {name}.")
    assert found(arguments, "prompt_layout") == "risu"
    assert found(arguments, "use_peft") is True
    assert found(arguments, "train_data_path") == str(tmp_path / "train.json")


@pytest.mark.parametrize("which", ["cold_start", "grpo"])
def test_what_the_configuration_does_not_say_has_its_own_default(which: str, tmp_path: Path) -> None:
    config = configured({})
    arguments = parsed(job_of(config, which, tmp_path), which, tmp_path)
    assert found(arguments, "use_peft") is False
    assert arguments[0].scorer == (training_scorer(config) if which == "grpo" else data_scorer(config)) == Scorer()
    ours = {field.name: field.default for field in fields(type(arguments[0]))}
    job = job_of(config, which, tmp_path)
    outside = {"train_data_path", "eval_data_path", "nano", "probe_max_new_tokens"}
    missing = set(ours) - set(job) - outside
    assert not missing, f"the job says nothing of {missing}"
    assert {name: job[name] for name in set(ours) - outside - {"eval_questions"}} == {
        name: ours[name] for name in set(ours) - outside - {"eval_questions"}
    }, "a flat file without a key means what the configuration means by its default"


@pytest.mark.parametrize(
    ("evaluated_on", "questions", "file"), [("held_back", 33, None), ("validation", 0, "validation.json")]
)
def test_what_an_evaluation_in_between_asks(
    evaluated_on: str, questions: int, file: str | None, tmp_path: Path
) -> None:
    values = {"grpo.eval_on": evaluated_on, "grpo.eval_questions": 33, "grpo.eval_strategy": "steps"}
    job = job_of(configured(values), "grpo", tmp_path)
    assert job["eval_questions"] == questions
    assert job["eval_data_path"] == (None if file is None else str(tmp_path / file))
    assert (job["eval_steps"], job["load_best_model_at_end"]) == (50, True)


def launched(key: str, config: Config, out: Path) -> None:
    """Run the stage of a key of its launch."""
    if key.startswith("grpo."):
        inputs = {"base": "base", "train": "train", "validation": "validation"}
        grpo_script.train_stage(TrainSettings.of(config), inputs, out, silent)
    else:
        inputs = {"student": "nano", "train": "train"}
        cold_start_script.cold_start_stage(ColdStartSettings.of(config), inputs, out, silent)


@pytest.mark.parametrize("key", keys_at(LAUNCHER))
def test_how_a_script_is_launched(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []

    def take(self: Any, job: Mapping[str, Any]) -> None:
        taken.append(self.launch)
        raise Taken

    monkeypatch.setattr(Runner, "run", take)
    # A process more makes another command line than one that stands there by default.
    config = configured({key: 2 if key.endswith("num_processes") else off_default(key)})
    with pytest.raises(Taken):
        launched(key, config, tmp_path)
    said = value_of(config, key)
    assert str(said) in accelerate_command(taken[0])


@pytest.mark.parametrize("key", keys_at(WATCHED))
def test_how_long_a_script_may_be_still(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float | None] = []

    def take(limit: float | None) -> None:
        limits.append(limit)
        raise Taken

    monkeypatch.setattr(accelerate, "Stillness", take)
    config = configured({key: off_default(key)})
    with pytest.raises(Taken):
        launched(key, config, tmp_path)
    assert limits == [value_of(config, key)] != [value_of(Config(), key)]


@pytest.mark.parametrize("key", keys_at(REWARD))
def test_the_reward_is_the_configured_one_wherever_something_is_scored(key: str, tmp_path: Path) -> None:
    config = configured({key: off_default(key)})
    name = {"accuracy.weight": "accuracy_weight", "format.weight": "format_weight"}.get(key, key.rpartition(".")[2])
    said = value_of(config, key)
    grpo, cold = (parsed(job_of(config, which, tmp_path), which, tmp_path)[0] for which in ("grpo", "cold_start"))
    default = getattr(Scorer(), name)
    assert said != default
    weighs, partial = name.endswith("_weight"), name == "partial_credit"
    expected = {
        "training": (training_scorer(config), said),
        "the GRPO script": (grpo.scorer, said),
        # What is reported is all or nothing; whether a sample may be used does not depend on weights.
        "evaluation": (evaluation_scorer(config), default if partial else said),
        "data": (data_scorer(config), default if partial or weighs else said),
        "the cold start's script": (cold.scorer, default if partial or weighs else said),
    }
    assert {who: getattr(scorer, name) for who, (scorer, _) in expected.items()} == {
        who: value for who, (_, value) in expected.items()
    }
    columns = training_scorer(config).columns()
    assert weighs or columns[name] == said
    assert not {"accuracy_weight", "format_weight"} & set(columns)


@pytest.mark.parametrize("key", keys_at(REWARDS))
def test_the_list_of_rewards_is_the_configured_one_in_the_script_and_in_its_trainer(
    key: str, grpo_values: Job, tmp_path: Path
) -> None:
    listed = [{"use": "format", "weight": 0.2}, {"use": "accuracy", "weight": 0.9}, {"use": "one_voice", "gate": True}]
    config = configured({key: listed})
    job = job_of(config, "grpo", tmp_path)
    assert not {"accuracy_weight", "format_weight"} & set(job), "beside a list no short forms stand"
    assert parsed(job, "grpo", tmp_path)[0].chosen == chosen_rewards(config)
    assert training_scorer(config).accuracy_weight == 0.9
    given = captured_grpo(job | grpo_values, tmp_path)
    names = [reward.__name__ for reward in given["reward_funcs"]]
    assert names == ["format_reward", "accuracy_reward", "one_voice", "total"]
    assert given["args"].reward_weights == [0.0, 0.0, 0.0, 1.0]
    # What rewards of the user's may read: every field of a sample.
    assert set(Sample.model_fields) <= set(given["train_dataset"].column_names)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"accuracy_weight": 0.5}, "accuracy_weight: the short form of an entry of rewards"),
        ({"rewards": [{"use": "acuracy"}]}, "rewards.0.use: no reward is called 'acuracy'; did you mean 'accuracy'"),
        ({"rewards": [{"use": "judge", "endpoint": "judge"}]}, "rewards.0.endpoint: none is called 'judge'"),
    ],
)
def test_a_flat_file_with_a_list_that_cannot_be_is_refused(
    more: Job, words: str, grpo_values: Job, tmp_path: Path
) -> None:
    listed = {"rewards": [{"use": "accuracy", "weight": 0.9}]}
    with pytest.raises(ConfigError, match=words):
        grpo_script.grpo(*parsed({**grpo_values, **listed, **more}, "grpo", tmp_path))


def test_gates_need_a_total(grpo_values: Job, tmp_path: Path) -> None:
    listed = [{"use": "accuracy"}, {"use": "one_voice", "gate": True}]
    job = {**grpo_values, "rewards": listed, "multi_objective_aggregation": "normalize_then_sum"}
    with pytest.raises(ConfigError, match="so the gate one_voice has no total to make 0"):
        grpo_script.grpo(*parsed(job, "grpo", tmp_path))


GGUF = "student.gguf."


@pytest.mark.parametrize("key", [key for key in keys_at(STUDENT) if key.startswith(GGUF)])
def test_a_gguf_file_is_unpacked_as_configured(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(stage, "dense_folder", lambda *told: given.append(told))
    config = configured({key: off_default(key), "student.model": "some/model.gguf"})
    stage.student_input(config.student)
    ((path, settings),) = given
    assert path == Path("some/model.gguf")
    assert getattr(settings, key.removeprefix(GGUF)) == value_of(config, key) != value_of(Config(), key)


@pytest.mark.parametrize("key", [key for key in keys_at(STUDENT) if not key.startswith(GGUF)])
def test_the_student_is_the_configured_one(key: str, tmp_path: Path) -> None:
    config = configured({key: off_default(key)})
    job = job_of(config, "cold_start", tmp_path)
    if key == "student.model":
        assert "nano" not in job and job["model_name_or_path"] == config.student.model
    else:
        assert json.loads(job["nano"])[key.removeprefix("student.nano.")] == value_of(config, key)
        assert "model_name_or_path" not in job


@pytest.fixture(scope="module")
def trained_on(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Sample]], Path]:
    """Writes samples to a file of their own."""

    def write(samples: list[Sample]) -> Path:
        file = tmp_path_factory.mktemp("data") / "train.json"
        write_samples(file, samples)
        return file

    return write


class Captured:
    """Stands where a trainer is made, and keeps what it is given."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def __call__(self, **given: Any) -> Any:
        self.given = given
        raise Taken


def captured_grpo(job: Job, out: Path) -> dict[str, Any]:
    """What the GRPO script makes its trainer of."""
    trainer = Captured()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("raiden_core.training.hooks.resuming.ResumableGRPOTrainer", trainer)
        with pytest.raises(Taken):
            grpo_script.grpo(*parsed(job, "grpo", out))
    return trainer.given


@pytest.fixture(scope="module")
def grpo_values(trained_on: Callable[[list[Sample]], Path], composed_samples: list[Sample], small_nano: Path) -> Job:
    """What a small GRPO job says beside the settings in question."""
    return {
        "model_name_or_path": str(small_nano),
        "train_data_path": str(trained_on(composed_samples[:40])),
        "max_completion_length": 8,
        "gradient_checkpointing": False,
    }


def test_the_trainer_is_made_of_the_arguments(grpo_values: Job, tmp_path: Path, composed_samples: list[Sample]) -> None:
    values = {
        "accuracy.weight": 0.6,
        "format.weight": 0.1,
        "accuracy.min_length_bound": 77,
        "accuracy.length_ratio": 3.5,
        "accuracy.partial_credit": True,
        "prefilled_think": True,
        "system_prompt": "Be {name}, and brief.",
        "prompt.layout": "risu",
        "grpo.patience": 3,
        "grpo.permute_rewards": True,
        "grpo.longest_first": True,
        "grpo.per_device_train_batch_size": 2,
        "grpo.gradient_accumulation_steps": 2,
        "grpo.num_generations": 2,
        "grpo.beta": 0.25,
        "grpo.temperature": 0.7,
        "grpo.top_k": 5,
        "seed": 12,
    }
    job = job_of(configured(values), "grpo", tmp_path) | grpo_values
    given = captured_grpo(job, tmp_path)
    args = given["args"]
    assert args.reward_weights == [0.6, 0.1]
    assert (args.beta, args.temperature, args.top_k, args.seed, args.num_generations) == (0.25, 0.7, 5, 12, 2)
    row = given["train_dataset"][0]
    assert (row["min_length_bound"], row["length_ratio"], row["partial_credit"], row["prefilled_think"]) == (
        77,
        3.5,
        True,
        True,
    )
    assert "and brief.\n\n" in row["prompt"][0]["content"], "Risu parts its blocks by blank lines"
    patience = [one.patience for one in given["callbacks"] if hasattr(one, "patience")]
    assert patience == [3]
    # The longest prompts come first, and the trainer must not shuffle them away.
    lengths = [len(str(one["prompt"])) for one in given["train_dataset"]]
    assert args.shuffle_dataset is False and lengths[:2] == sorted(lengths, reverse=True)[:2]
    assert [reward.__name__ for reward in given["reward_funcs"]] == ["accuracy_reward", "format_reward"]


def test_rewards_are_the_completions_own_unless_the_control_is_asked_for(grpo_values: Job, tmp_path: Path) -> None:
    right, wrong = "<think>?</think><answer>a</answer>", "no"
    completions = [right] * 8 + [wrong] * 8
    own = [1.0] * 8 + [0.0] * 8
    for permuted in (False, True):
        config = configured({"grpo.permute_rewards": permuted, "grpo.num_generations": 2})
        given = captured_grpo(job_of(config, "grpo", tmp_path) | grpo_values, tmp_path)
        rewards = [
            reward(completions=list(completions), keywords=[["a"]] * 16, answer=["a"] * 16)
            for reward in given["reward_funcs"]
        ]
        assert [sorted(one, reverse=True) for one in rewards] == [own, own]
        assert (rewards == [own, own]) is not permuted
        assert rewards[0] == rewards[1], "accuracy and format of one completion travel together"


def test_prompts_that_are_too_long_on_purpose_are_left_out(
    grpo_values: Job, tmp_path: Path, nano_tokenizer: PreTrainedTokenizerFast
) -> None:
    def tokens(row: Mapping[str, Any]) -> int:
        return len(nano_tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True)["input_ids"])

    config = configured({"grpo.num_generations": 2})
    whole = captured_grpo(job_of(config, "grpo", tmp_path) | grpo_values, tmp_path)["train_dataset"]
    middle = sorted(map(tokens, whole))[len(whole) // 2]
    config = configured({"grpo.num_generations": 2, "grpo.max_prompt_length": middle})
    limited = captured_grpo(job_of(config, "grpo", tmp_path) | grpo_values, tmp_path)["train_dataset"]
    assert 0 < len(limited) < len(whole)
    assert max(map(tokens, limited)) <= middle


def test_held_back_questions_are_evaluated_on_and_not_trained_on(grpo_values: Job, tmp_path: Path) -> None:
    values = {"grpo.eval_strategy": "steps", "grpo.eval_questions": 16, "grpo.num_generations": 2}
    given = captured_grpo(job_of(configured(values), "grpo", tmp_path) | grpo_values, tmp_path)
    held, train = given["eval_dataset"], given["train_dataset"]
    assert 0 < len(held) <= 16
    assert not set(held["character_name"]) & set(train["character_name"])


def captured_cold_start(config: Config, samples: list[Sample], small_nano: Path, out: Path) -> dict[str, Any]:
    """What the cold start's script makes of its data, its probe and its trainer."""
    from raiden_core.training.sequences import build_sequences

    seen: dict[str, Any] = {}
    trainer = Captured()

    def sequences(rows: Sequence[Sample], *given: Any, **named: Any) -> Any:
        seen["sequences"] = named
        seen["rows"] = list(rows)
        return build_sequences(rows, *given, **named)

    file = out / "train.json"
    write_samples(file, samples)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cold_start_script, "build_sequences", sequences)
        patch.setattr("raiden_core.training.hooks.resuming.ResumableSFTTrainer", trainer)
        with pytest.raises(Taken):
            job = {name: value for name, value in job_of(config, "cold_start", out).items() if name != "nano"}
            job |= {"train_data_path": str(file), "model_name_or_path": str(small_nano)}
            cold_start_script.cold_start(*parsed(job, "cold_start", out))
    return seen | trainer.given


def test_the_cold_start_builds_its_sequences_as_it_is_told(
    composed_samples: list[Sample], small_nano: Path, tmp_path: Path
) -> None:
    values = {
        "cold_start.questions_per_sequence": 3,
        "cold_start.shortest_first": True,
        "cold_start.max_length": 600,
        "cold_start.num_train_epochs": 2,
        "system_prompt": "Be {name}.",
        "prompt.layout": "risu",
        "seed": 13,
    }
    given = captured_cold_start(configured(values), composed_samples[:60], small_nano, tmp_path)
    assert given["sequences"] == {
        "epochs": 2,
        "questions_per_sequence": 3,
        "max_length": 600,
        "shortest_first": True,
        "instructions": "Be {name}.",
        "layout": "risu",
        "prefilled_think": False,
        "seed": 13,
    }
    assert len(given["rows"]) == 60, "without a probe nobody is held back"
    values = {"cold_start.questions_per_sequence": 1, "prefilled_think": True}
    given = captured_cold_start(configured(values), composed_samples[:10], small_nano, tmp_path)
    assert given["sequences"]["prefilled_think"] is True


def test_a_probe_holds_characters_back(composed_samples: list[Sample], small_nano: Path, tmp_path: Path) -> None:
    values = {"cold_start.probe.stop_at": 0.3, "cold_start.probe.questions": 16}
    given = captured_cold_start(configured(values), composed_samples[:60], small_nano, tmp_path)
    assert 0 < 60 - len(given["rows"]) <= 30


def test_every_setting_of_the_probe_reaches_it(
    composed_samples: list[Sample], small_nano: Path, tmp_path: Path
) -> None:
    probe: dict[str, Any] = {}

    class Trainer:
        """As far as a probe is hung on a trainer."""

        def __init__(self, **given: Any) -> None:
            self.processing_class = given["processing_class"]

        def add_callback(self, callback: Any) -> None:
            probe.update(vars(callback))
            raise Taken

    values = {
        "cold_start.probe.stop_at": 0.3,
        "cold_start.probe.ceiling": 0.4,
        "cold_start.probe.questions": 17,
        "cold_start.probe.first": 5,
        "cold_start.probe.every": 7,
        "system_prompt": "Be {name}.",
        "prompt.layout": "risu",
        "accuracy.length_ratio": 3.5,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("raiden_core.training.hooks.resources.Resources.attach", lambda trainer: None)
        patch.setattr(Captured, "__call__", lambda self, **given: Trainer(**given))
        captured_cold_start(configured(values), composed_samples[:120], small_nano, tmp_path)
    assert {name: probe[name] for name in ("stop_at", "ceiling", "first", "every")} == {
        "stop_at": 0.3,
        "ceiling": 0.4,
        "first": 5,
        "every": 7,
    }
    assert len(probe["samples"]) == 17
    assert probe["instructions"] == "Be {name}." and probe["layout"] == "risu" and probe["scorer"].length_ratio == 3.5
    assert set(ProbeConfig.model_fields) == {"stop_at", "ceiling", "questions", "first", "every"}
