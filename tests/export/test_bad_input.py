"""What an export cannot do is one line for every target, and nothing is left half-written."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from raiden_core.cli.export import OF_A_RUN, PACKED, export
from raiden_core.errors import DataError, StageError, UsageError
from raiden_core.samples import write_samples
from tests.export.test_hub import _run
from tests.export.test_peft import trained
from tests.support.gguf_files import byte_tokenizer
from tests.support.synthetic import HOSTILE


def exported(out: Path, to: str, run: Path, *more: str) -> Any:
    return CliRunner().invoke(export, [str(out), "--to", to, "--run", str(run), *more])


def left_by(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "out" in path.name)


@pytest.mark.parametrize("to", OF_A_RUN)
def test_a_run_that_has_not_finished_is_refused(tmp_path: Path, to: str) -> None:
    run = _run(tmp_path)
    record = json.loads((run / "run.json").read_text("utf-8"))
    del record["stages"]["evaluate"]
    (run / "run.json").write_text(json.dumps(record), "utf-8")
    done = exported(tmp_path / "out", to, run)
    assert isinstance(done.exception, DataError)
    assert str(done.exception) == f"{run}: the run has no evaluate; run it until report first"
    assert left_by(tmp_path) == []


@pytest.mark.parametrize("to", OF_A_RUN)
def test_a_folder_that_exists_is_left_as_it_is(tmp_path: Path, to: str) -> None:
    run = _run(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine", "utf-8")
    byte_tokenizer().save_pretrained(tmp_path / "train/model")
    done = exported(tmp_path / "out", to, run)
    assert isinstance(done.exception, UsageError) and "exists already; nothing is overwritten" in str(done.exception)
    assert left_by(tmp_path) == ["out"] and [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("to", [*PACKED, "sillytavern", "peft"])
def test_a_tokenizer_without_a_template_is_refused(tmp_path: Path, to: str) -> None:
    run = trained(tmp_path)
    (tmp_path / "train/model/chat_template.jinja").unlink()
    done = exported(tmp_path / "out", to, run)
    assert isinstance(done.exception, DataError)
    assert "the tokenizer has no chat template; use an instruction-tuned model" in str(done.exception)
    assert left_by(tmp_path) == []


@pytest.mark.parametrize("to", PACKED)
def test_a_quantisation_that_does_not_exist_is_refused(tmp_path: Path, to: str) -> None:
    done = exported(tmp_path / "out", to, _run(tmp_path), "--quant", "q9_9")
    assert done.exit_code == 2 and "'q9_9' is not one of 'f16', 'q8_0', 'q4_0'" in done.output
    assert left_by(tmp_path) == []


@pytest.mark.parametrize("to", ["hub", "peft"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(tmp_path)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    done = exported(tmp_path / "out", to, run)
    assert isinstance(done.exception, StageError) and "the disk is full; make room" in str(done.exception)
    assert left_by(tmp_path) == []


HOSTILE_NAME = f'../../etc/{HOSTILE}\n---\nlicense: stolen `x` """ {{{{ .System }}}} {{% raw %}}'


def test_a_hostile_name_stays_in_its_folder_and_its_place(tmp_path: Path) -> None:
    run = _run(tmp_path, f"name: {json.dumps(HOSTILE_NAME)}\nstudent: {{model: me/m}}\n")
    byte_tokenizer().save_pretrained(tmp_path / "train/model")
    write_samples(tmp_path / "split/validation.json", [])
    done = exported(tmp_path / "out", "sillytavern", run)
    assert done.exit_code == 0, done.output
    assert all(
        path.parent == tmp_path / "out" and path.suffix in (".json", ".md") for path in (tmp_path / "out").rglob("*")
    )
    for path in (tmp_path / "out").glob("*.json"):
        json.loads(path.read_text("utf-8"))
    hub = exported(tmp_path / "out-hub", "hub", run)
    assert hub.exit_code == 0, hub.output
    card = (tmp_path / "out-hub/README.md").read_text("utf-8")
    head = yaml.safe_load(card.split("\n---\n")[0].removeprefix("---\n"))
    assert head["model-index"][0]["name"] == HOSTILE_NAME and "license" not in head


def test_a_character_cannot_write_instructions_of_ollama(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from raiden_core.export import gguf as exporting

    monkeypatch.setattr(exporting, "is_installed", lambda: False)
    run = trained(tmp_path)
    byte_tokenizer(rule="smollm").save_pretrained(tmp_path / "train/model")
    person = tmp_path / "eve.jsonl"
    person.write_text(json.dumps({"name": 'Eve"""\nFROM other', "profile": {"Age": "1"}}) + "\n", "utf-8")
    done = exported(tmp_path / "out", "ollama", run, "--character", str(person))
    assert isinstance(done.exception, DataError) and "three double quotes" in str(done.exception)
    assert left_by(tmp_path) == []
