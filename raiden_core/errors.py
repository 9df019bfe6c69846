"""The errors that a user can meet: one line that names the file, row or key, what is wrong and what to do.

The command line prints ``str(error)`` and exits with ``error.exit_code``; the traceback shows only with
``--debug``. Anything that is not a `RaidenError` is a defect of raiden itself.
"""


class RaidenError(Exception):
    """Work that failed for a reason the user can act on."""

    exit_code = 1


class UsageError(RaidenError):
    """The command line is wrong: an option, an argument, a combination of both."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration is wrong: a key, a type, a value."""


class DataError(RaidenError):
    """An input file is missing, unreadable or does not hold what it should."""


class StageError(RaidenError):
    """A stage could not finish, although its inputs and its configuration are in order."""
