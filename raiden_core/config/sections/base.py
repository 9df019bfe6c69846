"""What sections of a configuration are made of: two kinds of sections, and values in which no secret may stand.

A section is closed to keys it does not know, or passes a trainer's fields on. What a configuration holds is repeated in
manifests, run records and Prefect's parameters, so secrets come from the environment only.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

SECRET = "secret"
"""Type of the error about a value that must not be repeated in its message."""


def _without_credentials(address: str | None) -> str | None:
    if address and re.match(r"\w[\w+.-]*://[^/?#]*@", address):
        raise PydanticCustomError(SECRET, "no user or password may stand in an address; give them by the environment")
    return address


def _variable_name(name: str | None) -> str | None:
    if name is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise PydanticCustomError(
            SECRET, "is no name of an environment variable; name the variable, not the key itself"
        )
    return name


Address = Annotated[str, AfterValidator(_without_credentials)]
"""A URL. User and password in it are refused."""
OptionalAddress = Annotated[str | None, AfterValidator(_without_credentials)]
"""The same, or None."""
OptionalVariableName = Annotated[str | None, AfterValidator(_variable_name)]
"""The name of an environment variable, or None. A key that was pasted in its place is refused."""


class Section(BaseModel):
    """A part of the configuration: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class TrainerSection(BaseModel):
    """A section in which fields of a TRL config may stand beside ours."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    def trainer_fields(self) -> dict[str, Any]:
        """What goes to TRL's own config class as it is: all but our own fields."""
        return {key: value for key, value in self.model_dump(mode="json").items() if key not in self._ours()}

    @classmethod
    def _ours(cls) -> frozenset[str]:
        raise NotImplementedError
