"""Character cards: what a card says beside its description, typed, and what chat programs do with it.

`Card` holds greetings, example conversations, the scene, instructions and the lorebook; macros.py resolves macros,
decorators.py reads the ``@@`` lines of lorebook entries, and lorebook.py decides which entries a conversation calls up. The
rules are those of the Character Card V3 specification (docs/characters.md says where raiden decides what it leaves open).
"""

from raiden_core.cards.card import Card, Entry, Lorebook
from raiden_core.cards.lorebook import triggered

__all__ = ["Card", "Entry", "Lorebook", "triggered"]
