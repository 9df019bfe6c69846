"""The offline teacher drafts from any `key: value` profile."""

from itertools import islice

import pytest

from raiden_core.characters import Character
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.rewards import contains_term

FACTS = {
    "zh": {
        "职业": "灯塔守",
        "前世": "一棵柳树",
        "最喜欢的食物": "葱油饼",
        "3. 跑过的里程": "42公里",
        "经历": "他走遍了北方。后来又回到海边。",
    },
    "en": {
        "Occupation": "kite maker",
        "Past life": "a willow",
        "Favorite food": "plum jam",
        "Races won": "42",
        "History": "Long. Very long.",
    },
    "ja": {"職業": "灯台守", "前世": "柳の木", "好物": "梅干し", "走った距離": "42キロ", "経歴": "海で育ちました。"},
    "ko": {
        "직업": "등대지기",
        "전생": "버드나무",
        "좋아하는 음식": "파전",
        "달린 거리": "42킬로미터",
        "내력": "바다에서 자랐습니다.",
    },
}
NAMES = {"zh": "阿九", "en": "Odo", "ja": "ミオ", "ko": "가람"}


def character(language: str, **changes: str) -> Character:
    facts = {**FACTS[language], **changes}
    text = "\n".join(f"{key}: {value}" for key, value in facts.items())
    return Character(NAMES[language], language, {"Name": NAMES[language], **facts}, facts, text, "test.txt")


@pytest.mark.parametrize("language", FACTS)
def test_every_fact_is_read_and_prose_is_reported(language: str) -> None:
    facts = OfflineTeacher().facts_of(character(language))
    assert [fact.key for fact in facts] == list(FACTS[language])
    assert [fact.unverifiable is None for fact in facts] == [True, True, True, True, False]
    assert all(fact.evidence in character(language).text for fact in facts)


@pytest.mark.parametrize("language", FACTS)
def test_script_drafts_tell_the_value_and_ask_without_it(language: str) -> None:
    teacher, who = OfflineTeacher(), character(language)
    facts = [fact for fact in teacher.facts_of(who) if fact.groups]
    drafts = list(teacher.script_drafts(who, facts))
    assert {draft.key for draft in drafts[: len(facts)]} == {fact.key for fact in facts}
    assert len(drafts) >= 2 * len(facts)
    for draft in drafts:
        for sentence in (draft.question, draft.answer, draft.reasoning):
            assert not set("{}[]") & set(sentence), sentence
        assert NAMES[language] in draft.reasoning
        for group in draft.groups:
            assert contains_term(draft.answer, group[0])
            assert contains_term(draft.reasoning, group[0])
            assert not contains_term(draft.question, group[0])


@pytest.mark.parametrize("language", FACTS)
def test_memory_drafts_hold_the_detail_in_a_user_turn_only(language: str) -> None:
    teacher, who = OfflineTeacher(), character(language)
    facts = [fact for fact in teacher.facts_of(who) if fact.groups]
    drafts = list(islice(teacher.memory_drafts(who, facts), 12))
    assert len({draft.attribute for draft in drafts}) == 12
    for draft in drafts:
        detail = draft.groups[0][0]
        told = [turn.role for turn in draft.history if contains_term(turn.content, detail)]
        assert told == ["user"]
        assert [turn.role for turn in draft.history] == ["user", "assistant"] * (len(draft.history) // 2)
        assert len(draft.history) >= 4
        assert contains_term(draft.answer, detail)
        assert draft.evidence in {turn.content for turn in draft.history}
        assert draft.evidence in draft.reasoning
        assert detail not in draft.rivals
        if language == "zh":
            assert len(draft.history) == 4
            assert all(len(turn.content) <= 30 for turn in draft.history)


def test_drafts_depend_on_seed_and_character_only() -> None:
    def questions(seed: int, who: Character) -> list[str]:
        teacher = OfflineTeacher(seed)
        facts = [fact for fact in teacher.facts_of(who) if fact.groups]
        memory = islice(teacher.memory_drafts(who, facts), 5)
        return [draft.question + draft.answer for draft in [*teacher.script_drafts(who, facts), *memory]]

    assert questions(1, character("zh")) == questions(1, character("zh"))
    assert questions(1, character("zh")) != questions(2, character("zh"))
    assert questions(1, character("zh")) != questions(1, character("zh", 职业="木匠"))


def test_odd_keys_are_quoted_and_numbers_asked_for_as_numbers() -> None:
    teacher = OfflineTeacher()
    who = character("zh", **{"信条/怪话": "见好就收"})
    drafts = list(teacher.script_drafts(who, [fact for fact in teacher.facts_of(who) if fact.groups]))
    by_key = {draft.key: draft for draft in drafts}
    assert "“信条/怪话”" in by_key["信条/怪话"].question
    assert any("多少" in draft.question for draft in drafts if draft.key == "3. 跑过的里程")


def test_japanese_speaks_with_the_pronoun_of_the_profile() -> None:
    teacher = OfflineTeacher()
    who = character("ja", 一人称="わし")
    drafts = teacher.script_drafts(who, [fact for fact in teacher.facts_of(who) if fact.key == "前世"])
    assert any("わしの前世" in draft.answer for draft in drafts)


def test_the_name_itself_is_no_fact() -> None:
    (*_, fact) = OfflineTeacher().facts_of(character("zh", 称呼="阿 九"))
    assert fact.unverifiable
