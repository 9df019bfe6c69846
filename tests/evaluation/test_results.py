"""results.json: a file of an earlier version keeps every byte, and a damaged one is refused in one line that says where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from raiden_core.errors import DataError
from raiden_core.evaluation.results import Mean, Results, parse_results, read_results, write_results
from tests.support.tables import table

GOLDEN = Path(__file__).parent / "data" / "results.json"
"""Written by raiden 0.1.0 before results had types: three models, sampled replies, a judge, a further set, leaks."""


def golden() -> dict[str, Any]:
    return dict(json.loads(GOLDEN.read_text("utf-8")))


def test_an_earlier_file_is_read_and_written_again_byte_for_byte(tmp_path: Path) -> None:
    results = read_results(GOLDEN)
    write_results(tmp_path / "results.json", results)
    assert (tmp_path / "results.json").read_bytes() == GOLDEN.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"], "no partial file is left"
    assert '"ci95": [\n        0,' in GOLDEN.read_text("utf-8"), "whole numbers are in it, and stay whole"


def test_attributes_are_what_the_file_says() -> None:
    results, file = read_results(GOLDEN), golden()
    assert list(results.models) == ["original", "base", "trained"] and results.tested == "trained"
    assert results.models["base"].CM.strict == file["base"]["CM"]["strict"]
    assert [results.of_trained().part(name).n for name in ("all", "SBK", "CM")] == [8, 4, 4]
    assert results.paired is not None and results.sampling is not None and results.judge is not None
    assert [results.paired.part(name).fixed for name in ("all", "SBK", "CM")] == [
        file["paired"]["fixed"], file["paired"]["SBK"]["fixed"], file["paired"]["CM"]["fixed"],
    ]  # fmt: skip
    for of_parts in (results.of_trained(), results.paired):
        assert of_parts.part("SBK") is of_parts.SBK and of_parts.part("CM") is of_parts.CM
    assert results.by["source"]["composed"].models["trained"].n == file["by"]["source"]["composed"]["trained"]["n"]
    assert (
        results.extra["hand-written"].models["base"].all.strict
        == file["extra"]["hand-written"]["base"]["all"]["strict"]
    )
    assert results.controls.leaks is not None and results.controls.leaks.characters == ("Ann 0",)
    assert results.sampling["base"].pass_at["2"].mean == file["sampling"]["base"]["pass_at"]["2"]["mean"]
    assert results.judge.gap.gap == file["judge"]["gap"]["gap"] and results.settings.max_new_tokens == 256


def test_results_do_not_change_under_their_readers() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read_results(GOLDEN).models["base"].all.n = 0


@pytest.mark.parametrize("absent", ["original", "base", "paired", "paired_original", "sampling", "judge"])
def test_what_was_not_measured_is_absent_and_stays_absent(absent: str) -> None:
    file = golden()
    del file[absent]
    assert parse_results(file, "x").as_json() == file


def test_without_training_data_there_are_no_leaks_in_the_file() -> None:
    file = golden()
    del file["controls"]["leaks"]
    assert parse_results(file, "x").as_json() == file


def test_null_is_kept_where_there_is_no_number() -> None:
    file = golden()
    file["trained"]["CM"] |= {"n": 0, "strict": None, "ci95": None}
    file["settings"]["temperature"] = None
    assert parse_results(file, "x").as_json() == file
    assert Mean(mean=None, ci95=None).as_json() == {"mean": None, "ci95": None}


def test_keys_of_a_later_version_are_kept() -> None:
    file = golden()
    file["trained"]["RCB"] = file["trained"]["CM"]
    file["trained"]["all"]["over_refusal"] = None
    assert parse_results(file, "x").as_json() == file


def _set(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(file: dict[str, Any]) -> None:
        inner = file
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value

    return change


def _drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(file: dict[str, Any]) -> None:
        inner = file
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]

    return change


@table(
    ("damage", "words"),
    [
        (_drop("controls"), "controls: is missing; evaluate again"),
        (_drop("trained", "all", "strict"), "trained.all.strict: is missing"),
        (_drop("trained", "SBK"), "trained.SBK: is missing"),
        (_drop("paired", "CM", "p"), "paired.CM.p: is missing"),
        (_set("trained", "all", "strict", value="0.5"), "trained.all.strict: must be a number, not '0.5'"),
        (_set("trained", "all", "strict", value=True), "trained.all.strict: must be a number, not True"),
        (_set("trained", "all", "strict", value=float("nan")), "trained.all.strict: must be a finite number, not nan"),
        (_set("base", "CM", "n", value=-1), "base.CM.n: must be a count, not -1"),
        (_set("base", "CM", "n", value=1.5), "base.CM.n: must be a count, not 1.5"),
        (_set("base", "CM", "ci95", value=[0.5]), "base.CM.ci95.1: is missing"),
        (_set("base", "CM", "ci95", value="0.5"), "base.CM.ci95: must be a list, not '0.5'"),
        (_set("base", value=[]), r"base: must be an object, not \[\]"),
        (_set("notes", value=[3]), "notes.0: must be text, not 3"),
        (
            _set("by", "language", "en", "trained", "n", value=None),
            "by.language.en.trained.n: must be a count, not None",
        ),
        (_set("extra", "a\nb", value={}), "extra.a b: holds no model's results"),
        (_set("judge", "all", "win", value="x" * 500), "judge.all.win: must be a count, not 'x{59}…;"),
        (_set("sampling", "base", "pass_at", "1", value=1), "sampling.base.pass_at.1: must be an object, not 1"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(
    damage: Callable[[dict[str, Any]], None], words: str, tmp_path: Path
) -> None:
    file = golden()
    damage(file)
    path = tmp_path / "results.json"
    path.write_text(json.dumps(file), "utf-8")
    with pytest.raises(DataError, match=words) as caught:
        read_results(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"base": ', "broken JSON"),
        ("[" * 100_000, "broken JSON"),
        ("[]", "not a JSON object"),
        ('{"models": 1}', "holds no model's results; is it the results.json of `raiden evaluate`?"),
        ('{"base": null}', "is missing"),
    ],
)
def test_what_is_no_results_file_is_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(text, "utf-8")
    with pytest.raises(DataError, match=words):
        read_results(tmp_path / "results.json")


def test_a_file_that_is_missing_or_in_another_encoding_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"results\.json: cannot be read: No such file"):
        read_results(tmp_path / "results.json")
    (tmp_path / "results.json").write_bytes(b'{"base": "\xff"}')
    with pytest.raises(DataError, match=r"results\.json: broken JSON"):
        read_results(tmp_path / "results.json")


def test_results_without_any_model_cannot_be_made() -> None:
    made = golden()
    for model in ("original", "base", "trained"):
        made[model] = None
    with pytest.raises(ValidationError, match="holds no model's results"):
        Results.model_validate(made)
