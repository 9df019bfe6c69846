"""From the prose of a profile to what its sentences state of the character."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from raiden_core.characters.character import Character
from raiden_core.characters.fields import is_made_of_fields, split_fields
from raiden_core.characters.keys import fold_key, folded, is_description_key, is_meta_key, is_name_key
from raiden_core.characters.lines import CJK, field_of_line
from raiden_core.characters.owners import about, is_other, is_relations
from raiden_core.characters.sentences.tables import CHARACTER, LANGUAGES, Row, Rules, load

MAX_SENTENCE_CHARS = 300
"""A longer sentence says more than one thing, and no rule reads it."""
_PROSE = folded(
    "personality|appearance|looks|likes and dislikes|habits|traits|性格|外貌|性格特点|外見|見た目|성격|외모|외형"
)
"""Fields beside descriptions in which pronouns mean the character."""
_EASTERN = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_EMPHASIS = re.compile(r"\*+|__+|`")


@dataclass(frozen=True)
class StatedFact:
    """One thing that a sentence states."""

    key: str
    value: str
    evidence: str
    """The sentence, as the profile has it."""


@dataclass(frozen=True)
class Stated:
    """What the prose of a profile states."""

    facts: tuple[StatedFact, ...] = ()
    left: tuple[str, ...] = ()
    """The sentences of which nothing was used."""


def read_sentences(character: Character) -> Stated:
    """What the sentences of a profile state.

    What a field says already is not said again, and what two sentences say differently is left: either would be half of a right
    answer.
    """
    if character.language not in LANGUAGES:
        return Stated()
    rules = load(character.language)
    known = {fold_key(key) for key in character.facts}
    read: list[tuple[str, list[StatedFact]]] = []
    for key, text in character.profile.items():
        if _is_prose(key, text, character):
            certain = is_description_key(key) or fold_key(key) in _PROSE
            read += sentences_of(text, rules, names_of(character.name or "", character.language), certain)
    values: dict[str, set[str]] = {}
    for _, found in read:
        for fact in found:
            values.setdefault(fold_key(fact.key), set()).add(fact.value)
    certain_keys = {key for key, said in values.items() if len(said) == 1} - known
    facts = {fold_key(fact.key): fact for _, found in read for fact in found if fold_key(fact.key) in certain_keys}
    used = {fact.evidence for fact in facts.values()}
    left = [sentence for sentence, found in read if sentence not in used and not _is_said(found, known)]
    return Stated(tuple(facts.values()), tuple(left))


def _is_said(found: list[StatedFact], known: set[str]) -> bool:
    """Whether fields say already what a sentence states."""
    return bool(found) and all(fold_key(fact.key) in known for fact in found)


def _is_prose(key: str, text: str, character: Character) -> bool:
    if (
        is_name_key(key)
        or is_meta_key(key)
        or about(key)
        or is_other(key)
        or is_relations(key)
        or key in character.facts
    ):
        return False
    return "\n" in text or len(text) > 12 or is_description_key(key)


def sentences_of(
    text: str, rules: Rules, names: re.Pattern[str] | None, certain: bool = True
) -> Iterator[tuple[str, list[StatedFact]]]:
    """Each sentence of a text with what it states of the character.

    Args:
        text: prose; lines that are fields are passed over, for they are facts of their own.
        rules: of the text's language.
        names: what the character is called.
        certain: whether a pronoun at the beginning, or no subject at all, means the character.
    """
    if is_made_of_fields(split_fields(text)):
        text = split_fields(text).lead
    focused = certain
    for match in rules.sentence.finditer(text):
        sentence = match.group().strip()
        if match.group() == "\n":
            continue
        plain = _EMPHASIS.sub("", sentence)
        if not any(map(str.isalnum, plain)) or field_of_line(plain.split("\n", 1)[0]) is not None:
            continue
        said = plain if names is None else names.sub(CHARACTER, plain)
        named = said.startswith(CHARACTER)
        found = list(_read(said, sentence, rules, focused or named)) if len(said) <= MAX_SENTENCE_CHARS else []
        yield sentence, found
        # From now on a pronoun is somebody else's, until the character is named again.
        if rules.others.search(said):
            focused = False
        elif named:
            focused = True


def _read(said: str, sentence: str, rules: Rules, focused: bool) -> Iterator[StatedFact]:
    ends = rules.table.clause_end
    bare = re.sub(rf"(?:{rules.table.sentence_end})$", "", said).strip()
    clauses = [part.strip() for part in re.split(ends, bare)] if ends and not rules.quoted.search(bare) else [bare]
    for number, clause in enumerate(clauses):
        if number and not clause.startswith(CHARACTER) and rules.others.search("".join(clauses[:number])):
            return
        for row, pattern in rules.rows:
            if row.despite:
                if rules.blockers.search(re.sub(row.despite, "", said)):
                    continue
            elif rules.blockers.search(said) or (rules.quoted.search(said)):
                continue
            match = pattern.fullmatch(clause)
            if match is None or not (focused or CHARACTER in match.group()[: match.start("value")]):
                continue
            if facts := list(_facts(match, row, sentence, rules)):
                yield from facts
                break


def _facts(match: re.Match[str], row: Row, sentence: str, rules: Rules) -> Iterator[StatedFact]:
    value = _value(match["value"], row, rules)
    if value is None:
        return
    groups = match.groupdict()
    kind = (groups.get("kind") or "").strip()
    yield StatedFact(row.attribute.replace("{kind}", kind), value, sentence)
    for group, attribute in row.more.items():
        if groups.get(group):
            yield StatedFact(attribute, groups[group].strip(), sentence)


def _value(raw: str, row: Row, rules: Rules) -> str | None:
    """The value without what follows it in the sentence; None where it is none."""
    value = raw
    if rules.table.cuts:
        value = re.split(rules.table.cuts, value, maxsplit=1)[0]
    value = value.strip(" \t\u3000,，、.。\"“”「」『』'‘’")
    size = len(value) if CJK.search(value) or rules.table.longest > 8 else len(value.split())
    if (
        not value
        or size > rules.table.longest
        or CHARACTER in value
        or rules.not_values.search(value)
        or rules.others.search(value)
    ):
        return None
    return value if not row.where or re.search(row.where, value) else None


@lru_cache(maxsize=256)
def names_of(name: str, language: str) -> re.Pattern[str] | None:
    """What a text calls the character: the name, and its parts where they stand alone."""
    if not name.strip():
        return None
    if language == "en" or not _EASTERN.search(name):
        parts = [name, *(word for word in re.split(r"[\s,]+", name) if len(word) > 2 and word[0].isupper())]
        return re.compile("|".join(rf"\b{re.escape(part)}\b" for part in _longest_first(parts)))
    parts = [name, *(part for part in re.split(r"[\s·・]+", name) if part)]
    if len(parts) == 2 and language in ("zh", "ko") and len(name) == 3:
        parts.append(name[1:])
    elif len(parts) == 2 and language == "ja" and len(name) in (3, 4):
        # A family name has mostly two letters.
        parts += [name[:2], name[2:]]
    # One letter alone is a name only where it is a topic.
    choices = [re.escape(part) + ("(?=[はがのも])" if len(part) == 1 else "") for part in _longest_first(parts)]
    return re.compile("|".join(choices))


def _longest_first(parts: list[str]) -> list[str]:
    return sorted(set(parts), key=lambda part: (-len(part), part))
