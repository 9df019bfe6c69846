"""What computing a group's prompt once saves on a CPU: a step of SmolLM2-135M's shape by TRL's trainer and by ours.

    python -m benchmarks.shared_prefix                # three steps of each, half an hour of two free cores
    python -m benchmarks.shared_prefix --rounds 1

Prompts of 400 tokens, groups of 8, completions of 64; random weights in float32. The trainers take turns, each step in a
process of its own, so that the highest resident size is its own too. CPU seconds are compared: they say less about what
else the machine is doing. Aims: a third of plain TRL's CPU time, at most 0.6 of its memory (the highest resident size,
less what the process had before the model was made). Writes benchmarks/results/shared_prefix.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.device.isolated import isolated
from benchmarks.device.steps import SMOLLM2, TINY, Steps, summary, train
from raiden_core.report.hardware import describe_hardware
from raiden_core.stages.versions import installed_versions

RESULTS = Path(__file__).parent / "results" / "shared_prefix.json"
FASTER, MEMORY_SHARE = 3.0, 0.6
LIMIT_S = 3600.0
CASE = Steps("SmolLM2-135M", SMOLLM2, 8, 1, 400, 64, checkpointing=False, kinds=("plain", "auto"), warm=0)
TOY = Steps("toy", TINY, 8, 1, 40, 6, checkpointing=False, kinds=("plain", "auto"), warm=0)


def main(argv: Sequence[str]) -> int:
    """Measure in turns and write after each round; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shared_prefix")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tiny", action="store_true", help="a toy model, to see that everything works")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    case = TOY if options.tiny else CASE
    taken: dict[str, list[dict[str, Any]]] = {kind: [] for kind in case.kinds}
    record: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for turn in range(options.rounds):
            for kind in case.kinds:
                work = (case, kind, scratch / f"{kind}-{turn}")
                run = isolated(train, work, log=scratch / "log", limit_s=LIMIT_S, start="spawn")
                taken[kind].append(run)
                sys.stderr.write(f"{kind}: {run['step_cpu_s'][0]:.1f} CPU s, {run['memory']['peak'] / 2**20:.0f} MiB\n")
            measured = summary(case, taken)
            record = {
                "benchmark": "shared_prefix",
                "hardware": describe_hardware(),
                "versions": installed_versions(),
                "settings": {
                    "model": case.name,
                    "prompt": case.prompt,
                    "completion": case.completion,
                    "group": case.micro,
                },
                "rounds": turn + 1,
                **measured,
                "aims": {
                    "a third of the CPU time": measured["times_faster"]["auto"]["step_cpu"] >= FASTER,
                    "0.6 of the memory": measured["memory_share"]["auto"] <= MEMORY_SHARE,
                },
            }
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    sys.stdout.write(json.dumps({name: record[name] for name in ("times_faster", "memory_share", "aims")}) + "\n")
    return int(not all(record["aims"].values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
