"""Cards used as cards by both teachers: lorebook facts, greetings, example messages, and the scene that nobody asks about."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.characters import Character, read_characters
from raiden_core.config.sections.data import GenerationConfig
from raiden_core.config.sections.teacher import TeacherConfig
from raiden_core.generation import Generated, generate
from raiden_core.generation.mining import mine
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.generation.quality import filters
from raiden_core.rewards import Scorer
from raiden_core.samples import Turn
from raiden_core.training.card_examples import SOURCE, example_turns
from tests.support.scripted_teacher import ScriptedTeacher

DATA: dict[str, Any] = {
    "name": "Ada Quill",
    "description": "Occupation: glazier\nHome town: Bristol\nPet: a parrot",
    "personality": "Dry and exact.",
    "scenario": "Weather: a storm\n{{user}} shelters in the workshop.",
    "first_mes": "*sets down the diamond cutter* Mind the panes, {{user}}.",
    "alternate_greetings": ["You again? Come in.", "word " * 500],
    "mes_example": "<START>\n{{user}}: Is it cold?\n{{char}}: Glass never minds.\n{{user}}: And you?\n{{char}}: I do.",
    "creator_notes": "Author: nobody",
    "system_prompt": "Favourite word: shard",
    "tags": ["craft"],
    "character_book": {
        "entries": [
            {
                "keys": ["scar", "wound"],
                "name": "Ada Quill",
                "content": "Favourite drink: plum brandy",
                "enabled": True,
            },
            {"keys": ["Old Kiln"], "content": "Height: 12 metres\nBuilt: 1811\nKeeper: Tobias", "enabled": True},
            {"keys": ["guild"], "content": "Favourite food: herring pie", "enabled": False, "name": "Ada Quill"},
        ]
    },
}
META = (
    "scenario",
    "weather",
    "storm",
    "notes",
    "tag",
    "first_mes",
    "mes_example",
    "system prompt",
    "greeting",
    "shard",
)


@pytest.fixture
def ada(tmp_path: Path) -> Character:
    path = tmp_path / "ada.json"
    path.write_text(json.dumps({"spec": "chara_card_v2", "spec_version": "2.0", "data": DATA}), "utf-8")
    (character,) = read_characters([path]).characters
    return character


def offline(character: Character, count: int | None = None, share: float = 0.4) -> Generated:
    return generate(
        [character],
        teacher=OfflineTeacher(0),
        samples_per_character=count,
        include_cm=True,
        cm_share=share,
        seed=3,
        scorer=Scorer(),
    )


def mined(character: Character, teacher: ScriptedTeacher) -> Generated:
    generation = GenerationConfig(samples_per_character=8, include_cm=True, cm_share=0.5)
    settings = TeacherConfig(kind="llm")
    return asyncio.run(
        mine([character], asker=teacher, teacher=settings, generation=generation, scorer=Scorer(), seed=3)
    )


def test_entries_about_the_character_are_facts_with_their_triggers(ada: Character) -> None:
    assert ada.facts["Favourite drink"] == "plum brandy"
    assert ada.profile["Ada Quill"] == "Favourite drink: plum brandy", "what is asked must stand in the prompt"
    assert ada.others == {"Old Kiln: Height": "12 metres", "Old Kiln: Built": "1811", "Old Kiln: Keeper": "Tobias"}
    assert "herring" not in str(ada.profile) + str(ada.facts), "a switched-off entry says nothing"
    made = offline(ada)
    triggers = {sample.keywords[0]: sample.metadata.get("triggers") for sample in made.samples}
    assert triggers["plum brandy"] == ["scar", "wound"]
    assert triggers["glazier"] is None
    assert made.dropped[filters.OF_OTHERS] == 3


def test_greetings_open_the_conversations_one_after_another(ada: Character) -> None:
    made = offline(ada, 12, 0.5)
    talks = [sample for sample in made.samples if sample.dimension == "CM"]
    assert len(talks) == 6
    openings = [talk.conversation_history[0] for talk in talks]
    assert ada.card is not None
    assert {(turn.role, turn.content) for turn in openings} == {("assistant", text) for text in ada.card.greetings[:2]}
    assert [ada.card.greetings[talk.metadata["greeting"]] for talk in talks] == [turn.content for turn in openings]
    assert all(talk.conversation_history[1].role == "user" for talk in talks)


def test_a_greeting_that_holds_the_detail_opens_nothing(ada: Character) -> None:
    from raiden_core.generation.card_use import opened

    history = (Turn(role="user", content="My cat is Juniper."),)
    assert opened(history, (0, "Is Juniper here?"), ["Juniper"]) == (history, None)
    assert opened(history, (0, "Hello."), ["Juniper"])[1] == 0


@pytest.mark.parametrize("kind", ["offline", "mined"])
def test_nobody_asks_about_the_scene_or_the_card(ada: Character, kind: str) -> None:
    made = offline(ada, 30) if kind == "offline" else mined(ada, ScriptedTeacher())
    assert made.samples
    for sample in made.samples:
        asked = f"{sample.question} {' '.join(sample.keywords)}".casefold()
        assert not [word for word in META if word in asked], sample.question
        assert "Scenario" in sample.character_profile, "the scene is part of the prompt"
    if kind == "mined":
        assert made.dropped[filters.OF_THE_SCENE] >= 1


def test_the_teacher_sees_how_the_character_speaks_and_how_it_begins(ada: Character) -> None:
    teacher = ScriptedTeacher()
    made = mined(ada, teacher)
    systems = {one.messages[0]["content"] for one in teacher.requests if not one.purpose.startswith("guess")}
    assert len(systems) == 1
    assert "the user: Is it cold?\nAda Quill: Glass never minds." in systems.pop()
    talks = [one.messages[-1]["content"] for one in teacher.requests if one.purpose.startswith("conversation")]
    assert all("Mind the panes" in talk or "You again?" in talk for talk in talks) and talks
    opened = [sample for sample in made.samples if sample.dimension == "CM"]
    assert opened and all(sample.conversation_history[0].role == "assistant" for sample in opened)


def test_example_messages_are_turns_of_the_cold_start(ada: Character) -> None:
    turns = example_turns(offline(ada).samples)
    assert [(turn.question, turn.answer, len(turn.conversation_history)) for turn in turns] == [
        ("Is it cold?", "Glass never minds.", 0),
        ("And you?", "I do.", 2),
    ]
    assert {turn.metadata["source"] for turn in turns} == {SOURCE}
    assert all("examples" not in turn.metadata["card"] for turn in turns), "the prompt must not show the reply"
    assert example_turns([sample.model_copy(update={"metadata": {}}) for sample in turns]) == []


def test_a_sample_keeps_the_entries_that_its_conversation_calls_up(ada: Character) -> None:
    for sample in offline(ada, 20).samples:
        kept = sample.metadata["card"].get("lorebook", {}).get("entries", [])
        said = " ".join([sample.question, *(turn.content for turn in sample.conversation_history)]).casefold()
        assert [entry["keys"] for entry in kept] == [
            keys for keys in (["scar", "wound"], ["Old Kiln"]) if any(key.casefold() in said for key in keys)
        ]
        assert "greetings" not in sample.metadata["card"]
