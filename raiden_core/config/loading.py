"""Read a configuration file, apply overrides, and say in one line what is wrong with it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from raiden_core.config import Config
from raiden_core.config.secrets import secret_place
from raiden_core.config.sections.base import SECRET
from raiden_core.config.trl_fields import suggestion
from raiden_core.errors import ConfigError
from raiden_core.text.strict_yaml import YamlFault, load_strict

START = "configs/quickstart.yaml"
"""What `raiden run` takes where nothing is named, relative to the checkout."""


def load_config(path: Path, overrides: Sequence[str] = ()) -> Config:
    """The configuration in a YAML file, with overrides such as ``grpo.learning_rate=1e-4`` applied.

    Raises:
        ConfigError: the file is missing or broken, or a key, type or value is wrong.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        hint = (
            f"{START} is a good start" if path != Path(START) else "run raiden in its checkout, or name your own file"
        )
        raise ConfigError(f"{path}: no such file; {hint}") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a folder; name the YAML file in it") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    return parse_config(text, overrides, where=str(path))


def parse_config(text: str, overrides: Sequence[str] = (), where: str = "config") -> Config:
    """The configuration in YAML text; ``where`` starts every error message."""
    try:
        tree = load_strict(text)
    except YamlFault as error:
        raise ConfigError(f"{where}: {error}") from None
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{where}: the file must hold a mapping of keys, not {type(tree).__name__}")
    return config_of(tree, overrides, where)


def config_of(tree: Mapping[str, Any], overrides: Sequence[str] = (), where: str = "config") -> Config:
    """The configuration of a tree of plain values, with overrides applied; the tree stays as it is."""
    changed = copy.deepcopy(dict(tree))
    for override in overrides:
        apply_override(changed, override)
    return validate_config(changed, where)


def validate_config(tree: dict[str, Any], where: str) -> Config:
    """The configuration of a tree of plain values.

    Raises:
        ConfigError: a key, type or value is wrong; one line for the first such place.
    """
    refuse_secrets(tree, where)
    try:
        return Config.model_validate(numbers_from_text(tree))
    except ValidationError as error:
        raise ConfigError(f"{where}: {_first_line(error)}") from None


def refuse_secrets(tree: Mapping[str, Any], where: str) -> None:
    """Stop where settings hold a secret.

    Raises:
        ConfigError: they do; the message names the place and never the value.
    """
    found = secret_place(tree)
    if found is not None:
        place, instead = found
        raise ConfigError(f"{where}: {place}: looks like a secret, and settings end up in files and logs; {instead}")


def dump_config(config: Config) -> str:
    """The resolved configuration as YAML, every default spelled out."""
    return yaml.safe_dump(plain_config(config), sort_keys=False, allow_unicode=True)


def plain_config(config: Config) -> dict[str, Any]:
    """The configuration as plain values that can be read again: beside a list of rewards no short forms stand."""
    short = {"accuracy": {"weight"}, "format": {"weight"}} if config.rewards is not None else None
    return config.model_dump(mode="json", exclude=short)


def apply_override(tree: dict[str, Any], override: str) -> None:
    """Set ``a.b=value`` in the tree; the value is YAML."""
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    shown = override if secret_place({parts[-1]: text}) is None else f"{key}=•••"
    if not equals or not all(parts):
        raise ConfigError(f"--set {shown}: write it as key=value, e.g. grpo.max_steps=100")
    try:
        value = load_strict(text)
    except YamlFault:
        raise ConfigError(f"--set {shown}: the value is not valid YAML; quote it") from None
    node = tree
    for part in parts[:-1]:
        child = node.setdefault(part, {})
        if child is None:
            child = node[part] = {}
        if not isinstance(child, dict):
            raise ConfigError(f"--set {shown}: {part} is a value, not a section")
        node = child
    node[parts[-1]] = value


def numbers_from_text(value: Any) -> Any:
    """YAML 1.1 reads ``3e-6`` as a string; people mean a number."""
    if isinstance(value, dict):
        return {key: numbers_from_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers_from_text(item) for item in value]
    if isinstance(value, str) and value[:1] in "0123456789.-+" and "e" in value.lower():
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _first_line(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        *parents, name = first["loc"]
        return f"{place}: unknown key{suggestion(str(name), _keys_at(parents))}"
    message = first["msg"].removeprefix("Value error, ")
    if "input" in first and not isinstance(first["input"], dict) and first["type"] != SECRET:
        message += f" (got {first['input']!r})"
    if first["type"] == "value_error" and place:
        return f"{place}.{message}" if ": " in message else f"{place}: {message}"
    return f"{place}: {message}" if place else message


def _keys_at(parents: Sequence[int | str]) -> list[str]:
    model: Any = Config
    for part in parents:
        field = model.model_fields.get(str(part)) if isinstance(model, type) and issubclass(model, BaseModel) else None
        if field is None:
            return []
        model = field.annotation
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
