"""The data: characters that can be read, and a file of samples that can be trusted."""

from __future__ import annotations

from raiden_core.doctor.check import Check, bad, none, ok
from raiden_core.doctor.subject import Subject
from raiden_core.errors import DataError

NAME = "data"
FEW_BAD = 0.05
"""Share of samples that may be unusable."""


def check_characters(subject: Subject) -> Check:
    """Whether all files of characters are there and readable."""
    from raiden_core.characters import read_characters

    name = "characters"
    wanted = subject.config.characters
    paths = [*wanted.paths, *(path for group in wanted.evaluation_only.values() for path in group)]
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
        if subject.data is not None:
            return bad(NAME, str(error), "name a file that raiden generate and raiden split wrote")
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
    return ok(NAME, f"{words}{f', {len(found.failures)} unusable' if found.failures else ''}")
