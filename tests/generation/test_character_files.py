"""What the generate stage counts as its input: the files of characters, by group and by content."""

from __future__ import annotations

from pathlib import Path

import pytest

from raiden_core.config.sections.data import CharactersConfig, ComposedConfig
from raiden_core.errors import ConfigError
from raiden_core.generation.stage import character_files

NOBODY = ComposedConfig(count=0)


def test_each_group_has_a_digest_that_changes_with_its_files_only(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(f'{{"name": "{name}"}}\n')
    paths, other = (str(tmp_path / "a.jsonl"),), (str(tmp_path / "b.jsonl"),)
    characters = CharactersConfig(paths=paths, evaluation_only={"others": other}, composed=NOBODY)
    before = character_files(characters)
    assert before.keys() == {"characters", "evaluation_only others"}
    (tmp_path / "b.jsonl").write_text('{"name": "c"}\n')
    after = character_files(characters)
    assert after["characters"] == before["characters"]
    assert after["evaluation_only others"] != before["evaluation_only others"]


def test_groups_without_files_are_left_out() -> None:
    assert character_files(CharactersConfig(composed=ComposedConfig(count=3))) == {}


@pytest.mark.parametrize("row", [".hidden", "a/b", ""])
def test_a_row_is_named_so_that_a_file_can_be(row: str, tmp_path: Path) -> None:
    characters = CharactersConfig(paths=("shipped",), evaluation_only={row: (str(tmp_path),)}, composed=NOBODY)
    with pytest.raises(ConfigError, match=r"characters\.evaluation_only: .* cannot be a row's name"):
        character_files(characters)


def test_somebody_must_be_asked_for() -> None:
    nobody = CharactersConfig(composed=NOBODY)
    assert character_files(nobody, seeded=True) == {}
    with pytest.raises(ConfigError, match="nobody to train on"):
        character_files(nobody)
