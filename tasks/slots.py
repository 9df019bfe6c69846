"""The GPU slot: work that wants a machine's GPUs for itself waits until no other run holds them.

It is a global concurrency limit of Prefect, shared by all deployments: ``prefect gcl create gpu --limit 1``. Without
such a limit nothing waits. A slot is held by a lease that this process renews: it is given back when the work ends,
also by an error or a cancellation, and the server takes it back by itself when the process was killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency
from prefect.context import TaskRunContext
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger

from tasks.progress import say

LEASE_SECONDS = 60.0
"""After so many seconds the slot of a process that was killed is free again; Prefect allows nothing shorter."""


@contextmanager
def gpu_slot(name: str | None, stage: str) -> Iterator[None]:
    """Hold one slot of a limit, if there is a name, a run and such a limit."""
    if name is None or TaskRunContext.get() is None:
        yield
        return
    free = _free_slots(name)
    if free is None:
        yield
        return
    if free < 1:
        say(f"{stage}: the slot {name!r} is taken by another run; waiting for it")
    held = ExitStack()
    # A lease that cannot be renewed, because the server restarts, must not end a training.
    held.enter_context(concurrency(name, occupy=1, lease_duration=LEASE_SECONDS, raise_on_lease_renewal_failure=False))
    logger = get_run_logger()
    try:
        yield
    finally:
        try:
            held.close()
        except httpx.HTTPError as error:
            # The work is done, or failed for a reason of its own; the lease gives the slot back by itself.
            logger.warning("%s: the slot %r is free in %g s: %s", stage, name, LEASE_SECONDS, type(error).__name__)


def _free_slots(name: str) -> int | None:
    """Slots of a limit that nobody holds; None where there is no such limit."""
    with get_client(sync_client=True) as client:
        try:
            limit = client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            return None
    return limit.limit - limit.active_slots if limit.active else None
