"""The report of benchmarks/teacher.py, from the scripted teacher behind a server."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import teacher
from tests.support.serving import scripted_server, serving


def test_the_report_says_what_each_stage_took_kept_and_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "teacher.json"
    with serving(scripted_server()) as server:
        words = ["teacher", "--server", server.url, "--model", "glm-4.6", "--characters", "1", "--concurrency", "8"]
        monkeypatch.setattr(sys, "argv", [*words, "--out", str(out)])
        teacher.main()
    report = json.loads(out.read_text("utf-8"))
    assert report["characters_done"] == 2 and report["schema"] and report["kept"] == len(report["samples"]) > 4
    assert report["tasks"]["facts"]["requests"] == 2 and report["tasks"]["facts"]["usable_share"] == 1.0
    assert {"questions", "answer", "distractors", "guess", "tell", "say", "say_back", "remember"} <= set(
        report["tasks"]
    )
    assert report["tokens"]["per_kept_sample"] >= report["tokens"]["completion_per_kept_sample"] > 0
    assert all(sample["none_of"] and sample["right"] is None for sample in report["samples"])
    assert "2 of 2 characters" in capsys.readouterr().out
