"""The configuration: one tree of pydantic models, read from YAML."""

from raiden_core.config.tree import Config

__all__ = ["Config"]
