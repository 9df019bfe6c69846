"""``training.log`` of a script that somebody starts by hand: what it prints for people, and how it ended.

A stage writes all that its script prints into that file (raiden_core/training/launch/accelerate.py). Without a stage the script
does it here, so that ``tail -f <output_dir>/training.log`` shows any run.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from raiden_core.errors import ConfigError, RaidenError
from raiden_core.stages.layout import LOG_FILE
from raiden_core.training.launch.script import ERROR_VARIABLE

if TYPE_CHECKING:
    from typing import TextIO


class _Copied:
    """A stream whose text goes into a file as well."""

    def __init__(self, stream: TextIO, file: TextIO) -> None:
        self._stream, self._file = stream, file

    def write(self, text: str) -> int:
        self._file.write(text)
        self._file.flush()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def own_log(out: Path) -> Iterator[None]:
    """Copy the first process's standard output into ``out/training.log``, and into it the error of whichever fails.

    Raises:
        ConfigError: nothing can be written there.
    """
    if ERROR_VARIABLE in os.environ:  # a stage collects everything
        yield
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / LOG_FILE).open("a", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"output_dir: {out}: {error.strerror}; name a folder that you may write to") from None
    with file:
        try:
            if os.environ.get("RANK", "0") == "0":
                with contextlib.redirect_stdout(cast("TextIO", _Copied(sys.stdout, file))):
                    yield
            else:
                yield
        finally:
            failure = sys.exception()
            if isinstance(failure, RaidenError):
                file.write(f"error: {failure}\n")
            elif failure is not None:
                file.writelines(traceback.format_exception(failure))
