"""The generate stage's files: whose samples go where, and how many of each."""

import json
from collections import Counter
from pathlib import Path

from raiden_core.config import Config
from raiden_core.config.sections.data import CharactersConfig, ComposedConfig, GenerationConfig
from raiden_core.generation.settings import GenerateSettings
from raiden_core.generation.stage import generate_stage
from raiden_core.samples import read_samples
from raiden_core.stages.progress import silent


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
