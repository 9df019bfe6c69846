"""`Card`: the parts of a character card that its profile does not hold."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from raiden_core.samples import Turn

Position = Literal["before_char", "after_char"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    def as_json(self) -> dict[str, Any]:
        """The part as a JSON object, without what has its default."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Decorator(_Part):
    """One ``@@`` line of an entry: its name and its value as written."""

    name: str
    value: str = ""


class Entry(_Part):
    """One entry of a lorebook: a text, and what calls it up."""

    content: str
    """Macros resolved and decorators taken off."""
    keys: tuple[str, ...] = ()
    """One of them must be said; a regular expression where ``use_regex`` says so, or where it stands between slashes."""
    secondary_keys: tuple[str, ...] = ()
    """With ``selective``, one of these must be said as well."""
    hidden_keys: tuple[str, ...] = ()
    """Words of ``{{hidden_key:…}}``: never shown; they call up other entries where scanning is recursive."""
    use_regex: bool = False
    selective: bool = False
    constant: bool = False
    """Always called up."""
    enabled: bool = True
    case_sensitive: bool = False
    insertion_order: float = 0
    """Lower ones stand earlier in a prompt."""
    priority: float | None = None
    """The lowest go first where the budget is spent; None means ``insertion_order`` decides."""
    position: Position | None = None
    """Before or after the description; None means before."""
    name: str = ""
    """The entry's name or comment; never part of a prompt."""
    decorators: tuple[Decorator, ...] = ()
    """Those that the specification knows, in order."""

    def decorator(self, name: str) -> str | None:
        """The value of the first decorator of that name; None where there is none."""
        return next((item.value for item in self.decorators if item.name == name), None)

    def values(self, name: str) -> tuple[str, ...]:
        """All values of a decorator that may come more than once, each a list with commas."""
        parts = [part for item in self.decorators if item.name == name for part in item.value.split(",")]
        return tuple(part.strip() for part in parts if part.strip())

    @property
    def title(self) -> str:
        """What the entry is about, for people: its name, else its first plain key."""
        return self.name or next((key for key in self.keys if not key.startswith("/")), "")


class Lorebook(_Part):
    """A card's lorebook."""

    entries: tuple[Entry, ...] = ()
    scan_depth: int | None = None
    """How many of the last messages are searched for keys; None means all."""
    token_budget: int | None = None
    """How long all texts together may be; None means any length."""
    recursive_scanning: bool = False
    """Whether the text of a called-up entry calls up others."""


class Card(_Part):
    """What a card says beside name and description; macros are resolved, all but ``{{original}}``."""

    description: str = ""
    personality: str = ""
    scenario: str = ""
    """The scene: part of a prompt, never asked about."""
    system_prompt: str = ""
    """The card's own instructions; ``{{original}}`` in it is the default ones."""
    post_history_instructions: str = ""
    """Instructions that follow the conversation; ``{{original}}`` as above."""
    greetings: tuple[str, ...] = ()
    """The first message, then the alternate ones."""
    group_only_greetings: tuple[str, ...] = ()
    """Greetings for group chats; raiden's conversations have two speakers and never use them."""
    examples: tuple[tuple[Turn, ...], ...] = ()
    """Example conversations, one for each ``<START>`` block."""
    lorebook: Lorebook = Lorebook()
