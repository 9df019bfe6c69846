"""What the generate stage's key depends on when the teacher is a model behind a server."""

import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config import Config
from tasks.generate import describe


def key(folder: Path, **teacher: Any) -> str:
    endpoint = {"model": "m", **teacher.pop("endpoint", {})}
    settings = {"kind": "llm", "endpoints": {"teacher": endpoint}, **teacher}
    return describe(
        Config.model_validate({"characters": {"paths": [str(folder / "people.jsonl")]}, "teacher": settings})
    ).key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.jsonl").write_text(json.dumps({"name": "A", "town": "B"}) + "\n")
    (tmp_path / "seeds.jsonl").write_text("{}\n")
    return tmp_path


def test_where_and_how_fast_a_teacher_is_asked_changes_no_sample(folder: Path) -> None:
    elsewhere = {"url": "http://10.0.0.1:1/v1", "max_concurrency": 3, "prompt_price": 1, "timeout_seconds": 9}
    assert key(folder) == key(folder, endpoint=elsewhere, characters_at_once=2, launch={"command": ["sglang"]})


def test_what_samples_depend_on_makes_another_stage(folder: Path) -> None:
    seeds = [str(folder / "seeds.jsonl")]
    others = [
        key(folder, endpoint={"model": "n"}),
        key(folder, endpoint={"thinking": "on"}),
        key(folder, answers=2),
        key(folder, seeds=seeds),
        key(folder, kind="offline"),
    ]
    (folder / "seeds.jsonl").write_text("{}\n{}\n")
    others.append(key(folder, seeds=seeds))
    assert len({key(folder), *others}) == len(others) + 1
