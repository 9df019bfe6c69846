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
FLATTENED = ("easyr1", "lm-eval")
"""Targets whose prompts are no chats."""
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

from raiden_core.export.carried import Earned

ENTRIES = {entries}

EARNED = Earned(ENTRIES, Path(__file__).parent)
compute_score = EARNED.by_verl
_FUNCTIONS, WEIGHTS = EARNED.by_trl()
'''


def write_list(chosen: Chosen, out: Path) -> None:
    """Write the module and copies of the user's files into ``out``."""
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
    names = "\n".join(name.rpartition(".")[2] for name in functions)
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
    if to in FLATTENED:
        return [f"{to} asks one text: system turn, conversation and question are joined in it"]
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


class Earned:
    """A written list, loaded: what completions earn, in the shapes that other libraries ask for it."""

    def __init__(self, entries: Sequence[Mapping[str, Any]], folder: Path) -> None:
        """Load the functions; ``folder`` is where the module stands, with the user's files in ``own``.

        Raises:
            ConfigError: a function cannot be loaded.
        """
        placed = [
            {**one, "use": f"{folder / one['use']}"} if str(one["use"]).startswith(f"{OWN}/") else dict(one)
            for one in entries
        ]
        self._run = RewardRun(parse_entries(placed, MODULE), folder / JUDGED)
        self.names = tuple(one.name for one in self._run.chosen)

    def by_trl(self) -> tuple[dict[str, Callable[..., list[Value]]], list[float]]:
        """The functions by name, as TRL calls them, and their weights."""
        functions, weights = trl_rewards(self._run)
        return {one.__name__: one for one in functions}, weights

    def by_verl(
        self, data_source: str, solution_str: str, ground_truth: str, extra_info: Mapping[str, Any] | None = None
    ) -> dict[str, float]:
        """verl's ``compute_score``: the total as ``score``, and what each reward says; one that says nothing is left out."""
        return self.of_row({**json.loads(ground_truth), "settings": (extra_info or {}).get("settings")}, solution_str)

    def of_row(self, row: Mapping[str, Any], completion: str) -> dict[str, float]:
        """The same for a row of an export, which holds a sample's fields and the scorer's ``settings`` as JSON."""
        return self.of_rows([row], [completion])[0]

    def of_rows(self, rows: Sequence[Mapping[str, Any]], completions: Sequence[str]) -> list[dict[str, float]]:
        """The same for a batch, whose settings are those of its first row."""
        settings = json.loads(rows[0].get("settings") or "{}") if rows else {}
        asked = [{**row, "completion": completion} for row, completion in zip(rows, completions, strict=True)]
        outcome = reward_of_rows(self._run, asked, Scorer(**settings))
        earned = []
        for place, total in enumerate(outcome.totals):
            said = {name: column[place] for name, column in outcome.values.items()}
            earned.append({"score": total or 0.0, **{name: value for name, value in said.items() if value is not None}})
        return earned


def _logged(chosen: Chosen) -> list[str]:
    names = [one.logged for one in chosen]
    return [*names, "total"] if any(one.gate for one in chosen) else names


def _identifier(name: str) -> str:
    text = re.sub(r"\W", "_", name)
    return f"_{text}" if text[:1].isdigit() else text
