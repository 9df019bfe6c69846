"""The data: characters that can be read, and a file of samples that can be trusted."""

from __future__ import annotations

import random

from raiden_core.doctor.check import Check, bad, none, ok
from raiden_core.doctor.subject import Subject
from raiden_core.errors import DataError
from raiden_core.planning.sharding import read_sharding
from raiden_core.rewards.gold import read_verified
from raiden_core.text.formatting import percent
from raiden_core.training.checks import too_few
from raiden_core.training.dataset import hold_back

NAME = "data"
AUDIT = "audit"
FEW_TO_AUDIT = 50
"""With fewer samples a share says little."""
FEW_BAD = 0.05
"""Share of samples that may be unusable."""


def check_characters(subject: Subject) -> Check:
    """Whether all files of characters are there and readable."""
    from raiden_core.characters import read_characters

    name = "characters"
    wanted = subject.config.characters
    paths = [*wanted.paths, *(path for group in wanted.evaluation_only.values() for path in group)]
    if subject.flat is not None:
        return none(name, "not used: the samples are in a file")
    if not wanted.paths and not wanted.composed.count:
        if subject.data is not None:
            return none(name, "none configured; samples come from a file")
        return bad(name, "nobody to train on", "give characters.paths or characters.composed.count")
    words = [f"{wanted.composed.count:,} to be composed"] if wanted.composed.count else []
    if paths:
        result = read_characters(paths)
        if result.refused:
            first = f"{len(result.refused)} refused, the first: {result.refused[0]}"
            return bad(name, f"{len(result.characters)} read, {first}", "raiden profiles FILE… shows every refusal")
        words.append(f"{len(result.characters):,} read")
    return ok(name, ", ".join(words))


def check_data(subject: Subject) -> Check:
    """Whether the samples of the data file can be trusted; without a file, whether any can be made."""
    try:
        found = subject.samples
    except DataError as error:
        if subject.data is not None or subject.flat is not None:
            return bad(NAME, str(error), f"{_set_file(subject)} that raiden generate or raiden split wrote")
        return none(NAME, f"no file of samples yet, and none can be made: {error}")
    count = len(found.samples)
    if subject.data is None:
        if not count:
            return none(NAME, "no file of samples yet, and the offline teacher can make none of these characters")
        return none(NAME, f"no file of samples yet; {count} made to try ({found.source})")
    if not count:
        first = found.failures[0] if found.failures else "it is empty"
        return bad(
            NAME, f"{found.source}: no usable sample: {first}", "raiden score FILE shows what is wrong with each"
        )
    words = f"{found.source}: {count:,} samples"
    if len(found.failures) > FEW_BAD * (count + len(found.failures)):
        return bad(
            NAME,
            f"{words}, {len(found.failures)} unusable, the first: {found.failures[0]}",
            "correct or remove them; training leaves them out",
        )
    if few := _too_few(subject):
        return bad(NAME, f"{found.source}: {few.partition('; ')[0]}", few.partition("; ")[2])
    if found.failures:
        words += f", {len(found.failures)} unusable"
    if subject.flat is not None and subject.flat.evaluation is not None:
        path = subject.flat.evaluation
        try:
            asked, failures = read_verified(path, subject.scorer)
        except DataError as error:
            return bad(NAME, str(error), "correct eval_data_path, or set eval_strategy: no")
        if not asked:
            first = failures[0] if failures else "it is empty"
            return bad(NAME, f"{path}: no usable sample: {first}", "correct eval_data_path, or set eval_strategy: no")
        words += f"; {path}: {len(asked):,} to evaluate on"
    return ok(NAME, words)


def check_audit(subject: Subject) -> Check:
    """Whether the samples can be won without playing the character."""
    from raiden_core.dataset.audit import AUDITED, audit_samples

    try:
        samples = subject.samples.samples
    except DataError:
        return none(AUDIT, "no file of samples yet")
    if len(samples) < FEW_TO_AUDIT:
        return none(AUDIT, f"{len(samples)} samples are too few to tell")
    chosen = samples if len(samples) <= AUDITED else random.Random(0).sample(samples, AUDITED)
    found = audit_samples(chosen, subject.scorer)
    shares = [f"{row['policy']} {percent(row['all'])}%" for row in found.rows() if row["bound"] is not None]
    words = f"of {len(chosen):,} samples policies that play nobody win: {', '.join(shares)}"
    if above := found.above():
        return bad(AUDIT, words, f"too much: {', '.join(above)}; raiden audit FILE shows the samples and what to add")
    return ok(AUDIT, words)


def _too_few(subject: Subject) -> str | None:
    """Why GRPO would take no step with the samples that evaluations in between leave it."""
    section = subject.config.grpo
    extra = section.model_extra or {}
    used = list(subject.samples.samples)
    # A script that is given a file to evaluate on holds questions back only where it is told how many.
    held = section.eval_on == "held_back" and (subject.flat is None or "eval_questions" in section.model_fields_set)
    if held and str(extra.get("eval_strategy", "no")) not in ("no", "False"):
        _, used = hold_back(used, section.eval_questions, subject.config.seed)
    processes = read_sharding(section.launch).processes
    steps = extra.get("steps_per_generation") or section.gradient_accumulation_steps
    batch = extra.get("generation_batch_size") or section.per_device_train_batch_size * processes * steps
    return too_few(len(used), batch, section.num_generations)


def _set_file(subject: Subject) -> str:
    return "name a file" if subject.flat is None else "set train_data_path to a file"
