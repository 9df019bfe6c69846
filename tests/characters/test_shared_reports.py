"""Small files of the kinds that people reported: what the manifest says about each of them holds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from raiden_core.characters import read_characters
from raiden_core.errors import DataError
from raiden_core.generation.offline.generate import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.rewards import Scorer
from raiden_core.samples import read_samples
from tests.support.tables import table

REPORTS = Path(__file__).parents[3] / "shared" / "data" / "reports"
MANIFEST = REPORTS / "MANIFEST.json"
ENTRIES = [
    entry
    for entry in (json.loads(MANIFEST.read_text(encoding="utf-8")) if MANIFEST.is_file() else [])
    if entry["kind"][0] in "ABCDEFGIJMNPQZ" and not entry["file"].endswith("job.yaml")
]
KINDS = {
    command: [e for e in ENTRIES if f"raiden {command} " in e["command"]]
    for command in ("generate", "profiles", "split")
}

ABSENT = None if ENTRIES else f"{REPORTS} is not there"
needs_data = pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT))


def named(entry: dict[str, Any]) -> str:
    return str(entry["file"])


@table("entry", KINDS["generate"], ids=named, absent=ABSENT)
def test_questions_made_from_it(entry: dict[str, Any]) -> None:
    check = entry["check"]
    samples = generate(
        read_characters([REPORTS / entry["file"]]).characters,
        teacher=OfflineTeacher(seed=0),
        samples_per_character=8,
        include_cm=True,
        cm_share=0.3,
        seed=0,
        scorer=Scorer(),
    ).samples
    keywords = {keyword for sample in samples for keyword in sample.keywords}
    assert (0 if samples else 1) in check.get("rc", [0])
    assert [keyword for keyword in keywords if "kw_lacks" in check and re.search(check["kw_lacks"], keyword)] == []
    assert set(check.get("kw_has", [])) <= keywords
    written = json.dumps([sample.model_dump(mode="json") for sample in samples], ensure_ascii=False)
    assert "files_lack" not in check or check["files_lack"] not in written


@table("entry", KINDS["profiles"], ids=named, absent=ABSENT)
def test_characters_read_from_it(entry: dict[str, Any]) -> None:
    check = entry["check"]
    found = read_characters([REPORTS / entry["file"]]).characters
    assert (0 if found else 1) in check.get("rc", [0, 1])
    names = [character.name for character in found]
    assert check.get("names", names) == names
    assert not set(check.get("names_lack", [])) & set(names)
    shown = json.dumps([{"language": character.language} for character in found])
    assert all(words in shown for words in check.get("out_has", []))


@needs_data
@pytest.mark.parametrize("entry", KINDS["split"], ids=named)
def test_samples_read_from_it(entry: dict[str, Any]) -> None:
    check, said = entry["check"], ""
    try:
        code = 0 if read_samples(REPORTS / entry["file"]) else 1
    except DataError as error:
        code, said = 1, str(error)
    assert code in check.get("rc", [0, 1])
    assert not [words for words in check.get("out_lacks", []) if words in said]
