"""The offline teacher: questions, answers and reasoning by rule, in Chinese, English, Japanese and Korean.

It needs no server and no model. It reads any ``key: value`` fact and sentences that state one plainly: a known
attribute is asked the way people ask, an
unknown one with generic words around its key. Its wording lives in ``templates/<language>.yaml``. What it drafts for
a character depends on the seed, the character's name and its profile, and on nothing else.

    teacher = OfflineTeacher(seed=0)
    facts = teacher.facts_of(character)
    next(teacher.script_drafts(character, [fact for fact in facts if fact.groups]))
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from raiden_core.characters.character import Character
from raiden_core.characters.sentences import read_sentences
from raiden_core.generation.offline.catalogue import LANGUAGES, Attribute, Catalogue, Memory, Wording, load, plain_key
from raiden_core.generation.offline.values import Reading, read_value
from raiden_core.generation.offline.wording import fill, key_words, value_words
from raiden_core.generation.teacher import UNREAD, Draft, Fact
from raiden_core.samples import Difficulty, Turn

MAX_ASIDE = {"zh": 14, "en": 90, "ja": 30, "ko": 40}
"""A fact is dropped into small talk only as a reply of at most so many characters."""

TOLD_UNASKED = ("occupation", "hometown", "residence", "hobby", "food", "pet")
"""What people say about themselves without being asked."""

_ODD_KEY = re.compile(r"[\d/:：|{}<>#=\"“”()（）《》]|\b\w+ed$|\bby$|\bto$|\bat$|\bin$|\bof$", re.IGNORECASE)
_JA_VERB_KEY = re.compile(r"[をにが].*[うくぐすつぬぶむる]$")
_LONG_KEY = {"zh": 8, "en": 24, "ja": 12, "ko": 14}
_NUMERIC = re.compile(
    r"^[约約약]?\s*[\d,.]+\s*\D{0,6}(?:\d+\D{0,3})?$|^[〇零一二三四五六七八九十百千万两]{1,8}[本回人个次岁年つ件枚]$"
)
_HARDER: dict[Difficulty, Difficulty] = {"easy": "medium", "medium": "hard", "hard": "hard"}


class OfflineTeacher:
    """A `Teacher` that follows rules."""

    name = "offline-rules"
    languages = frozenset(LANGUAGES)

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def facts_of(self, character: Character) -> list[Fact]:
        """The facts of a profile, those of its fields and those that its sentences state, each with what a right answer
        must contain; then the sentences of which nothing was used."""
        catalogue = load(character.language)
        stated = read_sentences(character)
        found = [(key, raw, _evidence(character, key, raw)) for key, raw in character.facts.items()]
        known = {catalogue.find(key) for key in character.facts} - {None}
        for said in stated.facts:
            attribute = catalogue.find(said.key)
            if attribute is None or attribute not in known:
                found.append((said.key, said.value, said.evidence))
                known.add(attribute)
        facts = []
        for key, raw, evidence in found:
            name = catalogue.find(key)
            reading = _read(raw, character.language, name)
            unverifiable = reading.unverifiable
            if not plain_key(key):
                unverifiable = "key without letters"
            elif _letters(reading.value) == _letters(character.name or ""):
                unverifiable = "the name itself"
            facts.append(
                Fact(
                    key=key,
                    value=reading.value,
                    attribute=name or plain_key(key),
                    evidence=evidence,
                    groups=() if unverifiable else reading.groups,
                    unverifiable=unverifiable,
                )
            )
        return facts + [Fact(UNREAD, said, UNREAD, said, unverifiable=UNREAD) for said in stated.left]

    def script_drafts(self, character: Character, facts: Sequence[Fact]) -> Iterator[Draft]:
        """SBK drafts, round by round; a fact drops out when its wordings are used up."""
        catalogue = load(character.language)
        rng = self.random(character, "script")
        queue = [
            (fact, _shuffled(rng, self._wording(catalogue, character.language, fact)[1].questions)) for fact in facts
        ]
        rng.shuffle(queue)
        for turn in range(max((len(questions) for _, questions in queue), default=0)):
            for fact, questions in queue:
                if turn < len(questions):
                    yield self._script_draft(character, catalogue, fact, questions[turn], rng)

    def memory_drafts(self, character: Character, facts: Sequence[Fact]) -> Iterator[Draft]:
        """CM drafts, kind by kind, endlessly: when all kinds are used up, they come again with other details."""
        catalogue = load(character.language)
        rng = self.random(character, "memory")
        while True:
            for kind in _shuffled(rng, tuple(catalogue.memory)):
                yield self._memory_draft(character, catalogue, kind, facts, rng)

    def _script_draft(
        self, character: Character, catalogue: Catalogue, fact: Fact, template: str, rng: random.Random
    ) -> Draft:
        language = character.language
        source, wording = self._wording(catalogue, language, fact)
        attribute = catalogue.attributes.get(source)
        words = self.words(character, fact, attribute)
        difficulty: Difficulty = attribute.difficulty if attribute else "medium"
        return Draft(
            dimension="SBK",
            attribute=fact.attribute,
            key=fact.key,
            question=fill(template, language, **words),
            answer=fill(rng.choice(wording.answers), language, **words),
            reasoning=fill(
                rng.choice(catalogue.reasoning.script), language, **{**words, "key": fact.key, "value": fact.value}
            ),
            groups=fact.groups,
            evidence=fact.evidence,
            template=f"{language}.{source}.{wording.questions.index(template)}",
            question_type=attribute.type if attribute else "what",
            difficulty=_HARDER[difficulty] if len(fact.groups) > 1 else difficulty,
            rivals=_rivals(attribute, fact),
            exclusive=attribute.exclusive if attribute else True,
            closed=bool(attribute and attribute.values),
        )

    def _memory_draft(
        self, character: Character, catalogue: Catalogue, kind: str, facts: Sequence[Fact], rng: random.Random
    ) -> Draft:
        language = character.language
        memory = catalogue.memory[kind]
        value = rng.choice(memory.values)
        words = {"value": value, "name": character.name or ""}
        said = fill(rng.choice(memory.says), language, **words)
        reply, told = self._reply(character, catalogue, memory, facts, rng)
        untold = [fact for fact in facts if fact is not told]
        fillers = self.fillers(character, catalogue, untold, rng, 1 if language == "zh" else rng.choice((1, 1, 2)))
        turns = [(said, reply), *fillers]
        if len(fillers) > 1 and rng.random() < 0.5:
            turns[0], turns[1] = turns[1], turns[0]
        number = rng.randrange(len(memory.questions))
        return Draft(
            dimension="CM",
            attribute=kind,
            key=kind,
            question=fill(memory.questions[number], language, **words),
            answer=fill(rng.choice(memory.answers), language, **words),
            reasoning=fill(rng.choice(catalogue.reasoning.memory), language, said=said, **words),
            groups=(_detail_terms(value, language),),
            evidence=said,
            template=f"{language}.memory.{kind}.{number}",
            question_type=memory.type,
            difficulty=_HARDER[memory.difficulty] if len(fillers) > 1 else memory.difficulty,
            history=tuple(
                turn
                for user, reply in turns
                for turn in (Turn(role="user", content=user), Turn(role="assistant", content=reply))
            ),
            rivals=tuple(other for other in memory.values if other != value),
            closed=True,
        )

    def _reply(
        self, character: Character, catalogue: Catalogue, memory: Memory, facts: Sequence[Fact], rng: random.Random
    ) -> tuple[str, Fact | None]:
        """What the character says to the detail; now and then a fact about itself follows, which comes back too."""
        reply = rng.choice(memory.replies)
        telling = [fact for fact in facts if len(fact.groups) == 1 and fact.attribute in TOLD_UNASKED]
        if not telling or rng.random() > 0.3:
            return reply, None
        fact = rng.choice(telling)
        answer = self._tell(character, catalogue, fact)
        if len(answer) > MAX_ASIDE[character.language]:
            return reply, None
        gap = "" if character.language in ("zh", "ja") else " "
        lowered = answer[0].lower() + answer[1:] if answer.startswith("My ") else answer
        return reply + gap + fill(catalogue.aside, character.language, answer=lowered), fact

    def fillers(
        self, character: Character, catalogue: Catalogue, facts: Sequence[Fact], rng: random.Random, count: int
    ) -> list[tuple[str, str]]:
        """Turns about something else: small talk, or a question about a fact."""
        chats = list(rng.sample(catalogue.small_talk, count))
        short = [fact for fact in facts if len(fact.groups) == 1]
        if short and rng.random() < 0.5:
            fact = rng.choice(short)
            answer = self._tell(character, catalogue, fact)
            if len(answer) <= MAX_ASIDE[character.language]:
                source, wording = self._wording(catalogue, character.language, fact)
                words = self.words(character, fact, catalogue.attributes.get(source))
                chats[0] = (fill(rng.choice(wording.questions), character.language, **words), answer)
        return chats

    def _tell(self, character: Character, catalogue: Catalogue, fact: Fact) -> str:
        source, wording = self._wording(catalogue, character.language, fact)
        return fill(
            wording.answers[0], character.language, **self.words(character, fact, catalogue.attributes.get(source))
        )

    def words(self, character: Character, fact: Fact, attribute: Attribute | None) -> dict[str, str]:
        # Unknown values keep their capitals: whether they are names cannot be told.
        proper = attribute.proper if attribute else True
        pronoun = character.facts.get("一人称", "私").strip(" 「」") or "私"
        phrase = attribute.phrase if attribute and character.language != "zh" else _zh_phrase(fact.key, attribute)
        return {
            **key_words(fact.key, character.language, phrase, pronoun),
            **value_words(fact.value, character.language, proper),
            "name": character.name or "",
        }

    def _wording(self, catalogue: Catalogue, language: str, fact: Fact) -> tuple[str, Attribute | Wording]:
        """Where the wording of a fact comes from, and the wording."""
        if fact.attribute in catalogue.attributes:
            return fact.attribute, catalogue.attributes[fact.attribute]
        noun = plain_key(fact.key)
        if _ODD_KEY.search(noun) or _JA_VERB_KEY.search(noun) or len(noun) > _LONG_KEY[language]:
            return "generic.quoted", catalogue.generic.quoted
        if _NUMERIC.match(fact.value):
            return "generic.number", catalogue.generic.number
        return "generic.plain", catalogue.generic.plain

    def random(self, character: Character, purpose: str) -> random.Random:
        profile = json.dumps(character.profile, ensure_ascii=False)
        return random.Random(f"{self.seed}:{purpose}:{character.language}:{character.name}:{profile}")


@lru_cache(maxsize=65536)
def _read(raw: str, language: str, name: str | None) -> Reading:
    return read_value(raw, language, load(language).attributes[name] if name else None)


def _zh_phrase(key: str, attribute: Attribute | None) -> str | None:
    """Chinese keys are nouns already, all but the few that are verbs or lack their noun."""
    if attribute and attribute.phrase and plain_key(key) in _ZH_NO_NOUNS:
        return attribute.phrase
    return None


_ZH_NO_NOUNS = frozenset(
    (
        "来自",
        "住在",
        "家住",
        "喜欢",
        "最爱",
        "讨厌",
        "厌恶",
        "不喜欢",
        "最怕",
        "害怕",
        "恐惧",
        "爱吃",
        "爱吃的",
        "最爱吃的",
        "喜欢吃的",
        "爱喝",
        "爱喝的",
        "最爱喝的",
        "擅长",
        "随身携带",
        "起床",
    )
)


def _rivals(attribute: Attribute | None, fact: Fact) -> tuple[str, ...]:
    if attribute is None:
        return ()
    own = {term for group in fact.groups for term in group}
    # One-letter values (男, 女) stand in too many words to count as claims.
    others = [term for group in attribute.values if not own & set(group) for term in group if len(term) > 1]
    return tuple(others) or tuple(term for term in attribute.rivals if term not in own)


def _detail_terms(value: str, language: str) -> tuple[str, ...]:
    bare = re.sub(r"^(?:an?|the)\s+", "", value) if language == "en" else value
    return (bare,) if bare == value else (bare, value)


def _evidence(character: Character, key: str, raw: str) -> str:
    """The fact as the profile's text has it; as prompts show it where the text has it in another form."""
    shown = f"{key}：{raw}" if character.language in ("zh", "ja") else f"{key}: {raw}"
    if shown in character.text:
        return shown
    found = re.search(rf"{re.escape(key)}\**\s*[:：]\**\s*{re.escape(raw)}", character.text)
    return found.group() if found else shown


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _shuffled(rng: random.Random, items: tuple[str, ...]) -> list[str]:
    return rng.sample(items, len(items))
