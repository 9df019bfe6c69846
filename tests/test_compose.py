"""Composed characters: seeded, distinct, and the same ones when more are asked for."""

from typing import Any

import pytest

from raiden_core.characters.compose import SOURCE, compose
from raiden_core.errors import ConfigError


def test_the_same_seed_gives_the_same_characters_and_another_gives_others() -> None:
    assert compose(30, seed=3) == compose(30, seed=3)
    assert compose(30, seed=3) != compose(30, seed=4)


def test_more_characters_begin_with_the_same_ones() -> None:
    assert compose(300, seed=5)[:40] == compose(40, seed=5)


def test_names_are_unique_and_rows_count_from_one() -> None:
    characters = compose(2000)
    assert len({one.name for one in characters}) == 2000
    assert [one.row for one in characters] == list(range(1, 2001))
    assert {one.source for one in characters} == {SOURCE}
    assert {one.language for one in characters} == {"zh"}


def test_profile_facts_and_text_say_the_same() -> None:
    for one in compose(50, facts=(2, 4)):
        (name_key, name), *facts = one.profile.items()
        assert name == one.name and dict(facts) == one.facts and name_key not in one.facts
        assert one.text.splitlines() == [f"{key}：{value}" for key, value in one.profile.items()]


def test_every_number_of_facts_between_the_bounds_occurs_and_no_other() -> None:
    assert {len(one.facts) for one in compose(200, facts=(2, 5))} == {2, 3, 4, 5}
    assert {len(one.facts) for one in compose(20, facts=(3, 3))} == {3}


def test_values_are_shared_between_characters() -> None:
    characters = compose(600)
    first = {(key, value) for one in characters[:500] for key, value in one.facts.items()}
    rest = [(key, value) for one in characters[500:] for key, value in one.facts.items()]
    assert sum(fact in first for fact in rest) / len(rest) > 0.95


def test_none_are_composed_where_none_are_wanted() -> None:
    assert compose(0) == []


@pytest.mark.parametrize(
    ("count", "how", "words"),
    [
        (3, {"language": "en"}, "characters.composed.language: no word lists for 'en'; use one of zh"),
        (3, {"facts": (5, 3)}, r"characters.composed.facts: \[5, 3\] is no range within 1 to"),
        (3, {"facts": (0, 3)}, "characters.composed.facts"),
        (3, {"facts": (1, 1000)}, "characters.composed.facts"),
        (10**9, {}, "characters.composed.count: 1000000000 is more than the word lists give"),
    ],
)
def test_what_cannot_be_composed_is_refused(count: int, how: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        compose(count, **how)
