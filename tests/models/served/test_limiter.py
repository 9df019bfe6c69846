"""The controller of concurrency, fed with numbers: a server's behaviour in, the limit out."""

from __future__ import annotations

import heapq
import itertools

import pytest

from raiden_core.models.served.limiter import FIRST_LIMIT, LONGEST_PAUSE, Limiter, Outcome

TIMEOUT = 100.0


def simulate(limiter: Limiter, seconds: float, capacity: int, latency: float = 2.0, odd: float = 0.0) -> list[int]:
    """A server that turns away what is over its capacity; the limit after each outcome.

    ``odd``: it also turns away this share of what it could take, every n-th.
    """
    order = itertools.count()
    events: list[tuple[float, int, Outcome, float]] = []
    now, taken, number, limits = 0.0, 0, 0, []
    while now < seconds:
        while limiter.may_start(now):
            limiter.start()
            number += 1
            is_odd = odd > 0 and number % round(1 / odd) == 0
            if taken < capacity and not is_odd:
                taken += 1
                heapq.heappush(events, (now + latency, next(order), Outcome.REPLY, now))
            else:
                heapq.heappush(events, (now + 0.05, next(order), Outcome.TURNED_AWAY, now))
        now, _, outcome, started = heapq.heappop(events)
        taken -= outcome is Outcome.REPLY
        limiter.finish(outcome, started, now)
        limits.append(limiter.limit)
    return limits


def one_round(limiter: Limiter, now: float, outcomes: list[Outcome], seconds: float = 1.0) -> None:
    for _ in outcomes:
        limiter.start()
    for outcome in outcomes:
        limiter.finish(outcome, now, now + seconds)


def test_ramp_reaches_the_most_in_a_few_generations() -> None:
    limiter = Limiter(256, TIMEOUT)
    limits = simulate(limiter, 9.0, capacity=10_000)
    assert limiter.limit == 256, "four doublings of 2 s each"
    assert max(limits) == 256


@pytest.mark.parametrize("capacity", [1, 7, 40, 150])
def test_limit_settles_near_what_the_server_takes(capacity: int) -> None:
    limits = simulate(Limiter(256, TIMEOUT), 300.0, capacity)
    late = sorted(limits[len(limits) // 2 :])
    middle = late[len(late) // 2]
    assert 0.6 * capacity <= middle <= 1.35 * capacity + 1


def test_a_few_refusals_at_random_leave_the_limit_full() -> None:
    limits = simulate(Limiter(256, TIMEOUT), 120.0, 10_000, odd=0.03)
    assert min(limits[len(limits) // 2 :]) > 200


def test_one_burst_of_refusals_cuts_once() -> None:
    limiter = Limiter(16, TIMEOUT)
    one_round(limiter, 0.0, [Outcome.TURNED_AWAY] * 16)
    assert limiter.limit == 8
    limiter = Limiter(100, TIMEOUT)
    simulate(limiter, 20.0, 10_000)
    began = limiter.in_flight
    for _ in range(began):
        limiter.finish(Outcome.TURNED_AWAY, 19.9, 20.1)
    assert limiter.limit == 50, "all of them started before the cut"


def test_cut_follows_the_share_that_was_turned_away() -> None:
    limiter = Limiter(16, TIMEOUT)
    one_round(limiter, 0.0, [Outcome.TURNED_AWAY] * 4 + [Outcome.REPLY] * 12)
    assert limiter.limit == 12


def test_time_outs_cut_and_broken_connections_do_not() -> None:
    limiter = Limiter(16, TIMEOUT)
    one_round(limiter, 0.0, [Outcome.OTHER] * 200)
    assert limiter.limit == 16
    one_round(limiter, 0.0, [Outcome.TIMED_OUT] * 16)
    assert limiter.limit == 8


def test_limit_never_falls_below_one_and_recovers() -> None:
    limiter = Limiter(256, TIMEOUT)
    for second in range(40):
        one_round(limiter, float(second), [Outcome.TURNED_AWAY] * limiter.limit, 0.5)
    assert limiter.limit == 1
    simulate(limiter, 400.0, 10_000)
    assert limiter.limit == 256


@pytest.mark.parametrize(("seconds", "expected"), [(29.0, 32), (31.0, 16), (61.0, 14)])
def test_grows_while_quick_holds_when_slower_trims_when_slow(seconds: float, expected: int) -> None:
    limiter = Limiter(256, TIMEOUT)
    for _ in range(FIRST_LIMIT):
        limiter.start()
    for _ in range(FIRST_LIMIT):
        limiter.finish(Outcome.REPLY, 0.0, seconds)
        if limiter.may_start(seconds):
            limiter.start()
        if limiter.may_start(seconds):
            limiter.start()
    assert limiter.limit == expected


def test_limit_does_not_grow_unused() -> None:
    limiter = Limiter(256, TIMEOUT)
    for second in range(1000):
        limiter.start()
        limiter.finish(Outcome.REPLY, float(second), second + 1.0)
    assert limiter.limit == FIRST_LIMIT


def test_retry_after_stops_everybody_until_then() -> None:
    limiter = Limiter(256, TIMEOUT)
    limiter.start()
    limiter.finish(Outcome.TURNED_AWAY, 0.0, 1.0, retry_after=7.0)
    assert not limiter.may_start(7.9)
    assert limiter.pause(3.0) == 5.0
    assert limiter.may_start(8.0)


def test_an_absurd_retry_after_is_bounded() -> None:
    limiter = Limiter(256, TIMEOUT)
    limiter.start()
    limiter.finish(Outcome.TURNED_AWAY, 0.0, 0.0, retry_after=1e9)
    assert limiter.pause(0.0) == LONGEST_PAUSE


def test_the_most_is_kept_even_below_the_first_limit() -> None:
    limiter = Limiter(3, TIMEOUT)
    assert max(simulate(limiter, 30.0, 10_000)) == 3
