"""Example conversations of cards as cold-start turns: they show how a character speaks, and no validator looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from raiden_core.cards.card import Card
from raiden_core.prompts import CARD
from raiden_core.samples import Sample

SOURCE = "example messages of the card"
"""What the metadata of such a turn say."""


def example_turns(samples: Sequence[Sample]) -> list[Sample]:
    """A turn to train on for each reply in the example conversations of the samples' characters.

    A character's card stands in the metadata of all of its samples; its examples are taken once.
    """
    met: set[tuple[str, str]] = set()
    turns: list[Sample] = []
    for sample in samples:
        who = sample.character_name, str(sample.character_profile)
        if CARD in sample.metadata and who not in met:
            met.add(who)
            turns += _replies(sample, Card.model_validate(sample.metadata[CARD]))
    return turns


def _replies(sample: Sample, card: Card) -> Iterator[Sample]:
    # A layout that shows the examples would show the reply that is to be learnt.
    shown = card.model_copy(update={"examples": ()}).as_json()
    for conversation in card.examples:
        for place in range(1, len(conversation)):
            said, reply = conversation[place - 1], conversation[place]
            if (said.role, reply.role) == ("user", "assistant"):
                yield Sample(
                    character_name=sample.character_name,
                    character_profile=sample.character_profile,
                    conversation_history=conversation[: place - 1],
                    question=said.content,
                    answer=reply.content,
                    keywords=(),
                    language=sample.language,
                    metadata={"source": SOURCE, CARD: shown},
                )
