"""Facts in sentences: each rule's own example, and the precision on sentences that were labelled before any rule."""

import time
from pathlib import Path

import pytest

from raiden_core.characters import Character
from raiden_core.characters.sentences import read_sentences
from raiden_core.characters.sentences.tables import LANGUAGES, Row, load
from raiden_core.generation.offline.catalogue import load as load_catalogue

LABELLED = Path(__file__).parent / "sentences"
NAMES = {"en": "Mira Holt", "zh": "沈青", "ja": "早川澪", "ko": "한서윤"}
ROWS = [(language, row) for language in LANGUAGES for row in load(language).table.rows]
MIN_PRECISION = 0.95
MIN_RECALL = 0.7
"""Of the labelled facts; a rule that reads nothing is right about everything."""


def read(text: str, language: str, **facts: str) -> dict[str, str]:
    """What is stated, by the catalogue's name of the attribute."""
    name = NAMES[language]
    text = text.replace("{{char}}", name).replace(
        "{{user}}", {"en": "the user", "zh": "用户", "ja": "ユーザー", "ko": "사용자"}[language]
    )
    character = Character(name, language, {"Name": name, "Description": text, **facts}, facts, text, "x.txt")
    stated = read_sentences(character)
    assert all(fact.evidence in text for fact in stated.facts)
    catalogue = load_catalogue(language)
    return {catalogue.find(fact.key) or fact.key: fact.value for fact in stated.facts}


def labelled(language: str) -> list[tuple[str, dict[str, str]]]:
    rows = []
    for line in (LABELLED / f"{language}.tsv").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            sentence, _, said = line.partition("\t")
            facts = dict(part.split("=", 1) for part in said.split(" | ")) if said != "-" else {}
            rows.append((sentence, facts))
    return rows


@pytest.mark.parametrize(("language", "row"), ROWS, ids=[f"{lang}-{row.attribute}-{row.gives}" for lang, row in ROWS])
def test_a_rule_reads_its_example(language: str, row: Row) -> None:
    assert row.gives in read(row.example, language).values()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_is_right_and_most_of_it_is_found(language: str) -> None:
    rows = labelled(language)
    assert len(rows) >= 50
    wrong: list[tuple[str, dict[str, str]]] = []
    right = found = wanted = 0
    for sentence, facts in rows:
        said = read(sentence, language)
        good = {key for key, value in said.items() if facts.get(key) == value}
        right += len(good)
        found += len(said)
        wanted += len(facts)
        if len(good) < len(said) or len(good) < len(facts):
            wrong.append((sentence, said))
    assert right / found >= MIN_PRECISION, wrong
    assert right / wanted >= MIN_RECALL, wrong


IN_CONTEXT = {
    # After somebody else, a pronoun may be theirs, until the character is named again.
    "Mira keeps a diary. Her brother Tom is a smith. He lives in Oslo. Mira lives in Wick.": {"residence": "Wick"},
    "She was born in Wick. She works as a glazier.": {"birthplace": "Wick", "occupation": "glazier"},
    "Mira is a glazier. She met a man once. She is afraid of dogs.": {"occupation": "glazier"},
    "Name: Mira\nAge: 30\nShe is a glazier.": {},
    "**Mira** is a *glazier*. She lives in `Wick`.": {"occupation": "glazier", "residence": "Wick"},
    "She told me: “I live in Rome.” She works as a spy.": {},
    "Dr. Mira Holt is rarely seen. She lives in St. Andrews.": {"residence": "St. Andrews"},
    "She lives in fear. She was born in winter. She likes it. She loves him. She hates to wait.": {},
    "She lives in Oslo and works at the docks.": {"residence": "Oslo"},
    "She loves " + "very " * 80 + "long walks.": {},
}


@pytest.mark.parametrize("text", IN_CONTEXT)
def test_whose_sentence_it_is(text: str) -> None:
    assert read(text, "en") == IN_CONTEXT[text]


def test_what_a_field_says_is_not_said_again_and_the_rest_is_counted() -> None:
    text = "She lives in Wick. She hums. She works as a glazier."
    character = Character("Mira", "en", {"Residence": "Wick", "Description": text}, {"Residence": "Wick"}, text, "x")
    stated = read_sentences(character)
    assert [(fact.key, fact.value) for fact in stated.facts] == [("Occupation", "glazier")]
    assert stated.left == ("She hums.",)


def test_what_two_sentences_say_differently_is_left() -> None:
    text = "She fears dogs. She fears dogs. She lives in Wick. She fears the dark. She lives in Oslo. She is a nurse."
    stated = read_sentences(Character("Mira", "en", {"Description": text}, {}, text, "x"))
    assert [(fact.key, fact.value) for fact in stated.facts] == [("Occupation", "nurse")]
    assert stated.left == tuple(f"{part}." for part in text.split(". ")[:-1])


def test_the_scene_and_other_people_are_no_prose_about_the_character() -> None:
    profile = {"Scenario": "She lives in Wick.", "father": "He is a glazier.", "Old Mill": "She fears the dark."}
    assert read_sentences(Character("Mira", "en", profile, {}, "", "x")).facts == ()
    named = {"Old Mill": "Mira fears the dark."}
    assert [fact.value for fact in read_sentences(Character("Mira", "en", named, {}, "", "x")).facts] == ["the dark"]
    assert read_sentences(Character("Mira", "fr", {"Description": "She fears the dark."}, {}, "", "x")).left == ()


def test_a_hostile_text_takes_no_time() -> None:
    begun = time.process_time()
    for text in ("a" * 50_000, "She is " * 5_000, "她是" * 20_000 + "。", "「" * 20_000, "is a " * 60 + "\n" * 5_000):
        for language in LANGUAGES:
            read(text, language)
    assert time.process_time() - begun < 8
