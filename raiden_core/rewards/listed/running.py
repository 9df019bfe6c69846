"""Computes a list of rewards on a batch of completions: all values, which gates are closed, and the totals.

    with RewardRun(chosen, store=out / "judge") as run:
        outcome = run(prompts, completions, columns)

Asynchronous functions run on an event loop of their own, in a thread that lives as long as the run does: they begin
first, the others are computed in the meantime, and then they are waited for. Training, evaluation, the reference trainer
and the command line all compute rewards here, so that a completion earns the same everywhere.

A **total** is the weighted sum of what the rewards say; one that says nothing (None) is left out of it, and where all
of them say nothing there is no total. A **gate** is open where its value is above 0, or None; one that is closed makes the
total 0.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from raiden_core.errors import ConfigError, RaidenError, StageError
from raiden_core.rewards.listed.checks import AGAIN, Value, checked, place_of, sample_of, step_of
from raiden_core.rewards.listed.chosen import Chosen, ChosenReward
from raiden_core.rewards.listed.limits import TookTooLong, interrupted_after
from raiden_core.rewards.listed.loading import Function, is_asynchronous, load_function

MAX_ALONE = 64
"""Completions that are tried one by one to find the one that a function fails on."""
CLOSED_BATCHES = 50
"""Batches in a row on all of whose completions a gate may be closed before the run is stopped."""
GRACE_SECONDS = 5.0
"""How much longer than its limit a function is waited for that does not let its event loop go."""


def _ignore(*_: object) -> None:
    """Where no trainer logs."""


OUTSIDE_TRAINING: dict[str, Any] = {
    "completion_ids": None,
    "trainer_state": None,
    "log_extra": _ignore,
    "log_metric": _ignore,
}
"""What a function is given in evaluation in place of what only a trainer has."""


@dataclass(frozen=True)
class Outcome:
    """What a batch earned; every list has a value a completion."""

    values: dict[str, list[Value]]
    """By name, in the list's order, gates included: each function's own values, whatever gates say."""
    totals: list[Value]
    """None where no reward said anything."""
    gated: list[bool]
    """Whether a gate was closed."""


@dataclass
class _Loaded:
    chosen: ChosenReward
    function: Function
    asynchronous: bool
    closed_in_a_row: int = 0


class RewardRun:
    """The functions of a list, loaded, and the thread in which its asynchronous ones run."""

    def __init__(self, chosen: Chosen, store: Path | None = None) -> None:
        """Load the functions.

        Args:
            chosen: the list.
            store: the folder in which a judge's replies are kept; needed where there is a judge.

        Raises:
            ConfigError: a function cannot be loaded.
        """
        self.chosen = chosen
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._rewards = [self._load(one, store) for one in chosen]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what asynchronous rewards have open, and end their thread."""
        if self._loop is None:
            return
        for close in self._closing:
            asyncio.run_coroutine_threadsafe(close(), self._loop).result(GRACE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._loop = None

    def __call__(
        self,
        prompts: Sequence[Any] | None,
        completions: Sequence[Any],
        columns: Mapping[str, Any],
        only: Callable[[ChosenReward], bool] = lambda one: True,
    ) -> Outcome:
        """What a batch earns.

        Args:
            prompts: as TRL has them; None where nobody knows them.
            completions: as many as prompts.
            columns: by name, a value a completion each; in training what else TRL hands over as well.
            only: which rewards are computed; the totals are of those.

        Raises:
            StageError: a function failed, gave what no reward may be, or took too long; a gate is always closed; a judge
                is gone. The message names step, reward and sample.
        """
        named = {**OUTSIDE_TRAINING, **columns, "prompts": prompts, "completions": completions}
        asked = [one for one in self._rewards if only(one.chosen)]
        waiting = {one.chosen.name: self._begin(one, named) for one in asked if one.asynchronous}
        found = {one.chosen.name: self._computed(one, named) for one in asked if not one.asynchronous}
        found |= {one.chosen.name: self._awaited(one, waiting, named) for one in asked if one.asynchronous}
        values = {one.chosen.name: found[one.chosen.name] for one in asked}
        self._look_at_gates(asked, values, named)
        return outcome_of([one.chosen for one in asked], values, len(completions))

    def _load(self, chosen: ChosenReward, store: Path | None) -> _Loaded:
        if not chosen.is_judge:
            function = load_function(chosen)
            return _Loaded(chosen, function, is_asynchronous(function))
        from raiden_core.rewards.judged.reward import JudgeReward

        if store is None or chosen.endpoint is None:
            raise ConfigError(f"rewards: {chosen.name}: there is no folder to keep the judge's replies in")
        judge = JudgeReward(chosen.name, chosen.endpoint, chosen.rubrics, store, chosen.arguments)
        self._closing.append(judge.close)
        return _Loaded(chosen, judge, True)

    def _computed(self, one: _Loaded, named: Mapping[str, Any]) -> list[Value]:
        try:
            with interrupted_after(one.chosen.time_limit):
                given = one.function(**named)
        except RaidenError:
            raise
        except TookTooLong as error:
            raise self._late(one, named) from error
        except Exception as error:  # whatever code of the user's may raise becomes one line
            raise self._failed(one, error, named) from error
        return checked(one.chosen.logged, given, len(named["completions"]), named)

    def _begin(self, one: _Loaded, named: Mapping[str, Any]) -> concurrent.futures.Future[object]:
        limit = None if one.chosen.is_judge else one.chosen.time_limit

        async def call() -> object:
            async with asyncio.timeout(limit):
                return await one.function(**named)

        return asyncio.run_coroutine_threadsafe(call(), self._running_loop())

    def _awaited(
        self, one: _Loaded, waiting: Mapping[str, concurrent.futures.Future[object]], named: Mapping[str, Any]
    ) -> list[Value]:
        name, limit = one.chosen.logged, one.chosen.time_limit
        try:
            given = waiting[one.chosen.name].result(None if one.chosen.is_judge else limit + GRACE_SECONDS)
        except RaidenError:
            raise
        except TimeoutError:
            raise self._late(one, named) from None
        except Exception as error:  # as above
            raise self._failed(one, error, named) from error
        return checked(name, given, len(named["completions"]), named)

    def _late(self, one: _Loaded, named: Mapping[str, Any]) -> StageError:
        return StageError(
            f"{step_of(named)}: {one.chosen.logged} had not answered after {one.chosen.time_limit:g} s (time_limit) for a "
            f"batch of {len(named['completions'])} that begins with {sample_of(named, 0)}; {AGAIN}"
        )

    def _failed(self, one: _Loaded, error: Exception, named: Mapping[str, Any]) -> StageError:
        """The line about an error in a function; the sample is found by calling it with each completion alone."""
        place = self._culprit(one, named)
        begins = f"the batch that begins with {sample_of(named, 0)}"
        who = begins if place is None else sample_of(named, place)
        said = " ".join(str(error).split())[:300]
        return StageError(
            f"{step_of(named)}: {one.chosen.logged} raised {type(error).__name__}: {said} ({place_of(error)}) for {who}; "
            f"{AGAIN}"
        )

    def _culprit(self, one: _Loaded, named: Mapping[str, Any]) -> int | None:
        count = len(named["completions"])
        if one.asynchronous or count > MAX_ALONE:
            return None
        for place in range(count):
            alone = {name: _row(value, place, count) for name, value in named.items()}
            try:
                with interrupted_after(one.chosen.time_limit):
                    one.function(**alone)
            except (Exception, TookTooLong):  # noqa: BLE001  # it has failed before, and this is only to say on what
                return place
        return None

    def _look_at_gates(
        self, asked: Sequence[_Loaded], values: Mapping[str, list[Value]], named: Mapping[str, Any]
    ) -> None:
        for one in asked:
            if not one.chosen.gate:
                continue
            closed = [value is not None and value <= 0 for value in values[one.chosen.name]]
            one.closed_in_a_row = one.closed_in_a_row + 1 if all(closed) and closed else 0
            if one.closed_in_a_row == CLOSED_BATCHES and named["trainer_state"] is not None:
                raise StageError(
                    f"{step_of(named)}: the gate {one.chosen.logged} was closed on all completions of {CLOSED_BATCHES} "
                    f"batches in a row, the last one {sample_of(named, 0)}: every total is 0 and nothing can be learned; "
                    "take the gate out, or begin with a longer cold start"
                )

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="rewards", daemon=True).start()
        return self._loop


def outcome_of(chosen: Sequence[ChosenReward], values: dict[str, list[Value]], count: int) -> Outcome:
    """Gates and totals of values that are known, by name; ``count`` completions."""
    rewards = [(one.weight, values[one.name]) for one in chosen if not one.gate]
    gates = [values[one.name] for one in chosen if one.gate]
    gated = [any(value is not None and value <= 0 for value in row) for row in zip(*gates, strict=True)]
    gated = gated or [False] * count
    totals: list[Value] = []
    for place in range(count):
        earned = [weight * value for weight, column in rewards if (value := column[place]) is not None]
        totals.append(None if not earned else 0.0 if gated[place] else sum(earned))
    return Outcome(values, totals, gated)


def _row(value: Any, place: int, count: int) -> Any:
    """One completion's part of what a function is called with."""
    return [value[place]] if isinstance(value, (list, tuple)) and len(value) == count else value
