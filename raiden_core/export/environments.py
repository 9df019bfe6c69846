"""Samples and rewards as other libraries open them: an environment, an evaluation task, a data set with its reward.

- ``verifiers``: a package ``raiden_role_play``, a taskset that ``eval raiden-role-play`` runs and ``vf.load_taskset`` opens,
  from its folder or installed with pip; it is written for ``verifiers.v1``, the only one that verifiers 0.4 has.
- ``inspect``: ``task.py``, which ``inspect eval`` runs.
- ``lm-eval``: ``raiden_role_play.yaml`` for ``lm_eval --include_path``.
- ``easyr1``: Parquet files and ``raiden_reward.py`` for ``worker.reward.reward_function``.

Each holds ``raiden_rewards.py``, the list of rewards (raiden_core/export/carried.py), and scores by it; the files written here
only say it in the words of the library. They need raiden_core beside the library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from raiden_core.config import Config
from raiden_core.export.carried import write_list
from raiden_core.prompts import build_prompt
from raiden_core.rewards.configured import training_scorer
from raiden_core.rewards.listed.chosen import chosen_rewards
from raiden_core.samples import Sample, table_row

PACKAGE = "raiden_role_play"
Splits = Mapping[str, list[Sample]]

VERIFIERS = '''"""raiden's samples and rewards as a taskset of verifiers: ``eval raiden-role-play``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import verifiers.v1 as vf

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))

from raiden_rewards import EARNED  # noqa: E402

__all__ = ["RolePlayTaskset"]


class RolePlayConfig(vf.TasksetConfig):
    split: str = "train"
    """train or test."""


class RolePlayData(vf.TaskData):
    sample: dict[str, Any]
    """What the rewards read."""


class RolePlayTask(vf.Task[RolePlayData]):
    @vf.reward(weight=1.0)
    async def total(self, trace: vf.Trace) -> float:
        """The total of the list, gates included."""
        return EARNED.of_row(self.data.sample, trace.last_reply)["score"]

    @vf.metric
    async def rewards(self, trace: vf.Trace) -> dict[str, float]:
        """What each reward and gate says."""
        values = EARNED.of_row(self.data.sample, trace.last_reply)
        return {name: value for name, value in values.items() if name != "score"}


class RolePlayTaskset(vf.Taskset[RolePlayTask, RolePlayConfig]):
    def load(self) -> Iterator[RolePlayTask]:
        """A task for each sample of the split."""
        file = FOLDER / f"{self.config.split}.jsonl"
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            system, *turns = row["prompt"]
            kinds = {"user": vf.UserMessage, "assistant": vf.AssistantMessage}
            data = RolePlayData(
                id=row["id"],
                system_prompt=system["content"],
                prompt=[kinds[turn["role"]](content=turn["content"]) for turn in turns],
                sample=row,
            )
            yield RolePlayTask(data, self.config.task)
'''

PYPROJECT = """\
[project]
name = "raiden-role-play"
version = "0.1.0"
description = "Role-playing questions whose answers can be checked, from raiden"
requires-python = ">=3.11"
dependencies = ["verifiers>=0.4", "raiden"]

[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
packages = ["raiden_role_play"]

[tool.setuptools.package-data]
raiden_role_play = ["*.jsonl", "own/**/*"]
"""

INSPECT = '''"""raiden's samples and rewards as a task: inspect eval task.py --model …"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState, generate

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))

from raiden_rewards import EARNED  # noqa: E402

TURNS = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


@scorer(metrics={"*": [mean(), stderr()]})
def earned():
    """What a reply earns: the list's total as ``score``, and each reward by name."""

    async def score(state: TaskState, target: Target) -> Score:
        row = json.loads(state.metadata["sample"])
        values = EARNED.of_row(row, state.output.completion)
        return Score(value={name: values.get(name, 0.0) for name in ("score", *EARNED.names)}, answer=state.output.completion)

    return score


@task
def raiden_role_play(split: str = "SPLIT") -> Task:
    """Questions of a split, answered in character."""
    rows = [json.loads(line) for line in (FOLDER / f"{split}.jsonl").read_text("utf-8").splitlines()]
    samples = [
        Sample(
            id=row["id"],
            input=[TURNS[turn["role"]](content=turn["content"]) for turn in row["prompt"]],
            target=row["answer"],
            metadata={"sample": json.dumps(row, ensure_ascii=False)},
        )
        for row in rows
    ]
    return Task(dataset=MemoryDataset(samples), solver=generate(), scorer=earned())
'''

LM_EVAL = '''"""Prompts and scores of raiden_role_play.yaml."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from raiden_rewards import EARNED  # noqa: E402


def doc_to_text(doc):
    """The chat as one text."""
    return doc["text"]


def process_results(doc, results):
    """What the reply earns."""
    values = EARNED.of_row(doc, results[0])
    return {name: values.get(name, 0.0) for name in ("score", *EARNED.names)}
'''

EASYR1 = '''"""raiden's list of rewards for EasyR1: worker.reward.reward_function points to this file's compute_score."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from raiden_rewards import EARNED  # noqa: E402

REWARD_NAME = "raiden"
REWARD_TYPE = "batch"


def compute_score(reward_inputs):
    """For each reply the list's total as ``overall``, and each reward by name."""
    rows = [json.loads(one["ground_truth"]) for one in reward_inputs]
    earned = EARNED.of_rows(rows, [one["response"] for one in reward_inputs])
    return [{"overall": one.pop("score"), **one} for one in earned]
'''


def write_verifiers(splits: Splits, config: Config, out: Path, place: Path) -> None:
    """The package of an environment."""
    package = out / PACKAGE
    package.mkdir()
    _write_rows(splits, config, package)
    write_list(chosen_rewards(config), package)
    (package / "__init__.py").write_text(VERIFIERS, "utf-8")
    (out / "pyproject.toml").write_text(PYPROJECT, "utf-8")


def write_inspect(splits: Splits, config: Config, out: Path, place: Path) -> None:
    """A task of inspect."""
    _write_rows(splits, config, out)
    write_list(chosen_rewards(config), out)
    (out / "task.py").write_text(INSPECT.replace("SPLIT", _asked(splits)), "utf-8")


def write_lm_eval(splits: Splits, config: Config, out: Path, place: Path) -> None:
    """A task of lm-evaluation-harness."""
    _write_rows(splits, config, out)
    chosen = chosen_rewards(config)
    write_list(chosen, out)
    split = _asked(splits)
    task = {
        "task": PACKAGE,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {split: str(place / f"{split}.jsonl")}},
        "output_type": "generate_until",
        "test_split": split,
        "doc_to_target": "answer",
        "generation_kwargs": {"until": [], "do_sample": False, "max_gen_toks": config.evaluation.max_new_tokens},
        "metric_list": [
            {"metric": name, "aggregation": "mean", "higher_is_better": True}
            for name in ("score", *(one.name for one in chosen))
        ],
        "metadata": {"version": 1.0},
    }
    functions = "doc_to_text: !function utils.doc_to_text\nprocess_results: !function utils.process_results\n"
    text = yaml.safe_dump(task, sort_keys=False, allow_unicode=True) + functions
    (out / f"{PACKAGE}.yaml").write_text(text, "utf-8")
    (out / "utils.py").write_text(LM_EVAL, "utf-8")


def write_easyr1(splits: Splits, config: Config, out: Path, place: Path) -> None:
    """Data and reward of EasyR1: ``problem`` is the prompt, ``answer`` holds what the reward reads."""
    from datasets import Dataset

    for name, samples in splits.items():
        rows = [_row(sample, config) for sample in samples]
        table = [{"problem": row["text"], "answer": json.dumps(row, ensure_ascii=False)} for row in rows]
        Dataset.from_list(table).to_parquet(out / f"{name}.parquet")
    write_list(chosen_rewards(config), out)
    (out / "raiden_reward.py").write_text(EASYR1, "utf-8")


def _write_rows(splits: Splits, config: Config, out: Path) -> None:
    for name, samples in splits.items():
        lines = (json.dumps(_row(sample, config), ensure_ascii=False) + "\n" for sample in samples)
        (out / f"{name}.jsonl").write_text("".join(lines), "utf-8")


def _row(sample: Sample, config: Config) -> dict[str, Any]:
    """A sample's fields, its prompt as a chat and as one text, and the scorer's settings."""
    prompt = build_prompt(sample, config.system_prompt, config.prompt.layout)
    settings = json.dumps(asdict(training_scorer(config)))
    return {
        **table_row(sample),
        "prompt": prompt,
        "text": "\n".join(turn["content"] for turn in prompt),
        "settings": settings,
    }


def _asked(splits: Splits) -> str:
    """The split that is evaluated on."""
    return "test" if "test" in splits else "train"
