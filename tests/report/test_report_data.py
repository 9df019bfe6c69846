"""The report's view of the data: twenty samples, fairly chosen and escaped, and the reasons for what is missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from raiden_core.report import build_report
from raiden_core.report.data import dropped_rows, random_samples
from raiden_core.samples import Sample, write_samples
from tests.support.synthetic import HOSTILE, make_inputs


def sample(number: int, text: str = "", **fields: Any) -> Sample:
    return Sample.model_validate(
        {
            "character_name": f"Character {number}{text}",
            "character_profile": {f"Name{text}": text, "Age": 7},
            "conversation_history": [{"role": "user", "content": f"Hello{text}"}],
            "question": f"Question {number}?{text}",
            "answer": f"Answer{text}",
            "keywords": [f"first{text}", "second"],
            "reasoning": f"Because{text}",
            **fields,
        }
    )


def page(folder: Path, samples: list[Sample], **changes: Any) -> str:
    inputs = make_inputs(folder) | changes
    build_report(**inputs, samples=samples)
    return str(inputs["out"].read_text("utf-8"))


def test_twenty_samples_are_chosen_by_the_seed_from_the_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    write_samples(file, [sample(number) for number in range(200)])
    chosen = random_samples(file, seed=7)
    assert len(chosen) == 20
    assert chosen == random_samples(file, seed=7) != random_samples(file, seed=8)
    numbers = [int(one.character_name.split()[1]) for one in chosen]
    assert numbers == sorted(set(numbers))
    seen = {one.id for seed in range(60) for one in random_samples(file, seed=seed)}
    assert len(seen) > 190


def test_a_small_file_is_shown_whole(tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    write_samples(file, [sample(1), sample(2)])
    assert len(random_samples(file, seed=7)) == 2


@pytest.mark.parametrize(
    ("dropped", "rows"),
    [
        ({"b": 1, "a_c": 1, "most": 2000}, [("most", "2,000", 1.0), ("a c", "1", 0.0005), ("b", "1", 0.0005)]),
        ({"mining": {"not json": 3}, "gold": 6}, [("gold", "6", 1.0), ("mining: not json", "3", 0.5)]),
        ({}, []),
        (None, []),
    ],
)
def test_reasons_come_with_their_counts_the_most_frequent_first(
    dropped: object, rows: list[tuple[str, str, float]]
) -> None:
    assert list(dropped_rows(dropped)) == rows


def test_the_page_shows_samples_and_reasons(tmp_path: Path) -> None:
    validator = {"all_of": [["Delft", "Delfft"]], "none_of": ["Leiden"]}
    text = page(tmp_path, [sample(1), sample(2, validator=validator)])
    data = text.split('<section id="data">')[1].split("</section>")[0]
    assert data.count('class="sampled"') == 2
    for words in (
        "Question 1?",
        "first",
        "second",
        "Delft / Delfft",
        "and not claim",
        "Leiden",
        "Because",
        "near duplicate",
        "412",
    ):
        assert words in data, words
    assert "first / second" not in data
    assert data.count("near duplicate") == 1


def test_a_sample_cannot_bring_markup_onto_the_page(tmp_path: Path) -> None:
    clean = page(tmp_path / "clean", [sample(1)])
    text = page(tmp_path / "hostile", [sample(1, HOSTILE, language='"><script>')])
    assert [len(re.findall(tag, text)) for tag in ("<script", "<img", "<p", "</details>")] == [
        len(re.findall(tag, clean)) for tag in ("<script", "<img", "<p", "</details>")
    ]
    assert "owned" in text and not {"\u202e", "\x1b"} & set(text), "nothing turns a line of the page around"
