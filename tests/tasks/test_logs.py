"""What the log of a run holds of an error."""

import logging

import pytest

from raiden_core.errors import ConfigError, RaidenError, StageError
from tasks.logs import LOGGERS, leave_out_tracebacks

ERROR = "Encountered exception during execution: %r"
REPEATED = "Engine execution exited with unexpected exception"


@pytest.mark.parametrize("name", LOGGERS)
@pytest.mark.parametrize(
    ("level", "error", "message", "lines", "traced"),
    [
        (logging.INFO, ConfigError("x.yaml: nme: unknown key"), ERROR, 1, False),
        (logging.INFO, StageError("the disk is full"), ERROR, 1, False),
        (logging.INFO, StageError("the disk is full"), REPEATED, 0, False),
        (logging.INFO, KeyError("a bug"), ERROR, 1, True),
        (logging.INFO, KeyError("a bug"), REPEATED, 1, True),
        (logging.DEBUG, RaidenError("wanted in full"), ERROR, 1, True),
    ],
)
def test_a_users_mistake_is_one_line_and_a_bug_has_its_traceback(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    level: int,
    error: Exception,
    message: str,
    lines: int,
    traced: bool,
) -> None:
    logger = logging.getLogger(name)
    monkeypatch.setattr(logger, "handlers", [caplog.handler])
    monkeypatch.setattr(logger, "propagate", False)
    before = logger.level
    logger.setLevel(level)
    leave_out_tracebacks()
    try:
        raise error
    except type(error):
        logger.exception(message, *([error] if "%" in message else []))
    finally:
        logger.setLevel(before)
    shown = [caplog.handler.format(record) for record in caplog.records]
    assert len(shown) == lines
    assert any("Traceback" in text for text in shown) == traced
    assert all(repr(error) in text or traced for text in shown)
