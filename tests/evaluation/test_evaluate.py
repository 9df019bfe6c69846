"""The whole evaluation with models that answer by rule: the numbers must be those that one counts by hand."""

import io
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest
from rich.console import Console

from raiden_core.config.loading import parse_config
from raiden_core.config.sections.evaluation import EvaluationConfig
from raiden_core.errors import DataError, UsageError
from raiden_core.evaluation.controls import run_controls
from raiden_core.evaluation.evaluate import evaluate
from raiden_core.evaluation.predictions import read_predictions
from raiden_core.evaluation.results import Results
from raiden_core.evaluation.sets import Measure, QuestionSets
from raiden_core.evaluation.settings import EvaluateSettings
from raiden_core.evaluation.stage import measure_of
from raiden_core.evaluation.tables import result_tables
from raiden_core.models.answering import Prompt, Reply
from raiden_core.rewards import Scorer
from raiden_core.rewards.aside import completed
from raiden_core.samples import Sample, Turn
from raiden_core.stages.progress import Progress, silent

CITIES = ["长沙", "成都", "哈尔滨", "厦门", "昆明", "拉萨", "青岛", "苏州", "洛阳", "大同"]
FOODS = ["米粉", "火锅", "红肠", "沙茶面", "过桥米线", "糌粑", "海蛎", "松鼠桂鱼", "水席", "刀削面"]


def _sample(number: int, dimension: str, set_name: str = "a", **changes: object) -> Sample:
    city, food = CITIES[number % 10], FOODS[number % 10]
    history = (Turn(role="user", content="今天吃什么？"), Turn(role="assistant", content=f"我想吃{food}。"))
    word = city if dimension == "SBK" else food
    fields: dict[str, object] = {
        "character_name": f"人物{set_name}{number}",
        "character_profile": {"家乡": city, "职业": "船工"},
        "conversation_history": history if dimension == "CM" else (),
        "question": "你的家乡在哪里？" if dimension == "SBK" else "我刚才说想吃什么？",
        "answer": f"我的家乡是{word}。" if dimension == "SBK" else f"我说想吃{word}。",
        "keywords": (word,),
        "dimension": dimension,
        "language": "zh",
        "difficulty": "easy" if number % 2 else "hard",
        "metadata": {"source": "composed"},
    }
    return Sample.model_validate(fields | changes)


SAMPLES = [_sample(number, dimension) for number in range(10) for dimension in ("SBK", "CM")]


@dataclass
class Rule:
    """Answers a prompt by a rule over its system turn and question; counts how often it is asked."""

    reply: Callable[[str, str], str]
    asked: list[Prompt] = field(default_factory=list)

    def answer(
        self,
        prompts: Sequence[Prompt],
        *,
        store: Path,
        progress: Progress = silent,
        draws: Sequence[int] | None = None,
    ) -> list[Reply]:
        self.asked += prompts
        texts = [self.reply(prompt[0]["content"], prompt[-1]["content"]) for prompt in prompts]
        progress(len(prompts), len(prompts))
        return [Reply(text, len(text), True) for text in texts]


def _wrap(answer: str) -> str:
    return f"<think>想。</think><answer>{answer}</answer>"


def _knows(first: int) -> Callable[[str, str], str]:
    """Knows the home town of the characters whose city is among the first so many; never a CM answer."""
    return lambda system, question: _wrap(next((f"我的家乡是{c}。" for c in CITIES[:first] if c in system), "忘了。"))


def _run(
    tmp_path: Path,
    models: Mapping[str, Rule] | None = None,
    samples: Sequence[Sample] = SAMPLES,
    extra: Mapping[str, Sequence[Sample]] = MappingProxyType({}),
    training: Sequence[Sample] | None = None,
    progress: Progress = silent,
    **settings: object,
) -> Results:
    answering = {"base": Rule(_knows(2)), "trained": Rule(_knows(7))} if models is None else models
    return evaluate(
        answering,
        QuestionSets(samples, extra, training),
        Measure(Scorer(), EvaluationConfig.model_validate(settings)),
        tmp_path / "out",
        progress=progress,
    )


def test_numbers_are_those_counted_by_hand(tmp_path: Path) -> None:
    results = _run(tmp_path)
    assert [results.models["base"].part(part).strict for part in ("all", "SBK", "CM")] == pytest.approx([0.1, 0.2, 0.0])
    assert [results.models["trained"].part(part).lenient for part in ("all", "SBK", "CM")] == pytest.approx(
        [0.35, 0.7, 0.0]
    )
    assert [results.models["trained"].part(part).n for part in ("all", "SBK", "CM")] == [20, 10, 10]
    paired = results.paired
    assert paired.delta == pytest.approx(0.25) and (paired.fixed, paired.broken) == (5, 0)
    assert paired.p == pytest.approx(2 / 32)
    assert paired.ci95[0] < 0.25 < paired.ci95[1] and paired.SBK.delta == pytest.approx(0.5)
    assert paired.lenient_delta == pytest.approx(0.25)
    assert results.models["trained"].CM.ci95[0] == 0.0 < results.models["trained"].CM.ci95[1]
    assert results.by["difficulty"]["easy"].models["trained"].n == 10
    assert results.by["source"]["composed"].paired.delta == pytest.approx(0.25)
    assert results.format_rate == {"base": 1.0, "trained": 1.0}
    assert any("only 10 characters" in note for note in results.notes)


def test_files_hold_what_was_returned_and_every_reply(tmp_path: Path) -> None:
    results = _run(tmp_path)
    assert json.loads((tmp_path / "out/results.json").read_text()) == results.as_json()
    rows = read_predictions(tmp_path / "out/predictions.jsonl")
    assert len(rows) == 40 and {row.model for row in rows} == {"base", "trained"}
    first = next(row for row in rows if row.model == "trained")
    assert first.answer == "我的家乡是长沙。" and first.matched and first.prompt[-1]["content"] == first.question
    cm = next(row for row in rows if row.dimension == "CM")
    assert [turn["role"] for turn in cm.prompt] == ["system", "user", "assistant", "user"]
    table = pd.read_csv(tmp_path / "out/summary.csv")
    pd.testing.assert_frame_equal(table, pd.read_parquet(tmp_path / "out/summary.parquet"), check_dtype=False)
    row = table[(table.model == "trained") & (table.slice == "dimension") & (table.value == "SBK")].iloc[0]
    assert row.n == 10 and row.strict == pytest.approx(0.7)
    assert (table.slice == "character").sum() == 20
    assert not list((tmp_path / "out").glob("*.partial"))


def test_order_of_samples_changes_no_number(tmp_path: Path) -> None:
    shuffled = random.Random(3).sample(SAMPLES, len(SAMPLES))
    one, other = _run(tmp_path), _run(tmp_path / "b", samples=shuffled)
    for part in ("base", "trained", "paired", "by"):
        assert _flat(one.as_json()[part]) == pytest.approx(_flat(other.as_json()[part]))


def _flat(value: object, path: str = "") -> dict[str, object]:
    if isinstance(value, dict):
        return {key: item for name, part in value.items() for key, item in _flat(part, f"{path}/{name}").items()}
    if isinstance(value, list):
        return {key: item for number, part in enumerate(value) for key, item in _flat(part, f"{path}/{number}").items()}
    return {path: value}


def test_right_without_the_format_is_lenient_only(tmp_path: Path) -> None:
    results = _run(tmp_path, models={"base": Rule(_knows(5)), "trained": Rule(lambda s, q: _knows(5)(s, q)[8:])})
    assert results.models["trained"].SBK.lenient == pytest.approx(0.5)
    assert results.models["trained"].SBK.strict == 0.0
    assert results.paired.lenient_delta == pytest.approx(0.0) and results.paired.delta < 0


def test_further_sets_stay_out_of_the_headline(tmp_path: Path) -> None:
    extra = {"hand-written": [_sample(number, "SBK", "h", metadata={}) for number in range(4)]}
    trained = Rule(_knows(7))
    results = _run(tmp_path, models={"base": Rule(_knows(2)), "trained": trained}, extra=extra)
    assert results.models["trained"].all.n == 20 and len(trained.asked) == 24
    part = results.extra["hand-written"]
    assert part.models["trained"].all.strict == 1.0 and part.paired.delta == pytest.approx(0.5)
    with pytest.raises(UsageError, match="cannot be called"):
        _run(tmp_path, extra={"validation": SAMPLES})


def test_an_original_model_is_shown_and_one_model_alone_is_enough(tmp_path: Path) -> None:
    results = _run(tmp_path, models={"trained": Rule(_knows(7)), "original": Rule(_knows(0)), "base": Rule(_knows(2))})
    assert results.models["original"].all.strict == 0.0
    assert results.paired.delta == pytest.approx(0.25)
    assert results.paired_original.delta == pytest.approx(0.35)
    alone = _run(tmp_path / "alone", models={"trained": Rule(_knows(7))})
    assert (
        alone.paired is None
        and "paired" not in alone.as_json()
        and alone.models["trained"].all.strict == pytest.approx(0.35)
    )


def test_controls(tmp_path: Path) -> None:
    controls = _run(tmp_path).controls
    assert controls.gold == 1.0
    assert controls.other_character == 0.0 and controls.other_character_chance == 0.0
    assert controls.keyword_list == 1.0
    assert controls.profile_recited == pytest.approx(0.5), "it holds the home town, but not what was said"


def test_the_recited_profile_is_a_control() -> None:
    """Where the profile holds more than the answer, whoever recites it is not right; a lone fact cannot be told apart."""
    profile = {"Name": "Ann", "Home": "Leeds", "Job": "baker", "Pet": "parrot", "Food": "toast"}
    samples = [
        _sample(number, "SBK", f"{number}-", character_profile=profile, keywords=["Leeds"]) for number in range(4)
    ]
    samples = [sample.model_copy(update={"answer": "I come from Leeds.", "validator": None}) for sample in samples]
    open_to_it = run_controls(samples, ["?"] * 4, Scorer(), seed=0)
    assert open_to_it.recital == 1.0
    guarded = run_controls([completed(sample) for sample in samples], ["?"] * 4, Scorer(), seed=0)
    assert guarded.recital == 0.0 and guarded.gold == 1.0


def test_an_evaluation_completes_aside_and_says_so(tmp_path: Path) -> None:
    profile = {"Name": "Ann", "Home": "Leeds", "Job": "baker", "Pet": "parrot", "Food": "toast"}
    samples = [
        sample.model_copy(update={"character_profile": {**sample.character_profile, **profile}}) for sample in SAMPLES
    ]
    results = _run(tmp_path, samples=samples)
    assert results.controls.recital == 0.0
    assert "validation: the validators of 20 samples had no aside; their profiles gave it." in results.notes


def test_another_characters_reply_scores_at_chance_where_answers_are_shared() -> None:
    """Half of the characters share one of two towns: a right model's reply fits another one as often as by chance."""
    samples = [_sample(number % 2, "SBK", f"{number}-") for number in range(200)]
    controls = run_controls(samples, [sample.answer for sample in samples], Scorer(), seed=1)
    assert controls.other_character_chance == pytest.approx(99 / 199, abs=0.04)
    assert controls.other_character == pytest.approx(controls.other_character_chance, abs=0.1)
    assert controls.other_character_n == 200


def test_a_model_that_says_the_same_to_everybody_scores_as_well_with_anothers_reply() -> None:
    samples = [_sample(number, "SBK") for number in range(10)]
    same = run_controls(samples, ["我的家乡是长沙。"] * 10, Scorer(), seed=1)
    assert same.other_character == pytest.approx(0.1)


def test_what_training_has_seen_is_reported(tmp_path: Path) -> None:
    clean = [_sample(number, "SBK", "t", character_profile={"家乡": f"村{number}"}) for number in range(5)]
    none = {"characters": [], "samples": 0, "conversations": 0}
    assert _run(tmp_path, training=clean).controls.leaks.as_json() == none
    same_name = _sample(4, "SBK", character_profile={"x": "y"})
    same_profile = _sample(5, "SBK", "t", character_profile=SAMPLES[0].character_profile)
    results = _run(tmp_path / "b", training=[*clean, same_name, same_profile, SAMPLES[3]])
    # The profiles of characters 0 and 1 and the name of 4 are known; so are a whole sample and its conversation.
    assert results.controls.leaks.as_json() == {
        "characters": ["人物a0", "人物a1", "人物a4"],
        "samples": 1,
        "conversations": 1,
    }
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(result_tables(results))
    assert "seen in training: 3 characters, 1 questions, 1 conversations" in console.export_text()
    for words in ("has seen 3 of these", "the conversation before 1 of these questions"):
        assert any(words in note for note in results.notes), words


def test_a_bad_reference_refuses_the_file_and_names_the_sample(tmp_path: Path) -> None:
    bad = _sample(3, "SBK", answer="我的家乡是北京。", question="家在何处？")
    trained = Rule(_knows(7))
    models = {"base": Rule(_knows(2)), "trained": trained}
    with pytest.raises(DataError, match=f"1 of 21 samples fails .*{bad.id} .人物a3.*--drop-bad-gold"):
        _run(tmp_path, models=models, samples=[*SAMPLES, bad])
    assert not trained.asked, "nothing is asked before the data is in order"
    results = _run(tmp_path, models=models, samples=[*SAMPLES, bad], drop_bad_gold=True)
    assert results.models["trained"].all.n == 20 and list(results.dropped_bad_gold["validation"]) == [bad.id]
    with pytest.raises(DataError, match="no sample to evaluate"):
        _run(tmp_path, samples=[bad], drop_bad_gold=True)


def test_nothing_to_evaluate_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="validation: no sample to evaluate"):
        _run(tmp_path, samples=[])
    with pytest.raises(DataError, match="mine: no sample"):
        _run(tmp_path, extra={"mine": []})
    for models in ({}, {"teacher": Rule(_knows(1))}):
        with pytest.raises(UsageError, match="give one or more of original, base, trained"):
            _run(tmp_path, models=models)


def test_one_character_has_no_interval_and_says_so(tmp_path: Path) -> None:
    results = _run(tmp_path, samples=SAMPLES[:2])
    assert results.models["trained"].all.ci95 is None and results.paired.ci95 is None
    assert results.controls.other_character is None
    assert any("one character only" in note for note in results.notes)


def test_a_model_that_answers_nothing_is_said_so(tmp_path: Path) -> None:
    results = _run(tmp_path, models={"base": Rule(_knows(2)), "trained": Rule(lambda system, question: "")})
    assert results.empty_answers == {"base": 0, "trained": 20}
    assert any("'trained' gave no answer text" in note for note in results.notes)


def test_samples_for_the_judge_are_left_out_and_counted(tmp_path: Path) -> None:
    results = _run(tmp_path, samples=[*SAMPLES, _sample(1, "SBK", keywords=(), question="你怎么看？")])
    assert results.models["trained"].all.n == 20
    assert any("1 samples without keywords" in note for note in results.notes)


def test_results_say_how_models_were_asked(tmp_path: Path) -> None:
    def asked(**settings: object) -> dict[str, object]:
        section = EvaluationConfig.model_validate({"max_new_tokens": 96, "temperature": 0.7} | settings)
        measure = Measure(Scorer(), section, "Be {name}.", seed=3)
        return evaluate({"base": Rule(_knows(2))}, QuestionSets(SAMPLES), measure, tmp_path).settings.as_json()

    greedy = {"decoding": "greedy", "samples_per_question": 0, "temperature": None, "max_new_tokens": 96}
    assert asked() == greedy | {"instructions": "Be {name}.", "seed": 3}
    assert asked(samples=2) == greedy | {
        "samples_per_question": 2, "temperature": 0.7, "instructions": "Be {name}.", "seed": 3,
    }  # fmt: skip


def test_the_seed_draws_the_other_characters_of_the_control(tmp_path: Path) -> None:
    samples = [_sample(number % 2, "SBK", f"{number}-") for number in range(20)]

    def rate(seed: int) -> float | None:
        measure = Measure(Scorer(), seed=seed)
        results = evaluate({"base": Rule(_knows(2))}, QuestionSets(samples), measure, tmp_path)
        return results.controls.other_character

    by_seed = {seed: run_controls(samples, [one.answer for one in samples], Scorer(), seed) for seed in range(4)}
    assert len({controls.other_character for controls in by_seed.values()}) > 1, "the seed matters here"
    assert [rate(seed) for seed in by_seed] == [controls.other_character for controls in by_seed.values()]


def test_the_measure_is_that_of_the_configuration() -> None:
    text = (
        "seed: 5\nsystem_prompt: Be {name}.\naccuracy: {min_length_bound: 9}\nevaluation: {samples: 3, batch_size: 2}\n"
    )
    config = parse_config(text, (), where="test")
    measure = measure_of(EvaluateSettings.of(config))
    assert measure.settings is config.evaluation and measure.settings.samples == 3
    assert (measure.instructions, measure.seed, measure.scorer.min_length_bound) == ("Be {name}.", 5, 9)


def test_progress_runs_over_all_models(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    _run(tmp_path, progress=lambda done, total, note="": seen.append((done, total, note)))
    assert seen == [(20, 40, "base"), (40, 40, "trained")]


def test_result_tables_show_the_numbers_in_80_columns_even_where_names_look_like_markup(tmp_path: Path) -> None:
    results = _run(tmp_path, extra={"[red]mine": [_sample(number, "SBK", "h") for number in range(4)]})
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(result_tables(results))
    text = console.export_text()
    for words in ("SBK", "+25.0", "70.0", "35.0", "[red]mine", "trained", "0.06"):
        assert words in text, words
    assert "…" not in text, "80 columns are enough"
    assert "What a cheater could reach" in text and "seen in training" not in text and "pass@" not in text
    assert re.search(r"own reference +100\.0 +100", text)
    assert "CM" not in text.partition("[red]mine")[2], "rows without samples are left out"
