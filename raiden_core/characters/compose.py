"""Compose characters from shared word lists, as many as wanted, the same for the same seed.

A small model learns nothing from forty hand-written characters: it needs thousands that share a vocabulary. A
composed character is a name and a few ``key: value`` facts, each value drawn from the list of its attribute. No two
of one call have the same name, and the n-th character depends only on the seed, the language and n.
"""

from __future__ import annotations

import random

from raiden_core.characters.character import Character
from raiden_core.characters.word_lists import WordLists, word_lists
from raiden_core.errors import ConfigError
from raiden_core.prompts import profile_text

SOURCE = "composed"
"""The ``source`` of composed characters; tables have a row by this name."""


def compose(count: int, *, language: str = "zh", facts: tuple[int, int] = (3, 8), seed: int = 0) -> list[Character]:
    """Draw ``count`` characters.

    Args:
        count: how many characters.
        language: one of those that raiden generates for.
        facts: fewest and most facts of a character, the name not counted; every number between is equally likely.
        seed: of the draw.

    Raises:
        ConfigError: no word lists in that language, more facts than attributes, or more characters than names.
    """
    words = word_lists(language)
    attributes = words.attributes
    fewest, most = facts
    if not 1 <= fewest <= most <= len(attributes):
        raise ConfigError(
            f"characters.composed.facts: {list(facts)} is no range within 1 to {len(attributes)}; give [fewest, most]"
        )
    # Half of the names at most: beyond, drawing one that is not taken yet gets slow.
    if count > words.names // 2:
        raise ConfigError(
            f"characters.composed.count: {count} is more than the word lists give; the most is {words.names // 2}"
        )
    taken: set[str] = set()
    characters = []
    for number in range(count):
        rng = random.Random(f"{seed}:{language}:{number}")
        name = ""
        while not name or name in taken:
            name = _name(words, rng)
        taken.add(name)
        keys = rng.sample(sorted(attributes), rng.randint(fewest, most))
        chosen = {key: rng.choice(attributes[key]) for key in keys}
        profile = {words.name_key: name, **chosen}
        characters.append(
            Character(
                name=name,
                language=language,
                profile=profile,
                facts=chosen,
                text=profile_text(profile, language),
                source=SOURCE,
                row=number + 1,
            )
        )
    return characters


def _name(words: WordLists, rng: random.Random) -> str:
    parts = {"surname": rng.choice(words.surnames), "given": rng.choice(words.given)}
    if "second" in words.name_parts:
        parts["second"] = rng.choice(["", *words.given])
    return words.name.format(**parts)
