"""Twins: a sample at a boundary of what the character knows, and the answerable sample beside it.

Each names the other in ``metadata.twin``. Evaluation reads from them how often a model refuses what it could answer, and
how often it answers what nobody can know; that is fair only as long as both are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from raiden_core.samples import Sample

BOUNDARY_DIMENSIONS = ("SCK", "RCB")
"""The dimensions of the samples at a boundary."""
TWIN = "twin"
"""The key of metadata that names the other."""
LOST_TWIN = "its twin was dropped"


def is_boundary(sample: Sample) -> bool:
    """Whether a sample stands at a boundary of what its character knows."""
    return sample.dimension in BOUNDARY_DIMENSIONS


def twin_of(sample: Sample) -> str | None:
    """The id of a sample's twin."""
    twin = sample.metadata.get(TWIN)
    return twin if isinstance(twin, str) and twin else None


def linked(samples: Sequence[Sample]) -> list[Sample]:
    """The samples, with each answerable one that a boundary sample names as its twin naming that in return."""
    back = {twin: sample.id for sample in samples if is_boundary(sample) and (twin := twin_of(sample))}
    return [
        sample.model_copy(update={"metadata": {**sample.metadata, TWIN: back[sample.id]}})
        if sample.id in back and not is_boundary(sample)
        else sample
        for sample in samples
    ]


def without_widows(samples: Iterable[Sample]) -> tuple[list[Sample], list[Sample]]:
    """The samples whose twins are whole, and the boundary samples that lost theirs.

    An answerable sample stays without its twin, and no longer names it.
    """
    samples = list(samples)
    there = {sample.id for sample in samples}
    lost = [sample for sample in samples if is_boundary(sample) and (twin := twin_of(sample)) and twin not in there]
    there -= {sample.id for sample in lost}
    kept = [sample for sample in samples if sample.id in there]
    return [
        sample.model_copy(update={"metadata": {key: value for key, value in sample.metadata.items() if key != TWIN}})
        if (twin := twin_of(sample)) and twin not in there
        else sample
        for sample in kept
    ], lost
