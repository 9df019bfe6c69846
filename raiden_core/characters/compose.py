"""Compose characters from shared word lists, as many as wanted, the same for the same seed.

A small model learns nothing from forty hand-written characters: it needs thousands that share a vocabulary. A
composed character is a name and a few ``key：value`` facts, each value drawn from the list of its attribute. No two
of one call have the same name, and the n-th character depends only on the seed, the language and n.
"""

from __future__ import annotations

import functools
import random
from importlib import resources
from typing import Any

import yaml

from raiden_core.characters.character import Character
from raiden_core.errors import ConfigError

SOURCE = "composed"
"""The ``source`` of composed characters; tables have a row by this name."""

LANGUAGES = ("zh",)
"""Languages that have word lists."""


def compose(count: int, *, language: str = "zh", facts: tuple[int, int] = (3, 8), seed: int = 0) -> list[Character]:
    """Draw ``count`` characters.

    Args:
        count: how many characters.
        language: one of `LANGUAGES`.
        facts: fewest and most facts of a character, the name not counted; every number between is equally likely.
        seed: of the draw.

    Raises:
        ConfigError: no word lists in that language, more facts than attributes, or more characters than names.
    """
    words = _word_lists(language)
    surnames, given, attributes = words["surnames"], words["given"], words["attributes"]
    fewest, most = facts
    if not 1 <= fewest <= most <= len(attributes):
        raise ConfigError(
            f"characters.composed.facts: {list(facts)} is no range within 1 to {len(attributes)}; give [fewest, most]"
        )
    names_there_are = len(surnames) * len(given) * (len(given) + 1)
    if count > names_there_are // 2:
        raise ConfigError(
            f"characters.composed.count: {count} is more than the word lists give; the most is {names_there_are // 2}"
        )
    taken: set[str] = set()
    characters = []
    for number in range(count):
        rng = random.Random(f"{seed}:{language}:{number}")
        name = ""
        while not name or name in taken:
            name = rng.choice(surnames) + rng.choice(given) + rng.choice(["", *given])
        taken.add(name)
        keys = rng.sample(sorted(attributes), rng.randint(fewest, most))
        chosen = {key: rng.choice(attributes[key]) for key in keys}
        profile = {words["name_key"]: name, **chosen}
        text = "\n".join(f"{key}：{value}" for key, value in profile.items())
        characters.append(
            Character(
                name=name,
                language=language,
                profile=profile,
                facts=chosen,
                text=text,
                source=SOURCE,
                row=number + 1,
            )
        )
    return characters


@functools.cache
def _word_lists(language: str) -> dict[str, Any]:
    if language not in LANGUAGES:
        raise ConfigError(
            f"characters.composed.language: no word lists for {language!r}; use one of {', '.join(LANGUAGES)}"
        )
    text = resources.files("raiden_core.characters").joinpath("composed", f"{language}.yaml").read_text("utf-8")
    raw = yaml.safe_load(text)
    return {
        "surnames": raw["surnames"].split(),
        "given": raw["given"].split(),
        "name_key": raw["name_key"],
        "attributes": {key: values.split() for key, values in raw["attributes"].items()},
    }
