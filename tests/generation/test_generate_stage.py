"""The generate stage's files: whose samples go where, and how many of each."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config import Config
from raiden_core.config.sections.data import CharactersConfig, ComposedConfig, GenerationConfig
from raiden_core.errors import DataError
from raiden_core.generation.settings import GenerateSettings
from raiden_core.generation.stage import generate_file, generate_stage
from raiden_core.samples import read_samples
from raiden_core.stages.progress import silent
from tests.support.fault_server import FaultServer
from tests.support.llm_generation import configure
from tests.support.serving import scripted, serving


def test_characters_that_are_only_evaluated_have_their_own_file_and_limit(tmp_path: Path) -> None:
    config = Config(
        characters=CharactersConfig(composed=ComposedConfig(count=4), evaluation_only={"own": ("shipped:zh",)}),
        generation=GenerationConfig(samples_per_character=6, evaluation_only_samples=2),
    )
    stats = generate_stage(GenerateSettings.of(config), tmp_path, silent)
    trained_on = Counter(sample.character_name for sample in read_samples(tmp_path / "samples.jsonl"))
    only_evaluated = Counter(sample.character_name for sample in read_samples(tmp_path / "evaluation_only/own.jsonl"))
    assert len(trained_on) == 4
    assert max(trained_on.values()) == 6
    assert len(only_evaluated) >= 16
    assert set(only_evaluated.values()) == {2}
    assert not set(trained_on) & set(only_evaluated)
    assert stats["samples"] == trained_on.total()


def test_who_was_skipped_is_written_as_people_read_it(tmp_path: Path) -> None:
    people = tmp_path / "人物.jsonl"
    rows = [{"name": "林远", "职业": "医生", "家乡": "长沙", "宠物": "黑猫"}, {"text": "一个渔夫，住在厦门。"}]
    people.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "out").mkdir()
    config = Config(characters=CharactersConfig(paths=(str(people),)))
    generate_stage(GenerateSettings.of(config), tmp_path / "out", silent)
    text = (tmp_path / "out" / "skipped.jsonl").read_text("utf-8")
    [skipped] = [json.loads(line) for line in text.splitlines()]
    assert skipped["name"] is None and skipped["row"] == 2 and "name" in skipped["reason"]
    assert "人物.jsonl" in text


def test_a_teacher_whose_drafts_are_all_dropped_is_told_by_stage_with_examples(tmp_path: Path) -> None:
    def hopeless(chat: Mapping[str, Any]) -> str:
        reply = json.loads(scripted(chat))
        facts = [{**fact, "value": "北京的大学"} for fact in reply.get("facts", [])]
        return json.dumps({**reply, **({"facts": facts} if facts else {})})

    lines: list[str] = []
    with serving(FaultServer(hopeless, model="glm-4.6")) as server:
        settings = GenerateSettings.of(configure(tmp_path / "run", server.url))
        with pytest.raises(
            DataError, match=r"no sample could be made; dropped at facts: \d+ x evidence does not say the value"
        ):
            generate_stage(settings, tmp_path, silent)
        with pytest.raises(DataError, match="the lines above say why"):
            generate_file(settings, tmp_path / "out.jsonl", silent, lines.append)
    assert any("dropped at facts" in line and "\n    line 2, 家乡: 北京的大学" in line for line in lines), lines
