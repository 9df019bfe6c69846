"""How long a data set of a million samples takes: near-duplicates out, split by character, counted.

    python -m benchmarks.data                    # 1,000,000 samples; needs 3 GB of disk in the temporary folder
    python -m benchmarks.data --samples 50000

Composes characters with eight samples each (SBK and CM, in Chinese and English), plants a near-duplicate for every
twentieth, and then does what the pipeline does with such a file, in a process of its own; its memory is measured, and
that of the processes that it starts.
Writes benchmarks/results/data.json with the hardware. Aim: a million in under 10 minutes and 4 GiB.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "data.json"
PER_CHARACTER = 8
REPEAT_EVERY = 20
LIMIT_SECONDS, LIMIT_GIB = 600.0, 4.0

ZH = (
    "春江潮水连海平月共生滟随波千万里何处无明流宛转绕芳甸照花林皆似霰空里霜不觉"
    "飞汀上白沙看见天色纤尘皎中孤轮人初年穷已待但送悠客家愁谁扁舟相思楼"
)
EN = ["river", "harbour", "lantern", "copper", "orchard", "violin", "winter", "stone", "letter", "bridge", "garden",
      "market", "tailor", "physician", "captain", "teacher", "brother", "saffron", "ledger", "meadow"]  # fmt: skip


def compose(samples: int) -> Iterator[dict[str, Any]]:
    """Rows as generation writes them, character by character."""
    rng = random.Random(0)
    made = 0
    while made < samples:
        language = "en" if made % (4 * PER_CHARACTER) == 0 else "zh"
        name = _words(rng, language, 3)
        profile = {key: _words(rng, language, 6) for key in ("Name", "Job", "Home", "School", "Pet", "Food", "Hobby")}
        profile["Introduction"] = _words(rng, language, 60)
        before: tuple[str, str, list[str]] = ("", "", [])
        for number in range(min(PER_CHARACTER, samples - made)):
            made += 1
            keyword = _words(rng, language, 2)
            memory = number % 4 == 3
            if made % REPEAT_EVERY == 0 and number:
                question, keyword, history = f"{before[0]}？", *before[1:]
            else:
                question = _words(rng, language, 14)
                history = [_words(rng, language, 30) for _ in range(4)] if memory else []
            before = (question, keyword, history)
            yield {
                "character_name": name,
                "character_profile": profile,
                "conversation_history": [
                    {"role": "user" if place % 2 == 0 else "assistant", "content": text}
                    for place, text in enumerate(history)
                ],
                "question": question,
                "answer": f"{_words(rng, language, 6)} {keyword}",
                "keywords": [keyword],
                "dimension": "CM" if history else "SBK",
                "validator": {"all_of": [[keyword]], "none_of": [_words(rng, language, 2)]},
                "reasoning": _words(rng, language, 20),
                "language": language,
                "metadata": {"teacher": "benchmark", "source": f"file-{made % 7}", "evidence": keyword},
            }


def _words(rng: random.Random, language: str, count: int) -> str:
    return "".join(rng.choices(ZH, k=count)) if language == "zh" else " ".join(rng.choices(EN, k=max(1, count // 2)))


def measure(folder: Path) -> dict[str, Any]:
    """Deduplicate and split ``folder/samples.jsonl``: seconds of each step, CPU seconds, and the memory at most.

    The memory is that of this process, and for each core as much as the largest of its workers had.
    """
    from raiden_core.config.sections.data import SplitConfig
    from raiden_core.dataset.split import split_file
    from raiden_core.generation.quality.repeats import drop_repeats
    from raiden_core.processes.threads import usable_cores

    source, kept = folder / "samples.jsonl", folder / "kept.jsonl"
    seconds: dict[str, float] = {}
    started = last = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[name], last = round(now - last, 1), now

    repeats = drop_repeats(source, kept)
    lap("find near-duplicates, write what is kept")
    stats = split_file(kept, SplitConfig(), 7, folder / "data")
    lap("split and count")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processes = usable_cores()
    sides = {side: stats[side]["samples"] for side in ("train", "validation")}
    return {
        "seconds": {**seconds, "all": round(time.perf_counter() - started, 1)},
        "cpu_seconds": round(sum(one.ru_utime + one.ru_stime for one in used), 1),
        "peak_gib": round((used[0].ru_maxrss + processes * used[1].ru_maxrss) / 2**20, 2),
        "dropped": len(repeats),
        **sides,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        sys.stdout.write(json.dumps(measure(options.measure)))
        return 0
    from raiden_core.report.hardware import describe_hardware

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        planted = 0
        with (folder / "samples.jsonl").open("w", encoding="utf-8") as file:
            for row in compose(options.samples):
                planted += row["question"].endswith("？")
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        size = file_gib(folder / "samples.jsonl")
        sys.stderr.write(
            f"{options.samples:,} samples, {size} GiB, composed in {time.perf_counter() - started:.0f} s\n"
        )
        command = [sys.executable, "-m", "benchmarks.data", "--measure", str(folder)]
        result = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    lost = options.samples - result["dropped"] - result["train"] - result["validation"]
    met = result["seconds"]["all"] < LIMIT_SECONDS and result["peak_gib"] < LIMIT_GIB
    record = {
        "benchmark": "data",
        "samples": options.samples,
        "input_gib": size,
        "planted_repeats": planted,
        "lost": lost,
        **result,
        "samples_per_second": round(options.samples / result["seconds"]["all"]),
        "aim": {"samples": 1_000_000, "seconds": LIMIT_SECONDS, "gib": LIMIT_GIB, "met": met},
        "hardware": describe_hardware(),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(record, indent=2) + "\n")
    return 0 if met and not lost and result["dropped"] == planted else 1


def file_gib(path: Path) -> float:
    return round(path.stat().st_size / 2**30, 2)


if __name__ == "__main__":
    sys.exit(main())
