"""GRPO on the verifiable role-awareness reward, by TRL's GRPOTrainer.

    python -m raiden_core.training.grpo job.yaml [--learning_rate 1e-5 …]
    accelerate launch --config_file configs/accelerate/ddp8.yaml -m raiden_core.training.grpo job.yaml

``job.yaml`` is flat: fields of GRPOConfig, ModelConfig and `GrpoArguments`; the OpenR1 guide's names
(``num_samples_per_prompt``, ``kl_penalty``) are read as well. Accuracy and format are two reward functions with
``reward_weights``, so that TRL's logs show each. The model ends up in ``<output_dir>/model``; a rerun with the same
``output_dir`` goes on from its last whole checkpoint. The method is RAIDEN-R1's (arXiv 2505.10218, section 3).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import ConfigError, DataError, StageError
from raiden_core.models.folder import load_tokenizer
from raiden_core.prompts import build_prompt
from raiden_core.rewards import Scorer
from raiden_core.rewards.aside import count_completed
from raiden_core.samples import Sample
from raiden_core.training.arguments import GrpoArguments, parse_script
from raiden_core.training.checks import check_named, context_of
from raiden_core.training.dataset import (
    PromptLengths,
    hold_back,
    longest_in_first_batch,
    reward_table,
    training_samples,
)
from raiden_core.training.hooks.controls import permuted
from raiden_core.training.hooks.disk import check_disk, model_sizes
from raiden_core.training.hooks.own_log import own_log
from raiden_core.training.hooks.saved_model import save_model
from raiden_core.training.launch.metrics import VALIDATION_ACCURACY
from raiden_core.training.launch.script import MODEL, finished_before, run_script_main, write_summary

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase
    from trl import GRPOConfig, ModelConfig


def main(argv: Sequence[str]) -> None:
    """Train as the job says."""
    from trl import GRPOConfig, ModelConfig

    script, training, model = parse_script((GrpoArguments, GRPOConfig, ModelConfig), argv)
    check_named(script.train_data_path, model.model_name_or_path)
    out = Path(str(training.output_dir))
    if finished_before(out):
        return
    with own_log(out):
        grpo(script, training, model)


def grpo(script: GrpoArguments, training: GRPOConfig, model: ModelConfig) -> None:
    """Train on the samples of ``script.train_data_path``.

    Raises:
        DataError: no sample is usable, or a prompt does not fit the model's context.
        StageError: the disk is too small, no group's rewards ever differed, or the saved model is not the trained one.
    """
    from trl import get_peft_config

    from raiden_core.rewards import accuracy_reward, format_reward
    from raiden_core.training.hooks.checkpoints import (
        WholeCheckpoints,
        job_identity,
        last_whole_checkpoint,
        settle_checkpoints,
    )
    from raiden_core.training.hooks.metrics_log import MetricsLog
    from raiden_core.training.hooks.no_signal import NoSignal
    from raiden_core.training.hooks.resources import Resources
    from raiden_core.training.hooks.resuming import ResumableGRPOTrainer
    from raiden_core.training.hooks.watch import Watch

    out = Path(str(training.output_dir))
    base, dtype = str(model.model_name_or_path), str(model.dtype or "float32")
    tokenizer = load_tokenizer(base)
    data = _read_data(script, training, tokenizer, base)

    settle_checkpoints(training, training.steps_per_generation * training.num_iterations)
    check_disk(out, model_sizes(model), training, dtype)
    if training.load_best_model_at_end:
        training.metric_for_best_model, training.greater_is_better = VALIDATION_ACCURACY, True

    if _first_the_longest(script, training):
        data.train[:] = longest_in_first_batch(
            data.train,
            lambda sample: len(str(build_prompt(sample, script.system_prompt))),
            training.generation_batch_size // training.num_generations,
            training.seed,
        )
        training.shuffle_dataset = False
    columns: dict[str, Any] = {
        "instructions": script.system_prompt,
        "prefilled_think": script.prefilled_think,
        "min_length_bound": script.min_length_bound,
        "length_ratio": script.length_ratio,
        "partial_credit": script.partial_credit,
    }
    rewards = [accuracy_reward, format_reward]
    if script.permute_rewards:
        rewards = [permuted(reward, training.seed) for reward in rewards]
    training.reward_weights = [script.accuracy_weight, script.format_weight]
    training.model_init_kwargs = {"dtype": dtype, **(training.model_init_kwargs or {})}
    log, no_signal = MetricsLog(out, "grpo"), NoSignal(script.patience)
    identity = job_identity(Path(script.train_data_path), base, training, model)
    trainer = ResumableGRPOTrainer(
        model=base,
        reward_funcs=rewards,
        args=training,
        train_dataset=reward_table(data.train, **columns),
        eval_dataset=reward_table(data.evaluation, **columns) if data.evaluation else None,
        processing_class=tokenizer,
        peft_config=get_peft_config(model),
        callbacks=[log, no_signal, Watch(log), WholeCheckpoints(identity)],
    )
    Resources.attach(trainer)
    trainer.go_on(last_whole_checkpoint(out, identity))
    if no_signal.stopped:
        raise StageError(
            f"GRPO stopped at step {trainer.state.global_step}: in the last {script.patience} logged steps all "
            "completions of every group earned the same reward, so there is nothing to learn from; use easier or "
            "harder questions, a longer cold start, or a larger grpo.num_generations"
        )
    question = build_prompt(data.train[-1], script.system_prompt)
    answer = save_model(trainer, tokenizer, out / MODEL, base=base, prompt=question)
    write_summary(
        trainer,
        {
            "samples": len(data.train),
            "bad_samples": data.bad,
            "aside_completed": count_completed(data.train),
            "too_long": data.too_long,
            "steps": trainer.state.global_step,
            "best_step": trainer.state.best_global_step if training.load_best_model_at_end else None,
            "best_accuracy": trainer.state.best_metric if training.load_best_model_at_end else None,
            "permute_rewards": script.permute_rewards,
            "asked": [question[-1]["content"], answer],
        },
    )


@dataclass(frozen=True)
class _Data:
    """What is trained on, what is evaluated on in between, and what was left out."""

    train: list[Sample]
    evaluation: list[Sample]
    bad: int
    too_long: int


def _read_data(script: GrpoArguments, training: GRPOConfig, tokenizer: PreTrainedTokenizerBase, base: str) -> _Data:
    scorer = Scorer(
        accuracy_weight=script.accuracy_weight,
        format_weight=script.format_weight,
        prefilled_think=script.prefilled_think,
        min_length_bound=script.min_length_bound,
        length_ratio=script.length_ratio,
        partial_credit=script.partial_credit,
    )
    length = PromptLengths(
        tokenizer,
        script.system_prompt,
        context_of(base, tokenizer) - (training.max_completion_length or 0),
        script.max_prompt_length,
    )
    path = Path(script.train_data_path)
    samples, failures = training_samples(path, scorer)
    train, too_long = length.fitting(samples, path)
    if not train:
        raise DataError(f"{path}: every prompt is longer than max_prompt_length {script.max_prompt_length}; raise it")
    evaluation: list[Sample] = []
    if training.eval_strategy != "no":
        if script.eval_questions:
            evaluation, train = hold_back(train, script.eval_questions, training.seed)
        elif script.eval_data_path:
            path = Path(script.eval_data_path)
            evaluation, _ = length.fitting(training_samples(path, scorer)[0], path)
        else:
            raise ConfigError("eval_strategy: there is nothing to evaluate on; set eval_data_path or eval_questions")
    return _Data(train, evaluation, len(failures), too_long)


def _first_the_longest(script: GrpoArguments, training: GRPOConfig) -> bool:
    return script.longest_first if script.longest_first is not None else training.device.type != "cpu"


if __name__ == "__main__":
    sys.exit(run_script_main(main, sys.argv[1:]))
