"""Intervals must cover what they claim, and p must agree with tables worked out by hand."""

from math import comb, erfc, sqrt
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raiden_core.evaluation.statistics import Estimate, mcnemar, mean_interval, paired_difference
from tests.support.tables import table


def _coverage(clusters: int, rounds: int, seed: int) -> float:
    """How often the interval holds the true mean, with clusters of 2 to 12 questions of unequal difficulty."""
    rng = np.random.default_rng(seed)
    sizes = 2 + np.arange(clusters) % 11
    labels = np.repeat(np.arange(clusters), sizes).tolist()
    hits = 0
    for _ in range(rounds):
        ability = rng.beta(2, 2, clusters)
        values = rng.random(len(labels)) < np.repeat(ability, sizes)
        estimate = mean_interval(values, labels, bounds=(0, 1))
        assert estimate.low is not None and estimate.high is not None
        hits += estimate.low <= 0.5 <= estimate.high
    return hits / rounds


@pytest.mark.parametrize("clusters", [8, 30, 60])
def test_interval_covers_the_truth_as_often_as_it_says(clusters: int) -> None:
    assert 0.93 <= _coverage(clusters, rounds=2000, seed=clusters) <= 0.97


def _paired_coverage(clusters: int, rounds: int, seed: int) -> float:
    """The same for a difference of two models that share what makes a character hard; the true one is 0.2."""
    rng = np.random.default_rng(seed)
    sizes = 2 + np.arange(clusters) % 11
    labels = np.repeat(np.arange(clusters), sizes)
    hits = 0
    for _ in range(rounds):
        ability = np.repeat(rng.uniform(0.1, 0.7, clusters), sizes)
        gain = np.repeat(rng.uniform(0.1, 0.3, clusters), sizes)
        luck = rng.random(len(labels))
        # The same luck in half of the questions: replies of two models to one question are alike.
        other = np.where(rng.random(len(labels)) < 0.5, luck, rng.random(len(labels)))
        estimate = paired_difference(other < ability + gain, luck < ability, labels.tolist())
        assert estimate.low is not None and estimate.high is not None
        hits += estimate.low <= 0.2 <= estimate.high
    return hits / rounds


@pytest.mark.parametrize("clusters", [8, 30, 60])
def test_interval_of_a_difference_covers_it_as_often_as_it_says(clusters: int) -> None:
    assert 0.93 <= _paired_coverage(clusters, rounds=2000, seed=clusters) <= 0.97


def test_few_clusters_need_the_t_quantile() -> None:
    """With a normal quantile in its place the interval of five clusters would cover too seldom."""
    from scipy import stats

    rng = np.random.default_rng(2)
    hits = {"t": 0, "normal": 0}
    for _ in range(1000):
        values = (rng.normal(size=5)[:, None] + rng.normal(size=(5, 4))).ravel()
        estimate = mean_interval(values, np.repeat(np.arange(5), 4))
        assert estimate.mean is not None and estimate.high is not None
        reach = estimate.high - estimate.mean
        hits["t"] += abs(estimate.mean) <= reach
        hits["normal"] += abs(estimate.mean) <= reach * stats.norm.ppf(0.975) / stats.t.ppf(0.975, 4)
    assert 0.93 <= hits["t"] / 1000 <= 0.97 and hits["normal"] / 1000 < 0.9


def test_labels_may_be_an_array_of_numbers() -> None:
    values, labels = [0.0, 1.0, 1.0, 0.5, 0.0], [7, 3, 7, 9, 3]
    assert mean_interval(values, np.array(labels)) == mean_interval(values, labels)
    assert mean_interval([], np.array([], dtype=int)).mean is None


def test_ignoring_clusters_would_cover_too_seldom() -> None:
    """The simulation is sharp enough to tell a clustered interval from a naive one."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        values = rng.random((30, 10)) < rng.beta(2, 2, (30, 1))
        naive = mean_interval(values.ravel(), list(range(300)))
        assert naive.low is not None and naive.high is not None
        hits += naive.low <= 0.5 <= naive.high
    assert hits / 1000 < 0.9


def test_single_observations_a_cluster_give_the_students_t_interval() -> None:
    from scipy import stats

    values = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0]
    estimate = mean_interval(values, list("abcdefg"))
    low, high = stats.t.interval(0.95, 6, loc=np.mean(values), scale=stats.sem(values))
    assert estimate.interval == pytest.approx([low, high])
    assert estimate.p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


def test_variance_of_a_small_table_by_hand() -> None:
    # Mean 0.5; residual sums of the clusters: +1, 0, -1; variance = 3/2 * 2 / 36.
    from scipy import stats

    estimate = mean_interval([1, 1, 1, 0, 0, 0], list("aabbcc"))
    reach = stats.t.ppf(0.975, 2) * np.sqrt(3 / 36)
    assert estimate.interval == pytest.approx([0.5 - reach, 0.5 + reach])
    assert mean_interval([1, 1, 1, 0, 0, 0], list("aabbcc"), bounds=(0, 1)).interval == (0.0, 1.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, [0.0, 1 - 0.025 ** (1 / 20)]), (1, [0.025 ** (1 / 20), 1.0])],
    ids=["all wrong", "all right"],
)
def test_no_variance_on_a_bound_is_not_certainty(value: int, expected: list[float]) -> None:
    labels = [number // 3 for number in range(60)]
    assert mean_interval([value] * 60, labels, bounds=(0, 1)).interval == pytest.approx(expected)


def test_clusters_that_are_alike_and_models_that_are_equal_are_not_certainty() -> None:
    from scipy import stats

    labels = [number // 2 for number in range(20)]
    half = mean_interval([0, 1] * 10, labels, bounds=(0, 1))
    assert half.interval == pytest.approx(stats.binomtest(5, 10).proportion_ci(0.95, method="exact"))
    same = paired_difference([0, 1] * 10, [0, 1] * 10, labels)
    reach = 1 - 0.025 ** (1 / 10)
    assert (same.mean, same.p) == (0.0, 1.0) and same.interval == pytest.approx([-reach, reach])
    gained = paired_difference([1] * 20, [0] * 20, labels)
    assert gained.interval == pytest.approx([2 * 0.025 ** (1 / 10) - 1, 1.0])
    assert paired_difference([1, 0], [1, 0], ["a", "a"]).interval is None


def test_one_cluster_has_no_interval() -> None:
    estimate = mean_interval([1, 0, 1], ["a"] * 3)
    assert (estimate.n, estimate.clusters, estimate.interval, estimate.p) == (3, 1, None, None)
    assert estimate.mean == pytest.approx(2 / 3)
    assert mean_interval([], []).mean is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 5)), min_size=2), st.randoms())
def test_order_of_rows_does_not_matter(rows: list[tuple[bool, bool, int]], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    for one, other in zip(_both(rows), _both(shuffled), strict=True):
        assert (one.n, one.clusters, one.low is None) == (other.n, other.clusters, other.low is None)
        assert one.mean == pytest.approx(other.mean, abs=1e-12)
        if one.low is not None:
            assert one.interval == pytest.approx(other.interval, abs=1e-9)


def _both(rows: list[tuple[bool, bool, int]]) -> tuple[Estimate, Estimate]:
    before, after, clusters = zip(*rows, strict=True)
    return mean_interval(after, clusters), paired_difference(np.array(after), np.array(before), clusters)


def test_paired_difference_is_narrower_than_two_intervals_when_pairs_agree() -> None:
    rng = np.random.default_rng(1)
    before = rng.random(400) < 0.5
    after = before | (rng.random(400) < 0.2)
    labels = [number // 8 for number in range(400)]
    estimate = paired_difference(after, before, labels)
    assert estimate.mean == pytest.approx(after.mean() - before.mean())
    single = mean_interval(after, labels)
    assert estimate.low is not None and estimate.high is not None and estimate.p is not None
    assert single.low is not None and single.high is not None
    assert estimate.high - estimate.low < single.high - single.low
    assert estimate.low > 0 and estimate.p < 0.001


@table(
    ("fixed", "broken", "exact", "p"),
    [
        (0, 0, None, 1.0),
        (5, 0, None, 2 / 32),
        (0, 5, None, 2 / 32),
        (9, 1, None, 2 * 11 / 1024),
        (7, 7, None, 1.0),
        (25, 10, False, erfc(sqrt(14**2 / 35 / 2))),
        (121, 59, False, erfc(sqrt(61**2 / 180 / 2))),
        (4, 3, False, 1.0),
        (3000, 2700, None, erfc(sqrt(299**2 / 5700 / 2))),
    ],
)
def test_mcnemar(fixed: int, broken: int, exact: bool | None, p: float) -> None:
    assert mcnemar(fixed, broken, exact) == pytest.approx(p)


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_binomial_sum(fixed: int, broken: int) -> None:
    pairs = fixed + broken
    tail = sum(comb(pairs, few) for few in range(min(fixed, broken) + 1)) / 2**pairs
    assert mcnemar(fixed, broken) == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar(fixed, broken) == mcnemar(broken, fixed)


def test_mcnemar_exact_and_asymptotic_meet_where_they_change_over() -> None:
    assert mcnemar(540, 460, exact=True) == pytest.approx(mcnemar(540, 460, exact=False), rel=0.02)


@pytest.mark.parametrize("table", [(121, 59), (6, 2), (30, 31)])
def test_mcnemar_agrees_with_statsmodels(table: tuple[int, int]) -> None:
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    for exact in (True, False):
        oracle = tables.mcnemar([[50, table[0]], [table[1], 40]], exact=exact, correction=True).pvalue
        assert mcnemar(*table, exact) == pytest.approx(oracle)


def test_cluster_interval_agrees_with_statsmodels() -> None:
    linear = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(12), 5)
    values = rng.random(60)
    fit = linear.OLS(values, np.ones(60)).fit(
        cov_type="cluster", cov_kwds={"groups": labels, "use_correction": True, "df_correction": True}, use_t=True
    )
    low, high = fit.conf_int()[0]
    # statsmodels' small-sample factor has (n - 1) / (n - k) in it, which is 1 for a mean.
    assert mean_interval(values, labels.tolist()).interval == pytest.approx([low, high])


def test_cluster_interval_agrees_with_the_bootstrap_over_clusters() -> None:
    from scipy import stats

    rng = np.random.default_rng(4)
    sizes = 2 + np.arange(80) % 9
    labels = np.repeat(np.arange(80), sizes)
    values = rng.random(len(labels)) < np.repeat(rng.beta(2, 2, 80), sizes)
    sums = np.bincount(labels, weights=values)
    drawn = stats.bootstrap(
        (sums, sizes), lambda right, asked, axis: right.sum(axis) / asked.sum(axis), paired=True, rng=rng,
        n_resamples=4000, method="BCa",
    ).confidence_interval  # fmt: skip
    assert mean_interval(values, labels).interval == pytest.approx([drawn.low, drawn.high], abs=0.01)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="3 values, but 2"):
        mean_interval([1, 0, 1], ["a", "b"])
    with pytest.raises(ValueError, match="finite"):
        mean_interval([1, float("nan")], ["a", "b"])
    with pytest.raises(ValueError, match="negative"):
        mcnemar(-1, 2)
