"""What asking costs: requests, tokens, money, refusals, and how fast they go.

`Accounting` counts while the client works; `Usage` is its snapshot, for progress lines and ``stats.json``. Refused
replies are paid for like good ones, so their tokens and their cost are in the sums; replies from the store are not.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

RATE_SECONDS = 30
"""Rates are those of the last so many whole seconds."""
MILLION = 1_000_000


@dataclass(frozen=True)
class Usage:
    """What has been asked of all endpoints since the client was opened."""

    seconds: float = 0.0
    """Since the client was opened."""
    requests: int = 0
    """Questions put to the client: those answered from the store and those joined to an equal one are among them."""
    replies: int = 0
    """Accepted replies that a server gave."""
    hits: int = 0
    """Requests that the store answered."""
    joined: int = 0
    """Requests that waited for an equal one under way."""
    attempts: int = 0
    """HTTP requests for a reply, first ones and repetitions."""
    retries: int = 0
    """Those that were repetitions."""
    prompt_tokens: int = 0
    """Tokens read by servers, as they report them."""
    completion_tokens: int = 0
    """Tokens written by servers, those of refused replies among them."""
    saved_prompt_tokens: int = 0
    """Tokens that the store's replies had cost when they were new."""
    saved_completion_tokens: int = 0
    """The same, of completions."""
    cost: float = 0.0
    """Price of the tokens, in the currency of the configured prices."""
    turned_down: Mapping[str, int] = field(default_factory=dict)
    """Single replies and attempts that were not accepted, by reason; most succeeded when repeated."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Requests that stayed without a reply after all attempts, by reason."""
    refused_by_purpose: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """The same, by purpose and reason."""
    by_endpoint: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """For each endpoint: ``attempts``, ``replies``, ``prompt_tokens``, ``completion_tokens``, ``cost``, ``limit``."""
    requests_per_second: float = 0.0
    """Accepted replies of servers, over the last seconds."""
    tokens_per_second: float = 0.0
    """Completion tokens, over the last seconds."""

    def line(self) -> str:
        """The figures that belong beside a progress bar."""
        words = [f"{self.requests_per_second:.1f} req/s", f"{self.tokens_per_second:,.0f} tok/s"]
        words += [f"{self.hits:,} cached"] if self.hits else []
        words += [f"cost {self.cost:.2f}"] if self.cost else []
        refused = sum(self.refused.values())
        words += [f"{refused:,} refused"] if refused else []
        return ", ".join(words)

    def to_json(self) -> dict[str, Any]:
        """Everything, as ``stats.json`` holds it."""
        return asdict(self)


@dataclass
class _Endpoint:
    prompt_price: float
    completion_price: float
    attempts: int = 0
    replies: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def cost(self) -> float:
        paid = self.prompt_tokens * self.prompt_price + self.completion_tokens * self.completion_price
        return paid / MILLION


class Accounting:
    """The counters behind `Usage`. ``clock`` gives seconds, of any monotonic clock."""

    def __init__(self, prices: Mapping[str, tuple[float, float]], clock: Callable[[], float] = time.monotonic) -> None:
        """``prices``: for each endpoint, the cost of a million prompt tokens and of a million completion tokens."""
        self._clock = clock
        self._began = clock()
        self._endpoints = {name: _Endpoint(*price) for name, price in prices.items()}
        self._numbers: Counter[str] = Counter()
        self._turned_down: Counter[str] = Counter()
        self._refused: dict[str, Counter[str]] = {}
        self._recent: deque[tuple[int, int, int]] = deque()

    def count(self, name: str, number: int = 1) -> None:
        """Add to one of `Usage`'s plain counters."""
        self._numbers[name] += number

    def attempt(self, endpoint: str, is_retry: bool) -> None:
        """A request goes out."""
        self._endpoints[endpoint].attempts += 1
        self._numbers["retries"] += is_retry

    def tokens(self, endpoint: str, prompt: int, completion: int) -> None:
        """A server reports what an answer, good or not, has cost."""
        self._endpoints[endpoint].prompt_tokens += prompt
        self._endpoints[endpoint].completion_tokens += completion
        self._add_recent(0, completion)

    def reply(self, endpoint: str) -> None:
        """An answer was accepted."""
        self._endpoints[endpoint].replies += 1
        self._add_recent(1, 0)

    def hit(self, prompt: int, completion: int) -> None:
        """The store had the reply."""
        self._numbers["hits"] += 1
        self._numbers["saved_prompt_tokens"] += prompt
        self._numbers["saved_completion_tokens"] += completion

    def turned_down(self, reason: str) -> None:
        """One attempt brought nothing acceptable."""
        self._turned_down[reason] += 1

    def refused(self, purpose: str, reason: str) -> None:
        """A request stays without a reply."""
        self._refused.setdefault(purpose, Counter())[reason] += 1

    def snapshot(self, limits: Mapping[str, int]) -> Usage:
        """Everything so far; ``limits`` are the present limits of open endpoints."""
        endpoints = self._endpoints.values()
        refused = sum(self._refused.values(), Counter())
        replies, tokens, seconds = self._rates()
        return Usage(
            seconds=round(self._clock() - self._began, 3),
            requests=self._numbers["requests"],
            replies=sum(one.replies for one in endpoints),
            hits=self._numbers["hits"],
            joined=self._numbers["joined"],
            attempts=sum(one.attempts for one in endpoints),
            retries=self._numbers["retries"],
            prompt_tokens=sum(one.prompt_tokens for one in endpoints),
            completion_tokens=sum(one.completion_tokens for one in endpoints),
            saved_prompt_tokens=self._numbers["saved_prompt_tokens"],
            saved_completion_tokens=self._numbers["saved_completion_tokens"],
            cost=sum(one.cost for one in endpoints),
            turned_down=dict(self._turned_down),
            refused=dict(refused),
            refused_by_purpose={purpose: dict(reasons) for purpose, reasons in self._refused.items()},
            by_endpoint={
                name: {
                    "attempts": one.attempts,
                    "replies": one.replies,
                    "prompt_tokens": one.prompt_tokens,
                    "completion_tokens": one.completion_tokens,
                    "cost": one.cost,
                    "limit": limits.get(name, 0),
                }
                for name, one in self._endpoints.items()
            },
            requests_per_second=replies / seconds,
            tokens_per_second=tokens / seconds,
        )

    def _add_recent(self, replies: int, tokens: int) -> None:
        second = int(self._clock())
        if self._recent and self._recent[-1][0] == second:
            _, before, tokens_before = self._recent.pop()
            replies, tokens = replies + before, tokens + tokens_before
        self._recent.append((second, replies, tokens))
        if len(self._recent) > RATE_SECONDS:
            self._recent.popleft()

    def _rates(self) -> tuple[int, int, float]:
        now = self._clock()
        since = int(now) - RATE_SECONDS
        recent = [entry for entry in self._recent if entry[0] > since]
        seconds = min(now - self._began, float(RATE_SECONDS))
        return sum(entry[1] for entry in recent), sum(entry[2] for entry in recent), max(seconds, 1.0)
