"""Every key of the configuration, with a value that is not its default: what the wiring is tested with.

A key is the path of a field that is no section, such as ``grpo.patience``. Sections under names of the user's choice
stand under a name that `BASE` gives them, and sections that may be null are there in `BASE`.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from raiden_core.config import Config
from raiden_core.config.sections.base import NEUTRAL

BASE: dict[str, Any] = {
    "characters": {"composed": {"count": 4}},
    "teacher": {
        "kind": "llm",
        "endpoints": {"teacher": {"model": "m"}, "learner": {"model": "s"}},
        "student": "learner",
        "launch": {"command": ["serve"]},
    },
    "evaluation": {"judge": {"model": "j"}},
}
"""A configuration in which every section is there."""

ROOT = Path(__file__).parents[2]
WITH: dict[str, dict[str, Any]] = {
    "cold_start.enabled": {"student.model": "Qwen/Qwen2.5-0.5B-Instruct"},
    "teacher.budget.cost": {"teacher.endpoints.teacher.prompt_price": 2.0},
    **{
        f"{section}.{key}": {f"{section}.lora_r": 4}
        for section in ("cold_start", "grpo")
        for key in ("lora_alpha", "lora_target_modules")
    },
}
"""Key -> what must be set beside it, so that its other value is valid."""
FREE = {
    "name": "another",
    "output_dir": "elsewhere",
    "system_prompt": "Be {name}.",
    "storage.url": "s3://bucket/raiden",
    "runner.address": "ray://head:10001",
    "limits.gpu_slot": "other",
    "student.model": "Qwen/Qwen2.5-0.5B-Instruct",
    "student.gguf.sha256": "0" * 64,
    # The trainer's own class makes one module of a list of one.
    "cold_start.lora_target_modules": ["q_proj", "v_proj"],
    "grpo.lora_target_modules": ["q_proj", "v_proj"],
    "cold_start.launch.accelerate": "configs/accelerate/ddp8.yaml",
    "grpo.launch.accelerate": "configs/accelerate/ddp8.yaml",
    "characters.evaluation_only": {"row": ["shipped:ko"]},
    "characters.paths": ["shipped:zh"],
    "teacher.seeds": [str(ROOT / "tests" / "rewards" / "cases.jsonl")],
    "generation.decontaminate": [str(ROOT / "tests" / "rewards" / "cases.jsonl")],
    "teacher.answerer": "learner",
    "teacher.second_answerers": ["learner"],
    "teacher.judge": "learner",
    "teacher.student": "teacher",
    "teacher.launch.command": ["serve", "--fast"],
    "split.validation_characters": 2,
    "evaluation.judge_rubrics": ["PLS"],
    "rewards": [{"use": "accuracy", "weight": 0.5}, {"use": "one_voice", "gate": True}],
    "evaluation.layouts": ["sillytavern"],
    **{
        f"{place}.{name}": value
        for place in ("teacher.endpoints.teacher", "evaluation.served", "evaluation.judge")
        for name, value in (("url", "http://127.0.0.1:9/v1"), ("api_key_env", "SOME_KEY"), ("model", "other"))
    },
}
"""Values that a type alone does not give: names, addresses, files."""


def keys() -> dict[str, Any]:
    """Path -> default (in `BASE`) of every key that there is."""
    return dict(_leaves(configured({}), ""))


def neutral_keys() -> set[str]:
    """The keys that are marked as changing no result, or lie in a section that is."""
    return set(_neutral(configured({}), "", False))


def _leaves(section: BaseModel, prefix: str) -> Iterator[tuple[str, Any]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, f"{prefix}{name}.")
        elif isinstance(value, dict) and value and all(isinstance(one, BaseModel) for one in value.values()):
            yield from _leaves(next(iter(value.values())), f"{prefix}{name}.{next(iter(value))}.")
        else:
            yield f"{prefix}{name}", value


def _neutral(section: BaseModel, prefix: str, inside: bool) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value, marked = getattr(section, name), inside or NEUTRAL in field.metadata
        if isinstance(value, BaseModel):
            yield from _neutral(value, f"{prefix}{name}.", marked)
        elif isinstance(value, dict) and value and all(isinstance(one, BaseModel) for one in value.values()):
            yield from _neutral(next(iter(value.values())), f"{prefix}{name}.{next(iter(value))}.", marked)
        elif marked:
            yield f"{prefix}{name}"


def configured(values: Mapping[str, Any], base: Mapping[str, Any] = BASE) -> Config:
    """`BASE`, or another tree, with some keys set."""
    tree = copy.deepcopy(dict(base))
    for path, value in values.items():
        node = tree
        *parents, last = path.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return Config.model_validate(tree)


def value_of(config: BaseModel, path: str) -> Any:
    """What a configuration says at a path."""
    value: Any = config
    for part in path.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


@functools.cache
def off_default(path: str) -> Any:
    """A valid value of a key that is not what `BASE` says, beside what `WITH` wants for it."""
    value = next(other_values(path, WITH.get(path, {})), None)
    assert value is not None, f"{path}: no other value was found by its type; give one in tests/support/config_tree.py"
    return value


def other_values(path: str, others: Mapping[str, Any]) -> Iterator[Any]:
    """Values of a key that are not what `BASE` says and are valid beside other keys' values, likely ones first."""
    before = value_of(configured({}), path)
    if path in FREE:
        candidates: list[Any] = [FREE[path]]
    else:
        *parents, last = path.split(".")
        section = value_of(configured({}), ".".join(parents)) if parents else configured({})
        candidates = list(_candidates(type(section).model_fields[last].annotation, before))
    for candidate in candidates:
        try:
            if value_of(configured({**others, path: candidate}), path) != before:
                yield candidate
        except ValidationError:
            continue


def _candidates(annotation: Any, default: Any) -> Iterator[Any]:
    """Values of a type, likely ones first."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        yield from (part for part in parts if part != default)
    elif origin in (Union, UnionType):
        for part in parts:
            if part is not type(None):
                yield from _candidates(part, default)
        yield None
    elif annotation is bool:
        yield not default
    elif annotation is int:
        known = default or 0
        yield from (known + 1, known * 2, known + 3, 2, 16, 64, 100, 1000, known // 2)
    elif annotation is float:
        known = default or 0.0
        yield from (known / 2 + 0.05, known + 0.015625, 0.5, 0.25, 2.5, 100.0)
    elif annotation in (str, Path):
        yield "another"
    elif origin is tuple and parts[-1] is Ellipsis:
        yield from ([one] for one in _candidates(parts[0], None))
    elif origin is tuple:
        options = [list(_candidates(part, value)) for part, value in zip(parts, default, strict=True)]
        yield [options[0][0], options[1][0]]
        yield [default[0], options[1][0]]
        yield [options[0][0], default[1]]
