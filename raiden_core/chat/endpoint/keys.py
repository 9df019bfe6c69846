"""Who may ask: everybody on this machine, and elsewhere whoever has the key."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from raiden_core.errors import UsageError

VARIABLE = "RAIDEN_SERVE_KEY"
SHORTEST = 16


def serve_key(host: str, environment: Mapping[str, str]) -> str | None:
    """The key that requests must bring, from the environment; None where none is set and only this machine reaches us.

    Raises:
        UsageError: others can reach the host and there is no key; or it is too short, or cannot stand in a header.
    """
    key = environment.get(VARIABLE) or None
    if key is None:
        if not _is_loopback(host):
            raise UsageError(
                f"--host {host}: others may reach it, so set {VARIABLE} to a key of {SHORTEST} characters or more"
            )
        return None
    if len(key) < SHORTEST or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(f"{VARIABLE}: must be {SHORTEST} characters or more, ASCII without blanks")
    return key


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
