"""Keys of servers: they come from the environment only."""

from __future__ import annotations

from collections.abc import Mapping

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import ConfigError


def key_of(name: str, config: EndpointConfig, environment: Mapping[str, str]) -> str | None:
    """The endpoint's key, from the environment variable that the configuration names.

    Raises:
        ConfigError: it is not set, or holds what cannot be a key.
    """
    variable = config.api_key_env
    if variable is None:
        return None
    key = environment.get(variable, "").strip()
    if not key:
        raise ConfigError(f"endpoint {name}: the environment variable {variable} is not set; put the key there")
    if not key.isascii() or not key.isprintable():
        raise ConfigError(f"endpoint {name}: the environment variable {variable} holds characters that no key has")
    return key
