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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from raiden_core.config.sections.training import GrpoConfig
from raiden_core.errors import ConfigError, DataError, StageError
from raiden_core.models.folder import load_tokenizer
from raiden_core.prompts import Message, build_prompt
from raiden_core.rewards.aside import count_completed
from raiden_core.rewards.listed.chosen import ChosenReward, is_default
from raiden_core.rewards.listed.columns import trl_rewards
from raiden_core.rewards.listed.running import RewardRun
from raiden_core.rewards.listed.trial import check_trials, try_rewards
from raiden_core.rewards.scorer import WEIGHTS
from raiden_core.samples import Sample
from raiden_core.stages.layout import JUDGED, MODEL
from raiden_core.stages.progress import Progress
from raiden_core.training.arguments import GrpoArguments, parse_script
from raiden_core.training.checks import check_gates, check_named, context_of, too_few
from raiden_core.training.dataset import (
    PromptLengths,
    columns_for,
    hold_back,
    longest_in_first_batch,
    reward_table,
    training_samples,
)
from raiden_core.training.hooks.controls import permuted
from raiden_core.training.hooks.disk import check_disk, model_sizes
from raiden_core.training.hooks.own_log import own_log
from raiden_core.training.hooks.saved_model import save_model
from raiden_core.training.launch.accelerate import Runner, Say, warn
from raiden_core.training.launch.metrics import VALIDATION_ACCURACY
from raiden_core.training.launch.script import as_script, finished_before, write_summary
from raiden_core.training.loading import loading_arguments, model_place, model_snapshot, quantization
from raiden_core.training.settings import TrainSettings
from raiden_core.training.stage import job_of

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase
    from trl import GRPOConfig, ModelConfig


def train_stage(
    settings: TrainSettings, inputs: Mapping[str, Path | str], out: Path, progress: Progress, say: Say = warn
) -> dict[str, Any]:
    """The stage: train with GRPO, and leave ``model/``, logs and metrics in ``out``; goes on where it was killed.

    Where ``grpo.eval_strategy`` asks for evaluations in between, the checkpoint with the best accuracy is the result.
    They are on training characters that are held back; on the validation file only when ``grpo.eval_on`` says so,
    because characters that had a say in the choice are no longer unseen.

    Args:
        settings: of the stage.
        inputs: ``base``, the model to start from, a folder or a Hub id; ``train`` and ``validation``, files of samples.
        out: a folder that exists.
        progress: told optimizer steps.
        say: told each warning once.

    Raises:
        RaidenError: what the script reports, or the end of its log.
    """
    section = settings.grpo
    job = {
        **(_best_kept(section) if (section.model_extra or {}).get("eval_strategy", "no") != "no" else {}),
        **job_of(settings, section, GrpoArguments),
        "model_name_or_path": str(inputs["base"]),
        "train_data_path": str(inputs["train"]),
        "eval_data_path": str(inputs["validation"]) if section.eval_on == "validation" else None,
        "rewards": None if is_default(settings.rewards) else [one.entry() for one in settings.rewards],
    }
    if job["rewards"] is not None:  # beside a list no short forms stand
        job = {name: value for name, value in job.items() if name not in WEIGHTS}
    return Runner("raiden_core.training.grpo", section.launch, out, progress, say).finish(job)


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

    from raiden_core.training.hooks.checkpoints import (
        WholeCheckpoints,
        job_identity,
        last_whole_checkpoint,
        settle_checkpoints,
    )
    from raiden_core.training.hooks.metrics_log import MetricsLog
    from raiden_core.training.hooks.no_signal import NoSignal
    from raiden_core.training.hooks.pulse import Pulse
    from raiden_core.training.hooks.resources import Resources
    from raiden_core.training.hooks.resuming import ResumableGRPOTrainer
    from raiden_core.training.hooks.watch import Watch

    out = Path(str(training.output_dir))
    base = model_place(model)
    loading = loading_arguments(model, training.model_init_kwargs)
    tokenizer = load_tokenizer(base)
    chosen = script.chosen
    check_gates(chosen, training.multi_objective_aggregation)
    data = _read_data(script, training, tokenizer, base)

    def prompt(sample: Sample) -> list[Message]:
        return build_prompt(sample, script.system_prompt, script.layout)

    run = RewardRun(chosen, out / JUDGED)
    check_trials(try_rewards(run, data.train, script.scorer, prompt, _may_be_tried))

    figures = None
    if script.curriculum == "pass_rate":
        data, figures = _by_pass_rate(data, script, training, base)

    settle_checkpoints(training, training.steps_per_generation * training.num_iterations)
    check_disk(out, model_sizes(model, base), training, str(loading["dtype"]))
    if training.load_best_model_at_end:
        training.metric_for_best_model, training.greater_is_better = VALIDATION_ACCURACY, True

    if _first_the_longest(script, training):
        data.train[:] = longest_in_first_batch(
            data.train,
            lambda sample: len(str(prompt(sample))),
            training.generation_batch_size // training.num_generations,
            training.seed,
        )
        training.shuffle_dataset = False
    rewards, training.reward_weights = trl_rewards(run)
    if script.permute_rewards:
        rewards = [permuted(reward, training.seed) for reward in rewards]
    training.model_init_kwargs = loading
    log, no_signal = MetricsLog(out, "grpo"), NoSignal(script.patience)
    identity = job_identity(Path(script.train_data_path), base, training, model)

    def table(samples: list[Sample]) -> Dataset:
        return reward_table(samples, script.scorer, script.system_prompt, script.layout, columns_for(chosen))

    trainer = ResumableGRPOTrainer(
        model=base,
        reward_funcs=rewards,
        args=training,
        train_dataset=table(data.train),
        eval_dataset=table(data.evaluation) if data.evaluation else None,
        processing_class=tokenizer,
        quantization_config=quantization(model),
        peft_config=get_peft_config(model),
        callbacks=[log, no_signal, Watch(log), Pulse(out), WholeCheckpoints(identity)],
    )
    trainer.share_prefix = script.shared_prefix == "auto"
    Resources.attach(trainer)
    trainer.train(resume_from_checkpoint=trainer.prepared(last_whole_checkpoint(out, identity)))
    run.close()
    if no_signal.stopped:
        raise StageError(
            f"GRPO stopped at step {trainer.state.global_step}: in the last {script.patience} logged steps all "
            "completions of every group earned the same reward, so there is nothing to learn from; use easier or "
            "harder questions, a longer cold start, or a larger grpo.num_generations"
        )
    question = prompt(data.train[-1])
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
            **({"curriculum": figures | _equal_groups(trainer.state.log_history)} if figures else {}),
            "shared_prefix": trainer.not_shared or True,
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
    scorer = script.scorer
    length = PromptLengths(
        tokenizer,
        script.system_prompt,
        context_of(base, tokenizer) - (training.max_completion_length or 0),
        script.max_prompt_length,
        script.layout,
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
    if few := too_few(len(train), training.generation_batch_size, training.num_generations):
        raise DataError(f"{script.train_data_path}: {few}")
    return _Data(train, evaluation, len(failures), too_long)


def _by_pass_rate(data: _Data, script: GrpoArguments, training: GRPOConfig, base: str) -> tuple[_Data, dict[str, Any]]:
    """The data with its training samples drawn by what the student can do; one process asks it, the others read."""
    from accelerate import PartialState

    from raiden_core.training.curriculum import by_pass_rate

    with PartialState().main_process_first():
        curriculum = by_pass_rate(
            data.train,
            model_snapshot(base),
            Path(str(training.output_dir)),
            answers=script.curriculum_answers,
            group=training.num_generations,
            scorer=script.scorer,
            prompt=lambda sample: build_prompt(sample, script.system_prompt, script.layout),
            max_new_tokens=training.max_completion_length or 256,
            temperature=training.temperature,
            seed=training.seed,
        )
    return replace(data, train=curriculum.samples), curriculum.figures


def _equal_groups(logs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The share of groups with nothing to learn from that training met."""
    shares = [float(row["frac_reward_zero_std"]) for row in logs if "frac_reward_zero_std" in row]
    return {"zero_variance_met": round(fmean(shares), 4)} if shares else {}


def _may_be_tried(reward: ChosenReward) -> bool:
    """Whether a reward is called once before the model is loaded: accuracy of gold is known, and a judge costs."""
    return not reward.is_vrar and not reward.is_judge


def _best_kept(section: GrpoConfig) -> dict[str, Any]:
    """Settings of an evaluation in between that its section may replace: with each checkpoint, the best one kept."""
    group = int((section.model_extra or {}).get("num_generations_eval") or section.num_generations)
    groups = max(1, section.per_device_train_batch_size // group)
    return {
        "eval_steps": section.save_steps,
        "load_best_model_at_end": True,
        "per_device_eval_batch_size": group * groups,  # TRL wants whole groups
    }


def _first_the_longest(script: GrpoArguments, training: GRPOConfig) -> bool:
    if script.longest_first is None:  # an order that was asked for is kept
        return bool(training.shuffle_dataset and training.device.type != "cpu")
    return script.longest_first


if __name__ == "__main__":
    with as_script():
        main(sys.argv[1:])
