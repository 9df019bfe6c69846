"""The two kinds of sections of a configuration: those closed to unknown keys, and those that pass a trainer's fields on."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


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
