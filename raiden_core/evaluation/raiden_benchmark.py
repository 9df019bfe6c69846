"""Benchmark files in the format of RAIDEN (COLING 2025) as samples for the judge.

    samples, notes = read_benchmark(Path("RAIDEN/release_data"))

The folder holds two files:

- ``npc.json``: character's name -> ``{"npc_type", "npc_setting"}``; the setting is the profile as text.
- ``dialogue.json``: id -> ``{"npc_name", "messages": [{"role", "text"}, …], "reference", "metrics": [code, …]}``. The role
  ``user`` is the user, every other one the character. The last message is what the character replies to.

A code is a letter of the benchmark's own, with a part number where a dimension has parts (``K2-1``); one entry may hold
several, separated by ``、`` or white space. `DIMENSIONS` says which dimension a code stands for; ``I`` (actions of the
present turn) has no public name and no rubric here.

There are no keywords, so such samples are for the judge alone. Whatever cannot be read is left out and counted, never
guessed; docs/evaluation.md says what about the format could not be verified.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from raiden_core.characters.character import Character
from raiden_core.characters.drafts import NotACharacter, character_of, draft_of_text
from raiden_core.errors import DataError
from raiden_core.samples import Sample, Turn

NPC_FILE, DIALOGUE_FILE = "npc.json", "dialogue.json"

DIMENSIONS = {
    "A": "SBK", "B": "RCB", "C": "SCK", "D": "SAK", "E": "PLS", "F": "ER",
    "G": "TS", "H": "TA", "J": "PB", "K1": "CM1", "K2": "CM2", "L": "CC",
}  # fmt: skip
"""The benchmark's code -> the dimension that its paper names."""

NAMED = 3
"""So many of what was left out are named in a note."""

_SEPARATOR = re.compile(r"[、,，;；\s]+")


def read_benchmark(folder: Path) -> tuple[list[Sample], list[str]]:
    """The dialogues that can be judged, in the file's order, and a note for each kind of those that cannot.

    Raises:
        DataError: a file is missing or is not in this format, or nothing in it can be judged.
    """
    npcs = _object(folder / NPC_FILE)
    dialogues = _object(folder / DIALOGUE_FILE)
    characters: dict[str, Character | None] = {}
    samples: list[Sample] = []
    left_out: dict[str, list[str]] = {}
    for key, dialogue in dialogues.items():
        sample = _sample(key, dialogue, npcs, characters, folder / DIALOGUE_FILE)
        if isinstance(sample, Sample):
            samples.append(sample)
        else:
            left_out.setdefault(sample, []).append(key)
    notes = [_note(reason, keys) for reason, keys in left_out.items()]
    if not samples:
        raise DataError(f"{folder / DIALOGUE_FILE}: no dialogue that can be judged. {' '.join(notes)}".strip())
    counts = Counter(sample.id for sample in samples)
    if repeated := sum(number - 1 for number in counts.values()):
        notes.append(f"{repeated} dialogues repeat another one's character, history and message; the first one counts.")
    return list({sample.id: sample for sample in reversed(samples)}.values())[::-1], notes


def codes_of(metrics: object) -> list[str]:
    """The codes of a dialogue's ``metrics``: a list or a text, each entry with one or several codes."""
    entries = metrics if isinstance(metrics, list) else [metrics]
    parts = (part for entry in entries if isinstance(entry, str) for part in _SEPARATOR.split(entry.strip()))
    return [part for part in parts if part]


def dimensions_of(codes: list[str]) -> tuple[str, ...]:
    """The dimensions of codes, each once; a code without one gives none."""
    found = (DIMENSIONS.get(code.partition("-")[0].upper()) for code in codes)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _sample(
    key: str, dialogue: Any, npcs: Mapping[str, Any], characters: dict[str, Character | None], where: Path
) -> Sample | str:
    """A dialogue as a sample, or why it is none.

    Raises:
        DataError: it is not in the format at all.
    """
    if not isinstance(dialogue, dict):
        raise DataError(f"{where}: {key}: not an object; each dialogue has npc_name, messages, reference and metrics")
    name = dialogue.get("npc_name")
    if not isinstance(name, str) or name not in npcs:
        return f"their npc_name is not in {NPC_FILE}"
    if name not in characters:
        characters[name] = _character(name, npcs[name], where.with_name(NPC_FILE))
    character = characters[name]
    if character is None:
        return "their character has no npc_setting"
    turns = list(_turns(dialogue.get("messages"), f"{where}: {key}"))
    if not turns or turns[-1].role != "user" or not turns[-1].content.strip():
        return "their last message is not the user's"
    codes = codes_of(dialogue.get("metrics"))
    dimensions = dimensions_of(codes)
    if not dimensions:
        return "none of their metrics has a rubric"
    if turns[0].role == "assistant":
        # The benchmark's own runner does the same: chat templates want the user to speak first.
        turns.insert(0, Turn(role="user", content=""))
    reference = dialogue.get("reference")
    return Sample(
        character_name=name,
        character_profile=dict(character.profile),
        conversation_history=tuple(turns[:-1]),
        question=turns[-1].content,
        answer=reference if isinstance(reference, str) else "",
        keywords=(),
        dimension="CM" if {"CM1", "CM2"} & set(dimensions) else "SBK",
        language=character.language,
        metadata={
            "source": "RAIDEN",
            "raiden_id": key,
            "raiden_metrics": codes,
            "dimensions": list(dimensions),
            "npc_type": npcs[name].get("npc_type"),
        },
    )


def _character(name: str, npc: Any, where: Path) -> Character | None:
    """The character as any other text about a character is read; None where nothing is said about it."""
    setting = npc.get("npc_setting") if isinstance(npc, dict) else None
    if not isinstance(setting, str):
        return None
    try:
        return character_of(draft_of_text(setting, name=name), str(where), None)
    except NotACharacter:
        return None


def _turns(messages: Any, where: str) -> Iterator[Turn]:
    if not isinstance(messages, list):
        raise DataError(f"{where}: messages: not a list of {{role, text}}")
    for number, message in enumerate(messages, 1):
        text = message.get("text") if isinstance(message, dict) else None
        if not isinstance(text, str):
            raise DataError(f"{where}: messages.{number}: no text; each message is {{role, text}}")
        yield Turn(role="user" if str(message.get("role")).lower() == "user" else "assistant", content=text)


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; a benchmark folder holds {NPC_FILE} and {DIALOGUE_FILE}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    except RecursionError:
        raise DataError(f"{path}: broken JSON: nested too deeply") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: broken JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not isinstance(value, dict):
        raise DataError(f"{path}: not a JSON object; a RAIDEN benchmark maps names or ids to objects")
    return value


def _note(reason: str, keys: list[str]) -> str:
    named = ", ".join(keys[:NAMED]) + (", …" if len(keys) > NAMED else "")
    return f"{len(keys)} dialogues are left out, because {reason} ({named})."
