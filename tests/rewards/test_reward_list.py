"""The list of rewards: which entries there may be, what their code is known by, and what a batch earns."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raiden_core.config import Config
from raiden_core.config.loading import dump_config, parse_config
from raiden_core.config.sections.reward import BUILT_IN
from raiden_core.errors import ConfigError, RaidenError, StageError
from raiden_core.rewards.functions import accuracy_reward
from raiden_core.rewards.listed.catalogue import FUNCTIONS
from raiden_core.rewards.listed.chosen import chosen_rewards, parse_entries
from raiden_core.rewards.listed.columns import trl_rewards
from raiden_core.rewards.listed.running import CLOSED_BATCHES, RewardRun
from raiden_core.rewards.listed.trial import check_trials, try_rewards
from raiden_core.rewards.scorer import Scorer
from raiden_core.samples import Sample

OWN = '''
"""Rewards of a user."""
import asyncio
from beside import OFFSET

def warmth(completions, **columns):
    """How warm."""
    return [OFFSET + len(one) for one in completions]

def scaled(completions, factor=2.0, **columns):
    return [factor] * len(completions)

async def slow(completions, **columns):
    await asyncio.sleep(0.05)
    return [0.5] * len(completions)

async def never(completions, **columns):
    await asyncio.sleep(3600)

def short(completions, **columns):
    return [1.0]

def nothing(completions, **columns):
    pass

def words(completions, **columns):
    return ["good"] * len(completions)

def nan(completions, **columns):
    return [1.0] * (len(completions) - 1) + [float("nan")]

def unsure(completions, **columns):
    return [None, 1.0, None]

def breaks(completions, question, **columns):
    if "two" in question:
        raise KeyError("no such thing")
    return [1.0] * len(completions)

def closed(completions, **columns):
    return [0] * len(completions)

def plain(completions):
    return [0.0] * len(completions)

def asking(answer_text, **columns):
    return [0.0]
'''


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's file, and what it imports from its folder."""
    (tmp_path / "beside.py").write_text("OFFSET = 0\n")
    file = tmp_path / "my_rewards.py"
    file.write_text(OWN)
    sys.modules.pop("raiden_own_rewards_my_rewards", None)
    sys.modules.pop("beside", None)
    return file


def entries(*given: dict[str, Any]) -> Any:
    return parse_entries(list(given), "job")


def earned(run: RewardRun, completions: Sequence[Any], **columns: Any) -> Any:
    return run(None, completions, columns)


ACCURACY = {"use": "accuracy", "weight": 0.7}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rewards: [{use: acuracy}]", "rewards.0.use: no reward is called 'acuracy'; did you mean 'accuracy'?"),
        ("rewards: [{use: my.py}]", "rewards: my.py: there is no module my; .*name a file: FILE.py:FUNCTION"),
        ("rewards: [{use: accuracy, weight: 0}]", "rewards: no reward has a weight above 0"),
        ("rewards: [{use: one_voice, gate: true}]", "rewards: no reward has a weight above 0"),
        ("rewards: []", "rewards: no reward has a weight above 0"),
        ("accuracy: {weight: 0}\nformat: {weight: 0}", "both 0"),
        (
            "rewards: [{use: accuracy}, {use: one_voice, gate: true, weight: 1}]",
            "rewards.1.weight: one_voice is a gate",
        ),
        ("rewards: [{use: accuracy}, {use: a.accuracy}]", "rewards.1: two rewards are called 'accuracy'"),
        (
            "rewards: [{use: accuracy}]\naccuracy: {weight: 0.7}",
            "accuracy.weight: the short form of an entry of rewards",
        ),
        ("rewards: [{use: accuracy}]\nformat: {weight: 0.1}", "format.weight: the short form of an entry of rewards"),
        ("rewards: [{use: judge}]", "rewards.0.endpoint: who judges?"),
        (
            "rewards: [{use: judge, endpoint: judge}]",
            "rewards.0.endpoint: none is called 'judge'; set evaluation.judge",
        ),
        ("rewards: [{use: accuracy, rubric: PLS}]", "rewards.0.rubric: only the reward judge has one"),
        ("rewards: [{use: accuracy, wieght: 1}]", "rewards.0.wieght: unknown key"),
        ("rewards: [{use: accuracy, weight: -1}]", "rewards.0.weight"),
        ("grpo: {reward_funcs: [a]}", "reward_funcs: .*write rewards:"),
        ("grpo: {reward_weights: [1.0]}", "reward_weights: .*write rewards:"),
    ],
)
def test_a_list_that_cannot_be_is_refused_when_it_is_read(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        chosen_rewards(parse_config(text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("use", "more", "words"),
    [
        ("nowhere.py:f", {}, "there is no file"),
        ("{own}:warmht", {}, "defines no 'warmht'; did you mean 'warmth'"),
        ("{own}:plain", {}, "every column of the data is handed over by name"),
        ("{own}:asking", {}, "nothing is handed over under the name 'answer_text'"),
        ("{own}:scaled", {"arguments": {"facter": 1}}, "arguments.facter: it takes none of that name; did you mean"),
        ("{own}:scaled", {"arguments": {"completions": []}}, "arguments.completions: the trainer hands this over"),
        ("length", {"arguments": {"max_lenght": 3}}, "arguments.max_lenght: .*did you mean 'max_length'"),
        ("no_such_package.rewards.f", {}, "there is no module no_such_package"),
        ("raiden_core.rewards.extras.lenght_penalty", {}, "did you mean 'length_penalty'"),
    ],
)
def test_a_function_that_is_not_there_or_cannot_be_called_is_refused_without_running_it(
    use: str, more: dict[str, Any], words: str, own: Path
) -> None:
    own.write_text(f"raise SystemExit('it ran')\n{OWN}")
    with pytest.raises(ConfigError, match=words) as caught:
        entries(ACCURACY, {"use": use.format(own=own), **more})
    assert "\n" not in str(caught.value)


def test_every_built_in_reward_is_there() -> None:
    assert set(FUNCTIONS) == set(BUILT_IN)
    others = [{"use": name, "name": f"my_{name}"} for name in BUILT_IN if name != "judge"]
    with RewardRun(entries(*others)) as run:
        completions = [[{"role": "assistant", "content": "<think>家乡长沙</think><answer>我的家乡是长沙。</answer>"}]]
        columns = {
            "keywords": [["长沙"]],
            "language": ["zh"],
            "character_name": ["李四"],
            "answer": ["我的家乡是长沙。"],
        }
        outcome = run(
            [[{"role": "user", "content": "?"}]], completions, {**columns, "metadata": ['{"evidence": "长沙"}']}
        )
    values = {name.removeprefix("my_"): one[0] for name, one in outcome.values.items()}
    assert values == {
        **dict.fromkeys(["accuracy", "format", "one_voice", "in_role", "own_language", "no_stuffing", "language"], 1.0),
        **{"length": 0.0, "repetition": 0.0, "by_character": 0.0, "hint": 1.0},
    }


def test_a_file_counts_by_its_syntax_and_by_what_it_imports_from_its_folder(own: Path) -> None:
    def source() -> str:
        digest: str = entries({"use": f"{own}:warmth"})[0].source
        return digest

    before = source()
    own.write_text("# A comment.\n" + OWN.replace('"""How warm."""', '"""How warm it is."""'))
    assert source() == before
    (own.parent / "beside.py").write_text("OFFSET = 0  # nothing\n")
    assert source() == before
    (own.parent / "another.py").write_text("OFFSET = 9\n")
    assert source() == before
    (own.parent / "beside.py").write_text("OFFSET = 1\n")
    assert source() != before
    (own.parent / "beside.py").write_text("OFFSET = 0\n")
    assert source() == before
    own.write_text(OWN.replace("0.5", "0.6"))
    assert source() != before


def test_where_a_file_lies_is_in_no_key(own: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("my_rewards.py", "beside.py"):
        (elsewhere / name).write_text((own.parent / name).read_text())
    from raiden_core.config.sections.base import counted

    here, there = (
        counted(entries({"use": f"{folder / 'my_rewards.py'}:warmth"})[0]) for folder in (tmp_path, elsewhere)
    )
    assert here == there
    assert counted(entries({"use": f"{own}:warmth", "weight": 2})[0]) != here
    assert counted(entries({"use": f"{own}:warmth", "time_limit": 3})[0]) == here


def test_a_configuration_with_a_list_can_be_written_and_read_again(own: Path) -> None:
    config = parse_config(f"rewards: [{{use: '{own}:warmth', weight: 2}}, {{use: format, gate: true}}]")
    again = parse_config(dump_config(config))
    assert again.rewards == config.rewards
    assert parse_config(dump_config(Config())).rewards is None
    chosen = chosen_rewards(config)
    assert parse_entries([one.entry() for one in chosen], "job") == chosen


def test_without_a_list_accuracy_and_format_have_their_weights() -> None:
    chosen = chosen_rewards(parse_config("format: {weight: 0.25}"))
    assert [(one.name, one.logged, one.weight) for one in chosen] == [
        ("accuracy", "accuracy_reward", 0.7),
        ("format", "format_reward", 0.25),
    ]


def test_totals_are_weighted_sums_and_a_closed_gate_makes_them_zero(own: Path) -> None:
    given = entries(
        {**ACCURACY, "weight": 0.7},
        {"use": f"{own}:unsure", "weight": 0.2},
        {"use": "one_voice", "gate": True},
        {"use": f"{own}:slow", "weight": 0.1},
    )
    completions = ["Leeds.", "Leeds.\nUser: Why?", "York."]
    with RewardRun(given) as run:
        outcome = earned(run, completions, keywords=[["Leeds"]] * 3)
    assert outcome.values == {
        "accuracy": [1.0, 1.0, 0.0],
        "unsure": [None, 1.0, None],
        "one_voice": [1.0, 0.0, 1.0],
        "slow": [0.5, 0.5, 0.5],
    }
    assert outcome.totals == pytest.approx([0.75, 0.0, 0.05])
    assert outcome.gated == [False, True, False]


def test_where_no_reward_says_anything_there_is_no_total(own: Path) -> None:
    with RewardRun(entries({"use": f"{own}:unsure"}, {"use": "one_voice", "gate": True})) as run:
        columns, _ = trl_rewards(run)
        batch = ["a", "b", "c"]
        said = [column(completions=batch) for column in columns]
        assert earned(run, ["a", "b", "c"]).totals == [None, 1.0, None]
    # TRL leaves out what all functions say nothing of, the gates included.
    assert said == [[None, 1.0, None], [None, 1.0, None], [None, 1.0, None]]


def test_arguments_reach_the_function(own: Path) -> None:
    with RewardRun(entries({"use": f"{own}:scaled", "arguments": {"factor": 0.25}})) as run:
        assert earned(run, ["a", "b"]).values == {"scaled": [0.25, 0.25]}


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("short", "gave 1 values for 3 completions"),
        ("nothing", "gave None instead of a list of 3 numbers"),
        ("words", "gave 'good' for sample one"),
        ("nan", "gave nan for sample three"),
        ("breaks", r"raised KeyError: 'no such thing' \(my_rewards.py:\d+\) for sample two"),
        ("never", r"had not answered after 0.1 s \(time_limit\) for a batch of 3 that begins with sample one"),
    ],
)
def test_what_no_reward_may_do_is_one_line_with_step_reward_and_sample(function: str, words: str, own: Path) -> None:
    given = entries(ACCURACY, {"use": f"{own}:{function}", "time_limit": 0.1})
    columns = {"id": ["one", "two", "three"], "question": ["one", "two", "three"], "keywords": [["a"]] * 3}
    with RewardRun(given) as run, pytest.raises(StageError, match=rf"^step 400: {function} {words}") as caught:
        earned(run, ["a", "b", "c"], trainer_state=SimpleNamespace(global_step=399), **columns)
    assert "\n" not in str(caught.value) and "the last checkpoint is whole" in str(caught.value)


def test_an_asynchronous_function_that_holds_its_loop_is_not_waited_for_without_end(own: Path) -> None:
    own.write_text("import time\nasync def stuck(completions, **columns):\n    time.sleep(2)\n    return [1.0]\n")
    run = RewardRun(entries({"use": f"{own}:stuck", "time_limit": 0.05}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("raiden_core.rewards.listed.running.GRACE_SECONDS", 0.1)
        with pytest.raises(StageError, match="stuck had not answered"):
            earned(run, ["a"])


def test_a_file_that_cannot_be_loaded_is_one_line(own: Path) -> None:
    chosen = entries({"use": f"{own}:warmth"})
    own.write_text("import no_such_thing\n" + OWN)
    with pytest.raises(ConfigError, match=r"rewards: warmth: .*cannot be loaded: ModuleNotFoundError"):
        RewardRun(chosen)


def test_asynchronous_functions_run_beside_each_other_and_beside_the_others(own: Path) -> None:
    own.write_text(
        "import asyncio, time\n"
        "async def one(completions, **columns):\n    await asyncio.sleep(0.4)\n    return [1.0]\n"
        "async def two(completions, **columns):\n    await asyncio.sleep(0.4)\n    return [2.0]\n"
        "def three(completions, **columns):\n    time.sleep(0.4)\n    return [3.0]\n"
    )
    with RewardRun(entries(*({"use": f"{own}:{name}"} for name in ("one", "two", "three")))) as run:
        began = time.monotonic()
        assert earned(run, ["a"]).totals == [6.0]
    assert time.monotonic() - began < 1.0


def test_a_gate_that_is_always_closed_stops_training(own: Path) -> None:
    given = entries(ACCURACY, {"use": f"{own}:closed", "gate": True})
    with RewardRun(given) as run:
        for step in range(CLOSED_BATCHES - 1):
            earned(run, ["a"], keywords=[["a"]], trainer_state=SimpleNamespace(global_step=step))
        with pytest.raises(StageError, match=f"^step {CLOSED_BATCHES}: the gate closed was closed on all completions"):
            earned(
                run, ["a"], id=["x"], keywords=[["a"]], trainer_state=SimpleNamespace(global_step=CLOSED_BATCHES - 1)
            )


def sample(**more: Any) -> Sample:
    row = {"character_name": "李四", "character_profile": {"家乡": "长沙"}, "question": "你的家乡在哪里？"}
    return Sample.model_validate({**row, "answer": "我的家乡是长沙。", "keywords": ["长沙"], **more})


def test_a_list_is_tried_on_gold_and_on_empty_completions(own: Path) -> None:
    given = entries(ACCURACY, {"use": f"{own}:closed", "gate": True})
    with RewardRun(given) as run:
        trials = try_rewards(run, [sample()] * 3, Scorer())
        assert [(one.reward.name, one.gold, one.empty) for one in trials] == [
            ("accuracy", [1.0] * 3, [0.0] * 3),
            ("closed", [0.0] * 3, [0.0] * 3),
        ]
        assert all(0 <= one.seconds < 5 for one in trials)
        with pytest.raises(ConfigError, match="the gate closed is closed on all 3 reference answers"):
            check_trials(trials)


def test_trl_sees_functions_by_name_with_the_lists_weights(own: Path) -> None:
    with RewardRun(entries(ACCURACY, {"use": f"{own}:slow", "weight": 0.2})) as run:
        columns, weights = trl_rewards(run)
        assert [one.__name__ for one in columns] == ["accuracy_reward", "slow"]
        assert weights == [0.7, 0.2]
        assert not any(asyncio.iscoroutinefunction(one) for one in columns), "TRL would wait before it begins them"


def test_trl_gets_true_values_and_a_gated_total(own: Path) -> None:
    given = entries(ACCURACY, {"use": f"{own}:slow", "weight": 0.2}, {"use": "one_voice", "gate": True})
    with RewardRun(given) as run:
        columns, weights = trl_rewards(run)
        batch = ["Leeds.", "Leeds.\nUser: Why?"]
        said = {one.__name__: one(completions=batch, keywords=[["Leeds"]] * 2) for one in columns}
    assert said == {
        "accuracy_reward": [1.0, 1.0],
        "slow": [0.5, 0.5],
        "one_voice": [1.0, 0.0],
        "total": pytest.approx([0.8, 0.0]),
    }
    assert weights == [0.0, 0.0, 0.0, 1.0]


def test_a_batch_is_computed_once_for_all_functions(own: Path) -> None:
    own.write_text(
        "CALLS = []\n"
        "def one(completions, **columns):\n    CALLS.append(1)\n    return [float(len(CALLS))] * len(completions)\n"
        "def two(completions, **columns):\n    return [0.0] * len(completions)\n"
    )
    with RewardRun(entries({"use": f"{own}:one"}, {"use": f"{own}:two"})) as run:
        (first, second), _ = trl_rewards(run)
        batch = ["a"]
        assert (first(completions=batch), second(completions=batch)) == ([1.0], [0.0])
        # The next step, even if it should come with the same list object.
        assert (first(completions=batch), second(completions=batch)) == ([2.0], [0.0])
        assert first(completions=["a"]) == [3.0]


def test_values_are_what_the_function_gives_to_the_last_digit() -> None:
    completions = ["<answer>Leeds</answer>", "York", ""]
    columns: dict[str, Any] = {"keywords": [["Leeds"]] * 3}
    with RewardRun(entries(ACCURACY)) as run:
        assert earned(run, completions, **columns).values["accuracy"] == accuracy_reward(completions, **columns)


def test_an_error_of_ours_keeps_its_words() -> None:
    with RewardRun(entries(ACCURACY)) as run, pytest.raises(RaidenError, match="neither a column keywords"):
        earned(run, ["a"])


def test_no_data_can_name_a_function(own: Path, tmp_path: Path) -> None:
    """A sample that says what a configuration would say changes nothing and loads nothing."""
    hostile = sample(metadata={"rewards": [{"use": f"{own}:warmth"}], "use": f"{own}:warmth"}, reasoning=str(own))
    with RewardRun(entries(ACCURACY)) as run:
        try_rewards(run, [hostile], Scorer())
    assert not [name for name in sys.modules if name.startswith("raiden_own_rewards_my")]


def test_the_page_has_a_row_for_every_built_in_reward() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rewards.md").read_text("utf-8").split("## Your own rewards")[0]
    rows = {row.split("`")[1]: row.split("|")[2].strip() for row in page.splitlines() if row.startswith("| `")}
    assert list(rows) == list(BUILT_IN)
    assert all(
        rows[name].startswith(gives.split(",")[0].split(";")[0].split(" that")[0][:20])
        for name, gives in BUILT_IN.items()
    )
