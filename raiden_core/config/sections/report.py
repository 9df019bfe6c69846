"""What the page says beside the figures."""

from __future__ import annotations

from raiden_core.config.sections.base import Section


class ReportConfig(Section):
    """The page."""

    title: str = "raiden"
    """Its heading."""
    notes: tuple[str, ...] = ()
    """Sentences that the reader must know; they stand under the headline."""
