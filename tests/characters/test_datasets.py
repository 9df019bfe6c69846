"""Rows of books and of fine-tuning data (HER, CoSER): each profile in them is a character, and nothing else is."""

import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.characters import read_characters

DIALOGUE = [{"character": "Elinor", "message": "<role_thinking>Hm.</role_thinking>Sir?", "origin_id": [0]}]
HER: dict[str, Any] = {
    "text": "The rain had not let up since the coach left Exeter.",
    "summary": "Elinor meets the captain.",
    "prominence": 80,
    "chapter": "Chapter 3",
    "key_characters": [{"name": "Elinor", "description": "A pastor's daughter of nineteen."}],
    "conversation": [{"scenario": "A drawing room.", "topic": "the ship", "dialogues": DIALOGUE}],
}
PROFILES = {
    "Elinor": {
        "profile": "Elinor is the eldest daughter of a pastor. She works as a governess.",
        "plots": [{"name": "x"}],
    },
    "Captain Reed": {"profile": "A retired sailor who lives in Plymouth.", "utterances": [{"message": "Aye."}]},
}
SYSTEM = """You are Elinor from "The Coach".

===Elinor's Profile===
Elinor is the eldest daughter of a pastor.
Age: 19

===Current Scenario===
A drawing room."""
ROWS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "profiles of a book": (
        {**HER, "character_datasets": PROFILES},
        {"Elinor": str(PROFILES["Elinor"]["profile"]), "Captain Reed": "A retired sailor who lives in Plymouth."},
    ),
    "key characters only": (HER, {"Elinor": "A pastor's daughter of nineteen."}),
    "messages": (
        {"trace_id": "7", "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Sir?"}]},
        {"Elinor": "Elinor is the eldest daughter of a pastor.\nAge: 19"},
    ),
    "conversations": (
        {"conversations": [{"from": "system", "value": SYSTEM.replace("===", "==")}]},
        {"Elinor": "Elinor is the eldest daughter of a pastor.\nAge: 19"},
    ),
}


@pytest.mark.parametrize("kind", ROWS)
def test_every_profile_of_a_row_is_a_character(kind: str, tmp_path: Path) -> None:
    row, people = ROWS[kind]
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    result = read_characters([path])
    assert {character.name: character.text for character in result.characters} == people
    assert result.refused == ()
    told = " ".join(" ".join(character.profile.values()) for character in result.characters)
    for foreign in ("rain had", "drawing room", "Aye", "role_thinking", "Chapter"):
        assert foreign not in told
