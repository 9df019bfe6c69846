"""Who waits for whom: a model makes one reply at a time, and few requests may wait for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL_SECONDS = 0.25
"""Whether somebody who waits has gone is looked at so often."""


class Full(Exception):
    """So many wait already that nobody else may."""


class Gone(Exception):
    """Whoever asked does not wait any longer."""


class Line:
    """First come, first served."""

    def __init__(self, places: int) -> None:
        """Start empty, with places for ``places`` that wait beside the one whose turn it is."""
        self._places = places
        self._inside: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, gone: Callable[[], bool]) -> Iterator[None]:
        """Wait for the model, and have it while the block runs.

        Args:
            gone: whether nobody wants the reply any longer; asked several times a second while waiting.

        Raises:
            Full: there is no place to wait.
            Gone: as ``gone`` says.
        """
        ticket = object()
        with self._changed:
            if len(self._inside) > self._places:
                raise Full
            self._inside.append(ticket)
        try:
            with self._changed:
                while self._inside[0] is not ticket:
                    self._changed.wait(POLL_SECONDS)
                    if gone():
                        raise Gone
            yield
        finally:
            with self._changed:
                self._inside.remove(ticket)
                self._changed.notify_all()

    def empties_within(self, seconds: float) -> bool:
        """Whether nobody is inside any longer, within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._inside, seconds)
