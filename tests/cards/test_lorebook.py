"""Which entries a conversation calls up: keys, decorators, order, budget and recursion of the V3 specification."""

import time
from typing import Any

import pytest

from raiden_core.cards import Entry, Lorebook, triggered
from raiden_core.cards.decorators import split_decorators

CALLED: list[tuple[dict[str, Any], str, bool]] = [
    ({"keys": ["mill", "weir"]}, "Where is the Mill?", True),
    ({"keys": ["mill", "weir"]}, "Where is it?", False),
    ({"keys": ["Mill"], "case_sensitive": True}, "the mill", False),
    ({"keys": ["风车"]}, "风车在哪里？", True),
    ({"keys": ["mill"], "enabled": False, "constant": True}, "the mill", False),
    ({"keys": [], "constant": True}, "anything", True),
    ({"keys": []}, "anything", False),
    ({"keys": ["mill"], "content": ""}, "the mill", False),
    ({"keys": ["mill"], "selective": True, "secondary_keys": ["old"]}, "the mill", False),
    ({"keys": ["mill"], "selective": True, "secondary_keys": ["old"]}, "the old mill", True),
    ({"keys": ["mill"], "secondary_keys": ["old"]}, "the mill", True),
    ({"keys": ["mill"], "selective": True}, "the mill", True),
    ({"keys": [r"mill(?:er)?s?\b"], "use_regex": True}, "two millers", True),
    ({"keys": [r"mill(?:er)?s?\b"], "use_regex": True}, "milling", False),
    ({"keys": [r"/\bMILL\b/i"]}, "a mill", True),
    ({"keys": [r"/\bMILL\b/"]}, "a mill", False),
    ({"keys": ["[broken", "mill"], "use_regex": True}, "a mill", True),
    ({"keys": ["[broken"], "use_regex": True}, "[broken", False),
    ({"keys": ["x"], "use_regex": True, "constant": True}, "anything", False),
    ({"keys": ["x"], "decorators": "@@activate"}, "anything", True),
    ({"keys": ["mill"], "decorators": "@@dont_activate"}, "mill", False),
    ({"keys": ["mill"], "decorators": "@@dont_activate\n@@activate"}, "mill", True),
    ({"keys": ["mill"], "decorators": "@@additional_keys old, red"}, "mill", False),
    ({"keys": ["mill"], "decorators": "@@additional_keys old, red"}, "red mill", True),
    ({"keys": ["mill"], "decorators": "@@exclude_keys wind"}, "windmill", False),
    ({"keys": ["mill"], "decorators": "@@activate_only_after 3"}, "mill", False),
    ({"keys": ["mill"], "decorators": "@@activate_only_after 2"}, "mill", True),
    ({"keys": ["mill"], "decorators": "@@activate_only_every 2"}, "mill", True),
    ({"keys": ["mill"], "decorators": "@@activate_only_every 3"}, "mill", False),
    ({"keys": ["mill"], "decorators": "@@is_greeting 1"}, "mill", True),
    ({"keys": ["mill"], "decorators": "@@is_greeting 0"}, "mill", False),
    ({"keys": ["early"], "decorators": "@@scan_depth 1"}, "mill", False),
    ({"keys": ["early"]}, "mill", True),
]


def entry(content: str = "text", decorators: str = "", **fields: Any) -> Entry:
    return Entry(content=content, decorators=split_decorators(decorators)[0], **fields)


@pytest.mark.parametrize(("fields", "said", "called"), CALLED)
def test_what_calls_an_entry_up(fields: dict[str, Any], said: str, called: bool) -> None:
    book = Lorebook(entries=(entry(**fields),))
    assert bool(triggered(book, ["an early message", "a reply", said], replies=2, greeting=1)) is called


def test_the_depth_of_the_book_counts_unless_the_entry_says_otherwise() -> None:
    book = Lorebook(
        entries=(entry("a", keys=["early"]), entry("b", keys=["early"], decorators="@@scan_depth 9")), scan_depth=1
    )
    assert [one.content for one in triggered(book, ["early", "late"])] == ["b"]


def test_lower_orders_stand_first_and_the_lowest_priority_goes_where_the_budget_ends() -> None:
    texts = {"third": 30, "first": 10, "second": 20}
    entries = tuple(entry(f"{name:<40}", keys=["k"], insertion_order=order) for name, order in texts.items())
    assert [one.content.strip() for one in triggered(Lorebook(entries=entries), ["k"])] == ["first", "second", "third"]
    kept = triggered(Lorebook(entries=entries, token_budget=25), ["k"])
    assert [one.content.strip() for one in kept] == ["second", "third"]
    first = entries[1].model_copy(update={"priority": 99.0})
    kept = triggered(Lorebook(entries=(entries[0], first, entries[2]), token_budget=15), ["k"])
    assert [one.content.strip() for one in kept] == ["first"]


def test_recursion_only_where_the_book_wants_it_hidden_keys_included() -> None:
    entries = (
        entry("about the weir", keys=["mill"], hidden_keys=("eel",)),
        entry("weirs are wet", keys=["weir"]),
        entry("eels too", keys=["eel"]),
    )
    assert len(triggered(Lorebook(entries=entries), ["the mill"])) == 1
    assert len(triggered(Lorebook(entries=entries, recursive_scanning=True), ["the mill"])) == 3


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+$", "(?:(?:a*)*)*b", r"(a)\1", "a" * 501, "/(x+x+)+y/", "(a{1,50}){1,50}b"]
)
def test_a_hostile_expression_matches_nothing_and_takes_no_time(pattern: str) -> None:
    begun = time.process_time()
    assert triggered(Lorebook(entries=(entry(keys=[pattern], use_regex=True),)), ["a" * 5_000 + "!"]) == ()
    assert time.process_time() - begun < 0.5


DECORATED = {
    "@@depth 4\n@@role system\n\nThe text.": ([("depth", "4"), ("role", "system")], "The text."),
    "The text.": ([], "The text."),
    "@@unknown 1\n@@@depth 2\nText": ([("depth", "2")], "Text"),
    "@@depth 1\n@@@depth 2\nText": ([("depth", "1")], "Text"),
    "@@unknown\n@@@stranger\n@@@scan_depth 3\n@@@depth 1\nText": ([("scan_depth", "3")], "Text"),
    "@@depth one\nText": ([], "Text"),
    "@@depth 1\n@@depth 2\nText": ([("depth", "1")], "Text"),
    "@@exclude_keys a\n@@exclude_keys b,c\nText": ([("exclude_keys", "a"), ("exclude_keys", "b,c")], "Text"),
    "@@position after_desc\r\nText\r\nmore": ([("position", "after_desc")], "Text\nmore"),
    "@@position elsewhere\nText": ([], "Text"),
    "mail a@@b": ([], "mail a@@b"),
}


@pytest.mark.parametrize("content", DECORATED)
def test_decorators_are_read_and_taken_off(content: str) -> None:
    found, text = split_decorators(content)
    assert ([(one.name, one.value) for one in found], text) == DECORATED[content]
