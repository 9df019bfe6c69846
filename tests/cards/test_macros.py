"""Macros of the V3 specification: what each becomes, and that chance decides the same every time."""

import pytest

from raiden_core.cards.macros import fill_original, hidden_keys, resolve

EXACT = {
    "plain text": "plain text",
    "{{char}}, <BOT> and {{Char}} meet {{user}} and <USER>.": "Mina, Mina and Mina meet the user and the user.",
    "a{{// never shown}}b": "ab",
    "a{{comment: never shown}}b{{hidden_key:mill}}c": "abc",
    "{{reverse:Hello}}": "olleH",
    "{{random:only}}": "only",
    "{{pick::only}}": "only",
    "{{random:a\\,b}}": "a,b",
    "{{roll:1}} {{roll:d1}} {{roll::D1}}": "1 1 1",
    "{{roll:none}} {{unknown:x}} {{original}}": "{{roll:none}} {{unknown:x}} {{original}}",
    "{{random:{{reverse:cba}},{{reverse:cba}}}}": "abc",
}


@pytest.mark.parametrize("text", EXACT)
def test_what_a_macro_becomes(text: str) -> None:
    assert resolve(text, "Mina", "en") == EXACT[text]


@pytest.mark.parametrize(
    "form", ["{{random:red,green,blue}}", "{{random::red::green::blue}}", "{{pick::red,green,blue}}"]
)
def test_chance_takes_one_of_the_list_and_the_same_one_again(form: str) -> None:
    seen = {seed: resolve(form, None, "en", seed) for seed in map(str, range(40))}
    assert set(seen.values()) == {"red", "green", "blue"}
    assert all(resolve(form, None, "en", seed) == said for seed, said in seen.items())


def test_a_pick_is_one_choice_and_random_many() -> None:
    places = [" ".join(["{{%s:1,2,3,4,5,6,7,8}}" % kind] * 12) for kind in ("pick", "random")]  # noqa: UP031
    pick, draws = (resolve(text, "Mina", "en").split() for text in places)
    assert len(set(pick)) == 1
    assert len(set(draws)) > 2
    assert resolve("Later: {{pick:1,2,3,4,5,6,7,8}}", "Mina", "en") == f"Later: {pick[0]}", "in another text as well"


def test_a_die_has_its_sides() -> None:
    assert {resolve("{{roll:d6}}", None, "en", str(seed)) for seed in range(100)} == set("123456")


def test_hidden_keys_and_the_original_instructions() -> None:
    assert hidden_keys("x{{hidden_key: the mill }}y{{Hidden_Key:weir}}") == ("the mill", "weir")
    assert fill_original("Be kind. {{ORIGINAL}} \\1", "Stay in {role}.") == "Be kind. Stay in {role}. \\1"
