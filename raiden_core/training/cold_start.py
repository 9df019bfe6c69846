"""The cold start: supervised fine-tuning on reasoning and answer, by TRL's SFTTrainer.

    python -m raiden_core.training.cold_start job.yaml
    accelerate launch --config_file configs/accelerate/ddp8.yaml -m raiden_core.training.cold_start job.yaml

``job.yaml`` is flat: fields of SFTConfig, ModelConfig and `ColdStartArguments`. The model ends up in
``<output_dir>/model``, what was done in ``<output_dir>/training.json``. RAIDEN-R1 (arXiv 2505.10218) starts from SFT
on compressed reasoning with role awareness; here the reasoning is the teacher's.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from raiden_core.errors import DataError
from raiden_core.rewards import Scorer
from raiden_core.rewards.gold import read_verified
from raiden_core.samples import Sample
from raiden_core.training.arguments import ColdStartArguments, parse_script
from raiden_core.training.script import run_script_main, save_model, write_summary
from raiden_core.training.sequences import build_sequences

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase
    from trl import ModelConfig, SFTConfig


def main(argv: Sequence[str]) -> None:
    """Train as the job says."""
    from trl import ModelConfig, SFTConfig

    script, training, model = parse_script((ColdStartArguments, SFTConfig, ModelConfig), argv)
    cold_start(script, training, model)


def cold_start(script: ColdStartArguments, training: SFTConfig, model: ModelConfig) -> None:
    """Fine-tune on the samples of ``script.train_data_path``.

    Raises:
        DataError: no sample is usable.
    """
    from datasets import Dataset
    from trl import SFTTrainer, get_peft_config

    from raiden_core.training.metrics_log import MetricsLog
    from raiden_core.training.probe import Probe

    out = Path(training.output_dir)
    log = MetricsLog(out, "cold_start")
    scorer = Scorer(
        prefilled_think=script.prefilled_think,
        min_length_bound=script.min_length_bound,
        length_ratio=script.length_ratio,
    )
    samples, failures = read_verified(Path(script.train_data_path), scorer)
    if not samples:
        raise DataError(f"{script.train_data_path}: no usable sample; the first problem: {failures[0]}")
    held_back, used = hold_back(samples, script.probe_questions if script.probe_stop_at else 0, training.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = _student(script, model, samples, Path(scratch), training.seed)
        tokenizer = load_tokenizer(folder)
        sequences = build_sequences(
            used,
            tokenizer,
            epochs=training.num_train_epochs,
            questions_per_sequence=script.questions_per_sequence,
            max_length=training.max_length or tokenizer.model_max_length,
            shortest_first=script.shortest_first,
            instructions=script.system_prompt,
            prefilled_think=script.prefilled_think,
            seed=training.seed,
        )
        if not sequences.rows:
            raise DataError(f"{script.train_data_path}: every sample is longer than max_length {training.max_length}")
        # The rows are those of all epochs, in their order.
        training.num_train_epochs = 1
        training.train_sampling_strategy = "sequential"
        training.model_init_kwargs = {"dtype": model.dtype or "float32", **(training.model_init_kwargs or {})}
        trainer = SFTTrainer(
            model=str(folder),
            args=training,
            train_dataset=Dataset.from_list(sequences.rows),
            processing_class=tokenizer,
            peft_config=get_peft_config(model),
            callbacks=[log],
        )
    probe = None
    if script.probe_stop_at:
        probe = Probe(
            held_back,
            tokenizer,
            scorer,
            log,
            stop_at=script.probe_stop_at,
            ceiling=script.probe_ceiling,
            first=script.probe_first,
            every=script.probe_every,
            max_new_tokens=script.probe_max_new_tokens,
            instructions=script.system_prompt,
        )
        trainer.add_callback(probe)
    trainer.train()
    save_model(trainer, tokenizer, out / "model")
    write_summary(
        trainer,
        {
            "samples": len(used),
            "sequences": len(sequences.rows),
            "too_long": sequences.too_long,
            "bad_samples": len(failures),
            "parameters": trainer.model.num_parameters(),
            "steps": trainer.state.global_step,
            "probe": probe.accuracy if probe else None,
            "probe_questions": len(held_back),
            "probe_history": probe.metrics if probe else [],
        },
    )


def hold_back(samples: Sequence[Sample], questions: int, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Samples for the probe and samples to train on, no character in both; ``questions`` 0 holds nothing back.

    The probe's characters are drawn until they have enough samples, a quarter of all at most, and all their samples
    are asked up to ``questions``, so that the probe has the mix of the data.
    """
    if not questions:
        return [], list(samples)
    names = sorted({sample.character_name for sample in samples})
    random.Random(seed).shuffle(names)
    counts = dict.fromkeys(names, 0)
    for sample in samples:
        counts[sample.character_name] += 1
    chosen: set[str] = set()
    for name in names[: max(1, len(names) // 4)]:
        if sum(counts[one] for one in chosen) >= questions:
            break
        chosen.add(name)
    held = [sample for sample in samples if sample.character_name in chosen]
    random.Random(seed).shuffle(held)
    return held[:questions], [sample for sample in samples if sample.character_name not in chosen]


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model, with a padding token, ready for left-padded batches."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left", trust_remote_code=False)
    if tokenizer.chat_template is None:
        raise DataError(f"{folder}: the tokenizer has no chat template; use an instruction-tuned model or add one")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _student(
    script: ColdStartArguments, model: ModelConfig, samples: Sequence[Sample], scratch: Path, seed: int
) -> str | Path:
    """The model to start from: what the job names, or the nano student made on the spot."""
    if script.nano is None:
        return str(model.model_name_or_path)
    from raiden_core.config_sections.training import NanoConfig
    from raiden_core.training.nano import build_nano

    build_nano(scratch, samples, NanoConfig.model_validate(json.loads(script.nano)), seed)
    return scratch


if __name__ == "__main__":
    sys.exit(run_script_main(main, sys.argv[1:]))
