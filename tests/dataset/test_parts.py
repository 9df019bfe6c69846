"""Parts of a file of samples: together they are the file, and what is made of them is what is made of the whole."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from raiden_core.config.sections.data import SplitConfig
from raiden_core.dataset import split as split_module
from raiden_core.dataset.parts import Part, parts_of
from raiden_core.dataset.split import split_file
from raiden_core.errors import DataError
from raiden_core.generation.quality import repeats as repeats_module
from raiden_core.generation.quality.dedup import near_duplicates
from raiden_core.generation.quality.repeats import drop_repeats
from raiden_core.samples import Sample, read_samples, write_samples


def rows(count: int) -> list[dict[str, object]]:
    """Characters with five samples each, of which the last says again what one before has said."""
    made: list[dict[str, object]] = []
    for number in range(count):
        who, place = divmod(number, 5)
        question = f"第{who}位的第{place % 4}个问题，是关于什么事情的呢？"
        talk = [{"role": "user", "content": f"你好{who}"}, {"role": "assistant", "content": "你好"}]
        made.append(
            {
                "character_name": f"人{who}",
                "character_profile": {"姓名": f"人{who}", "职业": f"工作{who}"},
                "question": question,
                "answer": f"答{place % 4}",
                "keywords": [f"答{place % 4}"],
                **({"dimension": "CM", "conversation_history": talk} if place % 4 == 3 else {}),
                "metadata": {"source": f"file-{who % 3}"},
            }
        )
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "samples.jsonl"
    path.write_text("\ufeff" + "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(200)), "utf-8")
    return path


def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (split_module, repeats_module):
        monkeypatch.setattr(module, "parts_of", lambda path: parts_of(path, 4000))


def test_parts_are_the_file(file: Path) -> None:
    parts = parts_of(file, 4000)
    assert len(parts) > 5
    assert parts[0].start == 0 and parts[-1].end == file.stat().st_size
    assert all(one.end == other.start for one, other in pairwise(parts))
    assert [sample for part in parts for sample in part.samples()] == read_samples(file)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", "\n".join(map(json.dumps, rows(60)))), ("a.jsonl", json.dumps(rows(60), indent=1)),
     ("a.jsonl", "\r\n".join(map(json.dumps, rows(60)))), ("a.jsonl", json.dumps(rows(1)[0]))],
    ids=["json", "array over lines", "windows lines", "small"],
)  # fmt: skip
def test_what_cannot_be_divided_is_one_part(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())
    assert parts_of(path, 1000) == [Part(path)]
    assert list(Part(path).samples()) == read_samples(path)


def test_a_broken_row_of_a_later_part_is_named_by_its_line(file: Path) -> None:
    lines = file.read_text("utf-8").split("\n")
    lines[150] = '{"character_name": "x"}'
    file.write_text("\n".join(lines), "utf-8")
    with pytest.raises(DataError, match=r"samples\.jsonl: line 151: character_profile: is missing"):
        [list(part.samples()) for part in parts_of(file, 4000)]


def test_a_split_in_parts_is_the_split_of_the_whole(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = split_file(file, SplitConfig(), 7, tmp_path / "whole")
    small_parts(monkeypatch)
    assert split_file(file, SplitConfig(), 7, tmp_path / "parts") == whole
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "parts" / path.name).read_bytes() == path.read_bytes(), path.name
    assert len(list((tmp_path / "parts").iterdir())) == len(list((tmp_path / "whole").iterdir())), "nothing is left"


@pytest.mark.parametrize("divided", [False, True])
def test_repeats_of_a_file_are_those_of_its_samples(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, divided: bool
) -> None:
    if divided:
        small_parts(monkeypatch)
    samples = read_samples(file)
    wanted = sorted(near_duplicates(samples))
    assert len(wanted) == 40
    assert drop_repeats(file, tmp_path / "kept.jsonl") == wanted
    left: list[Sample] = [one for place, one in enumerate(samples) if place not in {match.position for match in wanted}]
    write_samples(tmp_path / "wanted.jsonl", left)
    assert (tmp_path / "kept.jsonl").read_bytes() == (tmp_path / "wanted.jsonl").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"samples.jsonl", "kept.jsonl", "wanted.jsonl"}


def test_kept_rows_are_json_lines(file: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"kept\.json: .*\.jsonl"):
        drop_repeats(file, tmp_path / "kept.json")
