"""The pipeline as its users run it: every stage real, then reruns, edits, refusals, and the bad day."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

pytestmark = pytest.mark.integration

STAGES = ["generate", "split", "cold-start", "train", "evaluate", "report"]
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def first(raiden: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """An output folder and the record of the run that filled it."""
    output_dir = tmp_path_factory.mktemp("runs")
    return output_dir, raiden.run(output_dir)


def cached(record: dict[str, Any]) -> dict[str, bool]:
    return {name: stage["cached"] for name, stage in record["stages"].items()}


def folder(record: dict[str, Any], stage: str) -> Path:
    return Path(record["stages"][stage]["folder"])


def test_every_stage_leaves_what_the_design_says(first: tuple[Path, dict[str, Any]]) -> None:
    _, record = first
    assert cached(record) == dict.fromkeys(STAGES, False)
    for stage in STAGES:
        manifest = json.loads((folder(record, stage) / "manifest.json").read_text("utf-8"))
        assert manifest["stage"] == stage
        assert manifest["outputs"]
        assert (folder(record, stage) / "stats.json").is_file()
    for name in ("train.json", "validation.json", "dataset_stats.json"):
        assert (folder(record, "split") / name).is_file()
    sides = [
        {(row["character_name"], str(row["character_profile"])) for row in json.loads(path.read_text("utf-8"))}
        for path in (folder(record, "split") / "train.json", folder(record, "split") / "validation.json")
    ]
    assert len(sides[1]) == 6
    assert not sides[0] & sides[1]
    results = record["results"]
    for model in ("base", "trained"):
        for part in ("all", "SBK", "CM"):
            assert results[model][part]["n"] > 0
    assert results["controls"]["gold"] == 1.0
    assert "hand-written" in results["extra"]
    assert Path(record["report"]).read_text("utf-8").startswith("<!")
    stored = yaml.safe_load((Path(record["run"]) / "config.yaml").read_text("utf-8"))
    assert stored["grpo"]["beta"] == 0.1, "defaults are spelled out in the stored configuration"
    assert (folder(record, "train") / "training.log").stat().st_size > 0


def test_the_models_load_without_raiden(first: tuple[Path, dict[str, Any]]) -> None:
    _, record = first
    for stage in ("cold-start", "train"):
        place = folder(record, stage)
        assert [str(path.relative_to(place)) for path in place.rglob("config.json")] == ["model/config.json"]
        assert not list(place.rglob("*.bin")), "safetensors only"
        tokenizer = AutoTokenizer.from_pretrained(place / "model")
        AutoModelForCausalLM.from_pretrained(place / "model")
        shown = tokenizer.apply_chat_template([{"role": "user", "content": "你好"}], tokenize=False)
        assert "你好" in shown


def test_a_rerun_does_no_work_and_a_change_does_only_its_own(raiden: Any, first: tuple[Path, dict[str, Any]]) -> None:
    output_dir, record = first
    again = raiden.run(output_dir)
    assert cached(again) == dict.fromkeys(STAGES, True)
    assert [folder(again, stage) for stage in STAGES] == [folder(record, stage) for stage in STAGES]

    # Weight decay moves the weights even where no completion earns anything; equal weights would be evaluated once.
    changed = raiden.run(output_dir, "--set", "grpo.weight_decay=0.5", "--set", "grpo.learning_rate=0.01")
    assert cached(changed) == dict(zip(STAGES, [True, True, True, False, False, False], strict=True))
    assert folder(record, "train").is_dir(), "the other configuration's model is still there"


def test_an_edited_or_deleted_file_makes_its_stage_run_again(
    raiden: Any, first: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    output_dir = tmp_path / "copy"
    record = raiden.run(output_dir, "--stage", "split")
    with (folder(record, "split") / "train.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    mended = raiden.run(output_dir, "--set", "grpo.max_steps=2", "--stage", "cold-start")
    assert cached(mended)["generate"] is True
    assert cached(mended)["split"] is False
    assert folder(mended, "split") != folder(record, "split"), "nothing is overwritten"
    shutil.rmtree(folder(mended, "generate"))
    mended = raiden.run(output_dir, "--stage", "split")
    assert cached(mended) == {"generate": False, "split": False}


def test_a_copy_of_an_output_folder_is_itself(raiden: Any, tmp_path: Path) -> None:
    record = raiden.run(tmp_path / "mine", "--stage", "split")
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "mine", copy)
    again = raiden.run(copy, "--stage", "split")
    assert cached(again) == {"generate": True, "split": False}
    assert folder(again, "generate").parent == copy
    (folder(again, "generate") / "samples.jsonl").unlink()
    mended = raiden.run(copy, "--stage", "split")
    assert cached(mended)["generate"] is False, "the original is whole, the copy is not"
    assert (folder(record, "generate") / "samples.jsonl").is_file()


def test_a_stage_alone_runs_anew_and_nothing_after_it(raiden: Any, first: tuple[Path, dict[str, Any]]) -> None:
    output_dir, record = first
    only = raiden.run(output_dir, "--stage", "evaluate")
    assert list(only["stages"]) == STAGES[:5]
    assert cached(only) == dict(zip(STAGES[:5], [True, True, True, True, False], strict=True))
    assert only["report"] is None
    assert only["results"]["base"] == record["results"]["base"], "greedy answers are the same"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "nowhere.yaml"], 2, ["nowhere.yaml", "no such file"]),
        (["run", "{tiny}", "--set", "grpo.bta=1"], 2, ["grpo.bta", "beta"]),
        (["run", "{tiny}", "--set", "sed=1"], 2, ["sed", "seed"]),
        (["run", "{tiny}", "--set", "seed=many"], 2, ["seed", "many"]),
        (["run", "{tiny}", "--stage", "trian"], 2, ["trian"]),
        (["run", "{tiny}", "--set", "output_dir={tmp}", "--set", 'characters.paths=["no.jsonl"]'], 1, ["no.jsonl"]),
        (
            ["run", "{tiny}", "--set", "output_dir={tmp}", "--set", 'characters.paths=["{tmp}/empty.jsonl"]'],
            1,
            ["empty"],
        ),
        (["run", "{tiny}", "--set", "output_dir=/proc/raiden"], 1, ["/proc/raiden"]),
        (
            ["run", "{tiny}", "--set", "output_dir={tmp}/runs", "--set", "student.model={tmp}/weights"],
            1,
            ["{tmp}/weights", "no such folder"],
        ),
    ],
)
def test_bad_input_is_one_line_with_the_right_exit_code(
    raiden: Any, tmp_path: Path, arguments: list[str], code: int, words: list[str]
) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    tiny = str(Path(__file__).parent / "tiny.yaml")
    given = [argument.replace("{tiny}", tiny).replace("{tmp}", str(tmp_path)) for argument in arguments]
    if "empty" in str(given):
        given += ["--set", "characters.composed.count=0"]
    got, _, err = raiden.call(*given)
    assert got == code, err
    assert "Traceback" not in err
    error = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(error) == 1, err
    for word in words:
        assert word.replace("{tmp}", str(tmp_path)) in error[0]
    assert not list(tmp_path.glob("runs/generate-*")), "refused before any work"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_ends_everything_and_a_rerun_goes_on(raiden: Any, tmp_path: Path, number: int) -> None:
    long = ("--set", "grpo.max_steps=100000", "--set", f"output_dir={tmp_path}")
    process = raiden.start("run", str(Path(__file__).parent / "tiny.yaml"), *long, start_new_session=True)
    raiden.wait_until(lambda: list(tmp_path.glob(".train-*.partial/metrics.jsonl")), 240, "training never began")
    tree = psutil.Process(process.pid).children(recursive=True)
    assert any("raiden_core.training.grpo" in " ".join(child.cmdline()) for child in tree)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 130
    _, alive = psutil.wait_procs(tree, timeout=20)
    assert not alive, [child.cmdline() for child in alive]

    record = raiden.run(tmp_path)
    assert cached(record) == dict(zip(STAGES, [True, True, True, False, False, False], strict=True))


def test_two_runs_of_the_same_share_the_work(raiden: Any, tmp_path: Path) -> None:
    arguments = ("run", str(Path(__file__).parent / "tiny.yaml"), "--json", "--stage", "split")
    both = [raiden.start(*arguments, "--set", f"output_dir={tmp_path}") for _ in range(2)]
    outs = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], outs
    records = [json.loads(out.splitlines()[-1]) for out, _ in outs]
    assert folder(records[0], "generate") == folder(records[1], "generate")
    assert len(list(tmp_path.glob("generate-*"))) == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent: real profiles were not tried")
def test_real_profiles_go_through_all_stages(raiden: Any, tmp_path: Path) -> None:
    record = raiden.run(tmp_path, "--set", f'characters.paths=["{SHARED / "profiles_zh.jsonl"}"]')
    skipped = [json.loads(line) for line in (folder(record, "generate") / "skipped.jsonl").open(encoding="utf-8")]
    assert skipped
    assert any("facts" in row["reason"] for row in skipped)
    assert record["results"]["trained"]["all"]["n"] > 0
    assert skipped[0]["name"] in Path(record["report"]).read_text("utf-8"), "the page lists who was skipped"
