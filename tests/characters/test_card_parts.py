"""Cards of every version and container: greetings, examples, scene, instructions and lorebook stay what they are."""

import base64
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from raiden_core.cards import Card
from raiden_core.characters import read_characters

V1: dict[str, Any] = {
    "name": "Ilse Brandt",
    "description": "{{char}} repairs clocks in Lübeck.",
    "personality": "patient",
    "scenario": "{{user}} brings {{char}} a clock that runs backwards.",
    "first_mes": "*looks up* Another cuckoo clock, {{user}}?",
    "mes_example": "<START>\n{{user}}: Is it late?\n{{char}}: *winds a spring*\nIt is never late here.\n<START>\n"
    "{{char}}: Mind the pendulum.",
}
V2: dict[str, Any] = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        **V1,
        "alternate_greetings": ["We are closed, {{user}}.", "", "Come in."],
        "system_prompt": "{{original}} Tick softly.",
        "post_history_instructions": "Stay brief.",
        "creator_notes": "made at night",
        "tags": ["clocks"],
        "character_book": {
            "scan_depth": 4,
            "token_budget": 300,
            "recursive_scanning": True,
            "extensions": {},
            "entries": [
                {
                    "keys": ["tower", "{{char}}'s tower"],
                    "secondary_keys": ["bell"],
                    "content": "@@depth 2\nThe tower clock stopped in 1942.",
                    "extensions": {},
                    "enabled": True,
                    "insertion_order": 7,
                    "selective": True,
                    "constant": False,
                    "position": "after_char",
                    "name": "Tower",
                    "priority": 3,
                }
            ],
        },
    },
}
V3: dict[str, Any] = {
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {
        **V2["data"],
        "nickname": "Ils",
        "group_only_greetings": ["Hello all."],
        "character_book": {
            "entries": [
                {"keys": ["/tow(er)?/i"], "content": "x{{hidden_key:bell}}", "use_regex": True, "enabled": True}
            ]
        },
    },
}
BOOK = {
    "entries": [
        {
            "content": "The tower clock stopped in 1942.",
            "keys": ["tower", "Ilse Brandt's tower"],
            "secondary_keys": ["bell"],
            "selective": True,
            "insertion_order": 7.0,
            "priority": 3.0,
            "position": "after_char",
            "name": "Tower",
            "decorators": [{"name": "depth", "value": "2"}],
        }
    ],
    "scan_depth": 4,
    "token_budget": 300,
    "recursive_scanning": True,
}
SAID_V1 = {
    "description": "Ilse Brandt repairs clocks in Lübeck.",
    "personality": "patient",
    "scenario": "the user brings Ilse Brandt a clock that runs backwards.",
    "greetings": ["*looks up* Another cuckoo clock, the user?"],
    "examples": [
        [
            {"role": "user", "content": "Is it late?"},
            {"role": "assistant", "content": "*winds a spring*\nIt is never late here."},
        ],
        [{"role": "assistant", "content": "Mind the pendulum."}],
    ],
}
SAID_V2 = {
    **SAID_V1,
    "system_prompt": "{{original}} Tick softly.",
    "post_history_instructions": "Stay brief.",
    "greetings": [*SAID_V1["greetings"], "We are closed, the user.", "Come in."],
    "lorebook": BOOK,
}


def png(**chunks: dict[str, Any]) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    texts = [
        chunk(b"tEXt", name.encode() + b"\0" + base64.b64encode(json.dumps(card).encode()))
        for name, card in chunks.items()
    ]
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(texts) + chunk(b"IEND", b"")


def charx(card: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("card.json", json.dumps(card))
        archive.writestr("assets/icon/images/main.png", b"no picture")
    return stream.getvalue()


FILES = {
    "v1.json": (json.dumps(V1).encode(), SAID_V1),
    "v2.json": (json.dumps(V2).encode(), SAID_V2),
    "v2.png": (png(chara=V2), SAID_V2),
    "both.png": (png(chara=V1, ccv3=V2), SAID_V2),
    "v2.charx": (charx(V2), SAID_V2),
}


def read(path: Path, data: bytes | dict[str, Any]) -> Card:
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    (character,) = read_characters([path]).characters
    assert character.card is not None
    return character.card


@pytest.mark.parametrize("name", FILES)
def test_a_card_keeps_its_structure(name: str, tmp_path: Path) -> None:
    data, said = FILES[name]
    card = read(tmp_path / name, data)
    assert card.as_json() == said
    assert Card.model_validate(card.as_json()) == card, "a sample's metadata can hold it"


def test_version_3_has_a_nickname_group_greetings_and_expressions(tmp_path: Path) -> None:
    card = read(tmp_path / "v3.charx", charx(V3))
    assert card.description == "Ils repairs clocks in Lübeck."
    assert card.group_only_greetings == ("Hello all.",)
    (entry,) = card.lorebook.entries
    assert (entry.keys, entry.use_regex, entry.content) == (("/tow(er)?/i",), True, "x")
    assert entry.hidden_keys == ("bell",)


def test_the_forms_of_other_programs(tmp_path: Path) -> None:
    older = {
        "char_name": "Ilse",
        "char_persona": "{{char}} repairs clocks.",
        "world_scenario": "A shop.",
        "char_greeting": "Hello.",
        "example_dialogue": "You: Late?\nIlse: Never.",
        "character_book": {
            "entries": {
                "0": {"key": "bell, tower", "keysecondary": ["x"], "content": "B", "order": 2, "disable": True},
                "1": {"key": ["/a,b/i"], "content": "C", "position": 1, "comment": "Sea"},
            }
        },
    }
    card = read(tmp_path / "older.json", older)
    assert (card.description, card.scenario, card.greetings) == ("Ilse repairs clocks.", "A shop.", ("Hello.",))
    assert [(turn.role, turn.content) for turn in card.examples[0]] == [("user", "Late?"), ("assistant", "Never.")]
    first, second = card.lorebook.entries
    assert (first.keys, first.secondary_keys, first.enabled, first.insertion_order) == (
        ("bell", "tower"),
        ("x",),
        False,
        2,
    )
    assert (second.keys, second.position, second.title) == (("/a,b/i",), "after_char", "Sea")


@pytest.mark.parametrize(
    "book", ["text", [], {}, {"entries": None}, {"entries": [None, 3, {"keys": 3, "content": ["a"]}, {"content": 5}]}]
)
def test_a_broken_lorebook_breaks_nothing(book: Any, tmp_path: Path) -> None:
    read(tmp_path / "card.json", {**V1, "character_book": book})


def test_a_profile_without_speech_has_no_card(tmp_path: Path) -> None:
    path = tmp_path / "plain.json"
    path.write_text(json.dumps({"name": "Ann", "description": "A nurse.", "age": 4}))
    assert read_characters([path]).characters[0].card is None
