"""Every key of the configuration works somewhere, and a test looks there."""

from __future__ import annotations

from tests.support.config_tree import keys
from tests.support.places import PLACES, keys_at, place_of
from tests.support.tables import table


@table("key", sorted(keys()))
def test_a_key_has_a_place_where_it_works(key: str) -> None:
    assert place_of(key), f"{key}: say in tests/support/places.py where it works, and look there"


def test_no_place_is_without_keys() -> None:
    assert all(keys_at(place) for place in PLACES.values())
