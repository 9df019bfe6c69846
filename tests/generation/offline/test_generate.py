"""The generation stage: quotas, filters, distractors, and what it does not depend on."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from raiden_core.characters import Character, read_characters
from raiden_core.characters.compose import compose
from raiden_core.generation import Generated, generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.generation.quality import filters
from raiden_core.generation.quality.distractors import choose_distractors
from raiden_core.generation.teacher import Draft, Fact, Teacher
from raiden_core.rewards import Scorer, contains_term
from raiden_core.samples import Turn
from raiden_core.stages.progress import Progress, silent
from tests.support.tables import table


def run(
    characters: Sequence[Character],
    count: int | None = 8,
    share: float = 0.25,
    seed: int = 0,
    teacher: Teacher | None = None,
    include_cm: bool = True,
    progress: Progress = silent,
) -> Generated:
    return generate(
        characters,
        teacher=teacher or OfflineTeacher(seed),
        samples_per_character=count,
        include_cm=include_cm,
        cm_share=share,
        seed=seed,
        scorer=Scorer(),
        progress=progress,
    )


def person(name: str | None, language: str = "zh", **facts: str) -> Character:
    return Character(name, language, {"姓名": name or "", **facts}, facts, "", "people.txt", row=3)


@pytest.mark.parametrize("source", ["shipped:zh", "shipped:en", "shipped:ja", "shipped:ko"])
def test_every_sample_of_the_shipped_characters_is_sound(source: str) -> None:
    scorer = Scorer()
    generated = run(read_characters([source]).characters, None, 0.3)
    assert not generated.skipped
    assert len({sample.id for sample in generated.samples}) == len(generated.samples)
    assert generated.stats["samples_per_character"]["min"] >= 10
    assert set(generated.stats["question_type"]) == {"what", "who", "where", "when", "why", "how"}
    for sample in generated.samples:
        assert scorer.check(sample) is None
        assert sample.validator is not None
        profile = "\n".join(f"{key}：{value}" for key, value in sample.character_profile.items())
        history = "\n".join(turn.content for turn in sample.conversation_history)
        context = f"{profile}\n{history}\n{sample.question}"
        for wrong in sample.validator.none_of:
            assert not contains_term(context, wrong), (wrong, sample.question)
        for keyword in sample.keywords:
            assert not contains_term(sample.question, keyword)
            assert contains_term(history if sample.dimension == "CM" else profile, keyword)
        assert (sample.dimension == "CM") == bool(history)
        assert sample.validation_method == (
            "multi_term_parsing" if len(sample.keywords) > 1 else "single_term_validation"
        )
        assert sample.metadata["teacher"] == "offline-rules"
        assert sample.metadata["source"] == "shipped"
        said = re.split("[:：] ?", str(sample.metadata["evidence"]), maxsplit=1)[-1]
        assert said in (history if sample.dimension == "CM" else profile)


def test_same_seed_same_samples_another_seed_others() -> None:
    people = compose(20, facts=(6, 8))
    assert run(people).samples == run(people).samples
    assert run(people).samples != run(people, seed=1).samples


def test_a_character_does_not_depend_on_order_or_company() -> None:
    people = compose(20, facts=(6, 8))

    def told(generated: Generated, name: str | None) -> list[tuple[str, str, object]]:
        return [(s.question, s.answer, s.conversation_history) for s in generated.samples if s.character_name == name]

    everybody, backwards, alone = run(people), run(people[::-1]), run(people[:1])
    assert told(everybody, people[0].name) == told(backwards, people[0].name) == told(alone, people[0].name)
    in_order = {sample.id: sample for sample in everybody.samples}
    assert all(in_order[sample.id] == sample for sample in backwards.samples)


@pytest.mark.parametrize(("count", "share"), [(8, 0.25), (3, 0.5), (1, 0.3), (4, 0.0), (4, 1.0)])
def test_quotas_hold_over_all_characters(count: int, share: float) -> None:
    generated = run(compose(60, facts=(8, 8)), count, share)
    assert len(generated.samples) == 60 * count
    memory = generated.stats["dimension"].get("CM", 0)
    assert memory == pytest.approx(60 * count * share, abs=15 if count * share % 1 else 0)


def test_without_a_number_each_fact_is_asked_once() -> None:
    generated = run(compose(10, facts=(5, 5)), None, include_cm=False)
    assert generated.stats["dimension"] == {"SBK": 50}
    assert len({(s.character_name, s.metadata["attribute"]) for s in generated.samples}) == 50


@pytest.mark.parametrize(
    ("character", "reason"),
    [
        (person(None, 职业="木匠"), "no name"),
        (person("Ivan", "ru", Работа="повар"), "language 'ru'"),
        (person("阿一"), "no `key: value` facts"),
        (person("阿二", 经历="他走了很远很远。后来又回来了。"), "1 prose"),
    ],
)
def test_who_is_skipped_is_listed_with_the_reason(character: Character, reason: str) -> None:
    generated = run([character, person("阿三", 职业="木匠")], 1, 0.0)
    (skipped,) = generated.skipped
    assert reason in skipped.reason
    assert (skipped.name, skipped.source, skipped.row) == (character.name, "people.txt", 3)
    assert str(skipped).startswith("people.txt: row 3: ") and str(skipped).count("no name") == (character.name is None)
    assert [sample.character_name for sample in generated.samples] == ["阿三"]
    assert generated.stats["characters"] == {"read": 2, "used": 1, "skipped": 1}


def test_a_character_is_used_once() -> None:
    one, namesake = person("阿三", 职业="木匠", 家乡="长沙"), person("阿三", 职业="画家", 家乡="长沙")
    generated = run([one, one, namesake], None, 0.0)
    assert [skipped.reason for skipped in generated.skipped] == ["the same name and profile as a character before it"]
    assert len(generated.samples) == 4


def test_progress_is_told_of_every_character() -> None:
    calls: list[tuple[int, int]] = []

    def progress(done: int, total: int, note: str = "") -> None:
        calls.append((done, total))

    run(compose(3, facts=(4, 4)), 2, progress=progress)
    assert calls == [(1, 3), (2, 3), (3, 3)]


DRAFT = Draft(
    dimension="SBK", attribute="occupation", key="职业", question="你的职业是什么？", answer="我是木匠。", reasoning="想。",
    groups=(("木匠",),), evidence="职业：木匠", template="t", question_type="what", difficulty="easy",
)  # fmt: skip


class Scripted:
    """A teacher that drafts what it is told."""

    name = "scripted"
    languages = frozenset({"zh"})

    def __init__(self, script: Sequence[Draft] = (), memory: Sequence[Draft] = ()) -> None:
        self.script, self.memory = script, memory

    def facts_of(self, character: Character) -> list[Fact]:
        return [Fact("职业", "木匠", "occupation", "职业：木匠", (("木匠",),))]

    def script_drafts(self, character: Character, facts: Sequence[Fact]) -> Iterator[Draft]:
        return iter(self.script)

    def memory_drafts(self, character: Character, facts: Sequence[Fact]) -> Iterator[Draft]:
        return iter(self.memory)


MEMORY = replace(
    DRAFT, dimension="CM", attribute="cat", question="我的猫叫什么？", answer="你的猫叫豆豆。", groups=(("豆豆",),),
    evidence="我的猫叫豆豆。", history=(Turn(role="user", content="我的猫叫豆豆。"), Turn(role="assistant", content="好。")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        (replace(DRAFT, question="你是木匠吗？"), filters.GIVEN_AWAY),
        (replace(DRAFT, answer="我是铁匠。"), filters.GOLD_FAILS),
        (replace(DRAFT, groups=(("医生",),), answer="我是医生。"), filters.NOT_IN_PROFILE),
        (replace(DRAFT, groups=(("的",),), answer="是的。"), filters.GENERIC_KEYWORD),
        (replace(DRAFT, groups=()), filters.GENERIC_KEYWORD),
        (replace(DRAFT, groups=(("x",),), answer="x"), filters.GENERIC_KEYWORD),
        (replace(MEMORY, groups=(("木匠",),), answer="你是木匠。"), filters.IN_PROFILE),
    ],
)
def test_each_filter_counts_what_it_drops(draft: Draft, reason: str) -> None:
    teacher = Scripted([draft], []) if draft.dimension == "SBK" else Scripted([], [draft])
    generated = run([person("阿三", 职业="木匠")], 1, 0.0 if draft.dimension == "SBK" else 1.0, teacher=teacher)
    assert generated.samples == ()
    assert generated.dropped == {reason: 1}
    assert "passed the filters" in generated.skipped[0].reason


def test_the_good_drafts_pass() -> None:
    generated = run([person("阿三", 职业="木匠")], 2, 0.5, teacher=Scripted([DRAFT], [MEMORY]))
    assert [sample.dimension for sample in generated.samples] == ["SBK", "CM"]
    assert generated.dropped == {}


def test_near_duplicates_of_one_attribute_are_dropped_and_of_another_kept() -> None:
    again = replace(DRAFT, question="你的职业是什么呢？")
    reworded = replace(DRAFT, question="你靠哪一行吃饭？")
    elsewhere = replace(DRAFT, attribute="title", question="你的职务是什么？")
    generated = run([person("阿三", 职业="木匠")], 4, 0.0, teacher=Scripted([DRAFT, again, reworded, elsewhere]))
    assert [sample.question for sample in generated.samples] == [d.question for d in (DRAFT, reworded, elsewhere)]
    assert generated.dropped == {filters.NEAR_DUPLICATE: 1}


@table(
    ("groups", "pool", "contexts", "expected"),
    [
        (
            (("木匠",),),
            ["铁匠", "木匠", "老木匠", "画家"],
            ["", ""],
            ("画家", "铁匠"),
        ),  # never the answer or what holds it
        ((("木匠",),), ["铁匠", "画家"], ["我父亲是铁匠", ""], ("画家",)),  # never a term of the profile
        ((("木匠",),), ["铁匠", "画家"], ["", "我想当画家。"], ("铁匠",)),  # or of history and question
        ((("木匠",),), ["匠", "画家"], ["", ""], ("画家",)),  # one character is no claim
        ((("猫",),), ["狗"], ["", ""], ("狗",)),  # unless the answer is one
        ((("17岁", "17"),), ["十七岁", "18岁"], ["", ""], ("18岁",)),  # equal by value
        ((("male",),), ["female"], ["", ""], ("female",)),  # words have boundaries
        ((("oak",),), ["pine"], ["two pines", ""], ()),  # and plurals
    ],
)
def test_distractors_never_punish_a_right_answer(
    groups: tuple[tuple[str, ...], ...], pool: list[str], contexts: list[str], expected: tuple[str, ...]
) -> None:
    draft = replace(DRAFT, groups=groups)
    assert choose_distractors(draft, "zh", {("zh", "occupation"): pool}, contexts, random.Random(0)) == expected


def test_distractors_come_from_others_first_then_from_the_teacher() -> None:
    draft = replace(DRAFT, rivals=("医生", "司机"))
    pools = {("zh", "occupation"): ["铁匠"]}
    assert choose_distractors(draft, "zh", pools, [""], random.Random(0)) == ("医生", "司机", "铁匠")
    assert choose_distractors(replace(draft, closed=True), "zh", pools, [""], random.Random(0)) == ("医生", "司机")
    assert choose_distractors(replace(draft, exclusive=False), "zh", pools, [""], random.Random(0)) == ()
