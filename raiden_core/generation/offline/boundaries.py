"""Questions at the boundaries of what a character knows, each beside an answerable sibling: its *twin*.

- **SCK**: the question assumes a value that the profile contradicts; right is to correct it. Twin: the plain question
  about the same attribute.
- **RCB**: nobody told the character, so that right is to admit it and to invent nothing. What the user never said (twin:
  the same question after a conversation that says it), what the profile lacks (twin: the same question, with a profile
  from which nothing was left out), and things of a later time than the character's (twin: a question that the profile
  answers). In the first two, only conversation or profile decides whether there is an answer, never the question.

Each twin has one boundary sample at most, so that a policy that refuses everything loses as much as it wins. Whatever
might make a question unfair ends it, with a reason that statistics count.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from raiden_core.characters.character import Character
from raiden_core.generation.offline.boundary_words import ANY, BoundaryWords, boundary_words
from raiden_core.generation.offline.catalogue import Catalogue, load
from raiden_core.generation.offline.cutting import as_text, without
from raiden_core.generation.offline.equivalents import equivalents
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.generation.offline.wording import capitalised, fill, value_words
from raiden_core.generation.quality.distractors import DISTRACTORS, Pools, choose_distractors, holds
from raiden_core.generation.teacher import Draft, Fact
from raiden_core.rewards import contains_term, fold
from raiden_core.rewards.folding import units
from raiden_core.samples import Sample, Turn

ONE_VALUE = frozenset(
    (
        *("occupation", "hometown", "birthplace", "residence", "age", "birthday", "height", "weight", "zodiac"),
        *("animal_sign", "blood_type", "food", "drink", "dish", "colour", "season", "animal", "flower", "fear", "pet"),
        *("pet_name", "friend", "nationality", "ethnicity", "mentor", "relative", "book", "film", "music"),
    )
)
"""Attributes of which a profile's value leaves no room for another; of the rest (hobbies, traits) both may be true."""

RELATED = (
    frozenset(("hometown", "birthplace", "residence", "nationality", "place")),
    frozenset(("occupation", "identity", "workplace", "affiliation")),
    frozenset(("age", "birthday", "era", "animal_sign")),
    frozenset(("birthday", "zodiac")),
    frozenset(("food", "dish")),
    frozenset(("pet", "pet_name", "mount")),
    frozenset(("belonging", "treasure", "weapon")),
    frozenset(("hobby", "like", "skill", "sport", "instrument")),
    frozenset(("friend", "partner", "lover")),
)
"""Attributes of which one may tell another: who gives a birthday gives a zodiac sign."""

SEVERAL_VALUES = "false premise: the attribute has several values"
MAY_HOLD = "false premise: another value may be true as well"
TOLD_TWICE = "false premise: the profile gives the attribute twice"
NO_OTHER_VALUE = "false premise: no other value of its kind is certainly false"
MAY_BE_TOLD = "unknown: the profile may say it in other words"
UNCUT = "unknown: the profile cannot be shown without it"
MENTIONED = "untold: the profile or the conversation may mention it"
NO_CONVERSATION = "untold: no conversation"

MARGIN = 20
"""A thing that came so few years later may well be known."""
PROSE_UNITS = 20
"""A value of more units may tell an attribute in words of its own."""
MEMORY, LACKING, TIME, PREMISE = "untold", "lacking", "another time", "false premise"
"""What ``metadata.boundary`` says of a sample."""


class BoundaryDrafts:
    """The boundary questions of one character."""

    def __init__(
        self, teacher: OfflineTeacher, character: Character, facts: Sequence[Fact], pools: Pools, seed: int
    ) -> None:
        """``facts`` are all of the profile's, those that cannot be verified as well; ``pools`` what others say."""
        self.teacher = teacher
        self.character = character
        self.language = character.language
        self.facts = facts
        self.pools = pools
        self.catalogue: Catalogue = load(character.language)
        self.words: BoundaryWords = boundary_words(character.language)
        self.random: random.Random = teacher.random(character, f"boundaries {seed}")
        self.profile = as_text(character.profile)
        verifiable = [fact for fact in facts if fact.unverifiable is None]
        self.by_key = {fact.key: fact for fact in verifiable}

    def false_premises(self, free: Mapping[str, Sample]) -> Iterator[Draft | str]:
        """SCK drafts, or the reasons why there are none, over the samples that are free to be twins when it is asked."""
        for twin in list(free.values()):
            if twin.id in free and twin.dimension == "SBK":
                yield self.false_premise(twin)

    def unknowables(self, free: Mapping[str, Sample]) -> Iterator[Draft | str]:
        """RCB drafts, the kinds in turn, or the reasons why there are none; ``free`` as for `false_premises`."""
        kinds = [self._all_untold(free), self._all_lacking(free), self._all_later(free)]
        self.random.shuffle(kinds)
        while kinds:
            kind = kinds.pop(0)
            if (draft := next(kind, None)) is not None:
                kinds.append(kind)
                yield draft

    def _all_untold(self, free: Mapping[str, Sample]) -> Iterator[Draft | str]:
        for twin in list(free.values()):
            if twin.id in free and twin.dimension == "CM":
                yield self.untold(twin)

    def _all_lacking(self, free: Mapping[str, Sample]) -> Iterator[Draft | str]:
        for twin in list(free.values()):
            if twin.id in free and twin.dimension == "SBK":
                yield self.lacking(twin)

    def _all_later(self, free: Mapping[str, Sample]) -> Iterator[Draft | str]:
        for number in self.later_things():
            if (twin := _script_twin(free)) is None:
                return
            yield self.of_another_time(number, twin)

    def false_premise(self, twin: Sample) -> Draft | str:
        """A question that assumes another value of the attribute that its twin asks for, or why there is none."""
        fact = self.by_key[str(twin.metadata["attribute"])]
        attribute = self.catalogue.attributes.get(fact.attribute)
        if len(fact.groups) != 1:
            return SEVERAL_VALUES
        if attribute is None or fact.attribute not in ONE_VALUE or not attribute.exclusive:
            return MAY_HOLD
        if sum(other.attribute == fact.attribute for other in self.facts) > 1:
            return TOLD_TWICE
        plain = next(self.teacher.script_drafts(self.character, [fact]))
        others = choose_distractors(plain, self.language, self.pools, (self.profile,), self.random)
        false = [
            value
            for value in others
            if not any(self.words.may_both_be_true(value, term) for term in (fact.value, *fact.groups[0]))
        ]
        if not false:
            return NO_OTHER_VALUE
        wrong = self.random.choice(false)
        words = self._words(fact, wrong)
        premises = (*self.words.premises[ANY], *self.words.premises.get(fact.attribute, ()))
        number = self.random.randrange(len(premises))
        own = {fold(term) for term in fact.groups[0]}
        denied = tuple(term for term in equivalents(wrong, self.language, attribute.shape) if fold(term) not in own)
        return replace(
            plain,
            dimension="SCK",
            question=fill(premises[number], self.language, **words),
            answer=fill(self.random.choice(self.words.corrections), self.language, **words),
            reasoning=fill(
                self.random.choice(self.words.reasoning.correct),
                self.language,
                **{**words, "key": fact.key, "value": fact.value},
            ),
            template=f"{self.language}.{PREMISE}.{fact.attribute}.{number}",
            difficulty="hard",
            denied=(denied,),
            boundary=PREMISE,
            twin=twin.id,
        )

    def untold(self, twin: Sample) -> Draft | str:
        """The question of a memory sample after a conversation that does not say it."""
        kind = str(twin.metadata["attribute"])
        memory = self.catalogue.memory[kind]
        script = [fact for fact in self.by_key.values() if len(fact.groups) == 1]
        exchanges = self.teacher.fillers(self.character, self.catalogue, script, self.random, 2)
        history = tuple(
            Turn(role=role, content=text)  # type: ignore[arg-type]
            for exchange in exchanges
            for role, text in zip(("user", "assistant"), exchange, strict=True)
        )
        if not history:
            return NO_CONVERSATION
        said = "\n".join((self.profile, *(turn.content for turn in history)))
        if any(holds(said, value) for value in memory.values):
            return MENTIONED
        return self._admission(
            twin, twin.question, self.words.untold, MEMORY, kind, memory.values, self.profile, history=history
        )

    def lacking(self, twin: Sample) -> Draft | str:
        """The question of a script sample, put to the character with a profile that leaves the answer out."""
        fact = self.by_key[str(twin.metadata["attribute"])]
        known, hints = self.catalogue.attributes.get(fact.attribute), self.words.lacking.get(fact.attribute)
        if known is None or hints is None or any(self._may_tell(fact, other) for other in self.facts):
            return MAY_BE_TOLD
        rest = without(self.character, fact)
        if rest is None:
            return UNCUT
        text = as_text(rest)
        own = [fact.value, *_flat(fact.groups)]
        values = (*self.pools.get((self.language, fact.attribute), ()), *known.rivals, *_flat(known.values))
        long = [term for term in (fact.key, *values) if len(term) > 1]
        if _says(rest, hints) or any(holds(text, term) for term in (*own, *long)):
            return MAY_BE_TOLD
        words = self._words(fact)
        draft = self._admission(twin, twin.question, self.words.unknown, LACKING, fact.key, values, text, words=words)
        truth = [term for term in own if len(term) > 1 and not holds(twin.question, term)]
        return replace(draft, profile=rest, rivals=tuple(sorted({*draft.rivals, *truth})))

    def _may_tell(self, fact: Fact, other: Fact) -> bool:
        """Whether another fact answers the same question, or lets one guess the answer."""
        if other == fact:
            return False
        return other.attribute == fact.attribute or any({fact.attribute, other.attribute} <= group for group in RELATED)

    def of_another_time(self, number: int, twin: Sample) -> Draft | str:
        """A question about a thing that came later than the character's time."""
        thing = self.words.things[number]
        if any(holds(self.profile, name) for name in thing.names):
            return MAY_BE_TOLD
        words = {"thing": thing.names[0], "name": self.character.name or ""}
        question = fill(self.random.choice(self.words.thing_questions), self.language, **words)
        draft = self._admission(
            twin, question, self.words.unheard, TIME, thing.names[0], thing.inventions, self.profile, words=words
        )
        return replace(draft, denied=(thing.names,))

    def later_things(self) -> list[int]:
        """The things that came after the character's time; none where the profile says no time."""
        years = [self.words.year_of(fact.value) for fact in self.facts if fact.attribute == "era"]
        year = next((year for year in years if year is not None), None)
        if year is None:
            return []
        later = [number for number, thing in enumerate(self.words.things) if thing.since > year + MARGIN]
        return self.random.sample(later, len(later))

    def _admission(
        self,
        twin: Sample,
        question: str,
        answers: Sequence[str],
        boundary: str,
        about: str,
        inventions: Sequence[str],
        profile: str,
        *,
        words: Mapping[str, str] | None = None,
        history: tuple[Turn, ...] = (),
    ) -> Draft:
        said = "\n".join((profile, question, *(turn.content for turn in history)))
        free = [term for term in dict.fromkeys(inventions) if len(term) > 1 and not holds(said, term)]
        thoughts = self.words.reasoning
        thought = {MEMORY: thoughts.untold, LACKING: thoughts.unknown, TIME: thoughts.unheard}[boundary]
        filled = {"name": self.character.name or "", **(words or {})}
        return Draft(
            dimension="RCB",
            attribute=about,
            key=about,
            question=question,
            answer=fill(self.random.choice(answers), self.language, **filled),
            reasoning=fill(self.random.choice(thought), self.language, **{**filled, "key": about}),
            groups=(),
            evidence="",
            template=f"{self.language}.{boundary}.{about}",
            question_type=twin.question_type,
            difficulty="hard",
            history=history,
            rivals=tuple(sorted(self.random.sample(free, min(len(free), 3 * DISTRACTORS)))),
            abstains=True,
            boundary=boundary,
            twin=twin.id,
        )

    def _words(self, fact: Fact, wrong: str = "") -> dict[str, str]:
        attribute = self.catalogue.attributes.get(fact.attribute)
        words = self.teacher.words(self.character, fact, attribute)
        other = value_words(wrong, self.language, attribute.proper if attribute else True)
        named = {"wrong": other["value"], "a_wrong": other["a_value"], "n_wrong": other["n_value"]}
        return {**words, **named, "Your_key": capitalised(words["your_key"])}


def _says(profile: Mapping[str, Any], hints: Sequence[str]) -> bool:
    """Whether the prose of a profile holds a word by which it may tell the attribute."""
    texts = [fold(str(value)) for value in profile.values()]
    prose = "\n".join(text for text in texts if units(text) > PROSE_UNITS)
    return any(contains_term(prose, hint) if hint.isascii() else hint in prose for hint in map(fold, hints))


def _script_twin(free: Mapping[str, Sample]) -> Sample | None:
    return next((sample for sample in free.values() if sample.dimension == "SBK"), None)


def _flat(groups: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(term for group in groups for term in group)
