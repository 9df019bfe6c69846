"""Bad input, refused before a model is loaded: each check says what is wrong with which key, and what to do.

`check_job` looks at a job's values and at what the machine has; `check_model_folder` at the files of a model;
`context_of` says how long a prompt may be.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from raiden_core.config.trl_fields import suggestion
from raiden_core.errors import ConfigError
from raiden_core.rewards.listed.chosen import Chosen

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

REPORTERS = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "wandb": ("wandb",),
    "trackio": ("trackio",),
    "mlflow": ("mlflow",),
    "swanlab": ("swanlab",),
    "comet_ml": ("comet_ml",),
    "clearml": ("clearml",),
}
"""Where metrics may be sent to -> packages of which one must be there."""


ATTENTION = {
    "eager": None,
    "sdpa": None,
    "flex_attention": None,
    "flash_attention_2": ("flash_attn", "flash-attn --no-build-isolation"),
    "flash_attention_3": ("flash_attn_interface", "flash_attn_3"),
}
"""Ways to compute attention -> module and package that each needs."""
BITSANDBYTES = re.compile(r"^(?!adamw_torch).*(8bit|paged|bnb|32bit|ademamix)")
"""Optimizers that its package has."""
SWITCHED: dict[str, tuple[str, str]] = {
    "use_vllm": ("vllm", "-e '.[vllm]'"),
    "deepspeed": ("deepspeed", "deepspeed"),
    "load_in_4bit": ("bitsandbytes", "bitsandbytes"),
    "load_in_8bit": ("bitsandbytes", "bitsandbytes"),
    "use_liger_kernel": ("liger_kernel", "liger-kernel"),
}
"""Settings that need a package -> its module, and what pip installs."""


@dataclass(frozen=True)
class Machine:
    """What a process sees of the machine that it runs on."""

    gpus: int
    bfloat16: bool
    """Whether its GPU computes in bfloat16."""
    processes: int
    """Of the whole job."""
    local_processes: int
    """On this machine."""

    @classmethod
    def here(cls) -> Machine:
        """This machine, and what the launcher said."""
        import torch

        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        # Asked of the first GPU only: the answer for each rank's own needs a context on it.
        bfloat16 = gpus > 0 and torch.cuda.get_device_capability(0) >= (8, 0)
        processes = int(os.environ.get("WORLD_SIZE", "1"))
        return cls(gpus, bfloat16, processes, int(os.environ.get("LOCAL_WORLD_SIZE", str(processes))))


def check_job(values: Mapping[str, Any], machine: Machine, where: str) -> None:
    """Refuse a job that cannot run on this machine, or whose batch does not fit its groups.

    Raises:
        ConfigError: the first thing that is wrong.
    """
    on_cpu = bool(values.get("use_cpu"))
    if not on_cpu and machine.local_processes > max(1, machine.gpus):
        fix = f"launch.num_processes (or --num_processes) {machine.gpus}, or " if machine.gpus else ""
        raise ConfigError(
            f"{where}: {machine.local_processes} processes, but this machine has {_gpus(machine.gpus)}; set {fix}"
            "use_cpu: true and bf16: false"
        )
    bf16, fp16 = values.get("bf16"), values.get("fp16")
    wanted = bf16 or (bf16 is None and not fp16 and "bf16" in values)  # TRL's default is true
    if wanted and not on_cpu and not machine.bfloat16:
        fix = "bf16: false and fp16: true" if machine.gpus else "bf16: false and use_cpu: true"
        raise ConfigError(f"{where}: bf16: this machine has no GPU that computes in bfloat16; set {fix}")
    check_packages(values, where)
    if "num_generations" in values:
        _check_groups(values, machine, where)


def check_packages(values: Mapping[str, Any], where: str) -> None:
    """Refuse a job that asks for something whose package is not installed.

    Raises:
        ConfigError: the first setting of that kind, with the package.
    """
    for name in _names(values.get("report_to")):
        packages = REPORTERS.get(name, ())
        if packages and not any(find_spec(package) for package in packages):
            raise ConfigError(
                f"{where}: report_to: {name} is not installed; pip install {packages[0]}, or leave it out"
            )
    for name, (module, package) in SWITCHED.items():
        if values.get(name) and not find_spec(module):
            raise ConfigError(f"{where}: {name}: {module} is not installed; pip install {package}, or leave it out")
    if BITSANDBYTES.search(str(values.get("optim") or "")) and not find_spec("bitsandbytes"):
        raise ConfigError(
            f"{where}: optim: {values['optim']} needs bitsandbytes, which is not installed; pip install it"
        )
    way = values.get("attn_implementation") or _inside(values.get("model_init_kwargs"), "attn_implementation")
    if way is None:
        return
    if way not in ATTENTION:
        raise ConfigError(
            f"{where}: attn_implementation: {way!r} is none of {', '.join(ATTENTION)}{suggestion(str(way), list(ATTENTION))}"
        )
    needed = ATTENTION[way]
    if needed and not find_spec(needed[0]):
        raise ConfigError(
            f"{where}: attn_implementation: {way} needs {needed[0]}, which is not installed; pip install {needed[1]}, or use sdpa"
        )


def _inside(own: Any, key: str) -> Any:
    return own.get(key) if isinstance(own, Mapping) else None


def _check_groups(values: Mapping[str, Any], machine: Machine, where: str) -> None:
    group = int(values["num_generations"])
    if group < 2:
        raise ConfigError(
            f"{where}: num_generations: {group}: the advantage of a completion is against others of its group; "
            "set 2 or more (8 is usual)"
        )
    if "per_device_train_batch_size" not in values:
        return
    micro, accumulation = int(values["per_device_train_batch_size"]), int(values["gradient_accumulation_steps"])
    steps = values.get("steps_per_generation") or accumulation
    batch = int(values.get("generation_batch_size") or micro * machine.processes * int(steps))
    if batch % group:
        raise ConfigError(
            f"{where}: {batch} completions a step ({micro} x {machine.processes} processes x {steps} steps) cannot be "
            f"shared out in groups of num_generations {group}; make their number a multiple of it, e.g. with "
            f"gradient_accumulation_steps: {_multiple(micro * machine.processes, accumulation, group)}"
        )


def too_few(samples: int, batch: int, group: int) -> str | None:
    """Why training would take no step: there are not enough samples for one generation batch. None where there are.

    Args:
        samples: that can be trained on.
        batch: completions that all processes sample at once.
        group: completions of one sample.
    """
    prompts = batch // group
    if samples >= prompts:
        return None
    return (
        f"{samples} usable sample{'' if samples == 1 else 's'}, but a generation batch takes {prompts} ({batch} completions "
        f"in groups of num_generations {group}), so training would take no step; add samples, or lower "
        "per_device_train_batch_size, gradient_accumulation_steps or the number of processes"
    )


def check_named(data: str, model: str | None) -> None:
    """Refuse a job that does not say what to train on, or what to train.

    Raises:
        ConfigError: the key that is missing.
    """
    if not data:
        raise ConfigError("train_data_path: missing; name a file of samples (train.json)")
    if not model:
        raise ConfigError("model_name_or_path: missing; name a model's folder or its Hub id")


def check_gates(chosen: Chosen, aggregation: str) -> None:
    """Refuse gates where there is no total that they could make 0.

    Raises:
        ConfigError: the rewards are normalised one by one before they are added up.
    """
    gates = [one.name for one in chosen if one.gate]
    if gates and aggregation != "sum_then_normalize":
        raise ConfigError(
            f"multi_objective_aggregation: {aggregation} normalises each reward by itself, so the gate {gates[0]} has no "
            "total to make 0; leave it at sum_then_normalize, or take the gates out"
        )


def context_of(model: str, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens that a model can see at once, by its configuration and its tokenizer."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(model, trust_remote_code=False).get_text_config()
    positions = getattr(config, "max_position_embeddings", None)
    return min(int(tokenizer.model_max_length), int(positions or tokenizer.model_max_length))


def _names(value: Any) -> Sequence[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(one) for one in value]


def _gpus(count: int) -> str:
    return "no GPU" if not count else f"{count} GPU{'s' if count > 1 else ''}"


def _multiple(step: int, least: int, group: int) -> int:
    """The smallest accumulation, not below ``least``, that fills whole groups."""
    return next(steps for steps in range(least, least + group + 1) if step * steps % group == 0)
