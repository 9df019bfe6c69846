"""Benchmark files in RAIDEN's format: what becomes a sample for the judge, and what is left out."""

import json
from pathlib import Path

import pytest

from raiden_core.config.loading import parse_config
from raiden_core.errors import DataError
from raiden_core.evaluation.raiden_benchmark import codes_of, dimensions_of, read_benchmark
from raiden_core.evaluation.settings import EvaluateSettings
from raiden_core.evaluation.stage import evaluate_files, read_evaluation_data
from raiden_core.prompts import build_prompt
from raiden_core.stages.progress import silent
from tests.support.tables import table

NPCS = {
    "阿舟": {"npc_type": "日常人物", "npc_setting": "姓名: 阿舟,\n性别: 男,\n职业: 船工,\n家乡: 长沙,\n爱好: 下棋"},
    "Nell": {"npc_type": "情感陪伴", "npc_setting": "A nurse from Leeds who loves tea and hates hurry."},
    "空": {"npc_type": "日常人物", "npc_setting": "  "},
}


def _dialogue(name: str = "阿舟", metrics: object = ("A",), **changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "npc_name": name, "reference": "我家在长沙。", "metrics": list(metrics) if isinstance(metrics, tuple) else metrics,
        "messages": [{"role": "user", "text": "你家在哪里？"}],
    }  # fmt: skip
    return fields | changes


def _write(folder: Path, dialogues: object, npcs: object = NPCS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "npc.json").write_text(json.dumps(npcs), "utf-8")
    (folder / "dialogue.json").write_text(json.dumps(dialogues), "utf-8")
    return folder


@table(
    ("metrics", "expected"),
    [
        (["A"], ("SBK",)),
        (["A", "E"], ("SBK", "PLS")),
        (["K1-2"], ("CM1",)),
        (["K2、L"], ("CM2", "CC")),
        (["b c"], ("RCB", "SCK")),
        ("D", ("SAK",)),
        (["F", "G", "H", "J", "F"], ("ER", "TS", "TA", "PB")),
        (["I"], ()),
        (None, ()),
        (["?"], ()),
    ],
)
def test_codes_stand_for_dimensions(metrics: object, expected: tuple[str, ...]) -> None:
    assert dimensions_of(codes_of(metrics)) == expected


def test_a_dialogue_becomes_a_sample_for_the_judge(tmp_path: Path) -> None:
    messages = [
        {"role": "bot", "text": "（放下船桨）来坐。"},
        {"role": "user", "text": "我叫小雨，怕水。"},
        {"role": "阿舟", "text": "不怕，有我。"},
        {"role": "user", "text": "我刚才说怕什么？"},
    ]
    folder = _write(tmp_path, {"7_3": _dialogue(metrics=("K2-1", "I"), messages=messages), "8": _dialogue("Nell")})
    samples, notes = read_benchmark(folder)
    assert not notes
    sample, nell = samples
    assert (sample.question, sample.answer, sample.keywords) == ("我刚才说怕什么？", "我家在长沙。", ())
    assert (sample.dimension, nell.dimension) == ("CM", "SBK") and (sample.language, nell.language) == ("zh", "en")
    assert sample.metadata["dimensions"] == ["CM2"] and sample.metadata["raiden_metrics"] == ["K2-1", "I"]
    assert sample.metadata["raiden_id"] == "7_3" and sample.metadata["npc_type"] == "日常人物"
    roles = [turn["role"] for turn in build_prompt(sample)]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"], "templates want the user first"
    system = build_prompt(sample)[0]["content"]
    assert "船工" in system and "长沙" in system and "阿舟" in system
    assert "hates hurry" in build_prompt(nell)[0]["content"]


def test_what_cannot_be_judged_is_left_out_and_named(tmp_path: Path) -> None:
    ends = [{"role": "user", "text": "hi"}, {"role": "bot", "text": "hello"}]
    dialogues = {
        "good": _dialogue(),
        "again": _dialogue(),
        "unknown": _dialogue("谁"),
        "empty": _dialogue("空"),
        "ends": _dialogue(messages=ends),
        "none": _dialogue(messages=[]),
        "actions": _dialogue(metrics=("I",)),
    }
    samples, notes = read_benchmark(_write(tmp_path, dialogues))
    assert [sample.metadata["raiden_id"] for sample in samples] == ["good"]
    text = "\n".join(notes)
    for words in (
        "(unknown)",
        "(empty)",
        "2 dialogues are left out, because their last message",
        "(actions)",
        "repeat",
    ):
        assert words in text, words


@pytest.mark.parametrize(
    ("npcs", "dialogues", "words"),
    [
        (NPCS, [1], "dialogue.json: not a JSON object"),
        ([], {}, "npc.json: not a JSON object"),
        (NPCS, {}, "no dialogue that can be judged"),
        (NPCS, {"1": 5}, "dialogue.json: 1: not an object"),
        (NPCS, {"1": _dialogue(messages="hi")}, "1: messages: not a list"),
        (NPCS, {"1": _dialogue(messages=[{"role": "user"}])}, "1: messages.1: no text"),
        (NPCS, {"1": _dialogue("谁")}, "npc_name is not in npc.json"),
    ],
)
def test_files_in_another_shape_are_refused(tmp_path: Path, npcs: object, dialogues: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_benchmark(_write(tmp_path, dialogues, npcs))


def test_a_folder_without_the_files_and_broken_json_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"npc\.json: no such file; a benchmark folder holds"):
        read_evaluation_data(tmp_path)
    _write(tmp_path, {})
    (tmp_path / "dialogue.json").write_text('{"1": ')
    with pytest.raises(DataError, match=r"dialogue\.json: broken JSON at line 1"):
        read_evaluation_data(tmp_path)


def test_a_benchmark_without_a_judge_is_refused_before_a_model_is_loaded(tmp_path: Path) -> None:
    folder = _write(tmp_path / "data", {"1": _dialogue()})
    models = {"base": tmp_path / "nowhere", "trained": tmp_path / "nowhere"}
    with pytest.raises(DataError, match="only a judge"):
        evaluate_files(
            EvaluateSettings.of(parse_config("{}", (), where="test")), models, folder, {}, tmp_path / "out", silent
        )
