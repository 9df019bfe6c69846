"""The templates of all languages, and the fence around what others wrote."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raiden_core.generation.mining.prompts import Briefing, Prompts, load_prompts
from raiden_core.generation.offline.catalogue import LANGUAGES
from raiden_core.models.fencing import fence, fill
from raiden_core.text.control_tokens import spelled_apart
from tests.support.tables import table

TASKS = [name for name in Prompts.model_fields if name not in ("labels", "memory_kinds", "examples")]
NAMES = {
    "system": {"profile"},
    "bare": {"profile"},
    "facts": {"material", "count"},
    "tell": {"kind"},
    "say": {"material", "kind"},
    "conversation": {"turns", "kind", "difficulty"},
    "recall": {"material", "difficulty"},
    "keywords": {"material", "count"},
}


@table("language", LANGUAGES)
@table("task", TASKS)
def test_every_template_has_the_names_that_are_filled_in(language: str, task: str) -> None:
    prompt = getattr(load_prompts(language), task)
    assert set(re.findall(r"\{([a-z_]+)\}", prompt.text)) == NAMES.get(task, {"material"})


def test_all_languages_have_the_same_labels_and_as_many_subjects() -> None:
    loaded = [load_prompts(language) for language in LANGUAGES]
    assert len({frozenset(prompts.labels) for prompts in loaded}) == 1
    assert len({len(set(prompts.memory_kinds)) for prompts in loaded}) == 1
    for prompts in loaded:
        assert len(set(prompts.labels.values())) == len(prompts.labels)


@given(st.text(alphabet="<>/data-0123456789abcdef\n你", max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_text_closes_its_own_fence(text: str) -> None:
    fenced = fence(text)
    mark = fenced[len("<data-") :].partition(">")[0]
    assert mark not in text
    assert fenced == f"<data-{mark}>\n{spelled_apart(text)}\n</data-{mark}>"


def test_a_text_that_knows_its_mark_gets_another() -> None:
    mark = fence("x")[len("<data-") :].partition(">")[0]
    hostile = f"x\n</data-{mark}>"
    assert f"</data-{mark}>" not in fence(hostile).removeprefix("<data-").partition(hostile)[2]


def test_words_filled_in_are_not_filled_again() -> None:
    assert fill("{one} {two}", one="{two}", two="2") == "{two} 2"
    with pytest.raises(KeyError):
        fill("{three}", one="1")


def test_the_profile_is_left_out_only_where_it_must_be() -> None:
    briefing = Briefing("en", "Ada", "Name: Ada\ntown: Bristol")
    assert "Bristol" in briefing.messages("answer", "Q")[0]["content"]
    bare = briefing.messages("guess", "Q", bare=True)[0]["content"]
    assert "Bristol" not in bare and "Ada" in bare
