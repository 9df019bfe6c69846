"""Where finished stages are shared between machines."""

from __future__ import annotations

from raiden_core.config.sections.base import OptionalAddress, Section


class StorageConfig(Section):
    """A place outside this machine for finished stages' folders; keys and addresses come from the environment."""

    url: OptionalAddress = None
    """Such as `s3://bucket/raiden`, or any other URL that fsspec knows; None: stages stay in `output_dir`."""
