"""Over-refusal and invention, the four dimensions and their controls, with models that answer by rule."""

import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

from raiden_core.config.sections.evaluation import EvaluationConfig
from raiden_core.dataset.policies import agreeing, unknowing
from raiden_core.dataset.twins import is_boundary, twin_of
from raiden_core.evaluation.controls import find_leaks
from raiden_core.evaluation.evaluate import evaluate
from raiden_core.evaluation.predictions import read_predictions
from raiden_core.evaluation.results import Results, read_results
from raiden_core.evaluation.sets import Measure, QuestionSets
from raiden_core.evaluation.tables import result_tables
from raiden_core.models.answering import Reply
from raiden_core.prompts import build_prompt
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample
from raiden_core.stages.layout import PREDICTIONS_FILE, RESULTS_FILE
from tests.support.boundaries import boundary_samples

DIMENSIONS = ("SBK", "CM", "SCK", "RCB")


@cache
def samples() -> Sequence[Sample]:
    """Made when a test first asks, not where tests are only collected."""
    return boundary_samples(12)


def asked() -> dict[str, int]:
    return {dimension: sum(one.dimension == dimension for one in samples()) for dimension in DIMENSIONS}


def twins() -> list[Sample]:
    return [one for one in samples() if twin_of(one) and not is_boundary(one)]


class Model:
    """Answers each prompt as a rule says about its sample."""

    def __init__(self, rule: Callable[[Sample], str]) -> None:
        self.replies = {str(build_prompt(one)): f"<think>…</think><answer>{rule(one)}</answer>" for one in samples()}

    def answer(self, prompts, **how):  # type: ignore[no-untyped-def]
        return [Reply(self.replies[str(prompt)], tokens=1, finished=True) for prompt in prompts]


def guess(sample: Sample) -> str:
    """Answers everything, what nobody can know as well."""
    return sample.validator.none_of[0] if sample.dimension == "RCB" and sample.validator else sample.answer


def results_of(folder: Path, **models: Callable[[Sample], str]) -> Results:
    measure = Measure(Scorer(), EvaluationConfig())
    return evaluate(
        {name: Model(rule) for name, rule in models.items()}, QuestionSets(list(samples())), measure, folder
    )


def test_refusing_everything_and_answering_everything_are_the_two_ways_to_err(tmp_path: Path) -> None:
    results = results_of(tmp_path, base=unknowing, trained=guess)
    assert results.boundaries is not None and results.boundaries.paired is not None
    refuses, answers = results.boundaries.models["base"], results.boundaries.models["trained"]
    assert (refuses.over_refusal.share, refuses.invention.share) == (1.0, 0.0)
    assert (answers.over_refusal.share, answers.invention.share) == (0.0, 1.0)
    assert refuses.over_refusal.n == len(twins()) and refuses.invention.n == asked()["RCB"]
    paired = results.boundaries.paired
    assert (paired.over_refusal.delta, paired.invention.delta) == (-1.0, 1.0)
    assert paired.over_refusal.p is not None and paired.over_refusal.p < 0.01
    assert {name: results.of_trained().part(name).n for name in asked()} == asked()
    assert results.of_trained().SCK is not None and results.of_trained().SCK.strict == 1.0
    assert results.paired is not None and results.paired.part("RCB").delta == -1.0
    assert results.paired.part("SCK").delta == 1.0
    assert read_results(tmp_path / RESULTS_FILE) == results


def test_the_reference_errs_in_neither_way_and_controls_stand_beside_it(tmp_path: Path) -> None:
    results = results_of(tmp_path, trained=lambda sample: sample.answer)
    assert results.boundaries is not None and results.boundaries.paired is None
    one = results.boundaries.models["trained"]
    assert (one.over_refusal.share, one.invention.share) == (0.0, 0.0)
    controls = results.controls
    assert controls.gold == 1.0 and controls.always_agrees == 0.0
    assert controls.always_refuses == pytest.approx(asked()["RCB"] / len(samples()))
    assert controls.other_character_n == len(samples()) - asked()["RCB"], "an admission is right about anybody"
    rows = read_predictions(tmp_path / PREDICTIONS_FILE)
    assert {row.id: row.twin for row in rows} == {one.id: twin_of(one) or "" for one in samples()}


def test_a_secret_is_a_refusal_too(tmp_path: Path) -> None:
    results = results_of(tmp_path, trained=lambda sample: "这是秘密，我不想说。")
    assert results.boundaries is not None
    one = results.boundaries.models["trained"]
    assert (one.over_refusal.share, one.invention.share) == (1.0, 1.0), "it does not say that it does not know"


def test_a_right_answer_with_a_doubt_is_no_refusal(tmp_path: Path) -> None:
    results = results_of(tmp_path, trained=lambda sample: f"{sample.answer}别的我不知道。")
    assert results.boundaries is not None
    assert results.boundaries.models["trained"].over_refusal.share == 0.0


def test_small_talk_before_what_nobody_knows_is_no_leak() -> None:
    untold = [one for one in samples() if one.metadata.get("boundary") == "untold"]
    memory = [one for one in samples() if one.dimension == "CM"]
    strangers = [one.model_copy(update={"character_name": "别人", "character_profile": {}}) for one in samples()]
    assert untold and find_leaks(untold, strangers).conversations == 0
    assert find_leaks(memory, strangers).conversations == len(memory)


def test_what_is_left_out_of_a_profile_still_tells_characters_apart() -> None:
    def left_out(name: str, whole: dict[str, str], key: str) -> Sample:
        shown = {field: value for field, value in whole.items() if field != key}
        fields = {"character_name": name, "character_profile": shown, "metadata": {"withheld": {key: whole[key]}}}
        return samples()[0].model_copy(update=fields)

    asked = left_out("甲", {"职业": "医生", "家乡": "长沙"}, "家乡")
    other = left_out("乙", {"职业": "医生", "宠物": "猫"}, "宠物")
    renamed = left_out("丙", {"家乡": "长沙", "职业": "医生"}, "职业")
    assert find_leaks([asked], [other]).characters == (), "two profiles that are alike only in what is left of them"
    assert find_leaks([asked], [renamed]).characters == ("甲",), "one profile from which two facts were left out"


def test_without_boundaries_the_file_is_as_it_was(tmp_path: Path) -> None:
    plain = [one.model_copy(update={"metadata": {}}) for one in samples() if not is_boundary(one)]
    measure = Measure(Scorer(), EvaluationConfig())
    written = evaluate({"base": Model(agreeing)}, QuestionSets(plain), measure, tmp_path).as_json()
    assert "boundaries" not in written and set(written["base"]) == {"all", "SBK", "CM"}
    assert not {"always_refuses", "always_agrees"} & set(written["controls"])


def test_the_terminal_shows_all_four_dimensions_and_both_errors(tmp_path: Path) -> None:
    results = results_of(tmp_path, base=unknowing, trained=guess)
    console = Console(file=io.StringIO(), width=120)
    console.print(result_tables(results))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert [name for name in ("SBK", "CM", "SCK", "RCB") if f"\n{name} " in shown] == ["SBK", "CM", "SCK", "RCB"]
    assert "base: over-refusal 100.0" in shown and "trained: over-refusal 0.0" in shown
    row = next(line for line in shown.splitlines() if line.startswith('"I don\'t know"'))
    assert "what nobody can know" in row and any(line.startswith("agreement") for line in shown.splitlines())
