"""Questions at the boundaries of what a character knows, mined from a scripted teacher: what passes, and what does not."""

from typing import Any

import pytest

from raiden_core.dataset.twins import is_boundary, twin_of
from raiden_core.generation import Generated
from raiden_core.generation.mining import boundaries, reasons
from raiden_core.generation.mining.boundaries import without_detail
from raiden_core.generation.quality import filters
from raiden_core.rewards import Scorer
from raiden_core.samples import Turn
from tests.generation.mining.test_mining import EN, ZH, person, run
from tests.support.scripted_teacher import ScriptedTeacher

PLAIN_ZH = {**ZH, "爱好": "钓鱼"}


def mined(teacher: Any = None, share: float = 0.4, language: str = "zh") -> Generated:
    someone = person(PLAIN_ZH) if language == "zh" else person({**EN, "pets": "parrot"}, "en")
    return run([someone], teacher, count=10, share=0.4, generation={"boundaries": {"share": share}})


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_boundary_sample_has_a_twin_and_is_sound(language: str) -> None:
    made = mined(language=language)
    by_id = {sample.id: sample for sample in made.samples}
    asked = [sample for sample in made.samples if is_boundary(sample)]
    kinds = {str(sample.metadata["boundary"]) for sample in asked}
    assert {"false premise", "untold"} <= kinds <= {"false premise", "untold", "unknowable"}
    assert 3 <= len(asked) <= 4
    for sample in asked:
        twin = by_id[twin_of(sample) or ""]
        assert twin_of(twin) == sample.id and Scorer().check(sample) is None
        assert sample.metadata["agreement"] == 1.0 and sample.metadata["answers"] == 4
        assert any(purpose.startswith("holds/") for purpose in sample.metadata["prompts"])
        # Naming the right value corrects a false premise; to what nobody can know the twin's answer is an invention.
        assert Scorer().accuracy_of_text(sample, twin.answer).accuracy == (sample.dimension == "SCK")
        if sample.dimension == "SCK":
            assert sample.validator is not None and twin.validator is not None
            assert sample.validator.all_of == twin.validator.all_of and sample.validator.denied
        if sample.metadata["boundary"] == "untold":
            assert sample.question == twin.question
            assert 0 < len(sample.conversation_history) < len(twin.conversation_history)


def test_without_a_share_nothing_is_asked_about_boundaries() -> None:
    teacher = ScriptedTeacher()
    made = mined(teacher, share=0.0)
    assert not {"premise", "unknowable", "holds", "boundary_answer", "boundary_judge"} & set(teacher.purposes())
    assert {sample.dimension for sample in made.samples} == {"SBK", "CM"}


def twist(**fields: Any) -> Any:
    return lambda data, messages, request: {**data, **fields}


FAULTS = [
    ("the profile holds it", {"holds": twist(holds=True)}, reasons.KNOWN_AFTER_ALL, ("SCK", "RCB")),
    ("the profile uses the other words", {"unknowable": twist(other_words=["黑猫"])}, reasons.KNOWN_AFTER_ALL, ()),
    ("the premise is true", {"premise": twist(wrong="木匠", question="你当木匠吗？")}, filters.PREMISE_HOLDS, ("SCK",)),
    ("a synonym", {"premise": twist(wrong="长沙城", question="在长沙城过得惯吗？")}, filters.GIVEN_AWAY, ("SCK",)),
    ("the question lacks the premise", {"premise": twist(question="过得怎么样？")}, reasons.PREMISE_MISSING, ("SCK",)),
    (
        "an answer plays along",
        {"boundary_answer": twist(answer="是啊，很好。")},
        reasons.NOT_EVERY_ANSWER_SEES_IT,
        ("SCK", "RCB"),
    ),
    ("the judge finds all right", {"boundary_judge": None}, reasons.ONE_SIDED, ("SCK", "RCB")),
]


@pytest.mark.parametrize(
    ("twists", "reason", "without"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_a_fault_costs_the_sample_and_is_counted(twists: dict[str, Any], reason: str, without: tuple[str, ...]) -> None:
    def all_right(data: Any, messages: Any, request: Any) -> Any:
        return {"verdicts": [{**verdict, "right": True} for verdict in data["verdicts"]]}

    made = mined(ScriptedTeacher(**{task: rule or all_right for task, rule in twists.items()}))
    assert made.dropped[reason] > 0
    assert not [sample for sample in made.samples if sample.dimension in without]
    there = {sample.id for sample in made.samples}
    assert all(twin_of(sample) in there for sample in made.samples if twin_of(sample))


def test_where_the_detail_was_all_that_was_said_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boundaries, "without_detail", lambda history, detail: ())
    made = mined()
    assert made.dropped[reasons.NO_CONVERSATION] > 0
    assert "untold" not in {sample.metadata.get("boundary") for sample in made.samples}


def test_a_conversation_loses_the_exchange_that_told_the_detail() -> None:
    said = ["我有了雪球。", "那真好。", "天气不错。", "是啊。", "雪球很乖。", "嗯。"]
    history = [Turn(role="user" if place % 2 == 0 else "assistant", content=text) for place, text in enumerate(said)]
    assert [turn.content for turn in without_detail(history, ["雪球"])] == ["天气不错。", "是啊。"]
    assert without_detail(history[:2], ["雪球"]) == ()
    greeted = [Turn(role="assistant", content="欢迎。"), *history]
    assert [turn.content for turn in without_detail(greeted, ["雪球"])] == ["欢迎。", "天气不错。", "是啊。"]
    assert without_detail((), ["雪球"]) == ()
