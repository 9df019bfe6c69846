"""What results.json is made of: frozen objects, and numbers that are written as they were read."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    model_serializer,
)


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    if not isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _count(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("must be a count")
    return value


def _as_it_is(value: object) -> object:
    return value


Number = Annotated[float, PlainValidator(_number), PlainSerializer(_as_it_is, return_type=Any)]
"""A finite number; 0 and 0.0 stay what they are, in the file too."""
Count = Annotated[int, PlainValidator(_count)]
Interval = tuple[Number, Number]
"""Lower and upper end of a 95% interval."""


class Part(BaseModel):
    """A part of results.json."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        optional = {name for name, field in type(self).model_fields.items() if not field.is_required()}
        values: dict[str, Any] = handler(self)
        return {name: value for name, value in values.items() if value is not None or name not in optional}

    def as_json(self) -> dict[str, Any]:
        """The JSON object that the file holds."""
        return self.model_dump(mode="json")
