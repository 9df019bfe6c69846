"""From a question to a verified sample: answers, keywords, validator, and the filters that need the teacher.

The cheap checks come first and the costly ones last, so that a draft that fails is given up before more is paid for it.
A sample's metadata say who wrote it, by which wording, on what evidence, what it has passed and what it took.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from raiden_core.characters.character import Character
from raiden_core.generation.card_use import card_metadata
from raiden_core.generation.made import collection
from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.answers import Answers, answer, guess
from raiden_core.generation.mining.interview import Interview
from raiden_core.generation.mining.keywords import find_keywords, right, validate_single
from raiden_core.generation.mining.parsing import validate_multiple
from raiden_core.generation.mining.questions import Asked
from raiden_core.generation.mining.reasons import Drop, Dropped
from raiden_core.generation.mining.same_kind import same_kind
from raiden_core.generation.mining.student import Student
from raiden_core.generation.quality import filters
from raiden_core.generation.quality.distractors import choose_distractors
from raiden_core.generation.teacher import Draft
from raiden_core.rewards import Scorer, contains_term
from raiden_core.rewards.aside import Told, guarded
from raiden_core.samples import Sample, Validator


def _example(asked: Asked, dropped: Dropped) -> str:
    return f"{asked.question} | {dropped.detail}" if dropped.detail else asked.question


@dataclass(frozen=True)
class Verifier:
    """What it takes to verify the questions of one character."""

    character: Character
    interview: Interview
    scorer: Scorer
    seed: int
    identity: str
    student: Student | None
    told: Told
    """What the profile holds, a group of terms for each thing: ``aside`` is taken from it."""

    async def verify(self, asked: Asked) -> tuple[Sample | Drop, Interview]:
        """The sample or why there is none, with the interview that it took."""
        interview = self.interview.for_sample()
        try:
            return await self._sample(interview, asked), interview
        except Dropped as dropped:
            return replace(
                asked.drop(str(dropped), self.character.language), example=_example(asked, dropped)
            ), interview

    async def _sample(self, interview: Interview, asked: Asked) -> Sample:
        if contains_term(asked.question, asked.hint):
            raise Dropped(filters.GIVEN_AWAY)
        answers = await answer(interview, asked)
        keywords = await find_keywords(interview, asked, answers, self.scorer)
        metadata: dict[str, Any] = {}
        if len(keywords.terms) == 1:
            groups: tuple[tuple[str, ...], ...] = (keywords.terms,)
            for none_of in self._choices(asked, answers, groups, keywords.distractors):
                validator = validate_single(keywords.terms[0], none_of, answers, self.scorer)
                if validator.none_of:
                    break
        else:
            validator, agreement = await validate_multiple(
                interview,
                asked,
                keywords,
                answers,
                self.scorer,
                lambda found, offered: next(filter(None, self._choices(asked, answers, found, offered)), ()),
            )
            metadata["agreement"] = round(agreement, 4)
        if not validator.none_of:
            raise Dropped(reasons.NO_DISTRACTORS)
        draft = self._draft(asked, answers, validator.all_of, ())
        if reason := filters.refusal(draft, interview.briefing.profile):
            raise Dropped(reason)
        # What any of the independent answers mentions is no sign of reciting.
        validator = guarded(validator, self.told, (asked.question, *answers.all))
        sample = self.build(interview, asked, answers, validator)
        if self.scorer.check(sample) is not None:
            raise Dropped(filters.GOLD_FAILS)
        if right(validator, await guess(interview, asked), answers, self.scorer):
            known = reasons.KNOWN_WITHOUT_PROFILE if asked.dimension == "SBK" else reasons.KNOWN_WITHOUT_CONVERSATION
            raise Dropped(known)
        if self.student is not None:
            metadata["pass_rate"] = await self.student.check(sample, self.scorer)
        metadata = {**self._metadata(interview, asked, sample, answers), **metadata}
        return sample.model_copy(update={"metadata": metadata})

    def _choices(
        self, asked: Asked, answers: Answers, groups: tuple[tuple[str, ...], ...], offered: tuple[str, ...]
    ) -> Iterator[tuple[str, ...]]:
        """What `none_of` can be: of what the teacher offered, or of raiden's own words of the same kind."""
        yield self._none_of(asked, answers, groups, offered)
        language = self.character.language
        others = [same_kind(asked.attribute, group[0], asked.question_type, language) for group in groups]
        yield self._none_of(asked, answers, groups, tuple(word for terms in others for word in terms))

    def _none_of(
        self, asked: Asked, answers: Answers, groups: tuple[tuple[str, ...], ...], offered: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Those of the offered distractors that the rules allow."""
        rng = random.Random(f"{self.seed}:distractors:{self.identity}:{asked.question}")
        history = "\n".join(turn.content for turn in asked.history)
        contexts = (self.interview.briefing.profile, f"{history}\n{asked.question}")
        usable = tuple(dict.fromkeys(word.strip() for word in offered if any(map(str.isalnum, word))))
        draft = self._draft(asked, answers, groups, usable)
        return choose_distractors(draft, self.character.language, {}, contexts, rng)

    def _draft(
        self, asked: Asked, answers: Answers, groups: tuple[tuple[str, ...], ...], rivals: tuple[str, ...]
    ) -> Draft:
        return Draft(
            dimension=asked.dimension,
            attribute=asked.attribute,
            key=asked.attribute,
            question=asked.question,
            answer=answers.reference,
            reasoning=answers.reasoning,
            groups=groups,
            evidence=asked.evidence,
            template=asked.purpose,
            question_type=asked.question_type,
            difficulty=asked.difficulty,
            history=asked.history,
            rivals=rivals,
            closed=True,
        )

    def build(self, interview: Interview, asked: Asked, answers: Answers, validator: Validator) -> Sample:
        return Sample(
            character_name=interview.briefing.name,
            character_profile=dict(self.character.profile),
            conversation_history=asked.history,
            question=asked.question,
            answer=answers.reference,
            keywords=tuple(group[0] for group in validator.all_of),
            dimension=asked.dimension,
            question_type=asked.question_type,
            validation_method="multi_term_parsing" if len(validator.all_of) > 1 else "single_term_validation",
            validator=validator,
            difficulty=asked.difficulty,
            reasoning=answers.reasoning,
            language=self.character.language,
        )

    def _metadata(self, interview: Interview, asked: Asked, sample: Sample, answers: Answers) -> dict[str, Any]:
        multiple = sample.validation_method == "multi_term_parsing"
        without = reasons.KNOWN_WITHOUT_PROFILE if asked.dimension == "SBK" else reasons.KNOWN_WITHOUT_CONVERSATION
        passed = [
            reasons.WRONG_LANGUAGE,
            reasons.LEAKED_TAGS,
            reasons.REPETITION,
            filters.NEAR_DUPLICATE,
            filters.GIVEN_AWAY,
            reasons.DISAGREEMENT if multiple else reasons.NOT_IN_EVERY_ANSWER,
            filters.GOLD_FAILS,
            without,
            *([reasons.TOO_EASY, reasons.TOO_HARD] if self.student else []),
        ]
        return self.metadata(interview, asked, answers, passed)

    def metadata(self, interview: Interview, asked: Asked, answers: Answers, passed: list[str]) -> dict[str, Any]:
        """What a sample says of its making; ``passed`` are the filters."""
        teacher = interview.teacher
        from_profile = asked.dimension in ("SBK", "SCK") and asked.evidence
        found = interview.briefing.profile.find(asked.evidence) if from_profile else -1
        return {
            "teacher": teacher.endpoints[teacher.answerer].model,
            "source": asked.seed.partition(":")[0] if asked.seed else collection(self.character),
            "attribute": asked.attribute,
            "evidence": asked.evidence,
            # Where the evidence stands in the profile's text; None where it does so in other spacing or width.
            "evidence_span": [found, found + len(asked.evidence)] if found >= 0 else None,
            "template": asked.purpose,
            "prompts": sorted({asked.purpose, *interview.ledger.requests}),
            "answers": len(answers.all),
            "filters": passed,
            "tokens": {
                "prompt": interview.ledger.prompt_tokens,
                "completion": interview.ledger.completion_tokens,
            },
            **({"seed": asked.seed} if asked.seed else {}),
            **card_metadata(self.character, asked.question, asked.history, asked.evidence, asked.greeting),
        }
