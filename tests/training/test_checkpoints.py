"""Which checkpoint a run goes on from, and how often one is written."""

import os
from pathlib import Path
from typing import Any

import pytest

from raiden_core.errors import ConfigError
from tests.support.tables import table

JOB = {"seed": 7, "model": "m"}


def checkpoint(out: Path, step: int, marked: bool = True) -> Path:
    from raiden_core.training.hooks.checkpoints import mark_whole

    folder = out / f"checkpoint-{step}"
    (folder / "global_step").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"w" * step)
    (folder / "global_step" / "rank0.pt").write_bytes(b"o" * step)
    if marked:
        mark_whole(folder, JOB)
    return folder


def test_the_newest_whole_checkpoint_is_taken_and_torn_ones_are_deleted(tmp_path: Path) -> None:
    from raiden_core.training.hooks.checkpoints import last_whole_checkpoint

    checkpoint(tmp_path, 9)
    whole, unmarked = checkpoint(tmp_path, 10), checkpoint(tmp_path, 20, marked=False)
    (tmp_path / "checkpoint-best").mkdir()
    assert last_whole_checkpoint(tmp_path, JOB) == whole
    assert not unmarked.exists() and (tmp_path / "checkpoint-9").exists() and (tmp_path / "checkpoint-best").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "global_step/rank0.pt"])
def test_a_marked_checkpoint_that_lost_something_is_torn(tmp_path: Path, name: str) -> None:
    from raiden_core.training.hooks.checkpoints import last_whole_checkpoint, torn

    folder = checkpoint(tmp_path, 10)
    assert torn(folder) is None
    os.truncate(folder / name, 3)
    assert torn(folder) == f"{name} is missing or cut"
    (folder / name).unlink()
    assert last_whole_checkpoint(tmp_path, JOB) is None and not folder.exists()


def test_without_checkpoints_a_run_starts_from_nothing(tmp_path: Path) -> None:
    from raiden_core.training.hooks.checkpoints import last_whole_checkpoint

    assert last_whole_checkpoint(tmp_path, JOB) is None
    assert last_whole_checkpoint(tmp_path / "none", JOB) is None


def test_a_mark_that_was_being_written_is_none(tmp_path: Path) -> None:
    from raiden_core.training.hooks.checkpoints import MARK, torn

    folder = checkpoint(tmp_path, 10, marked=False)
    (folder / f"{MARK}.new").write_text('{"sizes": {}')
    assert torn(folder) is not None


def test_another_jobs_checkpoint_is_refused_and_kept(tmp_path: Path) -> None:
    from raiden_core.training.hooks.checkpoints import last_whole_checkpoint

    folder = checkpoint(tmp_path, 10)
    with pytest.raises(ConfigError, match=r"checkpoint-10: was written by a job with seed 7, this one has 8"):
        last_whole_checkpoint(tmp_path, JOB | {"seed": 8})
    assert folder.is_dir()


@table(
    ("wanted", "how", "steps"),
    [
        (50, {}, 50),
        (50, {"logging_steps": 5}, 50),
        (50, {"logging_steps": 8}, 56),
        (2, {"logging_steps": 10}, 2),  # rare logging does not make checkpoints rarer
        (3, {"accumulation": 2, "forward_passes_a_generation": 8}, 4),
        (3, {"accumulation": 4, "forward_passes_a_generation": 4}, 3),
        (5, {"accumulation": 3, "forward_passes_a_generation": 2}, 6),
        (7, {"eval_steps": 4}, 8),
    ],
)
def test_checkpoints_fall_where_nothing_is_buffered(wanted: int, how: dict[str, int], steps: int) -> None:
    from raiden_core.training.hooks.checkpoints import aligned_save_steps

    settings = {"accumulation": 1, "forward_passes_a_generation": 1, "logging_steps": 1} | how
    assert aligned_save_steps(wanted, **settings) == steps


@pytest.mark.parametrize(("limit", "kept"), [(None, 2), (1, 2), (5, 5)])
def test_one_checkpoint_is_never_enough(tmp_path: Path, limit: int | None, kept: int) -> None:
    from transformers import TrainingArguments

    from raiden_core.training.hooks.checkpoints import settle_checkpoints

    settings: dict[str, Any] = {"save_total_limit": limit, "save_steps": 0.25, "report_to": "none", "use_cpu": True}
    training = TrainingArguments(output_dir=str(tmp_path), **settings)
    settle_checkpoints(training)
    assert (training.save_total_limit, training.save_steps) == (kept, 0.25)
