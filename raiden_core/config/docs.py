"""The reference of the configuration as Markdown, from the models of raiden_core.config.

    python -m raiden_core.config.docs > docs/configuration.md

A heading for each section, a row for each key: type and range, default, and the docstring under the field. A test
compares docs/configuration.md with this output, so the page cannot fall behind the code.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from raiden_core.config import Config
from raiden_core.config.fates import REFUSED
from raiden_core.config.trl_fields import SET_BY_US


def _refused() -> str:
    everywhere = sorted({name for refused in REFUSED.values() for name in refused})
    return ", ".join(f"`{name}`" for name in everywhere)


INTRODUCTION = f"""\
# Configuration

One YAML file holds the settings of a run; `configs/quickstart.yaml` is an example. A key that is left out has its
default. An unknown key is refused with the nearest right name. `--set section.key=value` goes before the file; the
value is YAML. `None` in a meaning is `null` in YAML. Each run stores its resolved configuration as `config.yaml` in its
folder.

Under `cold_start` any field of the installed TRL's `SFTConfig` may stand beside the keys below, and under `grpo` any
field of `GRPOConfig`, and those of `ModelConfig` (`dtype`, `attn_implementation`, `load_in_4bit` …) under both. raiden
sets some of them itself and refuses them in a file: {", ".join(f"`{name}`" for name in sorted(SET_BY_US))}. What could
have no effect is refused as well, with the reason, so that no setting is ignored: {_refused()}.

This page is the output of `python -m raiden_core.config.docs`.
"""
TABLE_HEAD = "| key | type | default | meaning |\n|---|---|---|---|"
TYPE_NAMES: dict[Any, str] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Path: "path",
    NoneType: "null",
    Any: "anything",
}


def config_markdown() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_parts()])


def _parts() -> Iterator[str]:
    """The keys outside every section, then each section."""
    fields = Config.model_fields
    yield _part("Top level", Config, [_row(name, field) for name, field in fields.items() if not _section(field)])
    for name, field in fields.items():
        if section := _section(field):
            yield _part(f"`{name}`", section, list(_rows(section)))
        elif section := _listed_section(field):
            yield _part(f"An entry of `{name}`", section, list(_rows(section, f"{name}.<n>.")))


def _part(heading: str, section: type[BaseModel], rows: list[str]) -> str:
    return "\n".join([f"## {heading}", "", inspect.cleandoc(section.__doc__ or ""), "", TABLE_HEAD, *rows, ""])


def _rows(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """A row a key; the keys of a section inside the section are written with a dot.

    Sections under names of the user's choice stand under ``<name>``; one that may be null has a row of its own first.
    """
    for name, field in section.model_fields.items():
        if inner := _section(field):
            yield from _rows(inner, f"{prefix}{name}.")
            continue
        if inner := _named_section(field):
            yield from _rows(inner, f"{prefix}{name}.<name>.")
            continue
        yield _row(f"{prefix}{name}", field)
        if inner := _optional_section(field):
            yield from _rows(inner, f"{prefix}{name}.")


def _row(key: str, field: FieldInfo) -> str:
    cells = (f"`{key}`", _type(field), f"`{_default(field)}`", field.description or "")
    return "| " + " | ".join(_cell(text) for text in cells) + " |"


def _cell(text: str) -> str:
    """A text on one line, with bars that do not end its cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _named_section(field: FieldInfo) -> type[BaseModel] | None:
    if get_origin(field.annotation) is not dict:
        return None
    value = get_args(field.annotation)[1]
    return value if isinstance(value, type) and issubclass(value, BaseModel) else None


def _optional_section(field: FieldInfo) -> type[BaseModel] | None:
    parts: tuple[Any, ...] = get_args(field.annotation) if isinstance(field.annotation, UnionType) else ()
    return next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)


def _listed_section(field: FieldInfo) -> type[BaseModel] | None:
    """What a list holds that may be null, where that is sections."""
    parts: tuple[Any, ...] = get_args(field.annotation) if isinstance(field.annotation, UnionType) else ()
    for part in parts:
        if get_origin(part) is tuple and isinstance(inner := get_args(part)[0], type) and issubclass(inner, BaseModel):
            return inner
    return None


def _type(field: FieldInfo) -> str:
    """Type and range, such as ``number, > 0, ≤ 1``."""
    bounds = []
    for bound in field.metadata:
        match bound:
            case Ge(ge=limit):
                bounds.append(f"≥ {limit}")
            case Gt(gt=limit):
                bounds.append(f"> {limit}")
            case Le(le=limit):
                bounds.append(f"≤ {limit}")
            case Lt(lt=limit):
                bounds.append(f"< {limit}")
    return ", ".join([_type_name(field.annotation), *bounds])


def _type_name(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if isinstance(annotation, UnionType) or origin is Union:  # a Literal makes the latter
        return " or ".join(_type_name(part) for part in parts)
    if origin is tuple and parts[-1] is Ellipsis:
        return f"list of {_type_name(parts[0])}"
    if origin is tuple:
        return f"[{', '.join(_type_name(part) for part in parts)}]"
    if origin is dict:
        return f"{_type_name(parts[0])} -> {_type_name(parts[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return TYPE_NAMES[annotation]


def _default(field: FieldInfo) -> str:
    """The default as it would stand in the YAML file."""
    if field.is_required():
        return "required"
    return json.dumps(field.get_default(call_default_factory=True), ensure_ascii=False, default=str)


if __name__ == "__main__":
    sys.stdout.write(config_markdown())
