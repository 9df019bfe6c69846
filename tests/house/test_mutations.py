"""The mutants of `make mutations`: each kind of damage is found, fits its place and leaves a file that compiles."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks.mutations.__main__ import Fate, told
from benchmarks.mutations.draw import Mutant, Siblings, drawn, mutants_of
from tests.support.tables import table

SECTIONS = '''
class Accuracy(Section):
    weight: float = 0.7
    """A weight."""
    ratio: float = 8
    strict: bool = False


class Tree(Section):
    accuracy: Accuracy = Accuracy()
    seed: int = 7
'''
CODE = '''
"""Not a constant: "seed"."""

SETTINGS: tuple[str, ...] = ("seed", "name")
if TYPE_CHECKING:
    from house import Room
ENCODING = "utf-8"


def work(config, train, out):
    """Words."""
    if train and config.seed == 7:
        raise ValueError("seed", 1)
    progress("seed", 1, 2)
    made = build({"类": 1, "seed": config.accuracy.weight}, train, out, quick=True)
    if config.seed == 7:
        out += 1
    return [one - 1 for one in made if one not in out]
'''


@pytest.fixture(scope="module")
def mutants(tmp_path_factory: pytest.TempPathFactory) -> list[Mutant]:
    folder = tmp_path_factory.mktemp("mutants")
    (folder / "sections.py").write_text(SECTIONS, "utf-8")
    (folder / "code.py").write_text(CODE, "utf-8")
    return mutants_of(folder, "code.py", Siblings([folder / "sections.py"]))


@table(
    ("kind", "before", "after"),
    [
        ("element dropped", '("seed", "name")', "('seed',)"),
        ("condition negated", "train and config.seed == 7", "(not (train and config.seed == 7))"),
        ("condition negated", "one not in out", "(not one not in out)"),
        ("and or or", "train and config.seed == 7", "(train or config.seed == 7)"),
        ("comparison changed", "config.seed == 7", "(config.seed != 7)"),
        ("constant changed", "7", "8"),
        ("constant changed", "True", "False"),
        ("constant changed", '"seed"', "'seed_'"),
        ("field of its sibling", "config.accuracy.weight", "config.accuracy.ratio"),
        ("sign changed", "one - 1", "(one + 1)"),
    ],
)
def test_each_kind_of_damage_is_found(mutants: list[Mutant], kind: str, before: str, after: str) -> None:
    assert (kind, before, after) in {(one.kind, one.before, one.after) for one in mutants}


def test_what_changes_nothing_at_run_time_is_left_alone(mutants: list[Mutant]) -> None:
    assert not [one for one in mutants if "TYPE_CHECKING" in one.before or "utf-8" in one.before]


def test_calls_lose_an_argument_have_two_swapped_and_dicts_lose_an_entry(mutants: list[Mutant]) -> None:
    calls = {one.kind: one.after for one in mutants if one.before.startswith(("build(", "{"))}
    assert calls["argument dropped"] == "build({'类': 1, 'seed': config.accuracy.weight}, train, out)"
    assert calls["arguments swapped"] == "build({'类': 1, 'seed': config.accuracy.weight}, out, train, quick=True)"
    assert "{'类': 1}" in {one.after for one in mutants if one.kind == "entry dropped"}


def test_words_for_readers_types_and_errors_are_left_alone(mutants: list[Mutant]) -> None:
    text = CODE.splitlines()
    lines = {text[one.line - 1].strip() for one in mutants}
    assert not any(line.startswith(('"""', "raise", "progress", "def")) for line in lines)
    assert {one.before for one in mutants if "SETTINGS" in text[one.line - 1]} == {
        '("seed", "name")',
        '"seed"',
        '"name"',
    }


def test_every_mutant_differs_compiles_and_has_a_key_of_its_own(mutants: list[Mutant]) -> None:
    broken = [one.apply(CODE.encode()) for one in mutants]
    assert all(ast.dump(ast.parse(one)) != ast.dump(ast.parse(CODE)) for one in broken)
    assert len(set(broken)) == len(broken) == len({one.key for one in mutants})
    assert {one.place for one in mutants} == {"module", "work"}


def test_the_draw_is_the_seeds_takes_each_kind_in_turn_and_no_line_twice(mutants: list[Mutant]) -> None:
    one, same, other = (drawn({"code.py": mutants}, 5, seed) for seed in (1, 1, 2))
    assert one == same != other
    assert len({mutant.line for mutant in one}) == len(one)
    assert one[0].kind != one[1].kind
    assert len(drawn({"code.py": mutants}, 1000, 1)) == len({mutant.line for mutant in mutants})


def test_the_table_counts_survivors_and_excuses_those_that_mean_nothing(mutants: list[Mutant]) -> None:
    fates = [
        Fate("wiring", mutants[0], "tests/a.py::test", False, "-a\n+b", 1.0),
        Fate("wiring", mutants[1], None, True, "-c\n+d", 1.0),
        Fate("algorithms", mutants[2], None, False, "-e\n+f", 1.0),
    ]
    table, good = told(fates, {mutants[2].key: "it is only said twice"})
    assert not good
    rows = [line.split() for line in table.splitlines()[1:3]]
    assert rows == [["wiring", "2", "1", "0", "1", "50.0%"], ["algorithms", "1", "0", "1", "0", "100.0%"]]
    assert f"{mutants[1].key}" in table and "-c\n+d" in table and "it is only said twice" in table
    assert "the tests came to no end" in table
    assert told(fates[:1], {})[1]
    assert "tests/a.py::test sees it" in told(fates[:1], {mutants[0].key: "?"})[0]


def test_the_modules_that_are_named_exist() -> None:
    from benchmarks.mutations.__main__ import GROUPS
    from tests.support.touched import ROOT

    missing = [pattern for group in GROUPS.values() for pattern in group.modules if not list(Path(ROOT).glob(pattern))]
    assert missing == []
