"""Articles, possessives and particles."""

import pytest

from raiden_core.generation.offline.catalogue import LANGUAGES, load, normal_key
from raiden_core.generation.offline.wording import choose_particles, fill, key_words, nominalised, value_words
from tests.support.tables import table


@table(
    ("text", "expected"),
    [
        ("사과[은/는]", "사과는"),
        ("밥[은/는]", "밥은"),
        ("서울[으로/로]", "서울로"),
        ("부산[으로/로]", "부산으로"),
        ("제주[으로/로]", "제주로"),
        ("의사[이에요/예요]", "의사예요"),
        ("학생[이에요/예요]", "학생이에요"),
        ("17[을/를]", "17을"),
        ("2[이/가]", "2가"),
        ("“콩이”[이라고/라고]", "“콩이”라고"),
        ("서울(강변)[이/가]", "서울(강변)이"),
        ("제주(남쪽)[이/가]", "제주(남쪽)가"),
        ("책[과/와] 우유[을/를]", "책과 우유를"),
    ],
)
def test_korean_particles_follow_the_last_sound(text: str, expected: str) -> None:
    assert choose_particles(text) == expected


@table(
    ("value", "expected"),
    [
        ("Nurse", "a nurse"),
        ("umbrella seller", "an umbrella seller"),
        ("university porter", "a university porter"),
        ("hourglass maker", "an hourglass maker"),
        ("the harbour master", "the harbour master"),
        ("three goats", "three goats"),
        ("breath mints", "breath mints"),
        ("chalk", "chalk"),
        ("pocket watch with a chain", "a pocket watch with a chain"),
        ("Underwater Explorer", "an Underwater Explorer"),
        ("A retired pilot", "a retired pilot"),
    ],
)
def test_english_articles(value: str, expected: str) -> None:
    assert value_words(value, "en", proper=False)["a_value"] == expected


@pytest.mark.parametrize(
    ("language", "key", "your", "mine"),
    [
        ("zh", "职业", "你的职业", "我的职业"),
        ("zh", "最喜欢的食物", "你最喜欢的食物", "我最喜欢的食物"),
        ("zh", "**您的职业**", "你的职业", "我的职业"),
        ("en", "Best Friend", "your best friend", "my best friend"),
        ("ja", "好きな色", "好きな色", "私の好きな色"),
        ("ko", "직업", "직업", "제 직업"),
        ("ko", "좋아하는 음식", "좋아하는 음식", "제가 좋아하는 음식"),
    ],
)
def test_possessives(language: str, key: str, your: str, mine: str) -> None:
    words = key_words(key, language)
    assert (words["your_key"], words["my_key"]) == (your, mine)


@pytest.mark.parametrize(
    ("key", "be"), [("Hobbies", "are"), ("Hobby", "is"), ("Number of employees", "is"), ("Status", "is")]
)
def test_english_number(key: str, be: str) -> None:
    assert key_words(key, "en")["is"] == be


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("本を読む", "本を読むこと"),
        ("将棋", "将棋"),
        ("傘に名前をつける", "傘に名前をつけること"),
        ("うどん", "うどん"),
        ("海を見ること", "海を見ること"),
    ],
)
def test_japanese_clauses_become_nouns(value: str, expected: str) -> None:
    assert nominalised(value) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_is_complete(language: str) -> None:
    catalogue = load(language)
    assert len(catalogue.memory) >= 8
    assert {"what", "who", "where", "when", "why", "how"} <= {a.type for a in catalogue.attributes.values()}
    assert {"what", "who", "where", "when", "why", "how"} <= {m.type for m in catalogue.memory.values()}
    for kind, memory in catalogue.memory.items():
        assert len(set(memory.values)) == len(memory.values), kind
        assert all("{value}" in said for said in (*memory.says, *memory.answers)), kind
        assert not any("{value}" in question for question in memory.questions), kind
    for name, attribute in catalogue.attributes.items():
        assert all("value}" in answer for answer in attribute.answers), name
        assert not any("value}" in question for question in attribute.questions), name


def test_chinese_questions_mostly_name_the_attribute_and_stay_short() -> None:
    catalogue = load("zh")
    questions = [question for attribute in catalogue.attributes.values() for question in attribute.questions]
    naming = sum("key}" in question for question in questions)
    assert naming >= len(questions) / 2
    for memory in catalogue.memory.values():
        for sentence in (*memory.says, *memory.questions, *memory.answers):
            assert all(len(fill(sentence, "zh", value=value)) <= 25 for value in memory.values)


@pytest.mark.parametrize(
    ("language", "key", "attribute"),
    [
        ("zh", "**职业**", "occupation"),
        ("zh", "你的职业", "occupation"),
        ("en", "Favorite Food", "food"),
        ("en", "favourite_food", "food"),
        ("ja", "3. 趣味", "hobby"),
        ("ko", "반려동물 (개)", "pet"),
        ("zh", "前世", None),
    ],
)
def test_keys_are_found_however_written(language: str, key: str, attribute: str | None) -> None:
    assert load(language).find(key) == attribute
    assert normal_key(key) == normal_key(normal_key(key))
