"""Characters from any file that people have: `read_characters` is the one way in.

    from raiden_core.characters import read_characters

    result = read_characters(["cards/", "more.csv", "shipped:zh"])
    result.characters, result.refused, result.warnings

docs/characters.md lists the formats and says how each becomes a `Character`.
"""

from raiden_core.characters.character import Character, Refusal
from raiden_core.characters.read import ReadResult, labels, read_characters

__all__ = ["Character", "ReadResult", "Refusal", "labels", "read_characters"]
