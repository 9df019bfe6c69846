"""pass@k and the majority, against counting by hand."""

import json
from itertools import combinations
from pathlib import Path

import pytest

from raiden_core.config.sections.evaluation import EvaluationConfig
from raiden_core.evaluation.evaluate import evaluate
from raiden_core.evaluation.predictions import read_predictions
from raiden_core.evaluation.sampling import pass_at_k
from raiden_core.evaluation.sets import Measure, QuestionSets
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample
from tests.support.answerers import Script


@pytest.mark.parametrize(("right", "n", "k"), [(0, 4, 2), (1, 4, 1), (2, 5, 3), (4, 5, 2), (5, 5, 5), (1, 8, 8)])
def test_pass_at_k_is_the_share_of_subsets_with_a_right_one(right: int, n: int, k: int) -> None:
    subsets = list(combinations([place < right for place in range(n)], k))
    assert pass_at_k(right, n, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


@pytest.mark.parametrize(("right", "n", "k"), [(-1, 4, 1), (5, 4, 1), (1, 4, 0), (1, 4, 5)])
def test_pass_at_k_refuses_numbers_that_do_not_fit(right: int, n: int, k: int) -> None:
    with pytest.raises(ValueError, match="pass@k needs"):
        pass_at_k(right, n, k)


def test_sampled_replies_are_scored_beside_the_greedy_one(tmp_path: Path) -> None:
    samples = [
        Sample.model_validate(
            {
                "character_name": name,
                "character_profile": {"Home": town},
                "question": "Where are you from?",
                "answer": f"I am from {town}.",
                "keywords": [town],
            }
        )
        for name, town in (("Ann", "Leeds"), ("Bob", "Derby"))
    ]
    # Ann's draws are right three times in four, Bob's once; greedily both are wrong.
    right = {"Leeds": {1, 2, 3}, "Derby": {2}}

    def reply(system: str, draw: int) -> str:
        town = next(town for town in right if town in system)
        return f"<think>x</think><answer>{town if draw in right[town] else 'nowhere'}</answer>"

    measure = Measure(Scorer(), EvaluationConfig(samples=4))
    results = evaluate({"trained": Script(reply)}, QuestionSets(samples), measure, tmp_path)
    assert results.sampling is not None
    sampling = results.sampling["trained"]
    assert results.models["trained"].all.strict == 0
    assert (sampling.n, sampling.draws) == (2, 4)
    assert {k: row.mean for k, row in sampling.pass_at.items()} == pytest.approx({"1": 0.5, "2": 0.75, "4": 1.0})
    assert sampling.majority.mean == pytest.approx(0.5)
    assert json.loads((tmp_path / "results.json").read_text())["sampling"] == results.as_json()["sampling"]
    drawn = read_predictions(tmp_path / "sampled.jsonl")
    assert [row.draw for row in drawn] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert all(row.draw == 0 for row in read_predictions(tmp_path / "predictions.jsonl"))
