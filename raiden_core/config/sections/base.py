"""What sections of a configuration are made of: two kinds of sections, and values in which no secret may stand.

A section is closed to keys it does not know, or passes a trainer's fields on. What a configuration holds is repeated in
manifests, run records and Prefect's parameters, so secrets come from the environment only.

A stage's function is given `StageSettings`: the sections that it uses and nothing else. Its cache key holds what
`counted` says of them: every field but those that are marked `NEUTRAL` where they are defined, and files marked
`BY_CONTENT` by their content.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
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


class _Mark:
    """Says something of a field that is annotated with it."""


OUTSIDE_JOB = _Mark()
"""A field of a training section that the training script is not told: it is for whoever starts the script."""
NEUTRAL = _Mark()
"""``Annotated[int, NEUTRAL]``: a field that changes where, when or how fast work is done, never what comes of it."""
BY_CONTENT = _Mark()
"""A file that counts by what stands in it, wherever it lies."""


class Section(BaseModel):
    """A part of the configuration: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class TrainerSection(BaseModel):
    """A section in which fields of a TRL config may stand beside ours."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True, allow_inf_nan=False)

    def job_fields(self) -> dict[str, Any]:
        """What the flat job of a training script says of this section: every field that is not `OUTSIDE_JOB`.

        A field has the same name there; one of a section inside the section has that section's name before its own
        (``probe.stop_at`` is ``probe_stop_at``).
        """
        job: dict[str, Any] = {}
        for name, value in self.model_dump(mode="json", exclude=self._outside_job()).items():
            if isinstance(getattr(self, name), Section):
                job |= {f"{name}_{inner}": item for inner, item in value.items()}
            else:
                job[name] = value
        return job

    @classmethod
    def _outside_job(cls) -> set[str]:
        return {name for name, field in cls.model_fields.items() if OUTSIDE_JOB in field.metadata}


class StageSettings(Section):
    """What a stage's function is given of the configuration."""

    def key_section(self) -> dict[str, Any]:
        """The part of the configuration that the stage's result depends on, as plain values."""
        section: dict[str, Any] = counted(self)
        return section


def counted(value: Any) -> Any:
    """A section, or a value of one, as plain values without the fields that are marked `NEUTRAL`."""
    if isinstance(value, BaseModel):
        named = {
            name: _content(getattr(value, name)) if BY_CONTENT in field.metadata else getattr(value, name)
            for name, field in type(value).model_fields.items()
            if NEUTRAL not in field.metadata
        }
        return {name: counted(item) for name, item in {**named, **(value.model_extra or {})}.items()}
    if is_dataclass(value):
        return {field.name: counted(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): counted(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [counted(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _content(file: Path | None) -> str | None:
    """The digest of a file's bytes; of one that is not there the path, since whoever needs it says so in better words."""
    if file is None or not file.is_file():
        return None if file is None else str(file)
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
