"""Real files of other people's making: what their manifest promises comes out."""

import hashlib
import json
from pathlib import Path

import pytest

from raiden_core.characters import read_characters
from tests.support.tables import table

DATA = Path(__file__).parents[3] / "shared" / "data"
MANIFEST = DATA / "messy" / "MANIFEST.json"
ENTRIES = json.loads(MANIFEST.read_text(encoding="utf-8")) if MANIFEST.is_file() else []

ABSENT = None if ENTRIES else f"{DATA} is not there"
needs_data = pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT))


def holds(text: str, length: int, digest: str) -> bool:
    """Whether a part of the text has this length and sha256."""
    plain = text.replace("\r\n", "\n")
    starts = range(len(plain) - length + 1)
    return any(hashlib.sha256(plain[n : n + length].encode()).hexdigest() == digest for n in starts)


@table("entry", ENTRIES, ids=lambda entry: entry["file"], absent=ABSENT)
def test_messy_file(entry: dict[str, object]) -> None:
    result = read_characters([DATA / "messy" / str(entry["file"])])
    expected = entry["expected"]
    assert isinstance(expected, list)
    assert [(c.name, c.language) for c in result.characters] == [(e["name"], e["language"]) for e in expected]
    for character, promised in zip(result.characters, expected, strict=True):
        assert holds(character.text, promised["profile_chars"], promised["profile_sha256"])
    if not expected:
        assert len(result.refused) == 1
    nameless = [c.row for c in result.characters if c.name is None]
    foreign = [c.row for c in result.characters if c.language not in ("zh", "en", "ja", "ko")]
    assert set(nameless + foreign) <= {warning.row for warning in result.warnings}


@needs_data
@pytest.mark.parametrize("language", ["zh", "en", "ja", "ko"])
def test_every_profile_loads_as_it_is(language: str) -> None:
    path = DATA / f"profiles_{language}.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    result = read_characters([path])
    assert result.refused == ()
    assert [(c.name, c.language, c.text) for c in result.characters] == [
        (r["name"], language, r["profile_text"]) for r in rows
    ]


@needs_data
def test_a_profile_in_fields_yields_its_facts() -> None:
    first = read_characters([DATA / "profiles_zh.jsonl"]).characters[0]
    assert list(first.facts)[:3] == ["外文名", "性别", "职业"]
    assert not any(value.endswith((",", "，")) for value in first.profile.values())


@needs_data
def test_the_whole_folder_at_once() -> None:
    result = read_characters([DATA / "messy"])
    assert len(result.characters) >= sum(len(entry["expected"]) for entry in ENTRIES) - 4, (
        "duplicates across files merge"
    )
    sources = {Path(refusal.source).name for refusal in result.refused}
    assert {"07_not_a_png.png", "21_truncated.json", "MANIFEST.json"} <= sources
