"""The audit: which policies win a data set, what is proposed, and what the command says."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from raiden_core.characters.compose import compose
from raiden_core.cli import group as cli
from raiden_core.dataset import policies
from raiden_core.dataset.audit import AUDITED, BOUNDS, POLICIES, Reservoir, audit_samples, bounds_of
from raiden_core.dataset.card import dataset_card
from raiden_core.dataset.split import dataset_stats
from raiden_core.errors import UsageError
from raiden_core.generation.offline.generate import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample, parse_sample, write_samples
from tests.support.boundaries import boundary_samples
from tests.support.tables import table

TOWNS = ("长沙", "武汉", "苏州", "青岛", "大连", "昆明", "西安", "厦门")


def _sample(number: int, **fields: Any) -> Sample:
    town = TOWNS[number]
    row = {
        "character_name": f"角色{number}",
        "character_profile": {
            "姓名": f"角色{number}",
            "家乡": town,
            "职业": f"职业{number}号",
            "爱好": f"爱好{number}号",
        },
        "question": "你的家乡是哪里？",
        "answer": f"我的家乡是{town}。",
        "keywords": [town],
        "language": "zh",
        "question_type": "where",
    }
    return parse_sample({**row, **fields}, "row")


OPEN = [_sample(number) for number in range(8)]
"""Nothing but keywords: no distractors, no aside."""
CLOSED = [
    _sample(
        number,
        validator={
            "all_of": [[town]],
            "none_of": [other for other in TOWNS if other != town],
            "aside": [[f"角色{number}"], [f"职业{number}号"], [f"爱好{number}号"]],
        },
    )
    for number, town in enumerate(TOWNS)
]

WINS = [
    ("empty", 0, 0),
    ("question", 0, 0),
    ("candidates", 1, 0),
    ("recital", 1, 0),
    ("other", 0, 0),
    ("over-long", 0, 0),
    ("unknown", 0, 0),
    ("agreement", 0, 0),
    ("opposite", 0, 0),
    ("keyword", 1, 1),
    ("foreign", 1, 1),
]


@table(("policy", "of_open", "of_closed"), WINS, ids=[policy for policy, *_ in WINS])
def test_what_a_policy_wins(policy: str, of_open: float, of_closed: float) -> None:
    assert audit_samples(OPEN, Scorer()).shares[policy].of("all") == of_open
    assert audit_samples(CLOSED, Scorer()).shares[policy].of("all") == of_closed


def test_shares_are_told_by_dimension_and_language() -> None:
    half = [*OPEN[:4], *[sample.model_copy(update={"dimension": "CM", "language": "en"}) for sample in CLOSED[4:]]]
    row = next(row for row in audit_samples(half, Scorer()).rows() if row["policy"] == "recital")
    assert row == {"policy": "recital", "all": 0.5, "CM": 0.0, "SBK": 1.0, "en": 0.0, "zh": 1.0, "bound": 0.05}


def test_holes_come_with_what_closes_them() -> None:
    found = audit_samples(OPEN, Scorer())
    assert found.holes == {"candidates": 8, "recital": 8}
    by_policy = {one.policy: one for one in found.proposals if one.id == OPEN[0].id}
    assert by_policy["recital"].add == {"aside": (("角色0",), ("职业0号",), ("爱好0号",))}
    assert set(by_policy["candidates"].add["none_of"]) <= set(TOWNS[1:])
    mended = [
        parse_sample({**OPEN[0].model_dump(mode="json"), "validator": {"all_of": [["长沙"]], **one.add}}, "row")
        for one in by_policy.values()
    ]
    assert all(Scorer().check(sample) is None for sample in mended)
    assert not audit_samples(CLOSED, Scorer()).holes


def test_a_value_of_the_own_profile_is_never_proposed_as_forbidden() -> None:
    profile = {**OPEN[0].character_profile, "住处": "武汉"}
    told = [OPEN[0].model_copy(update={"character_profile": profile}), *OPEN[1:]]
    found = [one for one in audit_samples(told, Scorer()).proposals if one.policy == "candidates"]
    assert "武汉" not in found[0].add["none_of"]


def test_bounds_belong_to_policies_that_are_wrong_by_rule() -> None:
    assert set(POLICIES) - set(BOUNDS) == {"keyword", "foreign"}
    assert audit_samples(OPEN, Scorer()).above()[:2] == ["candidates", "recital"]
    assert bounds_of(["recital=0.5", "keyword=1"]) == {**BOUNDS, "recital": 0.5, "keyword": 1.0}


@pytest.mark.parametrize("word", ["recite=0.1", "recital", "recital=much", "recital=2"])
def test_a_bound_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="--bound"):
        bounds_of([word])


def test_samples_that_nobody_trains_on_are_left_out() -> None:
    for_a_judge = _sample(0, keywords=[])
    bad = _sample(1, answer="我不告诉你。")
    found = audit_samples([*OPEN, for_a_judge, bad], Scorer())
    assert (found.samples, found.left_out) == (8, 2)


def test_who_does_not_know_is_right_where_a_sample_asks_for_that() -> None:
    assert policies.unknowing(OPEN[0]) == "我不知道。"


@pytest.mark.parametrize("language", ["zh", "en", "ja", "ko"])
def test_at_the_boundaries_no_policy_wins_more_than_its_share(language: str) -> None:
    made = boundary_samples(20, language)
    found = audit_samples(made, Scorer())
    abstaining = sum(sample.dimension == "RCB" for sample in made) / len(made)
    assert found.shares["unknown"].of("RCB") == 1.0 and found.shares["unknown"].of("all") == abstaining
    assert found.bounds["unknown"] == pytest.approx(abstaining)
    assert found.shares["agreement"].of("all") == found.shares["opposite"].of("all") == 0.0
    assert found.above() == []
    alone = [sample.model_copy(update={"metadata": {}}) for sample in made]
    assert audit_samples(alone, Scorer()).above() == ["unknown"], "nothing makes up for refusals that always win"


def test_a_denial_alone_wins_only_where_nothing_else_is_asked() -> None:
    fields = {"question": "听说你是武汉人？", "answer": "我不是武汉人。", "keywords": [], "dimension": "SCK"}
    premise = {**fields, "validator": {"denied": [["武汉"]]}, "metadata": {"twin": "x"}}
    found = audit_samples([*CLOSED[:3], _sample(3, **premise)], Scorer())
    assert found.shares["opposite"].of("SCK") == 1.0 and found.bounds["opposite"] == 0.25
    assert found.shares["agreement"].of("all") == 0.0 and found.above() == []


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "open.jsonl"
    write_samples(path, OPEN)
    assert cli.run(cli.build(cli.COMMANDS, ""), ["audit", str(path)]) == 1
    said = capsys.readouterr()
    assert "recital" in said.out and '"aside": [["角色0"]' in said.out
    assert "above the bound: candidates, recital" in said.err
    loose = [f"--bound={policy}=1" for policy in BOUNDS]
    assert cli.run(cli.build(cli.COMMANDS, ""), ["audit", str(path), "--json", *loose]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["samples"] == 8 and told["above"] == []
    assert {row["policy"]: row["all"] for row in told["policies"]}["recital"] == 1.0
    assert cli.run(cli.build(cli.COMMANDS, ""), ["audit", str(path), "--bound", "x=1"]) == 2
    assert cli.run(cli.build(cli.COMMANDS, ""), ["audit", str(tmp_path / "none.jsonl")]) == 1


def test_statistics_and_card_hold_the_table() -> None:
    stats = dataset_stats(CLOSED[:6], CLOSED[6:])
    assert stats["audited"] == 8
    assert {row["policy"] for row in stats["audit"]} == set(POLICIES)
    card = dataset_card(stats)
    assert "## What can be won without playing the character" in card
    assert "| recital | 0.0 | 0.0 | 0.0 | 5.0 |" in card
    assert "playing the character" not in dataset_card({key: value for key, value in stats.items() if key != "audit"})


def test_a_reservoir_is_bounded_and_keeps_of_everything() -> None:
    kept: Reservoir[Sample] = Reservoir(size=20)
    stream = [OPEN[0].model_copy(update={"id": str(number)}) for number in range(400)]
    for sample in stream:
        kept.add(sample)
    numbers = [int(sample.id) for sample in kept.samples]
    assert len(numbers) == 20 and min(numbers) < 100 and max(numbers) > 300
    assert AUDITED <= 1000, "split must not take noticeably longer for it"


def test_ten_thousand_samples_take_less_than_a_minute() -> None:
    """500 of the offline teacher's must take less than a twentieth of it, on a core that others use as well."""
    made = generate(
        compose(63, language="zh", facts=(4, 8), seed=1),
        teacher=OfflineTeacher(0),
        samples_per_character=8,
        include_cm=True,
        cm_share=0.2,
        seed=0,
        scorer=Scorer(),
    ).samples[:500]
    start = time.process_time()
    found = audit_samples(made, Scorer())
    assert found.samples == 500
    assert time.process_time() - start < 3
    assert found.above() == []
