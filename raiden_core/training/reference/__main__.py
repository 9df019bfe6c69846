"""The command line of raiden_core/training/reference/grpo.py: arguments, data, the model's folders, a log of figures."""

from __future__ import annotations

import json
import logging
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raiden_core.config.loading import load_config
from raiden_core.errors import ConfigError, DataError
from raiden_core.rewards import Scorer
from raiden_core.rewards.configured import training_scorer
from raiden_core.rewards.gold import read_verified
from raiden_core.rewards.listed.chosen import chosen_rewards
from raiden_core.rewards.listed.running import RewardRun
from raiden_core.samples import Sample
from raiden_core.stages.layout import JUDGED, METRICS_FILE
from raiden_core.training.launch.metrics import figures_of
from raiden_core.training.launch.script import as_script
from raiden_core.training.reference.grpo import Settings, prompt_ids, train

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Folders:
    """Where things are."""

    model: str = field(metadata={"help": "folder of the policy to start from"})
    train: str = field(metadata={"help": "train.json (or .jsonl, .parquet)"})
    out: str = field(metadata={"help": "folder for model/ and metrics.jsonl"})
    rewards: str | None = field(
        default=None, metadata={"help": "a configuration whose rewards are earned; default: accuracy and format"}
    )


def main(argv: Sequence[str]) -> None:
    """Train as the flags say, and leave ``model/`` and ``metrics.jsonl`` in ``--out``.

    Raises:
        ConfigError: a folder or a setting that cannot be.
        DataError: no sample can be used.
    """
    import torch
    from transformers import AutoModelForCausalLM, HfArgumentParser

    from raiden_core.models.folder import load_tokenizer

    parser = HfArgumentParser([Folders, Settings], description="GRPO in plain PyTorch")
    folders, settings = parser.parse_args_into_dataclasses(list(argv))
    check(folders, settings)
    out, scorer, chosen = Path(folders.out), Scorer(), None
    if folders.rewards is not None:
        config = load_config(Path(folders.rewards))
        scorer, chosen = training_scorer(config), chosen_rewards(config)
    samples, failures = read_verified(Path(folders.train), scorer)
    tokenizer: Any = load_tokenizer(folders.model)
    room = tokenizer.model_max_length - settings.max_completion_length
    samples = [one for one in samples if len(prompt_ids(one, tokenizer)) <= room]
    if not samples:
        raise DataError(f"{folders.train}: no usable sample{': ' + failures[0] if failures else ''}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    policy = AutoModelForCausalLM.from_pretrained(folders.model, dtype=torch.float32).to(device)
    out.mkdir(parents=True, exist_ok=True)
    listed = RewardRun(chosen, out / JUDGED) if chosen is not None else None
    began = time.monotonic()
    with (out / METRICS_FILE).open("w", encoding="utf-8") as file:

        def report(figures: dict[str, Any]) -> None:
            row = {"phase": "grpo", "seconds": round(time.monotonic() - began, 2), **figures}
            file.write(json.dumps(row) + "\n")
            file.flush()
            shown = "  ".join(f"{name} {value:.3g}" for name, value in figures_of(row).items())
            _log.info("grpo %d/%d  %s  %.0f s", row["step"], settings.max_steps, shown, row["seconds"])

        file.write(json.dumps({"phase": "grpo", "total_steps": settings.max_steps}) + "\n")
        train(policy, tokenizer, shuffled(samples, settings.seed), scorer, settings, report, listed)
    if listed is not None:
        listed.close()
    policy.save_pretrained(out / "model")
    tokenizer.save_pretrained(out / "model")


def check(folders: Folders, settings: Settings) -> None:
    """Refuse what cannot be trained, before anything is loaded."""
    for name in ("num_generations", "prompts_per_step", "max_completion_length", "max_steps", "num_iterations"):
        least = 2 if name == "num_generations" else 1
        if getattr(settings, name) < least:
            raise ConfigError(f"--{name} is {getattr(settings, name)}; it must be at least {least}")
    if settings.temperature <= 0:
        raise ConfigError(f"--temperature is {settings.temperature}; rollouts need one above 0")
    if not (Path(folders.model) / "config.json").is_file():
        raise ConfigError(f"--model {folders.model}: no config.json there; give a model's folder")
    if (Path(folders.out) / "model").exists():
        raise ConfigError(f"--out {folders.out}: holds a model already; give a new folder")


def shuffled(samples: Sequence[Sample], seed: int) -> Iterator[Sample]:
    """The samples in a new order each time round, without end."""
    order, generator = list(samples), random.Random(seed)
    while True:
        generator.shuffle(order)
        yield from order


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with as_script():
        main(sys.argv[1:])
