"""How sure one can be of a mean: intervals clustered by character, paired differences, McNemar's test.

Questions about one character rise and fall together, because they share one profile; an interval that treats them
as independent is too narrow. So the unit of uncertainty here is the cluster, as in Miller, *Adding Error Bars to
Evals* (arXiv 2411.00640), with the cluster-robust variance of a mean and a t quantile of G - 1 degrees of freedom for G
clusters. This module knows nothing of keywords or models: numbers and cluster labels go in, estimates come out.

    estimate = mean_interval(scores, clusters=characters, bounds=(0, 1))
    change = paired_difference(after, before, clusters=characters)
    p = mcnemar(fixed=40, broken=12)
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
"""The confidence level of every interval."""

EXACT_LIMIT = 1000
"""Up to so many discordant pairs McNemar's p is the exact binomial one; beyond, the two agree to many digits."""


@dataclass(frozen=True)
class Estimate:
    """A mean and how far it can be trusted."""

    n: int
    """Observations."""
    clusters: int
    """Distinct cluster labels."""
    mean: float | None
    """None where there is nothing to average."""
    low: float | None
    """Lower end of the interval; None where there are fewer than two clusters: they cannot tell how clusters differ."""
    high: float | None
    p: float | None = None
    """Two-sided p of the mean being zero, from the same clustered t; None where there is no spread or no interval."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, or None where there is no interval."""
        return None if self.low is None or self.high is None else (self.low, self.high)


def mean_interval(
    values: ArrayLike, clusters: Sequence[Hashable] | NDArray[np.intp], bounds: tuple[float, float] | None = None
) -> Estimate:
    """The mean of ``values`` with its cluster-robust 95% interval.

    Args:
        values: one number an observation.
        clusters: the observation's cluster, in the same order; any hashable label, or an array of integers.
        bounds: where the mean must lie: the interval is cut there. When all clusters are alike, as where every value
            sits on one bound, the sample variance is 0, which is no knowledge; the interval then is the exact binomial
            one (Clopper and Pearson) for as many observations as there are clusters.

    Raises:
        ValueError: the two differ in length, or a value is not finite.
    """
    import numpy as np
    from scipy import special

    data = np.asarray(values, dtype=float)
    if len(data) != len(clusters):
        raise ValueError(f"{len(data)} values, but {len(clusters)} cluster labels")
    if not np.isfinite(data).all():
        raise ValueError("a value is not finite")
    if not len(data):
        return Estimate(0, 0, None, None, None)
    codes, count = _codes(clusters)
    mean = float(data.mean())
    if count < 2:
        return Estimate(len(data), count, mean, None, None)
    error = _standard_error(data - mean, codes, count)
    if error == 0 and bounds is not None:
        ends = [bounds[0] + end * (bounds[1] - bounds[0]) for end in _exact(mean, bounds, count)]
        return Estimate(len(data), count, mean, *ends)
    reach = float(special.stdtrit(count - 1, (1 + LEVEL) / 2)) * error
    low, high = mean - reach, mean + reach
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Estimate(len(data), count, mean, low, high, _p_of_zero(mean, error, count))


def paired_difference(after: ArrayLike, before: ArrayLike, clusters: Sequence[Hashable]) -> Estimate:
    """The mean of ``after - before`` over the same observations, each between 0 and 1, with its clustered 95% interval.

    Where nothing changed the sample variance is 0, which is no knowledge: the interval then reaches as far as the share
    of clusters that might have changed unseen, by the exact binomial bound.

    Raises:
        ValueError: the three differ in length.
    """
    import numpy as np

    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if first.shape != second.shape:
        raise ValueError(f"{len(second)} values after, but {len(first)} before")
    estimate = mean_interval(second - first, clusters, bounds=(-1, 1))
    if estimate.clusters > 1 and np.array_equal(first, second):
        _, reach = _exact(0.0, (0.0, 1.0), estimate.clusters)
        return replace(estimate, low=-reach, high=reach, p=1.0)
    return estimate


def mcnemar(fixed: int, broken: int, exact: bool | None = None) -> float:
    """McNemar's two-sided p that right answers are gained and lost equally often.

    Args:
        fixed: pairs that were wrong before and are right after.
        broken: pairs that were right before and are wrong after.
        exact: the binomial test, or the chi-square approximation with continuity correction;
            None takes the exact one up to `EXACT_LIMIT` discordant pairs.

    Raises:
        ValueError: a count is negative.
    """
    from scipy import stats

    if fixed < 0 or broken < 0:
        raise ValueError("counts of pairs cannot be negative")
    pairs = fixed + broken
    if pairs == 0:
        return 1.0
    if exact if exact is not None else pairs <= EXACT_LIMIT:
        return float(stats.binomtest(min(fixed, broken), pairs, 0.5).pvalue)
    statistic = max(abs(fixed - broken) - 1, 0) ** 2 / pairs
    return float(stats.chi2.sf(statistic, 1))


def _codes(clusters: Sequence[Hashable] | NDArray[np.intp]) -> tuple[NDArray[np.intp], int]:
    """Labels as integers from 0, and how many there are."""
    import numpy as np

    if isinstance(clusters, np.ndarray):
        labels, codes = np.unique(clusters, return_inverse=True)
        return codes, len(labels)
    numbers: dict[Hashable, int] = {}
    codes = np.fromiter((numbers.setdefault(label, len(numbers)) for label in clusters), np.intp, len(clusters))
    return codes, len(numbers)


def _standard_error(residuals: NDArray[np.float64], codes: NDArray[np.intp], count: int) -> float:
    """Cluster-robust standard error of a mean: residuals are summed within clusters before they are squared."""
    import numpy as np

    sums = np.bincount(codes, weights=residuals, minlength=count)
    # Rounding leaves sums of 1e-17 where every value is the same; they must not pass for variance.
    sums[np.abs(sums) < 1e-12 * len(residuals)] = 0.0
    return math.sqrt(count / (count - 1) * float(sums @ sums)) / len(residuals)


def _exact(mean: float, bounds: tuple[float, float], count: int) -> tuple[float, float]:
    """The binomial interval of a mean that is no estimate of its own spread, as shares of the way between the bounds."""
    from scipy import special

    hits = count * (mean - bounds[0]) / (bounds[1] - bounds[0])
    tail = (1 - LEVEL) / 2
    low = float(special.betaincinv(hits, count - hits + 1, tail)) if hits > 0 else 0.0
    high = float(special.betaincinv(hits + 1, count - hits, 1 - tail)) if hits < count else 1.0
    return low, high


def _p_of_zero(mean: float, error: float, count: int) -> float:
    from scipy import special

    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * special.stdtr(count - 1, -abs(mean) / error))
