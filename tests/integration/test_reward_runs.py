"""Rewards of a user's, in real short GRPO runs: what is logged, what stops a run, what is left then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.errors import ConfigError, StageError
from raiden_core.samples import Sample
from raiden_core.stages.layout import METRICS_FILE, SUMMARY_FILE
from raiden_core.training import grpo
from raiden_core.training.launch.metrics import read_metrics
from tests.integration.test_short_runs import here, student, trained

pytestmark = pytest.mark.integration
__all__ = ["student"]

OWN = '''
"""Rewards that random weights can earn."""
from beside import bits

async def parity(completions, **columns):
    return [bits(one) for one in completions]

def gate(completions, **columns):
    return [1.0 - (place % 4 == 0) for place in range(len(completions))]

def late(completions, trainer_state=None, **columns):
    if trainer_state is not None and trainer_state.global_step == 2:
        raise ValueError("out of paper")
    return [float(place % 2) for place in range(len(completions))]

def closed(completions, **columns):
    return [0.0] * len(completions)
'''


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's file, and one that it imports."""
    (tmp_path / "beside.py").write_text(
        "def bits(chat):\n    return float(sum(map(ord, chat[-1]['content'])) % 3) / 2\n"
    )
    file = tmp_path / "their_rewards.py"
    file.write_text(OWN)
    return file


def listed(own: Path, *functions: str, gate: str | None = None) -> dict[str, Any]:
    entries: list[dict[str, Any]] = [{"use": "accuracy", "weight": 0.5}, {"use": "format", "weight": 0.25}]
    entries += [{"use": f"{own}:{name}", "weight": 0.25} for name in functions]
    entries += [{"use": f"{own}:{gate}", "gate": True}] if gate else []
    return {"rewards": entries}


def test_a_run_with_a_users_rewards_logs_each_by_name_and_zeroes_what_a_gate_closes(
    own: Path, composed_samples: list[Sample], student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas

    here(monkeypatch)
    out = trained(composed_samples[:40], student, tmp_path / "out", listed(own, "parity", gate="gate"))
    rows = [row for row in read_metrics(out / METRICS_FILE) if "reward" in row]
    assert len(rows) == 2
    for row in rows:
        assert row["rewards/gate/mean"] == 0.75
        assert row["rewards/total/mean"] == pytest.approx(row["reward"])
        assert 0 < row["rewards/parity/mean"] < 1
    logged = pandas.concat(pandas.read_parquet(file) for file in sorted(out.rglob("completions_*.parquet")))
    expected = logged["gate"] * (
        0.5 * logged["accuracy_reward"] + 0.25 * logged["format_reward"] + 0.25 * logged["parity"]
    )
    assert logged["total"].tolist() == pytest.approx(expected.tolist())
    assert logged.loc[logged["gate"] == 0, "parity"].sum() > 0, "what was said stands in the log, closed or not"
    assert (out / "model" / "config.json").is_file()
    job = (out / "job.yaml").read_text("utf-8")
    assert "their_rewards.py:parity" in job and "accuracy_weight" not in job


def test_a_reward_that_raises_in_the_middle_stops_the_run_and_leaves_its_checkpoint_whole(
    own: Path, composed_samples: list[Sample], student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(monkeypatch)
    words = r"^step 3: late raised ValueError: out of paper \(their_rewards.py:\d+\) for sample \w+; .* checkpoint is whole$"
    with pytest.raises(StageError, match=words):
        trained(composed_samples[:40], student, tmp_path / "out", listed(own, "late"), save_steps=1, max_steps=4)
    whole = sorted(one.parent.name for one in (tmp_path / "out").glob("checkpoint-*/whole.json"))
    assert whole == ["checkpoint-1", "checkpoint-2"]


def test_a_gate_that_no_right_answer_passes_is_refused_before_the_model_is_loaded(
    own: Path, composed_samples: list[Sample], student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(monkeypatch)
    monkeypatch.setattr("raiden_core.training.hooks.disk.model_sizes", lambda *_: pytest.fail("too late"))
    with pytest.raises(ConfigError, match="the gate closed is closed on all 16 reference answers"):
        trained(composed_samples[:40], student, tmp_path / "out", listed(own, gate="closed"))


def test_a_curriculum_measures_the_student_once_and_says_what_it_changed(
    composed_samples: list[Sample], student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from raiden_core.models.local_model import LocalModel

    here(monkeypatch)
    out = trained(composed_samples[:40], student, tmp_path / "out", curriculum="pass_rate", curriculum_answers=2)
    figures = json.loads((out / SUMMARY_FILE).read_text("utf-8"))["curriculum"]
    assert figures["never_right"] + figures["sometimes_right"] + figures["always_right"] == 40
    assert figures["answers"] == 2 and 0 <= figures["zero_variance_after"] <= figures["zero_variance_before"] <= 1
    assert 0 <= figures["zero_variance_met"] <= 1
    # A run that goes on reads what the student said.
    (out / SUMMARY_FILE).unlink()
    monkeypatch.setattr(LocalModel, "_generate", lambda *_: pytest.fail("asked again"))
    grpo.main([str(out / "job.yaml"), "--max_steps", "2"])
    assert json.loads((out / SUMMARY_FILE).read_text("utf-8"))["curriculum"]["never_right"] == figures["never_right"]
