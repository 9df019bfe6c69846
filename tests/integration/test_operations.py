"""The bad day, one case of each kind; `make chaos` does the whole matrix."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos import cases
from benchmarks.chaos.house import ROOT, House

pytestmark = pytest.mark.integration


def test_a_server_takes_the_kubernetes_template(house: House) -> None:
    template = json.loads((ROOT / "docker" / "kubernetes" / "base-job-template.json").read_text("utf-8"))
    made = house.post("/work_pools/", {"name": "cluster", "type": "kubernetes", "base_job_template": template})
    assert made["base_job_template"] == template


@pytest.fixture
def upstream(house: House, finished_run: str, tmp_path: Path) -> Path:
    """A folder in which all before training is finished, so that a case only pays for its own stage."""
    cases.copy_stages(house.folder / "whole" / "runs", tmp_path / "runs", ("generate", "split", "cold-start"))
    return tmp_path


def test_a_stage_deployment_reruns_its_stage_only(house: House, finished_run: str) -> None:
    config = house.folder / "whole" / "chaos.yaml"
    run = house.start_run("split", config=str(config))
    house.wait(run, "COMPLETED")
    record = cases.last_record(house.folder / "whole" / "runs")
    assert {stage: row["cached"] for stage, row in record["stages"].items()} == {"generate": True, "split": False}
    assert Path(record["stages"]["split"]["folder"]).name.endswith("-2")


def test_a_killed_flow_goes_on_and_a_cancelled_one_leaves_nothing(house: House, upstream: Path) -> None:
    # Without the slot: its lease would keep the retry waiting for a minute. The case after it looks at the slot.
    killed = cases.kill_case(house, upstream, "flow", "train", random.Random(1), limits__gpu_slot=None)
    assert killed.ended == "Completed"
    cancelled = cases.cancel_case(house, upstream)
    assert cancelled.ended == "Cancelled"


def test_a_server_that_dies_during_training_ends_no_run(house: House, upstream: Path) -> None:
    assert cases.kill_case(house, upstream, "server", "train", random.Random(2)).ended == "Completed"
    assert house.slots_taken() == 0


def test_a_worker_that_dies_ends_no_run(house: House, tmp_path: Path) -> None:
    assert cases.kill_case(house, tmp_path, "worker", "generate", random.Random(3)).ended == "Completed"


def test_a_stage_that_is_out_of_time_ends_and_goes_on_later(house: House, tmp_path: Path) -> None:
    outcome = cases.timeout_case(house, tmp_path)
    assert "limits.stage_seconds" in outcome.said
    assert outcome.ended == "Completed"


def test_a_teacher_that_is_away_is_waited_for(house: House, tmp_path: Path) -> None:
    outcome = cases.absent_teacher_case(house, tmp_path, seconds=4)
    assert outcome.ended == "Completed"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"A FULL DISK WAS NOT TRIED: {made.stderr.strip() or 'mount needs root'}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True, capture_output=True)


def test_a_full_disk_is_said_and_room_heals_it(house: House, small_disk: Path, tmp_path: Path) -> None:
    outcome = cases.full_disk_case(house, tmp_path, small_disk)
    assert "disk is full" in outcome.said
    assert outcome.ended == "Completed"


def test_a_failed_run_retried_goes_on_where_it_failed(house: House, tmp_path: Path) -> None:
    """Generate is done, split is refused; when the reason is gone, the retry takes generate from the cache."""
    config = cases.write_config(tmp_path, split__validation_characters=500)
    run = house.start_run("full-pipeline", config=str(config), until="split")
    said = house.wait(run, "FAILED")["message"]
    assert "500" in said or "character" in said, said
    before = cases.whole_folders(tmp_path / "runs")
    assert len(before) == 1
    cases.write_config(tmp_path)
    house.retry(run)
    house.wait(run, "COMPLETED")
    assert before.items() <= cases.whole_folders(tmp_path / "runs").items(), "what was whole stayed as it was"
    record = cases.last_record(tmp_path / "runs")
    assert [row["cached"] for row in record["stages"].values()] == [True, False]
