"""The configuration: one tree of pydantic models, read from YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raiden_core.config.tree import Config

__all__ = ["Config"]


def __getattr__(name: str) -> Any:
    """Import the tree when somebody wants it: the reward takes its defaults from this package, and needs no pydantic."""
    if name == "Config":
        from raiden_core.config.tree import Config

        return Config
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
