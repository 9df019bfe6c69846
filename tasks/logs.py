"""A run's log says what a user can mend in one line; tracebacks are for errors that are ours.

Prefect logs the traceback of every error of a task or flow, and of one that ends a deployed run three times. What a
`RaidenError` means stands in its one line, so its traceback is left out, except with ``PREFECT_LOGGING_LEVEL=DEBUG``.
"""

from __future__ import annotations

import logging

from raiden_core.errors import RaidenError

LOGGERS = ("prefect.flow_runs", "prefect.task_runs")
AGAIN = "Engine execution exited"
"""So begins the line of Prefect's engine that repeats an error which has ended the run."""


def _plain(record: logging.LogRecord) -> bool:
    """Take the traceback from a record about a `RaidenError`; a mere repetition is dropped."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, RaidenError) or logging.getLogger(record.name).isEnabledFor(logging.DEBUG):
        return True
    record.exc_info = record.exc_text = None
    return not str(record.msg).startswith(AGAIN)


def leave_out_tracebacks() -> None:
    """Have the logs of runs in this process hold errors of ours as one line; calling it again changes nothing."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_plain)
