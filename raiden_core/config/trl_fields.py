"""The fields of TRL's config classes, read from their source without importing it (importing costs seconds).

Names and simple types are checked when a configuration is loaded, so that a typo under ``grpo:`` is refused at once
and not after the data has been generated. Everything deeper TRL checks itself when the training script starts.
"""

from __future__ import annotations

import ast
import difflib
import functools
from collections.abc import Collection, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from raiden_core.config.fates import refusal

TRAINER_SOURCES = {
    "GRPOConfig": ("trl/trainer/grpo_config.py", "trl/trainer/base_config.py", "transformers/training_args.py"),
    "SFTConfig": ("trl/trainer/sft_config.py", "trl/trainer/base_config.py", "transformers/training_args.py"),
    "ModelConfig": ("trl/trainer/model_config.py",),
}
SIMPLE_TYPES: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str, "None": None}
ELSEWHERE = {
    "reward_funcs": "rewards are a list of their own; write rewards: [{use: accuracy, weight: 0.7}, …] at the top"
}
"""What people look for under ``grpo`` and TRL has as no field, and where it is."""
SET_BY_US = {"output_dir", "seed", "model_name_or_path", "use_peft"}
"""Fields that raiden sets itself; a configuration that sets them is refused."""


def check_trainer_fields(config_class: str, section: BaseModel) -> None:
    """Check the fields of a section that are meant for TRL: names, simple types, and whether they can be honoured.

    Args:
        config_class: ``GRPOConfig`` or ``SFTConfig``; fields of ModelConfig are read beside it.
        section: its extra fields are TRL's; of its own ones, those that are not their defaults count for what needs what.

    Raises:
        ValueError: an unknown field (with the nearest right name), one that raiden sets, a wrong simple type, or one
            that cannot be honoured.
    """
    values, fields = section.model_extra or {}, type(section).model_fields
    own = {name: value for name in fields if (value := getattr(section, name)) != fields[name].default}
    if not values and "lora_alpha" not in own and "lora_target_modules" not in own:
        return  # the reward is imported where there may be no TRL
    for name in values:
        if name in SET_BY_US:
            raise ValueError(f"{name}: raiden sets this field itself; remove it")
    check_types(config_class, values, fields)
    given = {**own, **values, "use_peft": own.get("lora_r") is not None}
    if reason := refused(config_class, given, adapter="lora_r"):
        raise ValueError(reason)


def check_types(config_class: str, values: Mapping[str, Any], known_too: Collection[str] = ()) -> None:
    """Check names and simple types of fields of a TRL config class, or of ModelConfig.

    Args:
        config_class: ``GRPOConfig`` or ``SFTConfig``.
        values: the fields.
        known_too: names of other settings, for suggestions.

    Raises:
        ValueError: an unknown field (with the nearest right name), or a wrong simple type.
    """
    known = {**trainer_fields("ModelConfig"), **trainer_fields(config_class)}
    for name, value in values.items():
        if name in ELSEWHERE:
            raise ValueError(f"{name}: {ELSEWHERE[name]}")
        if name not in known:
            raise ValueError(f"{name}: unknown key{suggestion(name, [*known_too, *known])}")
        expected = _simple_type(known[name])
        if expected is None:
            continue
        try:
            TypeAdapter(expected).validate_python(value)
        except ValidationError:
            raise ValueError(f"{name}: {value!r} is not of type {known[name]}") from None


def refused(config_class: str, given: Mapping[str, Any], adapter: str = "use_peft: true") -> str | None:
    """Why what was given cannot be honoured (`refusal`), or None."""
    defaults = {**trainer_defaults("ModelConfig"), **trainer_defaults(config_class)}
    return refusal(config_class, given, defaults, adapter)


def suggestion(name: str, known: list[str]) -> str:
    """``; did you mean 'x'?`` for the nearest of ``known``, or nothing when none is near."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def trainer_fields(config_class: str) -> dict[str, str]:
    """Field names of a TRL config class, its bases included, with their annotations as source text."""
    return {name: ast.unparse(statement.annotation) for name, statement in _statements(config_class).items()}


@functools.cache
def trainer_defaults(config_class: str) -> dict[str, Any]:
    """The fields of a TRL config class whose default is a plain value, with it."""
    defaults = {}
    for name, statement in _statements(config_class).items():
        written = statement.value
        if isinstance(written, ast.Call):
            written = next((word.value for word in written.keywords if word.arg == "default"), None)
        if isinstance(written, (ast.Constant, ast.UnaryOp)):
            defaults[name] = ast.literal_eval(written)
    return defaults


@functools.cache
def _statements(config_class: str) -> dict[str, ast.AnnAssign]:
    found: dict[str, ast.AnnAssign] = {}
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
                        found.setdefault(statement.target.id, statement)
    return found


def _simple_type(annotation: str) -> Any:
    """The type for an annotation made of int, float, bool, str and None; None for anything else."""
    parts = [part.strip() for part in annotation.split("|")]
    if not all(part in SIMPLE_TYPES for part in parts):
        return None
    union: Any = SIMPLE_TYPES[parts[0]]
    for part in parts[1:]:
        union = union | SIMPLE_TYPES[part]
    return union
