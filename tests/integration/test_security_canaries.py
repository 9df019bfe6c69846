"""Secrets stay in the environment: nothing that runs wrote, finished or refused, holds any of them."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.chaos.cases import scripted_teacher, write_config
from benchmarks.chaos.house import House, free_port
from tests.support.canaries import AUTH, CANARIES

pytestmark = pytest.mark.integration

PEOPLE = [{"name": "林晚", "家乡": "长沙", "职业": "木匠", "宠物": "黑猫", "爱好": "钓鱼、下棋"}]


BLOCK_KEY = "canary-in-a-block-7f3a91"
SAVE_BLOCK = f"from prefect.blocks.system import Secret; Secret(value={BLOCK_KEY!r}).save('teacher-key')"


def configure(folder: Path, url: str, variable: str = "RAIDEN_TEST_TEACHER_KEY") -> Path:
    folder.mkdir(parents=True)
    people = folder / "people.jsonl"
    people.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in PEOPLE), "utf-8")
    endpoint = {"url": url, "api_key_env": variable, "timeout_seconds": 20, "patience_seconds": 5}
    return write_config(
        folder,
        characters__paths=[str(people)],
        characters__composed={"count": 0},
        characters__evaluation_only={},
        split__validation_characters=1,
        teacher__kind="llm",
        teacher__endpoints={"teacher": endpoint},
    )


def leaks(folder: Path) -> list[str]:
    """Where a secret stands below a folder, in any file, as it is or in base64."""
    words = [*CANARIES.values(), BLOCK_KEY, AUTH, AUTH.partition(":")[2]]
    needles = {word: (word.encode(), base64.b64encode(word.encode()).rstrip(b"=")) for word in words}
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [f"{path}: {word}" for word, forms in needles.items() if any(form in content for form in forms)]
    return found


def test_no_secret_is_in_anything_that_runs_wrote(house: House, finished_run: str) -> None:
    with scripted_teacher(free_port(), CANARIES["RAIDEN_TEST_TEACHER_KEY"]) as url:
        taken = house.start_run("generate", config=str(configure(house.folder / "taken", url)))
        house.wait(taken, "COMPLETED")
    with scripted_teacher(free_port(), "another key") as url:
        refused = house.start_run("generate", config=str(configure(house.folder / "refused", url)))
        said: dict[str, Any] = house.wait(refused, "FAILED")
    assert "401" in said["message"], "the run failed because its key was refused"
    assert "Traceback" not in said["message"]
    samples = list((house.folder / "taken" / "runs").glob("generate-*/samples.jsonl"))
    assert samples and samples[0].stat().st_size, "the key reached the teacher: nobody else gets an answer"
    assert list((house.folder / "whole" / "runs").glob("train-*/training.log")), "a training was searched too"
    for run in (finished_run, taken, refused):
        logs = house.post("/logs/filter", {"logs": {"flow_run_id": {"any_": [run]}}, "limit": 200})
        assert logs
        shown = json.dumps([logs, house.get(f"/flow_runs/{run}")])
        assert not [secret for secret in (*CANARIES.values(), AUTH) if secret in shown]
        assert "Traceback" not in shown, "what a user can mend is said in one line"
    assert leaks(house.folder) == []


def test_a_key_in_a_secret_block_reaches_the_run_and_nothing_else(house: House) -> None:
    done = subprocess.run([sys.executable, "-c", SAVE_BLOCK], env=house.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pool = house.get("/work_pools/raiden")["base_job_template"]
    changed = copy.deepcopy(pool)
    reference = {"RAIDEN_TEST_BLOCK_KEY": "{{ prefect.blocks.secret.teacher-key }}"}
    changed["variables"]["properties"]["env"]["default"] = reference
    house.http.patch("/work_pools/raiden", json={"base_job_template": changed}).raise_for_status()
    try:
        with scripted_teacher(free_port(), BLOCK_KEY) as url:
            config = configure(house.folder / "block", url, "RAIDEN_TEST_BLOCK_KEY")
            house.wait(house.start_run("generate", config=str(config)), "COMPLETED")
    finally:
        house.http.patch("/work_pools/raiden", json={"base_job_template": pool}).raise_for_status()
    assert leaks(house.folder) == []


def test_the_search_would_find_a_leak(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "log").write_bytes(b"\x00 Bearer " + CANARIES["HF_TOKEN"].encode())
    (deep / "basic").write_bytes(base64.b64encode(AUTH.encode()))
    assert {Path(found.partition(": ")[0]).name for found in leaks(tmp_path)} == {"log", "basic"}


def test_the_server_answers_only_who_knows_the_password(house: House) -> None:
    with httpx.Client(base_url=house.api, trust_env=False) as stranger:
        assert stranger.get("/health").status_code == 200, "health checks need no password"
        assert stranger.post("/flow_runs/filter", json={}).status_code == 401
        assert stranger.post("/flow_runs/filter", json={}, auth=("admin", "wrong")).status_code == 401
    assert house.http.post("/flow_runs/filter", json={}).status_code == 200
