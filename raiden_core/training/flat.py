"""A configuration from either kind of file: raiden's own, or the flat one of a training script.

The flat one (configs/openr1_config.yaml) has ``model_name_or_path`` and fields of TRL's GRPOConfig at its top level,
and leaves the accelerate config to the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.config.loading import apply_override, load_config, numbers_from_text, validate_config
from raiden_core.config.sections.training import GrpoConfig
from raiden_core.config.trl_fields import SET_BY_US, trainer_defaults
from raiden_core.errors import RaidenError
from raiden_core.training.arguments import check_given, listed_entries, native_names, read_flat

TOP = ("system_prompt", "prefilled_think", "output_dir", "seed")
"""Keys of a flat file that stand at the top of ours."""
ACCURACY = ("min_length_bound", "length_ratio", "partial_credit")
WEIGHTS = {"accuracy_weight": "accuracy", "format_weight": "format"}
TOP_LIST = "rewards"
OTHER = (
    "prompt_layout",
    "train_data_path",
    "eval_data_path",
    "use_peft",
    "model_name_or_path",
    "reward_funcs",
    "config",
)


@dataclass(frozen=True)
class FlatFiles:
    """The files of samples that a flat configuration names; they need not be there."""

    train: Path | None
    evaluation: Path | None
    """None where nothing is evaluated during training."""


def read_any_config(
    path: Path, overrides: Sequence[str] = (), accelerate: Path | None = None
) -> tuple[Config, FlatFiles | None]:
    """The configuration in a file of either kind, and, when it is a flat one, the files of samples that it names.

    Args:
        path: the file.
        overrides: ``a.b=c``; in a flat file ``key=value``.
        accelerate: an accelerate config file, which goes before ``grpo.launch.accelerate``.

    Raises:
        ConfigError: the file is missing or broken, or a key is unknown.
    """
    launch = (f"grpo.launch.accelerate={accelerate}",) if accelerate else ()
    try:
        flat = read_flat(path)
    except RaidenError:
        flat = {}  # raiden's own reader says what is wrong with the file
    if "model_name_or_path" not in flat:
        return load_config(path, (*overrides, *launch)), None
    changed: dict[str, Any] = {}
    for override in overrides:
        apply_override(changed, override)
    flat |= numbers_from_text(native_names(changed, "--set"))
    check_given("GRPOConfig", flat, str(path))
    evaluated = str(flat.get("eval_strategy", "no")) not in ("no", "False") and flat.get("eval_data_path")
    train = flat.get("train_data_path")
    files = FlatFiles(Path(str(train)) if train else None, Path(str(flat["eval_data_path"])) if evaluated else None)
    return validate_config(_tree(flat, accelerate), str(path)), files


def _tree(flat: dict[str, Any], accelerate: Path | None) -> dict[str, Any]:
    tree: dict[str, Any] = {key: flat[key] for key in TOP if key in flat}
    if "prompt_layout" in flat:
        tree["prompt"] = {"layout": flat["prompt_layout"]}
    tree["student"] = {"model": flat["model_name_or_path"]}
    tree["cold_start"] = {"enabled": False}
    tree["accuracy"] = {key: flat[key] for key in ACCURACY if key in flat}
    if flat.get(TOP_LIST) is not None:
        tree[TOP_LIST] = listed_entries(flat[TOP_LIST], "--set")
    for key, section in WEIGHTS.items():
        if key in flat:
            tree.setdefault(section, {})["weight"] = flat[key]
    used = {*TOP, TOP_LIST, *ACCURACY, *WEIGHTS, *OTHER, *SET_BY_US}
    grpo = {key: value for key, value in flat.items() if key not in used}
    if not flat.get("use_peft"):
        grpo = {key: value for key, value in grpo.items() if not key.startswith("lora_")}
    elif "lora_r" not in grpo:
        grpo["lora_r"] = 16  # TRL's default
    targets = grpo.get("lora_target_modules")
    if isinstance(targets, str):
        grpo["lora_target_modules"] = [targets]
    if accelerate:
        grpo["launch"] = {"accelerate": str(accelerate)}
    # What a flat file leaves out has the script's default, which is TRL's.
    defaults = trainer_defaults("GRPOConfig")
    theirs = {name: defaults[name] for name in GrpoConfig.model_fields if defaults.get(name) is not None}
    tree["grpo"] = {**theirs, **grpo}
    return tree
