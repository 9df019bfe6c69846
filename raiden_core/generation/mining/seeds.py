"""Seeds: questions with answers, and conversations, that people wrote, to mine samples from like the teacher's own.

    seeds = read_seeds(["gold_qa.jsonl", "dialogues.jsonl"], characters)

A row with ``question`` and ``reference`` (or ``answer``) becomes an SBK question with that reference; one with
``messages`` becomes the conversation of a CM question. ``name`` says whose it is: the character of the row's own
``profile_text`` (or ``profile``, ``scenario``), else one of the run's characters of that name. Where neither is there,
all questions and answers of a name together are its profile: they are what is known of it. A conversation alone is no
profile. Rows that cannot be used are refused with their place and the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raiden_core.characters.character import Character, Refusal
from raiden_core.characters.drafts import NotACharacter, character_of, draft_of_text
from raiden_core.characters.language import detect_language
from raiden_core.errors import DataError
from raiden_core.generation.made import identity
from raiden_core.generation.mining.conversations import MIN_TURNS
from raiden_core.generation.mining.questions import DIFFICULTIES, TYPES
from raiden_core.generation.offline.catalogue import LANGUAGES
from raiden_core.rewards import fold
from raiden_core.samples import Difficulty, QuestionType, Turn, iter_rows

PROFILE_KEYS = ("profile_text", "profile", "character_profile", "scenario")
MAX_TURNS = 20
"""Of a longer conversation the first turns are taken."""
MAX_COLLECTED = 8000
"""Characters of a profile that is made of questions and answers; what comes after is refused."""
_ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "model": "assistant"}
_COLLECTED = {
    "zh": ("姓名", "问答"),
    "en": ("Name", "Questions and answers"),
    "ja": ("名前", "問答"),
    "ko": ("이름", "문답"),
}
_TYPES: tuple[tuple[QuestionType, str], ...] = (
    ("why", r"为什么|为何|为啥|\bwhy\b|なぜ|どうして|왜"),
    ("where", r"哪里|哪儿|何处|什么地方|\bwhere\b|どこ|어디"),
    ("when", r"什么时候|何时|哪年|哪天|几点|\bwhen\b|いつ|언제"),
    ("who", r"谁|何人|\bwho(?:se|m)?\b|誰|だれ|누구|누가"),
    ("how", r"怎么|怎样|如何|多少|几|\bhow\b|どう|どのよう|いくつ|어떻게|얼마|몇"),
)
"""What a question asks for, by its question word; the first that is there counts, and all others are ``what``."""


@dataclass
class Seeded:
    """What there is to be mined for one character."""

    character: Character
    questions: list[SeedQuestion] = field(default_factory=list)
    talks: list[SeedTalk] = field(default_factory=list)
    own: bool = True
    """Whether only the seeds know this character; it gets no questions of the teacher's then."""


@dataclass(frozen=True)
class SeedQuestion:
    """A question with the answer that came with it."""

    place: str
    question: str
    reference: str
    question_type: QuestionType
    difficulty: Difficulty


@dataclass(frozen=True)
class SeedTalk:
    """A conversation."""

    place: str
    history: tuple[Turn, ...]


@dataclass(frozen=True)
class Seeds:
    """What was read from the files of seeds."""

    characters: Mapping[str, Seeded] = field(default_factory=dict)
    """By the character's identity, in the order of the files."""
    refused: tuple[Refusal, ...] = ()


class _Unusable(Exception):
    """A row that cannot be used; ``str()`` says why."""


def read_seeds(paths: Sequence[str], characters: Sequence[Character]) -> Seeds:
    """The seeds of files (.jsonl, .json, .parquet), each with its character.

    Raises:
        DataError: a file is missing or as a whole no file of rows.
    """
    reader = _Reader(characters)
    for path in paths:
        for number, row in enumerate(_rows(Path(path)), 1):
            try:
                if isinstance(row, str):
                    raise _Unusable(row)
                reader.read(row, path, number)
            except _Unusable as error:
                reader.refused.append(Refusal(path, number, str(error)))
    return reader.seeds()


class _Reader:
    def __init__(self, characters: Sequence[Character]) -> None:
        self.refused: list[Refusal] = []
        self._known: dict[str, Character] = {}
        for character in characters:
            if character.name:
                self._known.setdefault(fold(character.name), character)
        self._seeded: dict[str, Seeded] = {}
        self._waiting: dict[tuple[str, str], list[tuple[SeedQuestion, str, int]]] = {}

    def read(self, row: Any, path: str, number: int) -> None:
        if not isinstance(row, dict):
            raise _Unusable("not an object with a question or a conversation")
        name = row.get("name", row.get("character_name"))
        if not isinstance(name, str) or not name.strip():
            raise _Unusable("no name; say in `name` whose it is")
        place = f"{path}: row {number}"
        messages = row.get("messages", row.get("conversation"))
        if messages is not None:
            talk = SeedTalk(place, _history(messages))
            owner = self._owner(row, name, path, number)
            if owner is None:
                raise _Unusable(f"nothing is known of {name!r}; add `profile_text`, or a character of that name")
            owner.talks.append(talk)
            return
        question, reference = _text(row, "question"), _text(row, "reference", "answer")
        seed = SeedQuestion(place, question, reference, _type(row, question), _difficulty(row))
        owner = self._owner(row, name, path, number)
        if owner is not None:
            owner.questions.append(seed)
            return
        language = _language(row, f"{question}\n{reference}")
        self._waiting.setdefault((language, name), []).append((seed, path, number))

    def seeds(self) -> Seeds:
        for (language, name), rows in self._waiting.items():
            self._collect(language, name, rows)
        return Seeds(self._seeded, tuple(self.refused))

    def _owner(self, row: Mapping[str, Any], name: str, path: str, number: int) -> Seeded | None:
        """Whose a row is: its own profile's character, else the run's of that name."""
        text = next((row[key] for key in PROFILE_KEYS if isinstance(row.get(key), str) and row[key].strip()), None)
        fields = next((row[key] for key in PROFILE_KEYS if isinstance(row.get(key), dict) and row[key]), None)
        if text is None and fields is not None:
            text = "\n".join(f"{key}: {value}" for key, value in fields.items())
        if text is None:
            known = self._known.get(fold(name))
            return None if known is None else self._of(known, own=False)
        try:
            character = character_of(draft_of_text(text, name=name), path, number)
        except NotACharacter as error:
            raise _Unusable(f"profile: {error}") from None
        if character.language not in LANGUAGES:
            raise _Unusable(f"language {character.language!r} is none of {', '.join(LANGUAGES)}")
        return self._of(character, own=True)

    def _of(self, character: Character, own: bool) -> Seeded:
        return self._seeded.setdefault(identity(character), Seeded(character, own=own))

    def _collect(self, language: str, name: str, rows: Sequence[tuple[SeedQuestion, str, int]]) -> None:
        """A character whose profile is all that its questions and answers say."""
        lines: list[str] = []
        used: list[SeedQuestion] = []
        for seed, path, number in rows:
            line = f"{seed.question} {seed.reference}"
            if sum(map(len, lines)) + len(line) > MAX_COLLECTED:
                self.refused.append(Refusal(path, number, f"the answers of {name!r} already fill a profile"))
                continue
            lines.append(line)
            used.append(seed)
        if not used:
            return
        name_key, key = _COLLECTED[language]
        text = "\n".join(lines)
        source, row = rows[0][1], rows[0][2]
        character = Character(name, language, {name_key: name, key: text}, {}, text, source, row)
        self._of(character, own=True).questions.extend(used)


def _rows(path: Path) -> Iterator[Any]:
    """The rows of a file; a line of a .jsonl file that is no JSON comes as the words that say so."""
    if path.suffix != ".jsonl":
        for _, row in iter_rows(path):
            yield row
        return
    if not path.is_file():
        raise DataError(f"{path}: no such file; teacher.seeds names it")
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for line in lines:
                if not line.strip():
                    yield "blank line"
                    continue
                try:
                    yield json.loads(line)
                except (json.JSONDecodeError, RecursionError):
                    yield "broken JSON"
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None


def _history(messages: Any) -> tuple[Turn, ...]:
    """Alternating turns, from the user's first to the character's last of the first `MAX_TURNS`."""
    if not isinstance(messages, list):
        raise _Unusable("messages is no list of turns")
    turns: list[tuple[str, str]] = []
    for message in messages:
        if not isinstance(message, dict):
            raise _Unusable("messages holds something that is no turn")
        role = _ROLES.get(str(message.get("role", message.get("from"))).lower())
        content = message.get("content", message.get("value"))
        if role is None or not isinstance(content, str):
            raise _Unusable("messages holds a turn without a known role or without text")
        if turns and turns[-1][0] == role:
            turns[-1] = (role, f"{turns[-1][1]}\n{content.strip()}")
        elif turns or role == "user":
            turns.append((role, content.strip()))
    turns = turns[: min(MAX_TURNS, len(turns)) // 2 * 2]
    if len(turns) < MIN_TURNS:
        raise _Unusable(f"fewer than {MIN_TURNS} turns that alternate between user and assistant")
    return tuple(Turn.model_validate({"role": role, "content": content}) for role, content in turns)


def _text(row: Mapping[str, Any], *keys: str) -> str:
    for key in keys:
        value = row.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
    raise _Unusable(f"no {' or '.join(keys)}")


def _language(row: Mapping[str, Any], text: str) -> str:
    declared = row.get("language")
    language = detect_language(text, declared if isinstance(declared, str) else None)
    if language not in LANGUAGES:
        raise _Unusable(f"language {language!r} is none of {', '.join(LANGUAGES)}")
    return language


def _type(row: Mapping[str, Any], question: str) -> QuestionType:
    declared = next((known for known in TYPES if row.get("question_type") == known), None)
    if declared is not None:
        return declared
    return next((kind for kind, words in _TYPES if re.search(words, question, re.IGNORECASE)), "what")


def _difficulty(row: Mapping[str, Any]) -> Difficulty:
    declared = row.get("difficulty")
    return next((known for known in DIFFICULTIES if declared == known), "medium")
