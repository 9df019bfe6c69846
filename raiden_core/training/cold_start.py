"""The cold start: supervised fine-tuning on reasoning and answer, by TRL's SFTTrainer.

    python -m raiden_core.training.cold_start job.yaml
    accelerate launch --config_file configs/accelerate/ddp8.yaml -m raiden_core.training.cold_start job.yaml

``job.yaml`` is flat: fields of SFTConfig, ModelConfig and `ColdStartArguments`. The model ends up in
``<output_dir>/model``, what was done in ``<output_dir>/training.json``; a rerun goes on from the last whole
checkpoint. RAIDEN-R1 (arXiv 2505.10218) starts from SFT
on compressed reasoning with role awareness; here the reasoning is the teacher's.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError
from raiden_core.models.folder import load_tokenizer
from raiden_core.prompts import build_prompt
from raiden_core.rewards.aside import count_completed
from raiden_core.samples import Sample
from raiden_core.stages.layout import MODEL
from raiden_core.stages.progress import Progress
from raiden_core.training.arguments import ColdStartArguments, parse_script
from raiden_core.training.card_examples import example_turns
from raiden_core.training.checks import check_named
from raiden_core.training.dataset import hold_back, training_samples
from raiden_core.training.hooks.disk import check_disk, model_sizes
from raiden_core.training.hooks.own_log import own_log
from raiden_core.training.hooks.saved_model import save_model
from raiden_core.training.launch.accelerate import Runner, Say, warn
from raiden_core.training.launch.script import as_script, finished_before, write_summary
from raiden_core.training.loading import loading_arguments, model_place, quantization
from raiden_core.training.sequences import build_sequences
from raiden_core.training.settings import ColdStartSettings
from raiden_core.training.stage import job_of

if TYPE_CHECKING:
    from trl import ModelConfig, SFTConfig


STUDENT = "student"
"""Folder beside the checkpoints in which the nano student is kept until the cold start is finished."""


def cold_start_stage(
    settings: ColdStartSettings, inputs: Mapping[str, Path | str], out: Path, progress: Progress, say: Say = warn
) -> dict[str, Any]:
    """The stage: fine-tune, and leave ``model/``, logs and metrics in ``out``; goes on where it was killed.

    Args:
        settings: of the stage; with a shape of the nano student that is the model, whatever ``student`` says.
        inputs: ``student``, a folder or a Hub id; ``train``, a file of samples.
        out: a folder that exists.
        progress: told optimizer steps.
        say: told each warning once.

    Raises:
        RaidenError: what the script reports, or the end of its log.
    """
    job = job_of(settings, settings.cold_start, ColdStartArguments) | {"train_data_path": str(inputs["train"])}
    if settings.nano is not None:
        job["nano"] = json.dumps(settings.nano.model_dump())
    else:
        job["model_name_or_path"] = str(inputs["student"])
    return Runner("raiden_core.training.cold_start", settings.cold_start.launch, out, progress, say).finish(job)


def main(argv: Sequence[str]) -> None:
    """Train as the job says."""
    from trl import ModelConfig, SFTConfig

    script, training, model = parse_script((ColdStartArguments, SFTConfig, ModelConfig), argv)
    check_named(script.train_data_path, script.nano or model.model_name_or_path)
    out = Path(str(training.output_dir))
    if finished_before(out):
        return
    with own_log(out):
        cold_start(script, training, model)


def cold_start(script: ColdStartArguments, training: SFTConfig, model: ModelConfig) -> None:
    """Fine-tune on the samples of ``script.train_data_path``.

    Raises:
        DataError: no sample is usable.
    """
    from datasets import Dataset
    from trl import get_peft_config

    from raiden_core.training.hooks.checkpoints import (
        WholeCheckpoints,
        job_identity,
        last_whole_checkpoint,
        settle_checkpoints,
    )
    from raiden_core.training.hooks.metrics_log import MetricsLog
    from raiden_core.training.hooks.probe import Probe
    from raiden_core.training.hooks.pulse import Pulse
    from raiden_core.training.hooks.resources import Resources
    from raiden_core.training.hooks.resuming import ResumableSFTTrainer

    out = Path(str(training.output_dir))
    log = MetricsLog(out, "cold_start")
    data = Path(script.train_data_path)
    samples, failures = training_samples(data, script.scorer)
    held_back, used = hold_back(samples, script.probe_questions if script.probe_stop_at else 0, training.seed)
    identity = job_identity(data, script.nano or str(model.model_name_or_path), training, model)
    checkpoint = last_whole_checkpoint(out, identity)
    if script.nano is None:
        folder = model_place(model)
    else:
        folder = _nano_student(script, samples, out / STUDENT, training.seed, keep=checkpoint is not None)
    model.model_name_or_path = folder
    tokenizer = load_tokenizer(folder)
    spoken = example_turns(used)
    sequences = build_sequences(
        [*used, *spoken],
        tokenizer,
        epochs=training.num_train_epochs,
        questions_per_sequence=script.questions_per_sequence,
        max_length=training.max_length or tokenizer.model_max_length,
        shortest_first=script.shortest_first,
        instructions=script.system_prompt,
        layout=script.layout,
        prefilled_think=script.prefilled_think,
        seed=training.seed,
    )
    if not sequences.rows:
        raise DataError(f"{data}: every sample is longer than max_length {training.max_length}; raise it")
    loading = loading_arguments(model, training.model_init_kwargs)
    settle_checkpoints(training)
    check_disk(out, model_sizes(model, folder), training, str(loading["dtype"]))
    # The rows are those of all epochs, in their order.
    training.num_train_epochs = 1
    training.train_sampling_strategy = "sequential"
    training.model_init_kwargs = loading
    trainer = ResumableSFTTrainer(
        model=folder,
        args=training,
        train_dataset=Dataset.from_list(sequences.rows),
        processing_class=tokenizer,
        quantization_config=quantization(model),
        peft_config=get_peft_config(model),
        callbacks=[log, Pulse(out)],
    )
    Resources.attach(trainer)
    probe = None
    if script.probe_stop_at:
        probe = Probe(
            held_back,
            tokenizer,
            script.scorer,
            log,
            stop_at=script.probe_stop_at,
            ceiling=script.probe_ceiling,
            first=script.probe_first,
            every=script.probe_every,
            max_new_tokens=script.probe_max_new_tokens,
            instructions=script.system_prompt,
            layout=script.layout,
        )
        if checkpoint is not None:
            probe.restore(checkpoint)
        trainer.add_callback(probe)
    trainer.add_callback(WholeCheckpoints(identity))
    trainer.train(resume_from_checkpoint=trainer.prepared(checkpoint))
    question = build_prompt(used[0], script.system_prompt, script.layout)
    answer = save_model(trainer, tokenizer, out / MODEL, base=folder, prompt=question)
    write_summary(
        trainer,
        {
            "samples": len(used),
            "example_turns": len(spoken),
            "sequences": len(sequences.rows),
            "too_long": sequences.too_long,
            "bad_samples": len(failures),
            "aside_completed": count_completed(samples),
            "parameters": trainer.model.num_parameters(),
            "steps": trainer.state.global_step,
            "asked": [question[-1]["content"], answer],
            "probe": probe.accuracy if probe else None,
            "probe_questions": len(held_back),
            "probe_history": probe.metrics if probe else [],
        },
    )
    if trainer.is_world_process_zero():
        shutil.rmtree(out / STUDENT, ignore_errors=True)  # there is one only where it was made here


def _nano_student(script: ColdStartArguments, samples: Sequence[Sample], folder: Path, seed: int, *, keep: bool) -> str:
    """The nano student, made once for all processes, and kept for a run that goes on from a checkpoint.

    Training a tokenizer twice need not give the same one, and a checkpoint is worth nothing with another.
    """
    from accelerate import PartialState

    from raiden_core.config.sections.training import NanoConfig
    from raiden_core.training.nano import build_nano

    if PartialState().is_main_process and not (keep and folder.is_dir()):
        shutil.rmtree(folder, ignore_errors=True)
        build_nano(folder, samples, NanoConfig.model_validate(json.loads(script.nano or "{}")), seed, script.layout)
    PartialState().wait_for_everyone()
    return str(folder)


if __name__ == "__main__":
    with as_script():
        main(sys.argv[1:])
