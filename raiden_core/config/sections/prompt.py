"""How prompts are laid out."""

from __future__ import annotations

from raiden_core.config.sections.base import Section
from raiden_core.prompts import Layout


class PromptConfig(Section):
    """How prompts are laid out, in training, evaluation, export and chat alike."""

    layout: Layout = "raiden"
    """Of the system turn: raiden's own, or the order in which a chat program arranges a card's parts; `raiden` shows the profile
    alone."""
