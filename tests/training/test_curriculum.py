"""Prompts drawn by the student's pass rate: measured once, stored, and drawn so that more groups are mixed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from raiden_core.models.answering import Reply
from raiden_core.prompts import build_prompt
from raiden_core.report.stage import curriculum_notes
from raiden_core.rewards.scorer import Scorer
from raiden_core.samples import Sample
from raiden_core.training import curriculum
from raiden_core.training.curriculum import by_pass_rate, drawn, mixed, smoothed


@pytest.mark.parametrize(
    ("rate", "group", "chance"), [(0.0, 8, 0.0), (1.0, 8, 0.0), (0.5, 2, 0.5), (0.5, 8, 1 - 2 / 256)]
)
def test_a_group_is_mixed_unless_all_are_right_or_all_wrong(rate: float, group: int, chance: float) -> None:
    assert mixed(rate, group) == pytest.approx(chance)


def test_a_place_is_drawn_as_often_as_its_weight_says() -> None:
    counts = Counter(drawn([1.0, 0.0, 3.0, 2.0, 2.0], seed=3))
    assert sum(counts.values()) == 5 and counts[1] == 0
    assert counts[2] in (1, 2) and counts[0] in (0, 1) and counts[3] in (1, 2)
    many = Counter(drawn([0.1] * 500 + [0.9] * 500, seed=3))
    assert sum(many[place] for place in range(500)) == pytest.approx(100, abs=20)
    assert all(many[place] in (1, 2) for place in range(500, 1000))
    assert drawn([1.0] * 9, 1) != drawn([1.0] * 9, 2) and sorted(drawn([1.0] * 9, 1)) == list(range(9))


def sample(number: int) -> Sample:
    town = ["Leeds", "York", "Hull"][number % 3]
    row = {"character_name": f"Ann {number}", "character_profile": {"Home": f"{town} {number}"}, "question": "Where?"}
    return Sample.model_validate({**row, "answer": f"In {town}.", "keywords": [town], "language": "en"})


class Student:
    """Right always about Leeds, never about York, in every other draw about Hull."""

    asked: Sequence[Any] = ()

    def __init__(self, *given: Any) -> None:
        Student.made = given

    made: tuple[Any, ...] = ()

    def answer(self, prompts: Sequence[Any], *, store: Path, draws: Sequence[int]) -> list[Reply]:
        Student.asked = list(draws)
        store.write_text("asked")
        said = []
        for prompt, draw in zip(prompts, draws, strict=True):
            system = prompt[0]["content"]
            right = "Leeds" in system or ("Hull" in system and draw % 2)
            town = "Leeds" if "Leeds" in system else "Hull"
            said.append(Reply(f"<think>?</think><answer>{town if right else 'I forgot'}.</answer>"))
        return said


def test_prompts_that_teach_something_are_drawn_more_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curriculum, "LocalModel", Student)
    samples = [sample(number) for number in range(90)]
    found = by_pass_rate(
        samples, tmp_path, tmp_path, answers=4, group=4, scorer=Scorer(), prompt=build_prompt,
        max_new_tokens=32, temperature=0.9, seed=5,
    )  # fmt: skip
    towns = Counter(one.keywords[0] for one in found.samples)
    assert sum(towns.values()) == 90 and towns["Hull"] > 40
    assert 0 < towns["Leeds"] < 30 and 0 < towns["York"] < 30, "rarely, and not never"
    figures = found.figures
    assert (figures["never_right"], figures["sometimes_right"], figures["always_right"]) == (30, 30, 30)
    assert figures["zero_variance_after"] < figures["zero_variance_before"] - 0.1
    expected = sum(1 - mixed(smoothed(right, 4), 4) for right in (0, 2, 4)) / 3
    assert figures["zero_variance_before"] == pytest.approx(expected, abs=1e-3)
    assert Student.asked[:4] == [1, 2, 3, 4] and Student.made[1:] == (32, 64, 0.9, 5)


def test_the_report_says_what_the_draw_changed() -> None:
    told: dict[str, float] = {"answers": 4, "never_right": 1000, "sometimes_right": 2, "always_right": 3}
    told |= {"zero_variance_before": 0.61, "zero_variance_after": 0.25, "zero_variance_met": 0.3}
    (note,) = curriculum_notes({"curriculum": told})
    assert "1,000 never" in note and "61.0% of all prompts, and 25.0%" in note and "training met 30.0%" in note
    assert curriculum_notes({}) == []
