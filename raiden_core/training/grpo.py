"""GRPO on the verifiable role-awareness reward, by TRL's GRPOTrainer.

    python -m raiden_core.training.grpo job.yaml [--learning_rate 1e-5 …]
    accelerate launch --config_file configs/accelerate/ddp8.yaml -m raiden_core.training.grpo job.yaml

``job.yaml`` is flat: fields of GRPOConfig, ModelConfig and `GrpoArguments`; the OpenR1 guide's names
(``num_samples_per_prompt``, ``kl_penalty``) are read as well. Accuracy and format are two reward functions with
``reward_weights``, so that TRL's logs show each. The model ends up in ``<output_dir>/model``; a rerun with the same
``output_dir`` goes on from its last checkpoint. The method is RAIDEN-R1's (arXiv 2505.10218, section 3).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import ConfigError, DataError, StageError
from raiden_core.rewards import Scorer
from raiden_core.rewards.gold import read_verified
from raiden_core.samples import Sample
from raiden_core.training.arguments import GrpoArguments, parse_script
from raiden_core.training.cold_start import load_tokenizer
from raiden_core.training.controls import permuted
from raiden_core.training.dataset import reward_table
from raiden_core.training.prompts import build_prompt
from raiden_core.training.script import run_script_main, save_model, write_summary

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase
    from trl import GRPOConfig, ModelConfig


def main(argv: Sequence[str]) -> None:
    """Train as the job says."""
    from trl import GRPOConfig, ModelConfig

    try:
        script, training, model = parse_script((GrpoArguments, GRPOConfig, ModelConfig), argv)
    except ValueError as error:  # GRPOConfig refuses batch and group sizes that do not fit each other
        raise ConfigError(" ".join(str(error).split())) from None
    grpo(script, training, model)


def grpo(script: GrpoArguments, training: GRPOConfig, model: ModelConfig) -> None:
    """Train on the samples of ``script.train_data_path``.

    Raises:
        DataError: no sample is usable.
        StageError: no group's rewards ever differed, so there was nothing to learn from.
    """
    from transformers.trainer_utils import get_last_checkpoint
    from trl import GRPOTrainer, get_peft_config

    from raiden_core.rewards import accuracy_reward, format_reward
    from raiden_core.training.metrics_log import MetricsLog
    from raiden_core.training.no_signal import NoSignal

    out = Path(training.output_dir)
    tokenizer = load_tokenizer(str(model.model_name_or_path))
    scorer = Scorer(
        accuracy_weight=script.accuracy_weight,
        format_weight=script.format_weight,
        prefilled_think=script.prefilled_think,
        min_length_bound=script.min_length_bound,
        length_ratio=script.length_ratio,
        partial_credit=script.partial_credit,
    )
    room = script.max_prompt_length or tokenizer.model_max_length - (training.max_completion_length or 0)
    train, bad, too_long = _usable(Path(script.train_data_path), scorer, tokenizer, script.system_prompt, room)
    if not train:
        raise DataError(f"{script.train_data_path}: no usable sample; {bad} bad, {too_long} with too long a prompt")
    if script.longest_first:
        train.sort(key=lambda sample: -len(str(build_prompt(sample, script.system_prompt))))
        training.shuffle_dataset = False
    settings: dict[str, Any] = {
        "instructions": script.system_prompt,
        "prefilled_think": script.prefilled_think,
        "min_length_bound": script.min_length_bound,
        "length_ratio": script.length_ratio,
        "partial_credit": script.partial_credit,
    }
    validation: list[Sample] = []
    if script.eval_data_path and training.eval_strategy != "no":
        validation, _, _ = _usable(Path(script.eval_data_path), scorer, tokenizer, script.system_prompt, room)
    rewards = [accuracy_reward, format_reward]
    if script.permute_rewards:
        rewards = [permuted(reward, training.seed) for reward in rewards]
    training.reward_weights = [script.accuracy_weight, script.format_weight]
    training.model_init_kwargs = {"dtype": model.dtype or "float32", **(training.model_init_kwargs or {})}
    no_signal = NoSignal(script.patience)
    trainer = GRPOTrainer(
        model=str(model.model_name_or_path),
        reward_funcs=rewards,
        args=training,
        train_dataset=reward_table(train, **settings),
        eval_dataset=reward_table(validation, **settings) if validation else None,
        processing_class=tokenizer,
        peft_config=get_peft_config(model),
        callbacks=[MetricsLog(out, "grpo"), no_signal],
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(out)) if out.is_dir() else None)
    if no_signal.stopped:
        raise StageError(
            f"GRPO stopped at step {trainer.state.global_step}: in the last {script.patience} logged steps all "
            "completions of every group earned the same reward, so there is nothing to learn from; use easier or "
            "harder questions, a longer cold start, or a larger grpo.num_generations"
        )
    save_model(trainer, tokenizer, out / "model")
    write_summary(
        trainer,
        {
            "samples": len(train),
            "bad_samples": bad,
            "too_long": too_long,
            "steps": trainer.state.global_step,
            "permute_rewards": script.permute_rewards,
        },
    )


def _usable(
    path: Path, scorer: Scorer, tokenizer: PreTrainedTokenizerBase, instructions: str | None, room: int
) -> tuple[list[Sample], int, int]:
    """Samples whose reference passes and whose prompt fits, and how many fail at the one and at the other."""
    samples, failures = read_verified(path, scorer)
    fitting = []
    for sample in samples:
        text = tokenizer.apply_chat_template(
            build_prompt(sample, instructions), tokenize=False, add_generation_prompt=True
        )
        # A token is at least one character of text (or a byte of one), so short texts need not be tokenized.
        if len(str(text).encode()) <= room or len(tokenizer(text, add_special_tokens=False)["input_ids"]) <= room:
            fitting.append(sample)
    return fitting, len(failures), len(samples) - len(fitting)


if __name__ == "__main__":
    sys.exit(run_script_main(main, sys.argv[1:]))
