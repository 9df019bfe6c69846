"""*Gold must pass*: files of samples are read through here before anything is trained or evaluated on them."""

from __future__ import annotations

from pathlib import Path

from raiden_core.errors import DataError
from raiden_core.rewards.aside import completed
from raiden_core.rewards.scorer import Scorer
from raiden_core.samples import Sample, iter_rows, parse_sample


def read_verified(path: Path, scorer: Scorer) -> tuple[list[Sample], list[str]]:
    """The samples of a file that can be trusted, and a line for each that cannot: ``file: row N: reason``.

    A sample can be trusted when its fields are in order, an answer to it can be checked, its own reference answer
    scores 1 and an empty one 0. Validators without ``aside`` get it from the profile.

    Raises:
        DataError: the file as a whole cannot be read.
    """
    samples: list[Sample] = []
    failures: list[str] = []
    for where, row in iter_rows(path):
        try:
            sample = completed(parse_sample(row, where))
        except DataError as error:
            failures.append(str(error))
            continue
        reason = scorer.check(sample)
        if reason is None:
            samples.append(sample)
        else:
            failures.append(f"{where}: {reason}")
    return samples, failures
