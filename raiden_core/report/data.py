"""What the report shows of the data itself: some samples as they are, and why others are not there."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from raiden_core.dataset.card import reasons
from raiden_core.report.tree import number_text
from raiden_core.samples import Sample, parse_sample

SAMPLES_SHOWN = 20


def random_samples(path: Path, seed: int, count: int = SAMPLES_SHOWN) -> list[Sample]:
    """Samples of a ``.jsonl`` file, each as likely as any other, in the file's order; only they are parsed."""
    with path.open(encoding="utf-8") as lines:
        places = [place for place, line in enumerate(lines) if line.strip()]
    chosen = set(random.Random(f"{seed}:samples of the report").sample(places, min(count, len(places))))
    with path.open(encoding="utf-8") as lines:
        return [
            parse_sample(json.loads(line), f"{path}: line {place + 1}")
            for place, line in enumerate(lines)
            if place in chosen
        ]


def dropped_rows(dropped: object) -> Sequence[tuple[str, str, float]]:
    """Reason, count and length of its bar against the longest, the most frequent first."""
    counted = sorted(reasons(dropped), key=lambda row: (-row[1], row[0]))
    longest = max((count for _, count in counted), default=0) or 1
    return [(reason.replace("_", " "), number_text(count), count / longest) for reason, count in counted]
