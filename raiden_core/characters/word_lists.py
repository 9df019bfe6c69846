"""The word lists from which characters are composed: ``composed/<language>.yaml``, all of one form.

The files are data for people to edit, so loading refuses what would make samples that no answer can satisfy fairly: a
value that stands twice, and a value inside another one or inside a key, where a right answer about one mentions both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from raiden_core.characters.language import SUPPORTED
from raiden_core.errors import ConfigError, DataError
from raiden_core.text.strict_yaml import YamlFault, load_strict

_PLACEHOLDERS = frozenset({"surname", "given", "second"})
_QUANTITY = re.compile(r"[0-9〇零一二三四五六七八九十百千]+ ?[^0-9〇零一二三四五六七八九十百千]{1,10}")
"""A number with its unit. Such values are matched by what they amount to, so 十九岁 is not found in 四十九岁."""


def _is_plain(word: str) -> str:
    if not word or word != word.strip() or re.search(r"[:：\n]", word):
        raise ValueError(f"{word!r} is no word for a `key: value` line; take colons, line ends and outer spaces out")
    return word


def _is_distinct(words: tuple[str, ...]) -> tuple[str, ...]:
    met: set[str] = set()
    for word in words:
        if word.casefold() in met:
            raise ValueError(f"{word!r} stands twice; take one out")
        met.add(word.casefold())
    return words


Word = Annotated[str, AfterValidator(_is_plain)]
Words = Annotated[tuple[Word, ...], Field(min_length=1), AfterValidator(_is_distinct)]


class WordLists(BaseModel):
    """Names, attributes and values of one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name_key: Word
    """What the field of the name is called."""
    name: str
    """How a name is put together from ``{surname}``, ``{given}`` and ``{second}``, another given name or nothing."""
    surnames: Words
    given: Words
    attributes: dict[Word, Words] = Field(min_length=1)
    """Key -> its values."""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if not {"surname", "given"} <= self.name_parts <= _PLACEHOLDERS:
            raise ValueError("name: it needs {surname} and {given}, may have {second}, and nothing else in braces")
        if self.name_key in self.attributes:
            raise ValueError(f"name_key: {self.name_key!r} is an attribute too; rename one")
        for key, values in self.attributes.items():
            for value in values:
                for other in (*values, self.name_key, *self.attributes):
                    if other != value and stands_in(value, other):
                        raise ValueError(f"attributes.{key}: {value!r} stands in {other!r}; replace one")
        return self

    @property
    def name_parts(self) -> frozenset[str]:
        """The placeholders of `name`."""
        return frozenset(re.findall(r"\{(\w*)\}", self.name))

    @property
    def names(self) -> int:
        """How many names the lists give at most."""
        seconds = len(self.given) + 1 if "second" in self.name_parts else 1
        return len(self.surnames) * len(self.given) * seconds


def stands_in(value: str, text: str) -> bool:
    """Whether an answer that says ``text`` says ``value`` too: Latin words are found as whole words, others anywhere."""
    value, text = value.casefold(), text.casefold()
    if value not in text or (_QUANTITY.fullmatch(value) and _QUANTITY.fullmatch(text)):
        return False
    return re.search(rf"(?<![a-z0-9]){re.escape(value)}(?![a-z0-9])", text) is not None


@cache
def word_lists(language: str) -> WordLists:
    """The word lists of one of raiden's languages.

    Raises:
        ConfigError: there are none in that language.
        DataError: the file does not hold what it should; the message names file and key.
    """
    if language not in SUPPORTED:
        raise ConfigError(
            f"characters.composed.language: no word lists for {language!r}; use one of {', '.join(SUPPORTED)}"
        )
    file = resources.files("raiden_core.characters") / "composed" / f"{language}.yaml"
    return parse_word_lists(file.read_text("utf-8"), f"{language}.yaml")


def parse_word_lists(text: str, file: str) -> WordLists:
    """The word lists in the text of a file; ``file`` is what messages call it.

    Raises:
        DataError: see `word_lists`.
    """
    try:
        return WordLists.model_validate(load_strict(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in _place(first["loc"]))
        raise DataError(f"{file}: {where}{first['msg'].removeprefix('Value error, ')}") from None
    except YamlFault as error:
        raise DataError(f"{file}: {error}") from None


def _place(loc: tuple[int | str, ...]) -> Iterator[str]:
    """The place of an error as one dotted key, if there is one; list positions count from 1."""
    if loc:
        yield ".".join(str(part + 1 if isinstance(part, int) else part) for part in loc)
