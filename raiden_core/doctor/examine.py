"""All checks, one after the other: `examine` is what ``raiden doctor`` calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from raiden_core.doctor.chat import check_lengths, check_rewards, check_template
from raiden_core.doctor.check import Check, bad
from raiden_core.doctor.data import check_audit, check_characters, check_data
from raiden_core.doctor.dialects import check_dialects
from raiden_core.doctor.machine import check_disk, check_gpus, check_memory, check_model, check_output
from raiden_core.doctor.rewards import check_list
from raiden_core.doctor.services import check_keys, check_ports, check_teacher
from raiden_core.doctor.subject import Subject
from raiden_core.doctor.versions import check_versions
from raiden_core.errors import RaidenError

CHECKS: tuple[tuple[str, Callable[[Subject], Check]], ...] = (
    ("versions", check_versions),
    ("GPUs", check_gpus),
    ("memory", check_memory),
    ("disk", check_disk),
    ("output_dir", check_output),
    ("model", check_model),
    ("characters", check_characters),
    ("data", check_data),
    ("audit", check_audit),
    ("chat template", check_template),
    ("rewards", check_rewards),
    ("list of rewards", check_list),
    ("prompt lengths", check_lengths),
    ("teacher", check_teacher),
    ("dialects", check_dialects),
    ("keys", check_keys),
    ("ports", check_ports),
)
"""In the order in which they are shown."""

_log = logging.getLogger(__name__)


def examine(subject: Subject, checks: tuple[tuple[str, Callable[[Subject], Check]], ...] = CHECKS) -> Iterator[Check]:
    """The result of every check, as each is done."""
    for name, check in checks:
        yield _done(name, check, subject)


def _done(name: str, check: Callable[[Subject], Check], subject: Subject) -> Check:
    try:
        return check(subject)
    except RaidenError as error:
        return bad(name, str(error), "correct what the message names")
    except Exception as error:  # noqa: BLE001
        # The one place where anything is caught: a check calls libraries over files that nobody foresaw (tokenizers
        # raises a bare Exception), and one that fails must not hide what the others find. Interrupts pass.
        _log.debug("check %s failed", name, exc_info=True)
        first = " ".join(str(error).split())[:300]
        return bad(name, f"the check itself failed: {type(error).__name__}: {first}", "please report this")
