"""The dataset card: its header is what the Hub reads, its figures are the data's, and foreign text stays text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from raiden_core.config.sections.data import SplitConfig
from raiden_core.dataset.card import dataset_card, escape
from raiden_core.dataset.split import dataset_stats, split_file
from raiden_core.samples import Sample, write_samples

EVIL = "| **x** | <script>alert(1)</script> [a](http://b) `c` \n# d"


def sample(name: str, **fields: Any) -> Sample:
    return Sample.model_validate(
        {
            "character_name": name,
            "character_profile": {"Name": name},
            "question": "Where?",
            "answer": "In Delft.",
            "keywords": ["Delft"],
            "language": "en",
            **fields,
        }
    )


def header(card: str) -> dict[str, Any]:
    _, head, _ = card.split("---\n", 2)
    return dict(yaml.safe_load(head))


def rows(card: str, section: str) -> list[list[str]]:
    """The cells of the table below a heading; a bar that is escaped parts nothing."""
    body = card.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.replace("\\|", "\0").strip("|").split("|")] for line in lines]


def test_the_header_is_what_the_hub_reads() -> None:
    stats = dataset_stats([sample("A")] * 1200, [sample("B", language="zh")])
    card = dataset_card(stats, {"teacher": "offline rules", "dropped": {}})
    head = header(card)
    assert head["language"] == ["en", "zh"]
    assert head["size_categories"] == ["1K<n<10K"]
    assert [one["path"] for one in head["configs"][0]["data_files"]] == ["train.json", "validation.json"]
    assert "license" not in head
    assert "# license: choose one" in card


def test_a_split_that_did_not_count_what_it_left_out_has_a_card_all_the_same() -> None:
    stats = dataset_stats([sample("A")], [sample("B")])
    said = "Left out of training because"
    assert said in dataset_card(stats, None)
    del stats["left_out_of_training"]
    assert said not in dataset_card(stats, None)


@pytest.mark.parametrize(
    ("samples", "size"), [(999, "n<1K"), (1000, "1K<n<10K"), (999_999, "100K<n<1M"), (20_000_000, "n>10M")]
)
def test_sizes_are_the_hubs_words(samples: int, size: str) -> None:
    stats = dataset_stats([sample("A")], [sample("B")])
    stats["train"]["samples"] = samples - 1
    assert header(dataset_card(stats))["size_categories"] == [size]


def test_counts_and_reasons_are_those_of_the_data() -> None:
    stats = dataset_stats([sample("A"), sample("A", dimension="CM")], [sample("B", dimension="CM")])
    dropped = {"gold": 2, "filters": {"near-duplicate question": 1234}}
    card = dataset_card(stats, {"teacher": "glm-4.6", "dropped": dropped, "characters": {"read": 3}})
    counts = rows(card, "Counts")
    assert ["dimension", "CM", "1", "1"] in counts
    assert ["dimension", "SBK", "1", "0"] in counts
    assert rows(card, "What was left out")[2:] == [["filters\\: near\\-duplicate question", "1,234"], ["gold", "2"]]
    assert "Teacher: glm\\-4.6. A language model" in card
    assert "read 3" in card


def test_foreign_text_is_neither_markdown_nor_html() -> None:
    evil = sample("A", metadata={"source": EVIL})
    card = dataset_card(dataset_stats([evil], [sample("B")]), {"teacher": EVIL, "dropped": {EVIL: 1}}, title=EVIL)
    body = card.split("---\n", 2)[2]
    assert "<script>" not in body
    assert "](http" not in body
    assert all(len(row) == 4 for row in rows(card, "Counts"))
    assert all(len(row) == 2 for row in rows(card, "What was left out"))
    assert header(card)["pretty_name"] == EVIL  # quoted by YAML


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a\\|b"),
        ("a\\|b", "a\\\\\\|b"),
        ("<b>", "&lt;b&gt;"),
        ("a\r\nb\u2028c", "a b c"),
        ("![x](y)", "\\!\\[x\\]\\(y\\)"),
        (" 长沙 ", "长沙"),
    ],
)
def test_escaping(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize(
    ("beside", "says"),
    [
        ({"teacher": "offline rules", "dropped": {"gold": 2}}, "Teacher: offline rules. Rules and templates"),
        ({"something": "else"}, "The samples were given"),
        (None, "The samples were given"),
    ],
)
def test_the_split_leaves_a_card_with_what_generation_left_beside_the_samples(
    tmp_path: Path, beside: dict[str, Any] | None, says: str
) -> None:
    write_samples(tmp_path / "samples.jsonl", [sample("A"), sample("B")])
    if beside is not None:
        (tmp_path / "stats.json").write_text(json.dumps(beside), "utf-8")
    split_file(tmp_path / "samples.jsonl", SplitConfig(), 0, tmp_path / "out")
    assert says in (tmp_path / "out" / "README.md").read_text("utf-8")
