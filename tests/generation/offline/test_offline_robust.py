"""No profile, however odd, breaks the offline teacher."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raiden_core.characters import Character
from raiden_core.generation import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.rewards import Scorer

LETTERS = st.text(alphabet="职业好友abcZ 仕事のを일[은/는]{value}:：、,.()（「」*#\n1２\u200b'\"\\%", max_size=12)


@pytest.mark.parametrize("language", ["zh", "en", "ja", "ko"])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(facts=st.dictionaries(LETTERS, LETTERS, max_size=4), name=LETTERS.filter(bool))
def test_any_text_gives_sound_samples_or_a_reason(language: str, facts: dict[str, str], name: str) -> None:
    character = Character(name, language, {"Name": name, **facts}, facts, "", "odd.txt")
    teacher, scorer = OfflineTeacher(), Scorer()
    asked = [fact for fact in teacher.facts_of(character) if fact.unverifiable is None]
    assert all(fact.groups and all(fact.groups) for fact in asked)
    assert all(draft.question and draft.answer for draft in islice(teacher.script_drafts(character, asked), 10))
    generated = generate(
        [character],
        teacher=teacher,
        samples_per_character=4,
        include_cm=True,
        cm_share=0.5,
        seed=0,
        scorer=scorer,
    )
    assert bool(generated.samples) != bool(generated.skipped)
    assert all(scorer.check(sample) is None for sample in generated.samples)
