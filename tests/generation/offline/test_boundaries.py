"""Questions at the boundaries of what a character knows: twins, fairness, and what is left out by reason."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from raiden_core.cards.card import Card
from raiden_core.characters import Character, read_characters
from raiden_core.characters.compose import compose
from raiden_core.dataset.split import split
from raiden_core.dataset.twins import LOST_TWIN, is_boundary, linked, twin_of, without_widows
from raiden_core.errors import ConfigError
from raiden_core.generation import Generated, generate
from raiden_core.generation.offline import boundaries
from raiden_core.generation.offline.boundary_words import boundary_words
from raiden_core.generation.offline.catalogue import LANGUAGES
from raiden_core.generation.offline.cutting import as_text, without
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.generation.quality.dedup import drop_near_duplicates
from raiden_core.generation.teacher import Fact
from raiden_core.rewards import Scorer, contains_term
from raiden_core.samples import Sample, character_id


def run(characters: Sequence[Character], share: float = 0.3, count: int | None = 8, seed: int = 0) -> Generated:
    return generate(
        characters,
        teacher=OfflineTeacher(seed),
        samples_per_character=count,
        include_cm=True,
        cm_share=0.25,
        seed=seed,
        scorer=Scorer(),
        boundaries=share,
    )


def person(name: str, language: str = "zh", story: str = "", **facts: str) -> Character:
    profile = {"姓名": name, **facts, **({"简介": story} if story else {})}
    return Character(name, language, profile, facts, "", "people.txt", row=3)


def test_without_a_share_the_data_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    characters = compose(10)
    plain = generate(
        characters,
        teacher=OfflineTeacher(0),
        samples_per_character=8,
        include_cm=True,
        cm_share=0.25,
        seed=0,
        scorer=Scorer(),
    )
    monkeypatch.setattr(boundaries.BoundaryDrafts, "__init__", None)
    assert run(characters, share=0.0) == plain
    assert {sample.dimension for sample in plain.samples} == {"SBK", "CM"}
    assert not any({"twin", "boundary"} & set(sample.metadata) for sample in plain.samples)


def test_a_share_leaves_the_other_questions_of_a_character_alone() -> None:
    few, many = run(compose(10), share=0.0, count=6), run(compose(10), share=0.25, count=8)
    kept = Counter(sample.id for sample in many.samples if not is_boundary(sample))
    assert len(set(kept) & {sample.id for sample in few.samples}) > 0.8 * len(few.samples)


@cache
def run_of_many(language: str, count: int | None) -> Generated:
    """The questions to thirty composed characters and all shipped ones of a language."""
    shipped = [one for one in read_characters(["shipped"]).characters if one.language == language]
    return run([*compose(30, language=language), *shipped], count=count)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [8, None])
def test_every_boundary_sample_is_sound_and_has_a_twin_of_its_own(language: str, count: int | None) -> None:
    samples = run_of_many(language, count).samples
    by_id = {sample.id: sample for sample in samples}
    asked = [sample for sample in samples if is_boundary(sample)]
    assert len(asked) == pytest.approx(0.3 * len(samples), rel=0.1)
    assert Counter(sample.dimension for sample in asked)["SCK"] == pytest.approx(len(asked) / 2, rel=0.2)
    assert {sample.metadata["boundary"] for sample in asked} >= {"false premise", "untold", "lacking"}
    assert len({twin_of(sample) for sample in asked}) == len(asked)
    scorer = Scorer()
    for sample in asked:
        twin = by_id[twin_of(sample) or ""]
        assert twin_of(twin) == sample.id and not is_boundary(twin)
        assert character_id(twin) == character_id(sample)
        assert scorer.check(sample) is None
        assert sample.validator is not None
        known = "\n".join((as_text(sample.character_profile), *(turn.content for turn in sample.conversation_history)))
        for term in (*sample.validator.none_of, *(term for group in sample.validator.denied for term in group)):
            assert not contains_term(known, term)
        if sample.dimension == "SCK":
            assert sample.metadata["attribute"] == twin.metadata["attribute"]
            assert sample.validator.all_of and sample.validator.denied and not sample.validator.abstains
        else:
            assert sample.validator.abstains and not sample.keywords
        if sample.metadata["boundary"] == "untold":
            assert sample.question == twin.question and sample.conversation_history
            assert twin.keywords[0] not in known
        if sample.metadata["boundary"] == "lacking":
            assert (sample.question, sample.metadata["attribute"]) == (twin.question, twin.metadata["attribute"])
            assert not any(contains_term(known, term) for term in (*twin.keywords, str(sample.metadata["attribute"])))
            assert scorer.accuracy_of_text(sample, twin.answer).accuracy == 0, "the prompt does not say it"
            assert sample.character_profile | sample.metadata["withheld"] == twin.character_profile


@pytest.mark.parametrize("language", LANGUAGES)
def test_neither_refusing_nor_agreeing_pays(language: str) -> None:
    refusal = {"zh": "我不知道。", "en": "I don't know.", "ja": "わかりません。", "ko": "모르겠어요."}[language]
    agreement = {"zh": "是的，没错。", "en": "Yes, that's right.", "ja": "はい、そうです。", "ko": "네, 맞아요."}[
        language
    ]
    scorer = Scorer()
    asked = [sample for sample in run_of_many(language, 8).samples if twin_of(sample)]
    refused = sum(scorer.accuracy_of_text(sample, refusal).accuracy for sample in asked)
    assert refused == sum(sample.dimension == "RCB" for sample in asked), "right for RCB, wrong for SCK and every twin"
    assert sum(scorer.accuracy_of_text(sample, agreement).accuracy for sample in asked) == 0


def test_every_wording_is_right_by_its_own_validator() -> None:
    """Many characters, so that each template comes up; a reference that fails is dropped, and counted."""
    for language in LANGUAGES:
        generated = run(compose(60, language=language), share=0.5)
        failed = generated.dropped.get("reference fails its own validator", 0)
        assert failed <= 0.01 * len(generated.samples), language
        words = boundary_words(language)
        answers = {sample.answer for sample in generated.samples if sample.metadata.get("boundary") == "untold"}
        assert answers == set(words.untold)


OTHERS = (person("别人", 职业="木匠", 家乡="苏州", 宠物="黑猫"), person("旁人", 职业="裁缝", 家乡="扬州", 宠物="白兔"))


@pytest.mark.parametrize(
    ("someone", "others", "reason"),
    [
        (person("甲", 最爱的食物="馄饨、饺子"), OTHERS, boundaries.SEVERAL_VALUES),
        (person("甲", 爱好="钓鱼"), OTHERS, boundaries.MAY_HOLD),
        (person("甲", 暗号="芝麻"), OTHERS, boundaries.MAY_HOLD),
        (person("甲", 家乡="长沙", 籍贯="成都"), OTHERS, boundaries.TOLD_TWICE),
        (person("甲", 家乡="湖南"), OTHERS, boundaries.NO_OTHER_VALUE),
        (
            person("甲", 最爱的食物="馄饨", story="他出生在江边，做过工，从小就爱吃面食。" * 2),
            OTHERS,
            boundaries.MAY_BE_TOLD,
        ),
        (person("甲", 生日="三月五日", 星座="双鱼座"), OTHERS, boundaries.MAY_BE_TOLD),
        (person("甲", 家乡="长沙", 口头禅="我们长沙人不怕辣"), OTHERS, boundaries.MAY_BE_TOLD),
        (person("甲", 暗号="芝麻"), OTHERS, boundaries.MAY_BE_TOLD),
    ],
)
def test_what_might_be_unfair_is_left_out_by_reason(
    someone: Character, others: Sequence[Character], reason: str
) -> None:
    generated = run([someone, *others], share=0.5, count=8)
    assert generated.dropped.get(reason, 0) > 0
    mine = [sample for sample in generated.samples if sample.character_name == "甲" and sample.dimension == "SCK"]
    assert mine == [] or reason == boundaries.MAY_BE_TOLD


@pytest.mark.parametrize(
    ("profile", "facts", "card", "left"),
    [
        ({"姓名": "甲", "家乡": "长沙"}, {"家乡": "长沙"}, None, {"姓名": "甲"}),
        ({"家乡": "长沙"}, {"家乡": "长沙"}, None, None),
        ({"姓名": "甲", "家乡": "长沙"}, {"家乡": "长沙"}, Card(), None),
        (
            {"姓名": "甲", "介绍": "- 家乡：长沙\n- 爱好：下棋"},
            {"家乡": "长沙"},
            None,
            {"姓名": "甲", "介绍": "- 爱好：下棋"},
        ),
        ({"姓名": "甲", "介绍": "家乡：长沙\n家乡：长沙\n他下棋。"}, {"家乡": "长沙"}, None, None),
        ({"姓名": "甲", "介绍": "他的家乡：长沙，他下棋。"}, {"家乡": "长沙"}, None, None),
    ],
)
def test_only_a_field_or_a_line_can_be_left_out_of_a_profile(
    profile: dict[str, str], facts: dict[str, str], card: Card | None, left: dict[str, str] | None
) -> None:
    someone = Character("甲", "zh", profile, facts, "", "people.txt", row=1, card=card)
    fact = Fact(key="家乡", value="长沙", attribute="hometown", evidence="家乡：长沙")
    assert without(someone, fact) == left
    assert someone.profile == profile


def test_what_is_left_out_stays_one_character_in_split_and_statistics() -> None:
    generated = run(compose(40), share=0.4, count=10)
    lacking = [sample for sample in generated.samples if sample.metadata.get("boundary") == "lacking"]
    assert lacking and generated.stats["characters"]["used"] == 40
    parts = split(generated.samples, validation_share=0.25, validation_characters=None, seed=1)
    for part in (parts.train, parts.validation):
        assert any(sample in part for sample in lacking)
        assert without_widows(part) == (list(part), [])
    kept, _ = drop_near_duplicates([one for one in generated.samples if one.dimension in ("SBK", "RCB")])
    assert {one.id for one in lacking} <= {one.id for one in kept}, "its twin asks the same of another prompt"


def test_synonyms_are_no_false_premise() -> None:
    words = boundary_words("zh")
    assert words.may_both_be_true("医生", "大夫") and words.may_both_be_true("長安", "西安")
    assert words.may_both_be_true("湖南", "长沙"), "a town may lie in a region"
    assert not words.may_both_be_true("医生", "木匠")
    doctors = [person(f"医{number}", 职业="医生" if number % 2 else "大夫") for number in range(6)]
    premises = [sample.question for sample in run(doctors, share=0.5).samples if sample.dimension == "SCK"]
    assert premises and not any("医生" in question or "大夫" in question for question in premises), "rivals are left"


def test_a_character_without_facts_gets_no_boundary_questions() -> None:
    generated = run([person("无"), *OTHERS])
    assert [skipped.name for skipped in generated.skipped] == ["无"]
    assert not any(sample.character_name == "无" for sample in generated.samples)


@pytest.mark.parametrize(
    ("language", "era", "year"),
    [
        ("zh", "唐天宝三载", 907),
        ("zh", "清光绪十九年", 1911),
        ("zh", "1934年冬", 1934),
        ("zh", "北宋宣和元年", 1127),
        ("zh", "明年", 1644),
        ("zh", "现代", None),
        ("en", "the reign of Emperor Hadrian", 138),
        ("en", "the year 2214", 2214),
        ("ja", "文政七年", 1830),
        ("ko", "정조 12년", 1800),
    ],
)
def test_the_profile_says_which_time_it_is(language: str, era: str, year: int | None) -> None:
    assert boundary_words(language).year_of(era) == year


@pytest.mark.parametrize(
    ("language", "key", "era", "asks"),
    [("zh", "年代", "唐天宝三载", True), ("zh", "年代", "2071年", False), ("en", "Era", "the Victorian years", True)],
)
def test_things_of_another_time_are_asked_of_those_who_lived_before(
    language: str, key: str, era: str, asks: bool
) -> None:
    facts = {key: era, "职业" if language == "zh" else "Occupation": "诗人" if language == "zh" else "poet"}
    someone = Character("李白", language, {"姓名": "李白", **facts}, facts, "", "people.txt", row=1)
    kinds = {sample.metadata.get("boundary") for sample in run([someone], share=0.5, count=12).samples}
    assert ("another time" in kinds) == asks


def test_a_greeting_opens_what_was_said_and_what_was_not_alike() -> None:
    facts = {"职业": "木匠", "家乡": "长沙"}
    someone = Character(
        "甲", "zh", {"姓名": "甲", **facts}, facts, "", "cards.json", row=1, card=Card(greetings=("欢迎，旅人。",))
    )
    samples = run([someone, *OTHERS], share=0.5, count=12).samples
    asked = [one for one in samples if one.character_name == "甲" and one.conversation_history]
    assert {one.metadata.get("boundary", one.dimension) for one in asked} == {"CM", "untold"}
    assert {one.conversation_history[0].content for one in asked} == {"欢迎，旅人。"}


def test_without_a_conversation_nothing_was_left_unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OfflineTeacher, "fillers", lambda *material: [])
    generated = run(compose(10))
    assert generated.dropped[boundaries.NO_CONVERSATION] > 0
    assert "untold" not in {sample.metadata.get("boundary") for sample in generated.samples}


def test_only_the_offline_teacher_knows_boundaries() -> None:
    class Other:
        name = "other"

    with pytest.raises(ConfigError, match=r"generation\.boundaries\.share: the teacher other"):
        generate(
            [],
            teacher=Other(),  # type: ignore[arg-type]
            samples_per_character=8,
            include_cm=True,
            cm_share=0.25,
            seed=0,
            scorer=Scorer(),
            boundaries=0.3,
        )


def sample(number: int, dimension: str, twin: int | None = None) -> Sample:
    metadata = {} if twin is None else {"twin": f"{twin}"}
    row = {"id": f"{number}", "character_name": "甲", "character_profile": {}, "question": "？", "answer": "。"}
    return Sample.model_validate({**row, "keywords": (), "dimension": dimension, "metadata": metadata})


def test_twins_know_each_other_and_none_is_left_alone() -> None:
    samples = linked([sample(1, "SBK"), sample(2, "SCK", 1), sample(3, "SBK"), sample(4, "CM"), sample(5, "RCB", 4)])
    assert [twin_of(one) for one in samples] == ["2", "1", None, "5", "4"]
    kept, lost = without_widows(one for one in samples if one.id not in "12"[:1] + "5")
    assert [one.id for one in kept] == ["3", "4"] and [one.id for one in lost] == ["2"]
    assert [twin_of(one) for one in kept] == [None, None]
    assert without_widows(samples) == (samples, [])


def test_twins_that_are_dropped_for_an_evaluation_take_theirs_along(tmp_path: Path) -> None:
    from raiden_core.generation.settings import GenerateSettings
    from raiden_core.generation.stage import make_samples, read_groups
    from raiden_core.samples import write_samples
    from raiden_core.stages.progress import silent
    from tests.support.config_tree import configured

    values = {"generation.boundaries.share": 0.4}
    base = {"characters": {"composed": {"count": 20}}}
    settings = GenerateSettings.of(configured(values, base))
    whole = make_samples(settings, read_groups(settings)[0], silent)[0].samples
    twins = [one for one in whole if twin_of(one) and not is_boundary(one)][:5]
    write_samples(tmp_path / "evaluation.json", twins)
    settings = GenerateSettings.of(
        configured({**values, "generation.decontaminate": [str(tmp_path / "evaluation.json")]}, base)
    )
    cleaned = make_samples(settings, read_groups(settings)[0], silent)[0]
    left = {one.id for one in cleaned.samples}
    siblings = [one for one in whole if twin_of(one) in {twin.id for twin in twins} and is_boundary(one)]
    asked = {twin.question for twin in twins}
    assert len(siblings) == len(twins) and not {one.id for one in siblings} & left
    assert cleaned.dropped[LOST_TWIN] >= sum(one.question not in asked for one in siblings) > 0
    assert all(twin_of(one) in left for one in cleaned.samples if twin_of(one))
