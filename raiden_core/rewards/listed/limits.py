"""A limit for a function that does not come back, without a second thread.

Reward functions that use a GPU or a library with state in its thread have to run where the trainer runs, so a thread of
their own is out of the question. A timer signal interrupts them there instead: between two instructions of Python, or in a
system call such as waiting for a socket. Code that never comes back from C is not reached; `launch.stall_seconds`
ends such a trainer.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN_SECONDS = 1.0


class TookTooLong(BaseException):
    """The limit is over. No `Exception`, since a function that never comes back may well catch all of those."""


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` in the block when it takes longer, and every second from then on if it is caught there.

    It does nothing outside the main thread, where there are no timer signals (Windows), and where somebody else has
    set a timer, whose owner would miss it.
    """
    free = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    if not free or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    over = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not over:
            raise TookTooLong

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
            yield
        finally:
            # A signal that comes while the timer is being stopped must not keep it from that.
            over = True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
