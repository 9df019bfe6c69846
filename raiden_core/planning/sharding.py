"""How a model is spread over processes, read from the accelerate config file that the launch names.

read_sharding(config.grpo.launch)   # Sharding(kind="zero3", processes=8, …)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from raiden_core.config.sections.training import LaunchConfig
from raiden_core.errors import ConfigError
from raiden_core.text.strict_yaml import YamlFault, load_strict

Kind = Literal["single", "ddp", "fsdp", "fsdp-grad-op", "zero1", "zero2", "zero3"]

SHARDED_WEIGHTS = frozenset({"fsdp", "fsdp-grad-op", "zero3"})
SHARDED_GRADIENTS = SHARDED_WEIGHTS | {"zero2"}
SHARDED_OPTIMIZER = SHARDED_GRADIENTS | {"zero1"}


@dataclass(frozen=True)
class Sharding:
    """How many processes there are and what each of them holds."""

    kind: Kind
    processes: int = 1
    machines: int = 1
    mixed_precision: str | None = None
    """``bf16``, ``fp16`` or ``no``; None leaves it to the trainer's arguments."""
    offload_optimizer: bool = False
    offload_weights: bool = False
    activation_checkpointing: bool = False
    """FSDP's own checkpointing, which does what ``gradient_checkpointing`` does."""

    @property
    def deepspeed(self) -> bool:
        """Whether DeepSpeed keeps weights, gradients and optimizer in its own way."""
        return self.kind.startswith("zero")

    @property
    def fsdp(self) -> bool:
        """Whether it is PyTorch's FSDP."""
        return self.kind.startswith("fsdp")

    @property
    def weight_shards(self) -> int:
        """Processes that share one copy of the weights."""
        return self.processes if self.kind in SHARDED_WEIGHTS else 1

    @property
    def gradient_shards(self) -> int:
        """Processes that share one copy of the gradients."""
        return self.processes if self.kind in SHARDED_GRADIENTS else 1

    @property
    def optimizer_shards(self) -> int:
        """Processes that share one copy of the optimizer's state."""
        return self.processes if self.kind in SHARDED_OPTIMIZER else 1

    def __str__(self) -> str:
        words = {
            "single": "one process",
            "ddp": "DDP",
            "fsdp": "FSDP",
            "fsdp-grad-op": "FSDP (gradients and optimizer)",
        }
        name = words.get(self.kind, self.kind.replace("zero", "ZeRO-"))
        if self.processes == 1:
            return name
        machines = f" on {self.machines} machines" if self.machines > 1 else ""
        return f"{name}, {self.processes} processes{machines}"


def read_sharding(launch: LaunchConfig, where: str = "grpo.launch.accelerate") -> Sharding:
    """The sharding of a launch.

    Args:
        launch: the accelerate config file, if any, and the number of processes.
        where: the setting that names the file, for errors.

    Raises:
        ConfigError: the file is missing or broken, or says something that raiden cannot plan for.
    """
    if launch.accelerate is None:
        processes = launch.num_processes or 1
        return Sharding("ddp" if processes > 1 else "single", processes, mixed_precision="no")
    path = launch.accelerate
    values = _read(path, where)
    processes = launch.num_processes or _number(values.get("num_processes", 1), path, "num_processes")
    machines = _number(values.get("num_machines", 1), path, "num_machines")
    kind = str(values.get("distributed_type", "NO")).upper()
    precision = values.get("mixed_precision")
    common: dict[str, Any] = {
        "processes": processes,
        "machines": machines,
        "mixed_precision": "no" if precision is False else precision and str(precision),
    }
    if kind == "FSDP":
        return _fsdp(_section(values, "fsdp_config", path), common)
    if kind == "DEEPSPEED":
        return _deepspeed(_section(values, "deepspeed_config", path), common, path)
    if kind not in ("NO", "MULTI_GPU", "MULTI_CPU", "MULTI_XPU", "MULTI_NPU"):
        raise ConfigError(f"{path}: distributed_type {kind}: only NO, MULTI_GPU, FSDP and DEEPSPEED can be planned")
    return Sharding("ddp" if processes > 1 else "single", **common)


def _fsdp(section: Mapping[str, Any], common: dict[str, Any]) -> Sharding:
    strategy = str(section.get("fsdp_sharding_strategy", "FULL_SHARD")).upper()
    reshard = section.get("fsdp_reshard_after_forward", True)
    # Version 1 wrote a strategy where version 2 has true or false; accelerate reads both.
    keeps = str(reshard).upper() in ("FALSE", "SHARD_GRAD_OP") or strategy in ("SHARD_GRAD_OP", "2")
    return Sharding(
        "fsdp-grad-op" if keeps else "fsdp",
        **common,
        offload_optimizer=_flag(section.get("fsdp_offload_params")),
        offload_weights=_flag(section.get("fsdp_offload_params")),
        activation_checkpointing=_flag(section.get("fsdp_activation_checkpointing")),
    )


def _deepspeed(section: Mapping[str, Any], common: dict[str, Any], path: Path) -> Sharding:
    zero: Mapping[str, Any] = section
    if "deepspeed_config_file" in section:
        zero = _read(path.parent / str(section["deepspeed_config_file"]), "deepspeed_config_file").get(
            "zero_optimization", {}
        )
        zero = {
            "zero_stage": zero.get("stage", 0),
            "offload_optimizer_device": (zero.get("offload_optimizer") or {}).get("device"),
            "offload_param_device": (zero.get("offload_param") or {}).get("device"),
        }
    stages: dict[str, Kind] = {"0": "ddp", "1": "zero1", "2": "zero2", "3": "zero3"}
    stage = str(zero.get("zero_stage", 2))
    if stage not in stages:
        raise ConfigError(f"{path}: deepspeed_config.zero_stage: {stage} is none of 0, 1, 2, 3")
    return Sharding(
        stages[stage],
        **common,
        offload_optimizer=str(zero.get("offload_optimizer_device") or "none").lower() != "none",
        offload_weights=str(zero.get("offload_param_device") or "none").lower() != "none",
    )


def _read(path: Path, where: str) -> dict[str, Any]:
    try:
        values = load_strict(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{where}: {path}: no such file; paths are relative to the current folder") from None
    except (OSError, UnicodeDecodeError, YamlFault) as error:
        raise ConfigError(f"{where}: {path}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: {path}: no accelerate config: it must hold a mapping of keys")
    return values


def _section(values: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    section = values.get(name) or {}
    if not isinstance(section, dict):
        raise ConfigError(f"{path}: {name}: must hold a mapping of keys")
    return section


def _number(value: object, path: Path, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{path}: {name}: must be a whole number of at least 1, not {value!r}")
    return value


def _flag(value: object) -> bool:
    return str(value).lower() == "true"
