"""A list of rewards for another trainer: ``raiden_rewards.py`` in the exported folder, and what it cannot carry there.

The file holds the entries of the list and nothing that computes: importing it loads raiden's own code and, from the
folder ``own`` beside it, copies of the user's files. So gates, arguments and asynchronous functions work as they do here.
"""

from __future__ import annotations

import json
import pprint
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from raiden_core.config.sections.reward import FILE
from raiden_core.rewards.listed.checks import Value
from raiden_core.rewards.listed.chosen import Chosen, is_default, parse_entries
from raiden_core.rewards.listed.columns import trl_rewards
from raiden_core.rewards.listed.rows import reward_of_rows
from raiden_core.rewards.listed.running import RewardRun
from raiden_core.rewards.scorer import Scorer
from raiden_core.stages.digests import source_files
from raiden_core.stages.layout import JUDGED

MODULE = "raiden_rewards"
OWN = "own"
"""Folder of the user's files."""
DEFAULT = {
    "accuracy_reward": "raiden_core.rewards.accuracy_reward",
    "format_reward": "raiden_core.rewards.format_reward",
}
"""Functions of the usual two, which need no file of the export's."""

_HEAD = '''"""The rewards of a raiden configuration. They are code that runs: own/ holds copies of the files that it names.

{names}
"""

from pathlib import Path

from raiden_core.export.carried import loaded, scoring

ENTRIES = {entries}

_FUNCTIONS, WEIGHTS = loaded(ENTRIES, Path(__file__).parent)
compute_score = scoring(ENTRIES, Path(__file__).parent)
'''


def write_list(chosen: Chosen, out: Path) -> None:
    """Write the module and copies of the user's files into ``out``; nothing for the usual two."""
    if is_default(chosen):
        return
    entries = []
    for one in chosen:
        entry = one.entry()
        if match := FILE.fullmatch(one.place):
            file = Path(match["file"])
            # A folder for each entry: two files of one name may come from two folders.
            folder = Path(OWN) / _identifier(one.name)
            for source in source_files(file):
                place = out / folder / source.relative_to(file.parent)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, place)
            entry["use"] = f"{folder / file.name}:{match['function']}"
        entries.append(entry)
    functions, _ = named_functions(chosen)
    names = "\n".join(f"{name.rpartition('.')[2]}" for name in functions)
    text = _HEAD.format(names=names, entries=pprint.pformat(entries, width=110, sort_dicts=False))
    assigned = "".join(f'{_identifier(name)} = _FUNCTIONS["{name}"]\n' for name in _logged(chosen))
    (out / f"{MODULE}.py").write_text(text + assigned, "utf-8")


def named_functions(chosen: Chosen) -> tuple[list[str], list[float]]:
    """Dotted paths of the functions for ``--reward_funcs``, and their ``--reward_weights``."""
    if is_default(chosen):
        return [DEFAULT[one.logged] for one in chosen], [one.weight for one in chosen]
    paths = [f"{MODULE}.{_identifier(name)}" for name in _logged(chosen)]
    if any(one.gate for one in chosen):
        return paths, [*(0.0 for _ in chosen), 1.0]
    return paths, [one.weight for one in chosen]


def not_carried(to: str, chosen: Chosen) -> list[str]:
    """What a target cannot have of a list, a line each."""
    if to != "verl":
        return []
    alone = [one.name for one in chosen if one.function == "by_character" and one.kind == "built in"]
    lines = [
        f"{name}: verl scores completions one by one, so there is no batch to measure a character in" for name in alone
    ]
    return lines + [
        f"{one.name}: verl scores completions one by one, so an unreadable verdict has no group and says nothing"
        for one in chosen
        if one.is_judge
    ]


def loaded(
    entries: Sequence[Mapping[str, Any]], folder: Path
) -> tuple[dict[str, Callable[..., list[Value]]], list[float]]:
    """The functions of a written list by name, as TRL calls them, and their weights."""
    functions, weights = trl_rewards(_run(entries, folder))
    return {one.__name__: one for one in functions}, weights


def scoring(entries: Sequence[Mapping[str, Any]], folder: Path) -> Callable[..., dict[str, float]]:
    """verl's ``compute_score`` over a written list: the total, and what each reward says.

    A reward that says nothing of a completion is left out.
    """
    run = _run(entries, folder)

    def compute_score(
        data_source: str, solution_str: str, ground_truth: str, extra_info: Mapping[str, Any] | None = None
    ) -> dict[str, float]:
        settings = json.loads((extra_info or {}).get("settings") or "{}")
        row = {**json.loads(ground_truth), "completion": solution_str}
        outcome = reward_of_rows(run, [row], Scorer(**settings))
        said = {name: column[0] for name, column in outcome.values.items()}
        return {"score": outcome.totals[0] or 0.0, **{name: value for name, value in said.items() if value is not None}}

    return compute_score


def _run(entries: Sequence[Mapping[str, Any]], folder: Path) -> RewardRun:
    placed = [
        {**one, "use": f"{folder / one['use']}"} if str(one["use"]).startswith(f"{OWN}/") else dict(one)
        for one in entries
    ]
    return RewardRun(parse_entries(placed, MODULE), folder / JUDGED)


def _logged(chosen: Chosen) -> list[str]:
    names = [one.logged for one in chosen]
    return [*names, "total"] if any(one.gate for one in chosen) else names


def _identifier(name: str) -> str:
    text = re.sub(r"\W", "_", name)
    return f"_{text}" if text[:1].isdigit() else text
