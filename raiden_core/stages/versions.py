"""Versions of raiden and of what it stands on, for manifests."""

from __future__ import annotations

import functools
import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("torch", "transformers", "trl", "accelerate", "datasets", "peft", "openai", "pandas", "prefect")


@functools.cache
def installed_versions() -> dict[str, str]:
    """Name -> version of Python, raiden and its main packages; what is not installed is left out."""
    from raiden_core import __version__

    versions = {"python": platform.python_version(), "raiden": __version__}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # an extra that this environment does without
    return versions
