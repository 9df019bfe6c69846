"""How often the reward is right about everyday speech: accuracy by language and by kind of case.

    python benchmarks/rewards_accuracy.py                                  # tests/rewards/everyday_*.jsonl
    python benchmarks/rewards_accuracy.py FILE... --build ../other         # the rules of another checkout
    python benchmarks/rewards_accuracy.py FILE... --wrong                  # the cases that it gets wrong as well

A case is a row as tests/rewards/everyday.md describes it; rows that hold a whole completion and
``{"accuracy": …}`` as ``expected`` are read as well. Only decidable cases count. *Affirmations* are cases that a
reader calls right; *denials* are those called wrong although a term of the sample stands in the reply (not of values,
where another number is no denial, nor of polarity and distractors, where a claim is what is wrong). ``--build`` scores
in a subprocess whose PYTHONPATH is that checkout, so that two builds are measured by one script on the same rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NO_DENIALS = ("value-", "polarity", "distractor")
"""Kinds, or beginnings of kinds, whose wrong replies do not deny the term that they hold."""
Case = dict[str, Any]


def read_cases(paths: Iterable[Path]) -> list[Case]:
    """The rows of these JSON Lines files, in order."""
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line]


def expected_of(case: Case) -> int:
    """The label: 1 where a reader calls the reply right."""
    expected = case["expected"]
    return int(expected["accuracy"] if isinstance(expected, dict) else expected)


def kind_of(case: Case) -> str:
    """What makes the case hard."""
    return str(case["kind"] if "kind" in case else case["category"])


def is_denial(case: Case) -> bool:
    """Whether a term stands in the reply and yet is not claimed."""
    groups = case["validator"]["all_of"] if "validator" in case else [[term] for term in case["keywords"]]
    said = case["completion"].casefold()
    named = any(term.casefold() in said for group in groups for term in group)
    return named and not expected_of(case) and not kind_of(case).startswith(NO_DENIALS)


def score_here(cases: Iterable[Case]) -> list[int]:
    """The accuracy reward of each case's reply under the rules that this process imports."""
    from raiden_core.rewards import Scorer

    scorer = Scorer()
    return [
        int(scorer.score(case, said if "<answer>" in said else f"<think>.</think><answer>{said}</answer>").accuracy)
        for case in cases
        for said in (case["completion"],)
    ]


def score_with(build: Path, cases: Sequence[Case]) -> list[int]:
    """The same under the rules of the checkout at ``build``, in a process of its own."""
    if not (build / "raiden_core" / "rewards").is_dir():
        raise SystemExit(f"{build} is no checkout of raiden: it has no raiden_core/rewards")
    result = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--score"],
        input=json.dumps(cases),
        env={**os.environ, "PYTHONPATH": str(build.resolve())},
        cwd=build,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer = json.loads(result.stdout)
    if not Path(answer["rules"]).is_relative_to(build.resolve()):
        raise SystemExit(f"{build} was not what was measured: {answer['rules']} was imported")
    return list(answer["scores"])


def share(right: Sequence[bool]) -> str:
    return f"{sum(right):4d} of {len(right):4d}  {100 * sum(right) / len(right):5.1f}%" if right else "   -"


def figures(cases: Sequence[Case], scores: Sequence[int]) -> dict[str, dict[str, list[bool]]]:
    """By language, then by row of the table: whether the reward agreed with the reader, case by case."""
    table: dict[str, dict[str, list[bool]]] = {}
    for case, score in zip(cases, scores, strict=True):
        if not case.get("decidable", True):
            continue
        rows = ["all"]
        rows += ["affirmations"] if expected_of(case) else []
        rows += ["denials"] if is_denial(case) else []
        rows += [kind_of(case)]
        for row in rows:
            table.setdefault(case["language"], {}).setdefault(row, []).append(score == expected_of(case))
    return table


def render(table: dict[str, dict[str, list[bool]]]) -> str:
    """The table as text: all cases, affirmations and denials first, then the kinds by name."""
    first = ["all", "affirmations", "denials"]
    lines = []
    for language, rows in sorted(table.items()):
        lines.append(language)
        for name in [row for row in first if row in rows] + sorted(rows.keys() - set(first)):
            lines.append(f"  {name:20} {share(rows[name])}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="case files; default: tests/rewards/everyday_*.jsonl")
    parser.add_argument("--build", type=Path, help="another checkout whose rules are measured instead of these")
    parser.add_argument("--wrong", action="store_true", help="list the decidable cases that the rules get wrong")
    parser.add_argument("--score", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.score:
        import raiden_core.rewards

        answer = {"scores": score_here(json.load(sys.stdin)), "rules": raiden_core.rewards.__file__}
        sys.stdout.write(json.dumps(answer))
        return 0
    cases = read_cases(options.files or sorted((ROOT / "tests" / "rewards").glob("everyday_*.jsonl")))
    scores = score_with(options.build or ROOT, cases)
    sys.stdout.write(render(figures(cases, scores)) + "\n")
    if options.wrong:
        for case, score in zip(cases, scores, strict=True):
            if case.get("decidable", True) and score != expected_of(case):
                terms = case.get("validator") or case["keywords"]
                sys.stdout.write(
                    f"{case['id']} {kind_of(case)} earned {score}: {case['question']} {terms} {case['completion']!r}\n"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
