"""The folder for the Hub: complete, readable by the Hub's own reader, true to the results, and never sent unasked."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import yaml
from click.testing import CliRunner
from huggingface_hub import ModelCard

from raiden_core.cli.export import export
from raiden_core.config.loading import dump_config, load_config, parse_config
from raiden_core.dataset.split import dataset_stats
from raiden_core.errors import DataError, StageError, UsageError
from raiden_core.export.hub import assemble, push
from raiden_core.samples import Sample
from tests.support.synthetic import HOSTILE, make_predictions, make_results

SETTINGS = "name: my model\nseed: 7\nstudent: {model: Qwen/Qwen2.5-7B-Instruct}\ngrpo: {beta: 0.02}\n"


def _run(folder: Path, settings: str = SETTINGS, **changes: Any) -> Path:
    """A finished run: its record, and the stages' folders with what the cards need of them."""
    results = make_results(make_predictions(6, 4)).as_json() | changes
    question = {"character_profile": {"a": "b"}, "answer": "b", "keywords": ["b"], "question": "a?", "language": "zh"}
    sides = [[Sample.model_validate(question | {"character_name": f"{side} {n}"}) for n in range(3)] for side in "tv"]
    versions = {"raiden": "0.1.0", "torch": "2.13.0"}
    manifest = {"versions": versions, "key": "k" * 64, "inputs": {"train": "a1" * 32}, "outputs": {}}
    files = {
        "generate/stats.json": {"teacher": "offline rules", "dropped": {"near_duplicate": 3}},
        "split/stats.json": dataset_stats(sides[0], sides[1]),
        "train/manifest.json": manifest | {"outputs": {"model/model.safetensors": "b2" * 32}},
        "evaluate/manifest.json": manifest,
        "evaluate/results.json": results,
        "train/model/config.json": {"model_type": "qwen2"},
    }
    for name, value in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(value), "utf-8")
    (folder / "train/model/model.safetensors").write_bytes(b"weights")
    (folder / "train/model/README.md").write_text("a trainer's own card", "utf-8")
    run = folder / "runs/one"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(dump_config(parse_config(settings, (), where="test")), "utf-8")
    stages = {stage: {"folder": str(folder / stage)} for stage in ("generate", "split", "train", "evaluate")}
    (run / "run.json").write_text(json.dumps({"stages": stages}), "utf-8")
    return run


def _card(folder: Path, run: Path, **options: Any) -> str:
    out = folder / "out"
    out.mkdir()
    assemble(run, out, **options)
    return (out / "README.md").read_text("utf-8")


def test_the_hub_reads_the_results_from_the_card(tmp_path: Path) -> None:
    run = _run(tmp_path)
    card = ModelCard(_card(tmp_path, run, dataset="me/data"))
    data: Any = card.data  # ModelCard says CardData, and its fields are ModelCardData's
    assert data.base_model == "Qwen/Qwen2.5-7B-Instruct" and data.library_name == "transformers"
    assert data.language == ["zh"] and data.datasets == ["me/data"] and "role-playing" in data.tags
    results = json.loads((tmp_path / "evaluate/results.json").read_text())
    told = {(row.dataset_name, row.metric_name): row for row in data.eval_results}
    for set_name, part in (("validation", results), ("hand-written", results["extra"]["hand-written"])):
        for key, label in (("all", "All questions"), ("SBK", "Profile knowledge (SBK)")):
            for metric, field, interval in (("Strict", "strict", "ci95"), ("Lenient", "lenient", "lenient_ci95")):
                row = told[f"{set_name}: {label}", f"{metric} accuracy (%)"]
                cell = part["trained"][key]
                assert row.metric_value == pytest.approx(100 * cell[field], abs=0.051)
                assert row.metric_args["ci95"] == pytest.approx([100 * end for end in cell[interval]], abs=0.051)
                assert row.metric_args["questions"] == cell["n"]


@pytest.mark.parametrize("dataset", ["me/data", None])
def test_each_part_stays_a_result_of_its_own_when_the_card_is_loaded_and_saved(
    dataset: str | None, tmp_path: Path
) -> None:
    _card(tmp_path, _run(tmp_path), dataset=dataset)
    path = tmp_path / "out/README.md"
    before = yaml.safe_load(path.read_text("utf-8").split("---")[1])["model-index"]
    for licence in ("mit", "apache-2.0"):
        card = ModelCard.load(path)
        card.data.license = licence
        card.save(path)
    head = yaml.safe_load(path.read_text("utf-8").split("---")[1])
    assert head["license"] == "apache-2.0" and head["model-index"] == before
    told = {row["dataset"]["name"]: row for row in before[0]["results"]}
    assert set(told) == {
        f"{name}: {label}"
        for name in ("validation", "hand-written")
        for label in ("All questions", "Profile knowledge (SBK)", "Conversation memory (CM)")
    }
    results = json.loads((tmp_path / "evaluate/results.json").read_text())
    for part, label in (("SBK", "Profile knowledge (SBK)"), ("CM", "Conversation memory (CM)")):
        row, cell = told[f"validation: {label}"], results["trained"][part]
        assert row["dataset"]["config"] == part and row["dataset"]["split"] == "validation"
        assert [metric["value"] for metric in row["metrics"]] == [
            round(100 * cell["strict"], 1),
            round(100 * cell["lenient"], 1),
        ]
        assert row["metrics"][0]["args"]["ci95"] == [round(100 * end, 1) for end in cell["ci95"]]
        assert row["metrics"][1]["args"]["ci95"] == [round(100 * end, 1) for end in cell["lenient_ci95"]]


def test_the_folder_is_the_model_with_its_cards(tmp_path: Path) -> None:
    text = _card(tmp_path, _run(tmp_path))
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "DATA.md", "README.md", "config.json", "model.safetensors", "raiden.yaml",
    ]  # fmt: skip
    assert (out / "model.safetensors").read_bytes() == b"weights"
    for words in ("# my model", "b2" * 32, "a1" * 32, "Another character", "license: choose", "`beta` 0.02", "Base |"):
        assert words in text, words
    assert "trainer's own" not in text and "near\\_duplicate" in (out / "DATA.md").read_text("utf-8")
    assert load_config(out / "raiden.yaml").student.model == "Qwen/Qwen2.5-7B-Instruct"


@pytest.mark.parametrize("student", ["nano", "/models/mine"])
def test_no_base_is_claimed_that_the_hub_does_not_have(student: str, tmp_path: Path) -> None:
    text = _card(tmp_path, _run(tmp_path, f"name: x\nstudent: {{model: {student}}}\n"))
    head = yaml.safe_load(text.split("---")[1])
    assert "base_model" not in head and "datasets" not in head


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS + "system_prompt: Be brief.\n"])
def test_what_the_card_says_about_prompts_runs(settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = _card(tmp_path, _run(tmp_path, settings)).split("```python\n")[1].split("```")[0]
    sample = {"character_profile": {"a": "b"}, "answer": "b", "keywords": ["b"], "question": "a?", "language": "zh"}
    monkeypatch.chdir(tmp_path / "out")
    Path("validation.json").write_text(json.dumps([sample | {"character_name": "one"}]), "utf-8")
    without_model = [line for line in code.splitlines() if line.startswith(("import ", "from ", "prompt = "))]
    names: dict[str, Any] = {}
    exec("\n".join(without_model), names)
    assert names["prompt"][-1]["content"] == "a?"


def test_an_adapter_is_loaded_by_peft(tmp_path: Path) -> None:
    run = _run(tmp_path)
    (tmp_path / "train/model/adapter_config.json").write_text("{}")
    text = _card(tmp_path, run)
    assert yaml.safe_load(text.split("---")[1])["library_name"] == "peft" and "AutoPeftModelForCausalLM" in text


def test_foreign_text_is_neither_markup_nor_header(tmp_path: Path) -> None:
    hostile = f"---\n| {HOSTILE} [x](http://evil) `code`"
    text = _card(tmp_path, _run(tmp_path, SETTINGS.replace("my model", json.dumps(hostile)), notes=[hostile]))
    _, head, body = text.split("\n---\n", 1)[0], *text.removeprefix("---\n").split("\n---\n", 1)
    assert yaml.safe_load(head)["model-index"][0]["name"] == hostile
    assert "<script" not in body and "](http://evil" not in body and "<img" not in body
    assert "owned" in body and not {"\u202e", "\x1b"} & set(body)


def test_results_without_base_or_interval_still_make_a_card(tmp_path: Path) -> None:
    results = make_results(make_predictions(1, 4, ("validation",))).as_json()
    results = {key: value for key, value in results.items() if key not in ("base", "paired")}
    run = _run(tmp_path)
    (tmp_path / "evaluate/results.json").write_text(json.dumps(results), "utf-8")
    card: Any = ModelCard(_card(tmp_path, run))
    assert card.data.eval_results and not any("ci95" in row.metric_args for row in card.data.eval_results)


def _lose_evaluate(folder: Path) -> None:
    record = folder / "runs/one/run.json"
    stages = json.loads(record.read_text())["stages"]
    stages.pop("evaluate")
    record.write_text(json.dumps({"stages": stages}))


def _lose_folder(folder: Path) -> None:
    (folder / "train").rename(folder / "elsewhere")


def _lose_record(folder: Path) -> None:
    (folder / "runs/one/run.json").unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_lose_evaluate, "has no evaluate"),
        (_lose_folder, "train: is missing"),
        (_lose_record, "give the folder of a finished run"),
    ],
)
def test_an_unfinished_run_is_refused_in_one_line(damage: Any, words: str, tmp_path: Path) -> None:
    run = _run(tmp_path)
    damage(tmp_path)
    with pytest.raises(DataError, match=words):
        _card(tmp_path, run)


class _Hub:
    """Stands where the Hub's client would."""

    calls: ClassVar[list[tuple[str, Any]]] = []
    error: ClassVar[Exception | None] = None

    def __init__(self, token: str) -> None:
        self.calls.append(("token", token))

    def create_repo(self, repository: str, **settings: Any) -> None:
        self.calls.append(("create", (repository, settings)))

    def upload_folder(self, **settings: Any) -> SimpleNamespace:
        if self.error:
            raise self.error
        self.calls.append(("upload", settings))
        return SimpleNamespace(commit_url="https://hub/commit")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> type[_Hub]:
    monkeypatch.setattr("huggingface_hub.HfApi", _Hub)
    monkeypatch.setattr(_Hub, "calls", [])
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return _Hub


def test_without_the_flag_nothing_is_sent(hub: type[_Hub], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    result = CliRunner().invoke(export, ["--to", "hub", str(tmp_path / "new"), "--run", str(_run(tmp_path))])
    assert result.exit_code == 0 and hub.calls == []
    assert (tmp_path / "new/README.md").is_file() and not (tmp_path / "new/stats.json").exists()


def test_the_flag_sends_the_folder_to_a_private_repository(
    hub: type[_Hub], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    out = tmp_path / "new"
    result = CliRunner().invoke(export, ["--to", "hub", str(out), "--run", str(_run(tmp_path)), "--push", "me/model"])
    assert result.exit_code == 0 and "https://hub/commit" in result.output and "hf_x" not in result.output
    calls = dict(hub.calls)
    assert calls["token"] == "hf_x" and calls["create"] == ("me/model", {"private": True, "exist_ok": True})
    assert calls["upload"]["repo_id"] == "me/model" and calls["upload"]["folder_path"] == out


@pytest.mark.parametrize(
    ("arguments", "token", "words"),
    [
        (["--to", "hub", "--push", "me/model"], None, "HF_TOKEN"),
        (["--to", "hub", "--push", "model"], "hf_x", "OWNER/NAME"),
        (["--to", "trl", "--push", "me/model"], "hf_x", "belong to --to hub"),
    ],
)
def test_a_push_that_cannot_work_is_refused_before_any_work(
    arguments: list[str],
    token: str | None,
    words: str,
    hub: type[_Hub],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    result = CliRunner().invoke(export, [*arguments, str(tmp_path / "new"), "--run", str(tmp_path)])
    assert isinstance(result.exception, UsageError) and words in str(result.exception)
    assert not (tmp_path / "new").exists() and hub.calls == []


def test_hub_needs_a_run(tmp_path: Path) -> None:
    result = CliRunner().invoke(export, ["--to", "hub", str(tmp_path / "new")])
    assert isinstance(result.exception, UsageError) and "--run" in str(result.exception)


def test_a_failed_push_says_how_to_go_on_and_keeps_the_token_to_itself(
    hub: type[_Hub], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    monkeypatch.setattr(hub, "error", OSError("no route for hf_x\nmore"))
    with pytest.raises(StageError, match="hf upload me/model") as caught:
        push(tmp_path, "me/model")
    assert "hf_x" not in str(caught.value) and "more" not in str(caught.value)
