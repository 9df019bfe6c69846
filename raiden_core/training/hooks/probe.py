"""The probe that ends a cold start: enough for GRPO to build on, not so much that nothing is left to do.

A small model finds out how to look things up within a few steps (accuracy can go from 10% to 70% in 25), so stopping
at "the first probe above" would often stop far above. When a probe passes the ceiling, weights and optimizer go back
to the last probe below it, the learning rate is quartered, and training goes on from there.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raiden_core.prompts import Layout, build_prompt
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample
from raiden_core.training.hooks.metrics_log import MetricsLog

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RATE_CUT = 0.25
"""What the learning rate is multiplied with after a step back."""
MAX_STEPS_BACK = 6
"""Steps back before the last state below the ceiling is taken as it is."""
STATE_FILE = "probe.pt"
BATCH = 128
"""Questions that are answered at once."""


class Probe(TrainerCallback):
    """Asks held-back questions every ``every`` steps and stops training between ``stop_at`` and ``ceiling``."""

    def __init__(
        self,
        samples: Sequence[Sample],
        tokenizer: PreTrainedTokenizerBase,
        scorer: Scorer,
        log: MetricsLog,
        *,
        stop_at: float,
        ceiling: float,
        first: int,
        every: int,
        max_new_tokens: int,
        instructions: str | None,
        layout: Layout = "raiden",
    ) -> None:
        self.samples, self.tokenizer, self.scorer, self.log = samples, tokenizer, scorer, log
        self.stop_at, self.ceiling, self.first, self.every = stop_at, ceiling, first, every
        self.max_new_tokens, self.instructions, self.layout = max_new_tokens, instructions, layout
        self.accuracy: float | None = None
        """Strict accuracy at the last probe whose weights were kept."""
        self.steps_back = 0
        self.metrics: list[dict[str, float]] = []
        self._kept: tuple[dict[str, torch.Tensor], dict[str, Any]] | None = None

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Probe, and stop, step back or go on."""
        step = state.global_step
        if (step < self.first or step % self.every) and step < state.max_steps:
            return
        model, optimizer, schedule = kwargs["model"], kwargs["optimizer"], kwargs["lr_scheduler"]
        accuracy = self.ask(model)
        self.metrics.append({"step": step, "probe_accuracy": accuracy})
        self.log.write(state, {"probe_accuracy": accuracy})
        if accuracy > self.ceiling and self._kept is not None and self.steps_back < MAX_STEPS_BACK:
            model.load_state_dict(self._kept[0])
            optimizer.load_state_dict(copy.deepcopy(self._kept[1]))
            schedule.base_lrs = [rate * RATE_CUT for rate in schedule.base_lrs]
            for group in optimizer.param_groups:
                group["lr"] *= RATE_CUT
            self.steps_back += 1
            return
        if accuracy > self.ceiling and self._kept is not None:
            model.load_state_dict(self._kept[0])
            control.should_training_stop = True
            return
        self.accuracy = accuracy
        if accuracy >= self.stop_at:
            control.should_training_stop = True
            return
        weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        self._kept = weights, copy.deepcopy(optimizer.state_dict())

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Put what the probe remembers into the checkpoint, the weights to step back to included."""
        if state.is_world_process_zero:
            memory = {
                "accuracy": self.accuracy,
                "steps_back": self.steps_back,
                "metrics": self.metrics,
                "kept": self._kept,
            }
            torch.save(memory, Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / STATE_FILE)

    def restore(self, checkpoint: Path) -> None:
        """Remember what the probe of a checkpoint remembered."""
        memory = torch.load(checkpoint / STATE_FILE, weights_only=True)
        self.accuracy, self.steps_back = memory["accuracy"], memory["steps_back"]
        self.metrics, self._kept = memory["metrics"], memory["kept"]

    def ask(self, model: PreTrainedModel) -> float:
        """Strict accuracy of greedy answers to the probe's questions."""
        prompts = [build_prompt(sample, self.instructions, self.layout) for sample in self.samples]
        replies = greedy_replies(model, self.tokenizer, prompts, self.max_new_tokens)
        scores = [self.scorer.score(sample, reply) for sample, reply in zip(self.samples, replies, strict=True)]
        return sum(score.accuracy * score.format for score in scores) / len(scores)


def greedy_replies(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[list[dict[str, str]]],
    max_new_tokens: int,
) -> list[str]:
    """Greedy replies of a model that is being trained, its mode and settings left as they were."""
    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    was_training, had = model.training, model.generation_config
    model.eval()
    model.generation_config = settings
    replies: list[str] = []
    try:
        texts = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in prompts]
        for start in range(0, len(texts), BATCH):
            ids = tokenizer(texts[start : start + BATCH], add_special_tokens=False)["input_ids"]
            batch = tokenizer.pad({"input_ids": ids}, padding_side="left", return_tensors="pt").to(model.device)
            with torch.inference_mode():
                output = model.generate(**batch, generation_config=settings)
            for row in output[:, batch["input_ids"].shape[1] :].tolist():
                end = row.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in row else len(row)
                replies.append(str(tokenizer.decode(row[:end], skip_special_tokens=False)))
    finally:
        model.generation_config = had
        model.train(was_training)
    return replies
