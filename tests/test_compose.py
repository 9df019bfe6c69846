"""Composed characters: seeded, distinct, and the same ones when more are asked for."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.characters.compose import SOURCE, compose
from raiden_core.characters.language import SUPPORTED
from raiden_core.characters.read import read_characters
from raiden_core.characters.word_lists import parse_word_lists, stands_in, word_lists
from raiden_core.errors import ConfigError, DataError
from raiden_core.generation import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.rewards import Scorer
from raiden_core.stages.progress import silent
from tests.support.tables import table

COLONS = {"zh": "：", "en": ": ", "ja": "：", "ko": ": "}


def test_the_same_seed_gives_the_same_characters_and_another_gives_others() -> None:
    assert compose(30, seed=3) == compose(30, seed=3)
    assert compose(30, seed=3) != compose(30, seed=4)


def test_more_characters_begin_with_the_same_ones() -> None:
    assert compose(300, seed=5)[:40] == compose(40, seed=5)


def test_chinese_characters_are_those_that_published_figures_were_measured_with() -> None:
    people = compose(1000, facts=(4, 8), seed=7)
    rows = [[one.name, one.language, one.profile, one.facts, one.text] for one in people]
    digest = hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()
    assert digest == "445f1181e7692e4c1cd9ba2b262d16441b5c4c3d6079e3bc2d780dca5a50f359"


@pytest.mark.parametrize("language", SUPPORTED)
def test_names_are_unique_and_rows_count_from_one(language: str) -> None:
    characters = compose(2000, language=language)
    assert len({one.name for one in characters}) == 2000
    assert [one.row for one in characters] == list(range(1, 2001))
    assert {one.source for one in characters} == {SOURCE}
    assert {one.language for one in characters} == {language}


@pytest.mark.parametrize("language", SUPPORTED)
def test_profile_facts_and_text_say_the_same(language: str) -> None:
    for one in compose(50, language=language, facts=(2, 4)):
        (name_key, name), *facts = one.profile.items()
        assert name == one.name and dict(facts) == one.facts and name_key not in one.facts
        assert one.text.splitlines() == [f"{key}{COLONS[language]}{value}" for key, value in one.profile.items()]


@pytest.mark.parametrize("language", SUPPORTED)
def test_profiles_are_read_back_in_their_language_with_their_facts(language: str, tmp_path: Path) -> None:
    composed = compose(300, language=language, facts=(6, 6), seed=7)
    path = tmp_path / "composed.jsonl"
    path.write_text("".join(json.dumps({"profile": one.text}) + "\n" for one in composed), "utf-8")
    read = read_characters([path])
    assert not read.refused
    assert [(one.name, one.language, one.facts) for one in read.characters] == [
        (one.name, one.language, one.facts) for one in composed
    ]


@pytest.mark.parametrize("language", SUPPORTED)
def test_every_fact_gives_samples_whose_references_pass(language: str) -> None:
    composed, scorer = compose(40, language=language, facts=(4, 8), seed=7), Scorer()
    made = generate(
        composed,
        teacher=OfflineTeacher(7),
        samples_per_character=None,
        include_cm=True,
        cm_share=0.25,
        seed=7,
        scorer=scorer,
        progress=silent,
    )
    assert not made.skipped
    assert {"SBK", "CM"} == {sample.dimension for sample in made.samples}
    assert [scorer.check(sample) for sample in made.samples] == [None] * len(made.samples)
    asked = {(sample.character_name, sample.metadata["attribute"]) for sample in made.samples}
    assert all((one.name, key) in asked for one in composed for key in one.facts)


def test_the_lists_of_all_languages_are_as_large_as_the_chinese_ones() -> None:
    chinese = [len(values) for values in word_lists("zh").attributes.values()]
    for language in SUPPORTED:
        assert [len(values) for values in word_lists(language).attributes.values()] == chinese
        assert word_lists(language).names >= 5000


def test_the_attributes_of_all_languages_are_ones_that_the_offline_teacher_asks_about_as_people_do() -> None:
    from raiden_core.generation.offline.catalogue import load

    for language in SUPPORTED:
        known = [load(language).find(key) for key in word_lists(language).attributes]
        assert None not in known and len(set(known)) == len(known), (language, known)


@pytest.mark.parametrize(
    ("language", "famous"),
    [
        (
            "en",
            "Margaret Atwood, Gordon Ramsay, Graham Chapman, Patrick Dempsey, Alice Cooper, George Orwell, Amy Lowell",
        ),
        (
            "ja",
            "小林幸子, 工藤静香, 渡辺直美, 村上春樹, 宮崎駿, 田中裕子, 本田圭佑, 山口達也, 清水翔太, 木村拓哉, 坂本龍馬",
        ),
        (
            "ko",
            "김연아, 손흥민, 박지성, 이민호, 송중기, 전지현, 김수현, 류현진, 조승우, 임윤아, 이순신, 백건우, 하지원",
        ),
    ],
)
def test_names_that_many_know_are_not_drawn(language: str, famous: str) -> None:
    words = word_lists(language)
    drawn = {words.name.format(surname=surname, given=given) for surname in words.surnames for given in words.given}
    assert not drawn & set(famous.split(", "))


def test_no_korean_name_doubles_its_surname() -> None:
    words = word_lists("ko")
    assert not {surname for surname in words.surnames if any(given.startswith(surname) for given in words.given)}


def test_every_number_of_facts_between_the_bounds_occurs_and_no_other() -> None:
    assert {len(one.facts) for one in compose(200, facts=(2, 5))} == {2, 3, 4, 5}
    assert {len(one.facts) for one in compose(20, facts=(3, 3))} == {3}


def test_values_are_shared_between_characters() -> None:
    characters = compose(600)
    first = {(key, value) for one in characters[:500] for key, value in one.facts.items()}
    rest = [(key, value) for one in characters[500:] for key, value in one.facts.items()]
    assert sum(fact in first for fact in rest) / len(rest) > 0.95


def test_none_are_composed_where_none_are_wanted() -> None:
    assert compose(0) == []


@pytest.mark.parametrize(
    ("count", "how", "words"),
    [
        (3, {"language": "fr"}, "characters.composed.language: no word lists for 'fr'; use one of zh, en, ja, ko$"),
        (3, {"facts": (5, 3)}, r"characters.composed.facts: \[5, 3\] is no range within 1 to"),
        (3, {"facts": (0, 3)}, "characters.composed.facts"),
        (3, {"facts": (1, 1000)}, "characters.composed.facts"),
        (10**9, {}, "characters.composed.count: 1000000000 is more than the word lists give"),
    ],
)
def test_what_cannot_be_composed_is_refused(count: int, how: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        compose(count, **how)


LISTS = """
name_key: Name
name: "{given} {surname}"
surnames: [Finch, Hobbs]
given: [Ann, Joe]
attributes:
  Pet: [owl, red fox]
  Age: [9 years old, 19 years old]
"""


@table(
    ("old", "new", "words"),
    [
        ("owl, red fox", "owl, fox, Owl", r"mine.yaml: attributes.Pet: 'Owl' stands twice; take one out"),
        ("Ann, Joe", "Ann, Joe, Ann", r"mine.yaml: given: 'Ann' stands twice"),
        ("owl, red fox", "fox, red fox", r"mine.yaml: attributes.Pet: 'fox' stands in 'red fox'; replace one"),
        ("owl, red fox", "子犬, 犬", r"mine.yaml: attributes.Pet: '犬' stands in '子犬'; replace one"),
        ("owl, red fox", "owl, age", r"mine.yaml: attributes.Pet: 'age' stands in 'Age'; replace one"),
        ("owl, red fox", "owl, no", r"mine.yaml: attributes.Pet.2: Input should be a valid string"),
        ("owl, red fox", "owl, 'a: b'", r"mine.yaml: attributes.Pet.2: 'a: b' is no word"),
        ("[owl, red fox]", "[]", r"mine.yaml: attributes.Pet: "),
        ("{surname}", "{family}", r"mine.yaml: name: it needs \{surname\} and \{given\}"),
        ("Pet:", "Name:", r"mine.yaml: name_key: 'Name' is an attribute too"),
        ("surnames:", "surname:", r"mine.yaml: surnames: Field required"),
        ("[owl", "[owl]]", r"mine.yaml: broken YAML at line 7, column 13: "),
    ],
)
def test_word_lists_that_would_surprise_are_refused_with_file_and_key(old: str, new: str, words: str) -> None:
    assert parse_word_lists(LISTS, "mine.yaml").names == 4
    with pytest.raises(DataError, match=words):
        parse_word_lists(LISTS.replace(old, new), "mine.yaml")


@pytest.mark.parametrize(
    ("value", "text", "stands"),
    [
        ("fox", "red fox", True),
        ("ox", "fox", False),
        ("Fish", "fish pie", True),
        ("은색", "검은색", True),
        ("十九岁", "四十九岁", False),
        ("9 years old", "19 years old", False),
        ("岁", "四十九岁", True),
    ],
)
def test_a_value_stands_in_a_text_where_a_reward_would_find_it(value: str, text: str, stands: bool) -> None:
    assert stands_in(value, text) is stands
