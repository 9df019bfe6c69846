"""Gates: for each, answers in four languages that it lets pass and that it stops."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from raiden_core import rewards
from raiden_core.rewards import in_role, no_stuffing, one_voice, own_language
from tests.support.tables import table

GATES = {"one_voice": one_voice, "in_role": in_role, "own_language": own_language, "no_stuffing": no_stuffing}
LANGUAGES = ("zh", "en", "ja", "ko")
ENOUGH = 15
TABLES: dict[str, Any] = {}
for name in ("gates_one_voice_in_role.yaml", "gates_language_stuffing.yaml"):
    TABLES |= yaml.safe_load((Path(__file__).parent / name).read_text("utf-8"))

CASES = [
    pytest.param(gate, language, kind, row, id=f"{gate}-{language}-{kind}-{number}")
    for gate, by_language in TABLES.items()
    for language, kinds in by_language.items()
    for kind, rows in kinds.items()
    for number, row in enumerate(rows)
]


@table(("gate", "language", "kind", "row"), CASES)
def test_what_passes_and_what_is_stopped(gate: str, language: str, kind: str, row: Any) -> None:
    answer, reference, keywords = row if isinstance(row, list) else (row, None, [])
    completion = f"<think>AI 用户： User: 长沙长沙长沙长沙长沙长沙</think><answer>{answer}</answer>"
    (given,) = GATES[gate]([completion], language=[language], answer=[reference], keywords=[keywords])
    assert given == (1.0 if kind == "right" else 0.0), answer


def test_every_gate_has_enough_of_both_kinds_in_every_language() -> None:
    for gate in GATES:
        for language in LANGUAGES:
            for kind in ("right", "wrong"):
                assert len(TABLES[gate][language][kind]) >= ENOUGH, (gate, language, kind)


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_is_importable_by_name_and_takes_messages_and_further_columns(gate: str) -> None:
    function = getattr(rewards, gate)
    chat = [[{"role": "assistant", "content": "I live in Leeds, in a small house."}]]
    assert function(chat, prompts=[[]], trainer_state=None, language=["en"]) == [1.0]
    assert function(["I live in Leeds."] * 3, language="en") == [1.0] * 3, "a single value stands for all"
    assert function([], language=[]) == []
    assert all(value in (0.0, 1.0) for value in function([None, b"\xff", 3, ""], language=["en"] * 4))


def test_a_dialogue_of_the_character_with_anybody_is_two_voices() -> None:
    text = "Ann: I bake.\nTom: Do you?\nAnn: I do."
    assert one_voice([text], character_name=["Ann"]) == [0.0]
    assert one_voice(["Flour: a pound.\nWater: a pint."], character_name=["Ann"]) == [1.0]
    assert one_voice(["Ann: I bake."], character_name=["Ann"]) == [1.0]


def test_a_character_that_is_an_ai_may_say_so() -> None:
    says = ["I'm an AI, built on a ship."]
    assert in_role(says, answer=["I'm an AI aboard the Nautilus."]) == [1.0]
    assert in_role(says, answer=["I'm the captain of the Nautilus."]) == [0.0]


def test_an_unknown_language_passes() -> None:
    assert own_language(["Je suis de Lyon."], language=["fr"]) == [1.0]
    assert own_language(["Je suis de Lyon."], language=[None]) == [1.0]


def test_gates_are_fast_on_long_texts() -> None:
    import time

    texts = ["a" * 100_000, "*you" * 25_000, "长沙" * 50_000, "（你" * 50_000, "a, " * 30_000, "x:\n" * 30_000]
    for gate in GATES.values():
        start = time.perf_counter()
        gate(texts, language=["en"] * len(texts), character_name=["x"] * len(texts))
        assert time.perf_counter() - start < 10, gate.__name__
