"""The fields of TRL's config classes, read from their source without importing it (importing costs seconds).

Names and simple types are checked when a configuration is loaded, so that a typo under ``grpo:`` is refused at once
and not after the data has been generated. Everything deeper TRL checks itself when the training script starts.
"""

from __future__ import annotations

import ast
import difflib
import functools
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

TRAINER_SOURCES = {
    "GRPOConfig": ("trl/trainer/grpo_config.py", "trl/trainer/base_config.py", "transformers/training_args.py"),
    "SFTConfig": ("trl/trainer/sft_config.py", "trl/trainer/base_config.py", "transformers/training_args.py"),
}
SIMPLE_TYPES: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str, "None": None}
SET_BY_US = {"output_dir", "seed", "reward_weights", "logging_dir", "resume_from_checkpoint"}
"""Fields that raiden sets itself; a configuration that sets them is refused."""


def check_trainer_fields(config_class: str, values: Mapping[str, Any], own: set[str]) -> None:
    """Check names and simple types of fields that are meant for a TRL config class.

    Args:
        config_class: a key of `TRAINER_SOURCES`.
        values: the fields.
        own: names that raiden's own section has, for suggestions.

    Raises:
        ValueError: an unknown field (with the nearest right name), one that raiden sets, or a wrong simple type.
    """
    if not values:
        return  # the reward is imported where there may be no TRL
    known = trainer_fields(config_class)
    for name, value in values.items():
        if name in SET_BY_US:
            raise ValueError(f"{name}: raiden sets this field itself; remove it")
        if name not in known:
            raise ValueError(f"{name}: unknown key{suggestion(name, [*own, *known])}")
        expected = _simple_type(known[name])
        if expected is None:
            continue
        try:
            TypeAdapter(expected).validate_python(value)
        except ValidationError:
            raise ValueError(f"{name}: {value!r} is not of type {known[name]}") from None


def suggestion(name: str, known: list[str]) -> str:
    """``; did you mean 'x'?`` for the nearest of ``known``, or nothing when none is near."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


@functools.cache
def trainer_fields(config_class: str) -> dict[str, str]:
    """Field names of a TRL config class, its bases included, with their annotations as source text."""
    fields: dict[str, str] = {}
    for source in TRAINER_SOURCES[config_class]:
        package, _, rest = source.partition("/")
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"{package} is not installed")
        tree = ast.parse((Path(spec.origin).parent / rest).read_text("utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name in (config_class, "_BaseConfig", "TrainingArguments"):
                for statement in node.body:
                    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                        fields.setdefault(statement.target.id, ast.unparse(statement.annotation))
    return fields


def _simple_type(annotation: str) -> Any:
    """The type for an annotation made of int, float, bool, str and None; None for anything else."""
    parts = [part.strip() for part in annotation.split("|")]
    if not all(part in SIMPLE_TYPES for part in parts):
        return None
    union: Any = SIMPLE_TYPES[parts[0]]
    for part in parts[1:]:
        union = union | SIMPLE_TYPES[part]
    return union
