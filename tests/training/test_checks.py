"""Bad input, refused before a model is loaded, in one line with what to do."""

import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config.loading import parse_config
from raiden_core.errors import ConfigError, DataError, StageError
from raiden_core.models.folder import check_model_folder, load_tokenizer
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample, write_samples
from raiden_core.training.checks import Machine, check_job, check_named, too_few
from raiden_core.training.dataset import PromptLengths, longest_in_first_batch, training_samples
from raiden_core.training.hooks.disk import Sizes, check_disk
from tests.support.tables import table

CPU = Machine(gpus=0, bfloat16=False, processes=1, local_processes=1)
OLD = Machine(gpus=1, bfloat16=False, processes=1, local_processes=1)
H200 = Machine(gpus=8, bfloat16=True, processes=8, local_processes=8)
NODES = Machine(gpus=8, bfloat16=True, processes=16, local_processes=8)
GROUPS = {
    "num_generations": 4,
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "bf16": False,
    "use_cpu": True,
}


@table(
    ("values", "machine", "words"),
    [
        (GROUPS, CPU, None),
        (GROUPS | {"bf16": True, "use_cpu": False}, H200, None),
        (GROUPS | {"bf16": None, "use_cpu": False}, NODES, None),
        (GROUPS | {"num_generations": 1}, CPU, "num_generations: 1:.*set 2 or more"),
        (GROUPS | {"num_generations": 6}, CPU, r"8 completions a step.*groups of num_generations 6.*_steps: 3$"),
        (GROUPS | {"num_generations": 16}, CPU, r"gradient_accumulation_steps: 4$"),
        (GROUPS | {"num_generations": 16}, H200, None),
        (GROUPS | {"generation_batch_size": 24, "num_generations": 6}, CPU, None),
        (GROUPS | {"steps_per_generation": 3, "num_generations": 6}, CPU, None),
        (
            GROUPS | {"bf16": True, "use_cpu": False},
            CPU,
            "bf16: this machine has no GPU.*bf16: false and use_cpu: true",
        ),
        (GROUPS | {"bf16": None, "use_cpu": False}, CPU, "bf16: this machine has no GPU"),
        (GROUPS | {"bf16": None, "fp16": True, "use_cpu": False}, OLD, None),
        (GROUPS | {"bf16": True, "use_cpu": False}, OLD, "bf16: false and fp16: true"),
        ({"use_cpu": False}, Machine(2, True, 8, 8), "8 processes, but this machine has 2 GPUs; set launch.num_proc"),
        ({"use_cpu": False}, Machine(0, False, 2, 2), "2 processes, but this machine has no GPU; set use_cpu"),
        ({"use_cpu": True}, Machine(0, False, 2, 2), None),
        ({"use_cpu": True, "report_to": "none"}, CPU, None),
        ({"use_cpu": True, "report_to": ["clearml"]}, CPU, "report_to: clearml is not installed; pip install clearml"),
    ],
)
def test_jobs(values: dict[str, Any], machine: Machine, words: str | None) -> None:
    if words is None:
        check_job(values, machine, "job.yaml")
    else:
        with pytest.raises(ConfigError, match=rf"^job\.yaml: .*{words}") as caught:
            check_job(values, machine, "job.yaml")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("samples", "batch", "group", "few"),
    [(8, 64, 8, False), (7, 64, 8, True), (1, 4, 4, False), (1, 8, 4, True), (100, 64, 8, False)],
)
def test_samples_for_one_generation_batch(samples: int, batch: int, group: int, few: bool) -> None:
    said = too_few(samples, batch, group)
    assert (said is not None) is few
    if said:
        assert said.startswith(f"{samples} usable sample") and f"takes {batch // group} ({batch} completions" in said


@pytest.mark.parametrize(
    ("data", "model", "words"),
    [("", "m", "train_data_path: missing"), ("d", None, "model_name_or_path: missing"), ("d", "m", None)],
)
def test_a_job_says_what_is_trained_on_what(data: str, model: str | None, words: str | None) -> None:
    if words is None:
        check_named(data, model)
    else:
        with pytest.raises(ConfigError, match=words):
            check_named(data, model)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("grpo: {num_generations: 1}", "num_generations"),
        ("grpo: {num_generations: 3}", "8 completions a step cannot be shared out in groups of num_generations 3"),
        ("grpo: {save_total_limit: 1}", "save_total_limit"),
        ("grpo: {num_generations: 3, launch: {num_processes: 3}}", None),
        ("grpo: {num_generations: 3, launch: {accelerate: ddp8.yaml}}", None),
    ],
)
def test_configurations_are_refused_before_anything_runs(text: str, words: str | None) -> None:
    if words is None:
        parse_config(text, (), where="x.yaml")
    else:
        with pytest.raises(ConfigError, match=words):
            parse_config(text, (), where="x.yaml")


def test_model_folders(tmp_path: Path, nano_tokenizer: Any) -> None:
    check_model_folder("Qwen/Qwen2.5-7B-Instruct")
    for name in ("./none", str(tmp_path / "none")):
        with pytest.raises(DataError, match="no such folder"):
            check_model_folder(name)
    with pytest.raises(DataError, match=r"no config\.json: not a model"):
        check_model_folder(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "qwen3"}')
    with pytest.raises(DataError, match="no tokenizer"):
        load_tokenizer(tmp_path)
    nano_tokenizer.save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path).chat_template
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(DataError, match="no chat template; use an instruction-tuned model"):
        load_tokenizer(tmp_path)


def test_rows_with_missing_fields_are_named(tmp_path: Path, composed_samples: list[Sample]) -> None:
    rows = [sample.model_dump(mode="json") for sample in composed_samples[:3]]
    del rows[1]["keywords"]
    path = tmp_path / "train.json"
    path.write_text(json.dumps(rows))
    with pytest.raises(DataError, match=r"train\.json: row 2: keywords: is missing; mend this row or take it out$"):
        training_samples(path, Scorer())


def test_references_that_fail_are_left_out_and_counted(tmp_path: Path, composed_samples: list[Sample]) -> None:
    good, bad = composed_samples[0], composed_samples[1].model_copy(update={"answer": "嗯。"})
    path = tmp_path / "train.json"
    write_samples(path, [good, bad])
    samples, failures = training_samples(path, Scorer())
    assert [sample.id for sample in samples] == [good.id]
    assert len(failures) == 1 and "row 2" in failures[0]
    write_samples(path, [bad])
    with pytest.raises(DataError, match=r"no usable sample; the first problem: .*row 1"):
        training_samples(path, Scorer())


def test_a_prompt_longer_than_the_context_is_refused_unless_it_is_left_out_on_purpose(
    nano_tokenizer: Any, composed_samples: list[Sample]
) -> None:
    long = composed_samples[1].model_copy(update={"question": "医生" * 500})
    samples, path = [composed_samples[0], long], Path("train.json")
    fits, left_out = PromptLengths(nano_tokenizer, None, 4000, None).fitting(samples, path)
    assert (len(fits), left_out) == (2, 0)
    with pytest.raises(DataError, match=rf"train\.json: sample {long.id} .*tokens, but the model's context leaves 300"):
        PromptLengths(nano_tokenizer, None, 300, None).fitting(samples, path)
    for room, wanted in ((4000, 300), (300, 4000)):
        assert PromptLengths(nano_tokenizer, None, room, wanted).fitting(samples, path) == ([samples[0]], 1)


def test_the_longest_prompts_fill_the_first_batch_and_the_rest_is_shuffled(composed_samples: list[Sample]) -> None:
    samples = composed_samples[:40]
    lengths = {sample.id: place for place, sample in enumerate(samples)}
    ordered = longest_in_first_batch(samples, lambda sample: lengths[sample.id], 4, seed=1)
    places = [lengths[sample.id] for sample in ordered]
    assert places[:4] == [39, 38, 37, 36] and sorted(places) == list(range(40))
    assert places[4:] not in (sorted(places[4:]), sorted(places[4:], reverse=True))
    assert ordered == longest_in_first_batch(samples, lambda sample: lengths[sample.id], 4, seed=1)


Usage = namedtuple("Usage", "total used free")
GIB = 2**30


@pytest.mark.parametrize(
    ("sizes", "how", "needed"),
    [
        # three checkpoints of weights and two moments in 4 bytes each, and the model: 3 * 3 + 1 parts of 4 GiB
        (Sizes(GIB, GIB), {}, 40),
        (Sizes(GIB, GIB), {"save_strategy": "no"}, 4),
        (Sizes(GIB, GIB), {"save_only_model": True}, 16),
        (Sizes(GIB, GIB), {"save_total_limit": 4}, 64),
        (Sizes(GIB, GIB // 4), {}, 4 + 1 + 9),
    ],
)
def test_the_disk_is_checked_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: Sizes, how: dict[str, Any], needed: int
) -> None:
    from transformers import TrainingArguments

    settings: dict[str, Any] = {"save_strategy": "steps", "save_total_limit": 2, "report_to": "none", "use_cpu": True}
    training = TrainingArguments(output_dir=str(tmp_path), **settings | how)
    free = [needed * GIB + (65 << 20)]
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(0, 0, free[0]))
    check_disk(tmp_path / "out", sizes, training, "float32")
    free[0] -= 60 << 20
    with pytest.raises(StageError, match=rf"{needed}\.0 GiB free, but .* need {needed}\.1 GiB; make room"):
        check_disk(tmp_path / "out", sizes, training, "float32")
