"""Facts that a sentence of prose states plainly: ``She works as a nurse.``, ``出生于绍兴``, ``雷が怖い``, ``부산에 산다``.

    stated = read_sentences(character)
    stated.facts, stated.left

Rules are tables, a file a language (``<language>.yaml``): a pattern, the attribute that it states, and an example that is its
test. A sentence is used only where it is certain whom it speaks of and that it states something: what is quoted, denied,
supposed, past, asked, hearsay, or said of somebody else is left, and everything that is left is counted.
"""

from raiden_core.characters.sentences.reading import Stated, StatedFact, read_sentences

__all__ = ["Stated", "StatedFact", "read_sentences"]
