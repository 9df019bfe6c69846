"""What the offline teacher knows about attributes and memories, read from ``templates/<language>.yaml``.

The files are data for people to edit; this module gives them types, and refuses at loading what would surprise later:
an unknown placeholder, a key that two attributes claim, an attribute that cannot be asked in two ways.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, cached_property
from importlib import resources
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from raiden_core.errors import DataError
from raiden_core.samples import Difficulty, QuestionType

LANGUAGES = ("zh", "en", "ja", "ko")

Shape = Literal["text", "place", "date", "number", "quote", "person", "named", "name"]
"""How a value is read: only ``text``, ``person`` and ``named`` (a pet and the like) are split into a list."""

PLACEHOLDERS = {
    "key",
    "your_key",
    "my_key",
    "My_key",
    "value",
    "Value",
    "a_value",
    "n_value",
    "name",
    "me",
    "is",
    "said",
    "answer",
}

_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_SECOND_PERSON = re.compile(r"^(?:你的|您的|your\s+|あなたの|당신의\s+|너의\s+)(?=\S)", re.IGNORECASE)
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Attribute(BaseModel):
    """One attribute: its names in profiles, and how it is asked and told."""

    model_config = _STRICT

    keys: tuple[str, ...] = Field(min_length=1)
    questions: tuple[str, ...] = Field(min_length=2)
    answers: tuple[str, ...] = Field(min_length=1)
    type: QuestionType = "what"
    difficulty: Difficulty = "easy"
    shape: Shape = "text"
    phrase: str | None = None
    """What to call it where the profile's key is no noun (``lives in``); None means the key itself."""
    proper: bool = False
    """Values are proper names: English leaves their capitals alone and gives them no article."""
    exclusive: bool = True
    """Whether one value excludes another; where not, there are no distractors."""
    rivals: tuple[str, ...] = ()
    """Distractors for when the other characters offer too few."""
    values: tuple[tuple[str, ...], ...] = ()
    """All values there are, in groups of equivalents; empty where anything may stand."""


class Wording(BaseModel):
    """Ways to ask and to tell."""

    model_config = _STRICT

    questions: tuple[str, ...] = Field(min_length=2)
    answers: tuple[str, ...] = Field(min_length=1)


class Generic(BaseModel):
    """Wordings for keys that the catalogue does not know."""

    model_config = _STRICT

    plain: Wording
    """The key reads as a noun."""
    number: Wording
    """The same, and the value is a number."""
    quoted: Wording
    """The key is odd (digits, punctuation, a verb): it is quoted."""


class Reasoning(BaseModel):
    """The role-aware chain of thought: who am I, where does it stand, how do I say it."""

    model_config = _STRICT

    script: tuple[str, ...] = Field(min_length=1)
    memory: tuple[str, ...] = Field(min_length=1)


class Memory(BaseModel):
    """One kind of detail that a user mentions and asks for later."""

    model_config = _STRICT

    type: QuestionType
    difficulty: Difficulty = "medium"
    says: tuple[str, ...] = Field(min_length=1)
    replies: tuple[str, ...] = Field(min_length=1)
    questions: tuple[str, ...] = Field(min_length=1)
    answers: tuple[str, ...] = Field(min_length=1)
    values: tuple[str, ...] = Field(min_length=15)


class Catalogue(BaseModel):
    """Everything of one language."""

    model_config = _STRICT

    generic: Generic
    reasoning: Reasoning
    aside: str
    """How a character brings up something about itself; ``{answer}`` is what it says."""
    small_talk: tuple[tuple[str, str], ...]
    attributes: dict[str, Attribute]
    memory: dict[str, Memory]

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        owners: dict[str, str] = {}
        for name, attribute in self.attributes.items():
            for key in attribute.keys:
                owner = owners.setdefault(normal_key(key), name)
                if owner != name:
                    raise ValueError(f"the key {key!r} belongs to {owner} and to {name}")
        for template in self.templates():
            unknown = set(_PLACEHOLDER.findall(template)) - PLACEHOLDERS
            if unknown:
                raise ValueError(f"unknown placeholder {{{unknown.pop()}}} in {template!r}")
        return self

    def templates(self) -> list[str]:
        """Every sentence with placeholders."""
        generic = (self.generic.plain, self.generic.number, self.generic.quoted)
        entries: list[Attribute | Wording | Memory] = [*self.attributes.values(), *generic, *self.memory.values()]
        sentences = [sentence for entry in entries for sentence in (*entry.questions, *entry.answers)]
        said = [sentence for entry in self.memory.values() for sentence in (*entry.says, *entry.replies)]
        return sentences + said + [self.aside, *self.reasoning.script, *self.reasoning.memory]

    @cached_property
    def index(self) -> dict[str, str]:
        """From normalised keys to names of attributes."""
        return {normal_key(key): name for name, attribute in self.attributes.items() for key in attribute.keys}

    def find(self, key: str) -> str | None:
        """The name of the attribute that a profile's key means, or None."""
        return self.index.get(normal_key(key))


@cache
def load(language: str) -> Catalogue:
    """The catalogue of one of `LANGUAGES`.

    Raises:
        DataError: its file does not hold what it should; the message names file and entry.
    """
    file = resources.files("raiden_core.generation.offline") / "templates" / f"{language}.yaml"
    try:
        return Catalogue.model_validate(yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{file}: {place}: {first['msg']}") from None
    except yaml.YAMLError as error:
        raise DataError(f"{file}: broken YAML: {' '.join(str(error).split())}") from None


def normal_key(key: str) -> str:
    """A key without markdown, numbering, parentheses and spelling variants, for looking up."""
    key = unicodedata.normalize("NFKC", plain_key(key)).lower()
    return key.replace("favorite", "favourite").replace("_", " ")


def plain_key(key: str) -> str:
    """A key as a sentence may hold it: no markdown, no numbering, no *your*, no parenthesis."""
    key = re.sub(r"^[\s#>*•・\-]*(?:\d{1,2}[.)、．]\s*)?|[*`]", "", key)
    key = _SECOND_PERSON.sub("", key)
    key = re.sub(r"\s*[(（\[【][^)）\]】]*[)）\]】]\s*", "", key)
    return re.sub(r"\s+", " ", key).strip(" 　:：,，、。.\"“”'’‘「」")
