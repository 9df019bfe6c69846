"""Warnings: what the trainer logs, and what is said about it."""

from types import SimpleNamespace
from typing import Any

from raiden_core.training.launch.metrics import VALIDATION_ACCURACY
from tests.support.tables import table

EQUAL = {"frac_reward_zero_std": 1.0}
FREE = {"frac_reward_zero_std": 0.5}
AWAY = {"kl": 3.0}
CUT = {"completions/clipped_ratio": 0.9}


def rounds(*pairs: tuple[float, float]) -> list[dict[str, Any]]:
    """Logs of training and evaluation in turn: (reward, validation accuracy)."""
    return [log for reward, accuracy in pairs for log in ({"reward": reward}, {VALIDATION_ACCURACY: accuracy})]


@table(
    ("logs", "said"),
    [
        ([EQUAL] * 2, []),
        ([EQUAL] * 8, [(3, "same reward")]),
        ([EQUAL, EQUAL, FREE, EQUAL, EQUAL, FREE], []),
        ([EQUAL] * 3 + [FREE] + [EQUAL] * 3, [(3, "same reward"), (7, "same reward")]),
        ([EQUAL, {"eval_loss": 1}, EQUAL, {"loss": None}, EQUAL], [(5, "same reward")]),
        ([AWAY] * 4, [(3, "KL is running away")]),
        ([{"kl": 0.5}] * 9, []),
        ([CUT] * 3, [(3, "max_completion_length")]),
        ([{"completions/clipped_ratio": 0.2}] * 9, []),
        ([EQUAL | AWAY] * 3, [(3, "same reward"), (3, "KL")]),
        (rounds((0.2, 0.5), (0.3, 0.4), (0.4, 0.3)), [(6, "reward rises (0.30 to 0.40) while validation falls")]),
        (rounds((0.2, 0.5), (0.3, 0.4), (0.4, 0.45), (0.5, 0.4)), []),
        (rounds((0.4, 0.5), (0.3, 0.4), (0.2, 0.3)), []),
        (rounds((0.2, 0.3), (0.3, 0.4), (0.4, 0.5)), []),
    ],
)
def test_alarms(logs: list[dict[str, Any]], said: list[tuple[int, str]]) -> None:
    from raiden_core.training.hooks.watch import Alarms

    alarms = Alarms()
    heard = [(place, words) for place, log in enumerate(logs, 1) for words in alarms.hear(log)]
    assert [place for place, _ in heard] == [place for place, _ in said]
    assert all(part in words for (_, words), (_, part) in zip(heard, said, strict=True)), heard


def test_a_resumed_run_remembers_and_does_not_repeat() -> None:
    from transformers import TrainerControl, TrainerState

    from raiden_core.training.hooks.watch import Watch

    warned: list[str] = []
    log: Any = SimpleNamespace(warn=lambda _state, words: warned.append(words))
    arguments: Any = SimpleNamespace()
    watch = Watch(log)
    state = TrainerState(log_history=[EQUAL, EQUAL, AWAY, AWAY, AWAY])
    watch.on_train_begin(arguments, state, TrainerControl())
    assert warned == []
    watch.on_log(arguments, state, TrainerControl(), EQUAL | AWAY)
    assert len(warned) == 1 and "same reward" in warned[0]
