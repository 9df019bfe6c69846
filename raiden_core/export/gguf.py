"""``raiden export DIR --to gguf``: a run's model as files for llama.cpp, proven to answer as the folder does.

In DIR lie a file for each quantisation, ``proof.json``, and the model card with the proof's table. Nothing is there before
all of it is: a file that does not answer as the trained model is not handed over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raiden_core.errors import DataError
from raiden_core.export.hub import CARD, RunTexts, run_texts
from raiden_core.export.proof import Proof, answers_of_folder, chosen, proof_table, prove
from raiden_core.models.gguf.packing import Packed, Quant, pack
from raiden_core.models.llama_cpp import PACKAGE, is_installed
from raiden_core.report.take_home import file_name
from raiden_core.rewards.configured import evaluation_scorer
from raiden_core.samples import read_samples
from raiden_core.stages.layout import VALIDATION_FILE
from raiden_core.stages.progress import Progress, silent

PROOF_FILE = "proof.json"
NOT_PROVEN = (
    f"Not proven: llama.cpp ({PACKAGE}) is not installed, so nobody has asked these files anything; "
    "pip install 'raiden[llamacpp]' and export again."
)


@dataclass(frozen=True)
class Exported:
    """What was written."""

    files: tuple[Packed, ...]
    proofs: tuple[Proof, ...]
    """Empty where llama.cpp is not installed."""
    texts: RunTexts
    """The run that they are from."""


def to_gguf(run: Path, out: Path, quants: Sequence[Quant], progress: Progress = silent) -> Exported:
    """Write and prove the files of a run.

    Args:
        run: the run's folder, with run.json and config.yaml.
        out: the folder to write into; it exists.
        quants: how the files are packed.
        progress: told questions asked.

    Raises:
        DataError: the run is not finished, or its model cannot be written as GGUF.
        StageError: the disk is full, or a file does not answer as the trained model.
    """
    texts = run_texts(run)
    name = file_name(texts.config.name)
    files = tuple(pack(texts.model, out / f"{name}-{quant}.gguf", quant, texts.config.name) for quant in quants)
    proofs: tuple[Proof, ...] = ()
    if is_installed():
        samples = chosen(read_samples(texts.split / VALIDATION_FILE))
        if not samples:
            raise DataError(
                f"{texts.split / VALIDATION_FILE}: no question that can be checked, so nothing can be proven"
            )
        config, scorer = texts.config, evaluation_scorer(texts.config)
        asked = answers_of_folder(
            texts.model,
            samples,
            scorer,
            config.system_prompt,
            config.prompt.layout,
            config.evaluation.max_new_tokens,
            progress,
        )
        proofs = tuple(prove(packed, asked, scorer, out / "llama.log", progress) for packed in files)
    (out / CARD).write_text(f"{texts.card}\n{section(files, proofs)}\n", "utf-8", errors="replace")
    about: dict[str, Any] = {
        "files": {
            packed.file.name: {"quant": packed.quant, "bytes": packed.size, "pre": packed.rule} for packed in files
        },
        "proofs": [proof.as_json() for proof in proofs] or NOT_PROVEN,
    }
    (out / PROOF_FILE).write_text(json.dumps(about, indent=2) + "\n", "utf-8")
    return Exported(files, proofs, texts)


def section(files: Sequence[Packed], proofs: Sequence[Proof]) -> str:
    """The model card's part about the files."""
    lines = ["## As GGUF", "", f"`llama-server -m {files[0].file.name} --jinja`; the chat template is in the file."]
    lines += ["`<think>` and `<answer>` are plain text in it: show or hide them in the program that you use.", ""]
    if not proofs:
        return "\n".join([*lines, NOT_PROVEN])
    lines += [
        "Validation questions were asked of llama.cpp with the file and of transformers with the folder, greedily. Right is "
        "VRAR's accuracy; the difference is paired and clustered by character.",
        "",
        proof_table(proofs),
    ]
    return "\n".join(lines)
