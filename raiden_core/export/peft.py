"""``raiden export DIR --to peft``: the adapter that training left, not merged, with its base named.

    written = to_peft(Path("runs/runs/20260101-120000-000-mine"), Path("out"), Path("out").absolute(), with_base=False)

In DIR lie the adapter in PEFT's format, the tokenizer with its chat template, and the cards. Before that is called done,
base and adapter are loaded as anybody will load them, and must give the tokens of validation questions the probabilities
that the merged model gives them: the one that was evaluated.
"""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config.sections.training import GrpoConfig
from raiden_core.errors import DataError, StageError
from raiden_core.export.hub import RunTexts, add_to_card, run_texts, write_cards
from raiden_core.export.proof import chosen
from raiden_core.models.folder import load_model, load_tokenizer, render
from raiden_core.models.gguf import is_gguf
from raiden_core.prompts import build_prompt
from raiden_core.samples import read_samples
from raiden_core.stages.digests import digest_file, digest_path
from raiden_core.stages.folder import MANIFEST
from raiden_core.stages.layout import COLD_START, CONFIG_FILE, MODEL, VALIDATION_FILE
from raiden_core.training.hooks.saved_model import (
    ADAPTER,
    ADAPTER_FILES,
    log_probabilities,
    rounding_of,
    whole_base,
)
from raiden_core.training.loading import model_snapshot, quantization
from raiden_core.training.stage import student_input

if TYPE_CHECKING:
    import torch

QUESTIONS = 8
"""Validation questions whose prompt and reference both models are given."""
BASE = "base"
"""Folder of a copy of the base."""
CONFIG, WEIGHTS = ADAPTER_FILES


@dataclass(frozen=True)
class Written:
    """What was written, and how near base and adapter come to the merged model."""

    base: str
    """What adapter_config.json names."""
    size: int
    """Bytes of the adapter's weights."""
    tokens: int
    """How many log-probabilities were compared."""
    apart: float
    """Mean distance of those of base with adapter from those of the merged model."""
    effect: float
    """The same for the base without its adapter: what the adapter does."""


@dataclass(frozen=True)
class Base:
    """The model that an adapter is for."""

    place: Path
    """Its folder on this machine."""
    hub: str | None
    """Its name on the Hub, where it has one."""
    words: str
    """What it is, for the card."""


def to_peft(run: Path, out: Path, final: Path, *, with_base: bool) -> Written:
    """Write and check the adapter of a run's GRPO.

    Args:
        run: the run's folder, with run.json and config.yaml.
        out: the folder to write into; it exists.
        final: where that folder will be found in the end.
        with_base: copy the base into it.

    Raises:
        DataError: the run has no adapter, or its base is gone or another one by now.
        StageError: base and adapter are not the merged model.
    """
    texts = run_texts(run, adapter=True)
    adapter = _adapter_of(texts)
    base = _base_of(texts)
    _check_digests(texts, adapter, base)
    for name in ADAPTER_FILES:
        shutil.copyfile(adapter / name, out / name)
    if with_base:
        shutil.copytree(base.place, out / BASE)
    named = str(final / BASE) if with_base else base.hub or str(base.place)
    _name_base(out / CONFIG, named, _revision(texts) if named == base.hub else None)
    load_tokenizer(texts.model).save_pretrained(out)
    tokens, apart, effect = _compared(texts, out, base.place)
    written = Written(named, (out / WEIGHTS).stat().st_size, tokens, apart, effect)
    write_cards(texts, out)
    add_to_card(out, section(written, base, copied=with_base))
    return written


def section(written: Written, base: Base, *, copied: bool) -> str:
    """The model card's part about the adapter."""
    if copied:
        where = f"A copy of it lies in `{BASE}/`: where this folder moves, write its new place into `{CONFIG}`."
    elif base.hub:
        where = "PEFT fetches it by that name."
    else:
        where = "Whoever loads this folder needs it there; `raiden export … --to peft --with-base` copies it here."
    return (
        f"## The adapter\n\nLoRA weights alone, not merged. Their base is {base.words}, named in `{CONFIG}` as "
        f"`{written.base}`. {where}\n\n"
        f"Checked when it was written: over {written.tokens:,} tokens of validation questions the log-probabilities of base "
        f"and adapter lie {written.apart:.2g} a token from those of the merged model that was evaluated; those of the base "
        f"without the adapter lie {written.effect:.2g} away."
    )


def _adapter_of(texts: RunTexts) -> Path:
    grpo, folder = texts.config.grpo, texts.train / ADAPTER
    if all((folder / name).is_file() for name in ADAPTER_FILES):
        return folder
    if grpo.lora_r is None and not _extra(grpo).get("use_peft"):
        raise DataError(
            f"{texts.record.folder}: GRPO trained all weights (grpo.lora_r is not set), so there is no adapter; export the "
            "model itself with --to hub or --to gguf"
        )
    raise DataError(
        f"{folder}: no adapter: this run is from before adapters were kept; train it again with `raiden run "
        f"{texts.record.folder / CONFIG_FILE} --refresh train`, or export the merged model with --to hub"
    )


def _base_of(texts: RunTexts) -> Base:
    """What GRPO began with, as it can be loaded today."""
    student = texts.config.student
    if COLD_START in texts.record.stages:
        place = texts.record.stage(COLD_START) / MODEL
        if not place.is_dir():
            raise DataError(f"{place}: is missing, and the adapter is for this model; run the cold start again")
        words = f"the cold start's model of this run, made from {student.model} and published nowhere"
        return Base(place.absolute(), None, words)
    given = student_input(student)
    if not isinstance(given, Path):
        return Base(model_snapshot(given, _revision(texts)), given, f"the student, {given}")
    return Base(given, None, f"the student{f', unpacked from {student.model}' if is_gguf(student.model) else ''}")


def _revision(texts: RunTexts) -> str | None:
    revision = _extra(texts.config.grpo).get("model_revision")
    return None if revision is None else str(revision)


def _check_digests(texts: RunTexts, adapter: Path, base: Base) -> None:
    """Refuse files that are no longer those that the training's manifest tells of."""
    manifest: dict[str, Any] = json.loads((texts.train / MANIFEST).read_text("utf-8"))
    known = manifest["outputs"].get(f"{ADAPTER}/{WEIGHTS}")
    if known is not None and digest_file(adapter / WEIGHTS) != known:
        raise DataError(f"{adapter / WEIGHTS}: is not the file that training left; train again")
    before = manifest["inputs"].get("base")
    if before is not None and base.hub is None and digest_path(base.place) != before:
        raise DataError(
            f"{base.place}: is not the model any more that GRPO began with; put that one back, or train again"
        )


def _name_base(path: Path, base: str, revision: str | None) -> None:
    about: dict[str, Any] = json.loads(path.read_text("utf-8"))
    about |= {"base_model_name_or_path": base, "revision": revision}
    path.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _compared(texts: RunTexts, out: Path, base: Path) -> tuple[int, float, float]:
    """Tokens compared, and the mean distances of their log-probabilities: with the adapter, and without it.

    One model is loaded at a time.

    Raises:
        StageError: with the adapter they are not those of the merged model.
    """
    from peft import PeftModel
    from trl import ModelConfig

    config = texts.config
    samples = chosen(read_samples(texts.split / VALIDATION_FILE), QUESTIONS)
    if not samples:
        raise DataError(f"{texts.split / VALIDATION_FILE}: no question that can be checked, so nothing can be compared")
    tokenizer = load_tokenizer(texts.model)
    prompts = render(
        tokenizer, [build_prompt(sample, config.system_prompt, config.prompt.layout) for sample in samples], texts.model
    )
    rows = [
        tokenizer(prompt + sample.answer, add_special_tokens=False, return_tensors="pt")["input_ids"]
        for prompt, sample in zip(prompts, samples, strict=True)
    ]
    merged = load_model(texts.model)
    dtype, device = merged.dtype, merged.device
    wanted = _log_probabilities(merged, rows)
    del merged
    gc.collect()
    stored = {name: value for name, value in _extra(config.grpo).items() if name in _STORED}
    whole = whole_base(base, dtype, quantization(ModelConfig(**stored)) if stored else None)
    adapted: Any = PeftModel.from_pretrained(whole, out).to(device).eval()
    with_adapter = _log_probabilities(adapted, rows)
    with adapted.disable_adapter():
        without = _log_probabilities(adapted, rows)
    apart = float((with_adapter - wanted).abs().mean())
    allowed = rounding_of(dtype)
    if not apart <= allowed:
        raise StageError(
            f"{texts.train / ADAPTER}: base and adapter are not the merged model: their log-probabilities lie {apart:.2g} a "
            f"token apart (rounding: {allowed}); export the merged model with --to hub"
        )
    return len(wanted), apart, float((without - wanted).abs().mean())


_STORED = ("load_in_8bit", "load_in_4bit", "bnb_4bit_quant_type", "use_bnb_nested_quant", "bnb_4bit_quant_storage")
"""Settings of how the weights below an adapter are stored."""


def _log_probabilities(model: Any, rows: Sequence[torch.Tensor]) -> torch.Tensor:
    """Of each token after the first, all rows in one; (tokens,)."""
    import torch

    return torch.cat([log_probabilities(model, ids) for ids in rows])


def _extra(section: GrpoConfig) -> dict[str, Any]:
    return section.model_extra or {}
