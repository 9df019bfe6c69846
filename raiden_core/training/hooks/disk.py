"""Whether the disk has room for a run's checkpoints and model, told before anything is loaded.

Counted on a model without memory ("meta" device): its weights, AdamW's two moments for what is trained, one
checkpoint more than are kept (an old one goes only when the new one is there), and the final model.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from raiden_core.errors import ConfigError, StageError

if TYPE_CHECKING:
    from transformers import TrainingArguments
    from trl import ModelConfig

GIB = 2**30
MIB = 2**20
MARGIN = 64 << 20
"""Bytes for logs, tokenizers, trainer states."""
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "auto": 2}
MOMENTS = 2
"""Copies of what is trained that AdamW keeps."""


@dataclass(frozen=True)
class Sizes:
    """Parameters of a model, and how many of them are trained."""

    parameters: int
    trained: int


def check_disk(out: Path, sizes: Sizes, training: TrainingArguments, dtype: str) -> None:
    """Refuse a run that would fill the disk.

    Raises:
        StageError: too little room; the message says how much is needed and what for.
    """
    width = BYTES.get(dtype, 4)
    checkpoints = 0
    if str(getattr(training.save_strategy, "value", training.save_strategy)) != "no":
        checkpoints = (training.save_total_limit or 2) + 1
    adapter = sizes.trained < sizes.parameters
    moments = 0 if training.save_only_model else MOMENTS * (1 if "8bit" in str(training.optim) else width)
    one = sizes.trained * (width + moments)
    # An adapter is merged into the model from a file of its own, which is there at the same time.
    model = sizes.parameters * width + (sizes.trained * width if adapter else 0)
    needed = checkpoints * one + model + MARGIN
    place = next(folder for folder in (out, *out.absolute().parents) if folder.is_dir())
    held = sum(file.stat().st_size for file in out.glob("checkpoint-*/**/*") if file.is_file())
    free = shutil.disk_usage(place).free + held  # what an earlier try left is part of the need
    if free < needed:
        raise StageError(
            f"{place}: {_size(free)} free, but {checkpoints} checkpoints of {_size(one)}, a model of {_size(model)} and "
            f"{_size(MARGIN)} for logs need {_size(needed)}; make room, choose another output_dir, or train an adapter (lora_r)"
        )


def _size(count: float) -> str:
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"


def model_sizes(model: ModelConfig, base: str) -> Sizes:
    """Parameters of the model in ``base``, a folder or a name, from its config.json alone, with a job's adapter.

    Raises:
        ConfigError: the adapter cannot be put on this model.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM
    from trl import get_peft_config

    config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config)
        parameters = int(empty.num_parameters())
        adapter = get_peft_config(model)
        if adapter is None:
            return Sizes(parameters, parameters)
        from peft import get_peft_model

        try:
            trained, _ = get_peft_model(empty, adapter).get_nb_trainable_parameters()
        except (ValueError, TypeError) as error:  # modules that the model has not, or settings that exclude each other
            first = " ".join(str(error).split())
            raise ConfigError(f"lora_…: no adapter like that can be put on {base}: {first}") from None
    return Sizes(parameters, int(trained))
