"""How fast an evaluation is: scoring and statistics, the report in a browser, local generation in batches.

    python -m benchmarks.evaluation                          # all three; the report needs Chromium
    python -m benchmarks.evaluation --only generation --model runs/train-…/model --data data/training/validation.json

- **scoring**: 100,000 replies (50,000 questions, two models) are scored, and every cell, difference, breakdown and
  table is made of them, as `raiden evaluate` does. Aim: under 20 s.
- **report**: the page of a run with 10,000 validation samples is written and opened in headless Chromium; measured is
  from asking for the page to its load event with its layout done. Aim: under 2 s, and under 6 MB.
- **generation**: the same prompts, of unequal length, answered one at a time and in batches of like length, on the CPU
  with a nano model (that of a run, or an untrained one made on the spot), the best of three. Aim: at least 5 times as
  fast without the loading, which costs both the same; with the same replies.

Wall-clock and CPU seconds are both told. The aim of the scoring is about the latter, which say less about what else the
machine is doing; those of the page, whose browser has processes of its own, and of generation, which uses all cores, are
about the former.
Writes benchmarks/results/evaluation.json with the hardware.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.data import compose

RESULTS = Path(__file__).parent / "results" / "evaluation.json"
SCORING_SECONDS, PAGE_SECONDS, PAGE_MB, SPEEDUP = 20.0, 2.0, 6.0, 5.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_LIMIT = 120
PAGE_TRIES, GENERATION_TRIES = 3, 3
BATCH = 64


@contextmanager
def lap(record: dict[str, Any], name: str) -> Iterator[None]:
    """Seconds of the wall and of this process's CPU, under ``name``."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    record[name] = {"seconds": round(time.perf_counter() - wall, 2), "cpu_seconds": round(time.process_time() - cpu, 2)}


def make_samples(count: int) -> list[Any]:
    """Made-up samples, without the distractors that happen to be keywords too."""
    from raiden_core.samples import Sample

    samples = []
    for row in compose(count):
        if set(row["keywords"]) & set(row["validator"]["none_of"]):
            row["validator"] = {"all_of": row["validator"]["all_of"]}
        samples.append(Sample.model_validate(row))
    return samples


def predictions_of(questions: int) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Replies of two models to made-up questions, scored; and how long scoring took."""
    from raiden_core.evaluation.predictions import MAIN_SET, score_replies
    from raiden_core.models.answering import Reply
    from raiden_core.prompts import build_prompt
    from raiden_core.rewards import Scorer

    samples = make_samples(questions)
    prompts = [build_prompt(sample) for sample in samples]
    rng, scorer = random.Random(1), Scorer()
    by_model: dict[str, list[Any]] = {}
    record: dict[str, Any] = {}
    replies = {}
    for model, chance in (("base", 0.4), ("trained", 0.6)):
        texts = [sample.answer if rng.random() < chance else sample.reasoning for sample in samples]
        replies[model] = [
            Reply(f"<think>{sample.reasoning}</think><answer>{text}</answer>", len(text), True)
            for sample, text in zip(samples, texts, strict=True)
        ]
    scorer.score(samples[0], replies["base"][0].text)
    with lap(record, "score"):
        for model in replies:
            by_model[model] = score_replies(MAIN_SET, model, samples, prompts, replies[model], scorer)
    return by_model, record


def measure_scoring(questions: int) -> dict[str, Any]:
    """Scoring, statistics and tables of twice as many predictions as there are questions."""
    from raiden_core.evaluation.predictions import read_predictions, write_predictions
    from raiden_core.evaluation.summary import breakdown, cells, pairs, write_tables

    by_model, record = predictions_of(questions)
    everything = [row for rows in by_model.values() for row in rows]
    with tempfile.TemporaryDirectory() as name:
        with lap(record, "statistics"):
            for rows in by_model.values():
                cells(rows)
            pairs(by_model["base"], by_model["trained"])
            breakdown(by_model)
        with lap(record, "tables"):
            write_tables(Path(name), everything)
        aim = {key: round(sum(part[key] for part in record.values()), 2) for key in ("seconds", "cpu_seconds")}
        with lap(record, "write predictions.jsonl"):
            write_predictions(Path(name) / "predictions.jsonl", everything)
        with lap(record, "read predictions.jsonl"):
            read_predictions(Path(name) / "predictions.jsonl")
    return {
        "predictions": len(everything),
        **record,
        "score, statistics and tables": aim,
        "aim": {"cpu_seconds": SCORING_SECONDS, "met": aim["cpu_seconds"] < SCORING_SECONDS},
    }


def measure_report(questions: int, folder: Path) -> dict[str, Any]:
    """Writing the page of a run, its size, and how long a browser takes to open it."""
    from raiden_core.dataset.split import dataset_stats
    from raiden_core.evaluation.predictions import MAIN_SET, Predicted, write_predictions
    from raiden_core.evaluation.sets import Measure, QuestionSets, UsableSets
    from raiden_core.evaluation.summary import summarise
    from raiden_core.report import build_report
    from raiden_core.rewards import Scorer

    by_model, _ = predictions_of(questions)
    samples = make_samples(questions)
    results = summarise(
        QuestionSets(samples),
        UsableSets({MAIN_SET: samples}, open_ended=(), notes=(), dropped={}),
        Measure(Scorer()),
        Predicted({(MAIN_SET, model): rows for model, rows in by_model.items()}),
    )
    write_predictions(folder / "predictions.jsonl", (row for rows in by_model.values() for row in rows))
    rows = [{"phase": "grpo", "step": step, "reward": 0.5, "kl": step / 1e5} for step in range(20_000)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    record: dict[str, Any] = {"samples": questions}
    page = folder / "report.html"
    with lap(record, "build"):
        build_report(
            results=results,
            predictions=folder / "predictions.jsonl",
            dataset_stats=dataset_stats(samples, samples[:100]),
            metrics=folder / "metrics.jsonl",
            generation_stats={"samples": questions, "dropped": {"near_duplicate": 12}},
            config={"name": "benchmark"},
            run={"name": "benchmark"},
            out=page,
            samples=samples[:20],
        )
    opened = [open_seconds(page, folder / f"profile-{number}") for number in range(PAGE_TRIES)]
    size = page.stat().st_size / 1e6
    return {
        **record,
        "megabytes": round(size, 2),
        "open_seconds": opened,
        "aim": {
            "seconds": PAGE_SECONDS,
            "megabytes": PAGE_MB,
            "met": size < PAGE_MB and None not in opened and sorted(one or 0 for one in opened)[1] < PAGE_SECONDS,
        },
    }


def open_seconds(page: Path, profile: Path) -> float | None:
    """From asking for the page to its layout after the load event; None where there is no Chromium."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        return None
    frame = page.with_name("frame.html")
    frame.write_text(
        "<script>const start = performance.now()</script>"
        f'<iframe id="page" width="1280" height="900" src="{page.as_uri()}"></iframe><p id="told"></p>'
        "<script>onload = () => { const inner = document.getElementById('page').contentDocument.documentElement;"
        "const height = inner.scrollHeight;"
        "document.getElementById('told').textContent = `seconds ${(performance.now() - start) / 1000} high ${height}` }"
        "</script>",
        "utf-8",
    )
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-dev-shm-usage", "--allow-file-access-from-files", f"--user-data-dir={profile}"]  # fmt: skip
    process = subprocess.Popen(
        [browser, *flags, "--dump-dom", frame.as_uri()],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        dom, _ = process.communicate(timeout=BROWSER_LIMIT)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    told = re.search(r"seconds ([\d.]+) high (\d+)", dom)
    if told is None or int(told[2]) < 2000:
        raise RuntimeError("Chromium did not lay the page out")
    return round(float(told[1]), 2)


def measure_generation(
    prompts: int, model: Path | None, data: Path | None, folder: Path, new_tokens: int
) -> dict[str, Any]:
    """The same prompts one at a time and in batches of like length, by the same model on the CPU."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    from raiden_core.config.sections.training import NanoConfig
    from raiden_core.models.local_model import LocalModel
    from raiden_core.prompts import build_prompt
    from raiden_core.samples import read_samples
    from raiden_core.training.nano import build_nano

    rng = random.Random(2)
    samples = read_samples(data) if data else make_samples(40 * prompts)
    if model is None:
        model = folder / "nano"
        build_nano(model, samples, NanoConfig(), seed=0)
    asked = [build_prompt(sample) for sample in rng.sample(samples, min(prompts, len(samples)))]
    clocks = {"wall": time.perf_counter, "cpu": time.process_time}
    took: dict[str, dict[str, list[float]]] = {clock: {"first": [], "single": [], "batched": []} for clock in clocks}
    replies: dict[int, Any] = {}
    for number in range(GENERATION_TRIES):
        # One prompt alone first: what it takes is mostly loading.
        for size, some, what in ((1, asked[:1], "first"), (1, asked, "single"), (BATCH, asked, "batched")):
            store = folder / f"{number}-{size}-{len(some)}.jsonl"
            started = {clock: now() for clock, now in clocks.items()}
            replies[size] = LocalModel(model, new_tokens, size).answer(some, store=store)
            for clock, now in clocks.items():
                took[clock][what].append(now() - started[clock])
    best = {clock: {what: min(seconds) for what, seconds in times.items()} for clock, times in took.items()}
    seconds = {clock: _without_loading(times, len(asked)) for clock, times in best.items()}
    faster = seconds["wall"]["one at a time"] / seconds["wall"]["in batches"]
    return {
        "prompts": len(asked),
        "max_new_tokens": new_tokens,
        "wall_seconds": {what: round(value, 2) for what, value in seconds["wall"].items()},
        "cpu_seconds": {what: round(value, 2) for what, value in seconds["cpu"].items()},
        "same_replies": sum(one.text == other.text for one, other in zip(replies[1], replies[BATCH], strict=True)),
        "times_faster": round(faster, 1),
        "times_faster_with_loading": round(best["wall"]["single"] / best["wall"]["batched"], 1),
        "aim": {"times_faster": SPEEDUP, "met": faster >= SPEEDUP},
    }


def _without_loading(best: dict[str, float], prompts: int) -> dict[str, float]:
    each = (best["single"] - best["first"]) / (prompts - 1)
    loading = max(0.0, best["first"] - each)
    return {
        "loading": loading,
        "one at a time": best["single"] - loading,
        "in batches": best["batched"] - loading,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["scoring", "report", "generation"], action="append")
    parser.add_argument("--model", type=Path, help="folder of a nano model for the generation")
    parser.add_argument("--data", type=Path, help="samples to ask it; made-up ones without")
    parser.add_argument("--questions", type=int, default=50_000, help="each answered by two models")
    parser.add_argument("--samples", type=int, default=10_000, help="validation samples of the report")
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--new-tokens", type=int, default=40)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    from raiden_core.report.hardware import describe_hardware
    from raiden_core.stages.versions import installed_versions

    parts = options.only or ["scoring", "report", "generation"]
    # A part that is measured alone replaces its own figures only.
    record = json.loads(options.out.read_text("utf-8")) if options.only and options.out.is_file() else {}
    record |= {"benchmark": "evaluation", "hardware": describe_hardware(), "versions": installed_versions()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "scoring" in parts:
            record["scoring"] = measure_scoring(options.questions)
        if "report" in parts:
            record["report"] = measure_report(options.samples, folder)
        if "generation" in parts:
            record["generation"] = measure_generation(
                options.prompts, options.model, options.data, folder, options.new_tokens
            )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(record, indent=2) + "\n")
    return 0 if all(record[part]["aim"]["met"] for part in parts) else 1


if __name__ == "__main__":
    sys.exit(main())
