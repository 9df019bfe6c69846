"""What several sampled replies to one question say: pass@k and the majority.

*pass@k* is the chance that at least one of k replies is right, by the unbiased estimator of Chen et al., *Evaluating
Large Language Models Trained on Code* (arXiv 2107.03374, section 2.1): 1 - C(n-c, k) / C(n, k) for c right ones of n.
*majority* is the share of questions of which more than half of the replies are right. Right means strictly so: keywords
and format. Intervals are clustered by character, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from raiden_core.evaluation.predictions import Prediction
from raiden_core.evaluation.results import Mean, SampledReplies
from raiden_core.evaluation.statistics import mean_interval


def pass_at_k(right: int, n: int, k: int) -> float:
    """The chance that k of n replies, drawn without replacement, hold one of the ``right`` ones.

    Raises:
        ValueError: the numbers do not fit each other.
    """
    if not (0 <= right <= n and 1 <= k <= n):
        raise ValueError(f"pass@k needs 0 <= right <= n and 1 <= k <= n, not right={right}, n={n}, k={k}")
    return 1 - comb(n - right, k) / comb(n, k)


def sampling_summary(draws: Sequence[Sequence[Prediction]], temperature: float) -> SampledReplies:
    """pass@k for 1, each power of 2 and all draws, and the majority, of one model.

    Args:
        draws: for each draw the predictions of all questions, in the same order.
        temperature: that they were sampled at.
    """
    n = len(draws)
    characters = [row.character for row in draws[0]]
    right = [sum(row.strict == 1 for row in question) for question in zip(*draws, strict=True)]
    sizes = sorted({1, n} | {2**power for power in range(1, n.bit_length()) if 2**power < n})
    return SampledReplies(
        n=len(right),
        draws=n,
        temperature=temperature,
        pass_at={str(k): _mean([pass_at_k(one, n, k) for one in right], characters) for k in sizes},
        majority=_mean([float(2 * one > n) for one in right], characters),
    )


def _mean(values: Sequence[float], characters: Sequence[str]) -> Mean:
    estimate = mean_interval(values, characters, bounds=(0, 1))
    return Mean(mean=estimate.mean, ci95=estimate.interval)
