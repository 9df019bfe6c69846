"""What a real small model makes of the mining chain: stage by stage, what is asked, usable, kept, lost and paid.

    python -m benchmarks.small_models qwen-coder                                        # once: the model's file
    python -m benchmarks.teacher --gguf models/Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf  # 20 characters in zh and 20 in en
    python -m benchmarks.teacher --server http://127.0.0.1:30000/v1 --model NAME --dialect sglang --language en

``--gguf`` is served by llama.cpp (``pip install raiden[llamacpp]``) on loopback for the time of the run; ``--server`` is one
that runs. The characters are the shipped ones. They are mined one after another, and the results (default
``benchmarks/results/teacher.json``) are written after each, so that ``--minutes``, or Ctrl-C, leaves a whole report of those
that are done. A second pass with ``--without-schema`` tells what the schema is worth. The report holds every kept sample:
whether they are right is for people to say, and is not measured here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raiden_core.characters import Character, read_characters
from raiden_core.config.sections.data import GenerationConfig
from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.teacher import TeacherConfig
from raiden_core.errors import RaidenError
from raiden_core.generation.made import Generated
from raiden_core.generation.mining import mine
from raiden_core.models.answering import Asker, Refused, Reply, Request
from raiden_core.models.served.client import Client
from raiden_core.report.hardware import describe_hardware
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample

RESULTS = Path(__file__).parent / "results" / "teacher.json"
CONTEXT = 6144
CM_SHARE = 0.25


@dataclass
class Counting:
    """An `Asker` that passes requests on and counts, by task, what comes of them."""

    asker: Asker
    tasks: dict[str, Counter[str]] = field(default_factory=dict)

    async def ask(self, request: Request) -> Reply | Refused:
        """As the one behind it."""
        row = self.tasks.setdefault(request.purpose.partition("/")[0], Counter())
        row["requests"] += 1
        began = time.monotonic()
        outcome = await self.asker.ask(request)
        row["milliseconds"] += round((time.monotonic() - began) * 1000)
        if isinstance(outcome, Refused):
            row[f"refused: {outcome.reason}"] += 1
            return outcome
        row["usable"] += 1
        row["completion_tokens"] += outcome.tokens
        row["prompt_tokens"] += outcome.prompt_tokens
        return outcome

    def table(self) -> dict[str, dict[str, Any]]:
        """Task -> its counts, and the share of its requests that brought usable JSON after all attempts."""
        return {
            task: {**row, "usable_share": round(row["usable"] / row["requests"], 3)}
            for task, row in sorted(self.tasks.items())
        }


@contextmanager
def server(given: argparse.Namespace) -> Iterator[str]:
    """The address, with ``/v1``, of the server that is given or is started over the GGUF file."""
    if given.server:
        yield given.server
        return
    from raiden_core.models.llama_cpp import running

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "llama.log")
        with running(given.gguf, context=CONTEXT, log=log, threads=given.threads, name=given.model) as llama:
            yield f"{llama.url}/v1"


async def measure(given: argparse.Namespace, url: str, characters: Sequence[Character], out: dict[str, Any]) -> None:
    """Mine the characters one after another and fill the report ``out`` after each."""
    endpoint = EndpointConfig(
        url=url,
        model=given.model,
        dialect=given.dialect,
        thinking="default",
        json_schema=not given.without_schema,
        max_concurrency=given.concurrency,
        timeout_seconds=600,
        attempts=3,
    )
    teacher = TeacherConfig(
        kind="llm", endpoints={"teacher": endpoint}, answers=given.answers, max_tokens=1024, turn_by_turn=True
    )
    generation = GenerationConfig(samples_per_character=given.samples, include_cm=True, cm_share=CM_SHARE)
    ends = time.monotonic() + 60 * given.minutes
    with tempfile.TemporaryDirectory() as folder:
        async with Client({"teacher": endpoint}, given.replies or Path(folder)) as client:
            counting = Counting(client)
            made: list[Generated] = []
            for character in characters:
                left = ends - time.monotonic()
                if left <= 0:
                    break
                try:
                    async with asyncio.timeout(left):
                        work = mine(
                            [character], asker=counting, teacher=teacher, generation=generation, scorer=Scorer(), seed=7
                        )
                        made.append(await work)
                except TimeoutError:
                    out["ended_early"] = f"{character.name}: not done when the time was over; its requests are counted"
                out.update(report(made, counting, client, characters))
                given.out.parent.mkdir(parents=True, exist_ok=True)
                given.out.write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n", "utf-8")
                kept = sum(len(one.samples) for one in made)
                sys.stdout.write(f"{len(made)} of {len(characters)} characters, {kept} samples; {client.line()}\n")
                sys.stdout.flush()


def report(
    made: Sequence[Generated], counting: Counting, client: Client, characters: Sequence[Character]
) -> dict[str, Any]:
    """What has been measured so far."""
    samples = [sample for one in made for sample in one.samples]
    usage = client.usage()
    tokens = usage.prompt_tokens + usage.completion_tokens + usage.saved_prompt_tokens + usage.saved_completion_tokens
    dropped: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for one in made:
        for stage, rows in one.stats["dropped_at"].items():
            for reason, row in rows.items():
                dropped[f"{stage}: {reason}"] += row["count"]
                examples.setdefault(f"{stage}: {reason}", []).extend(row["examples"])
    return {
        "characters_done": len(made),
        "facts_of_the_shipped_profiles": sum(len(one.profile) for one in characters[: len(made)]),
        "tasks": counting.table(),
        "attempts_turned_down": dict(usage.turned_down),
        "dropped": dict(dropped.most_common()),
        "dropped_examples": {reason: shown[:6] for reason, shown in examples.items()},
        "kept": len(samples),
        "tokens": {
            "prompt": usage.prompt_tokens,
            "completion": usage.completion_tokens,
            "per_kept_sample": round(tokens / len(samples)) if samples else None,
            "completion_per_kept_sample": (
                round((usage.completion_tokens + usage.saved_completion_tokens) / len(samples)) if samples else None
            ),
        },
        "samples": [_shown(sample) for sample in samples],
    }


def _shown(sample: Sample) -> dict[str, Any]:
    return {
        "character": sample.character_name,
        "dimension": sample.dimension,
        "evidence": sample.metadata.get("evidence"),
        "question": sample.question,
        "answer": sample.answer,
        "reasoning": sample.reasoning,
        "keywords": list(sample.keywords),
        "none_of": list(sample.validator.none_of) if sample.validator else [],
        "right": None,  # for whoever reads it
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Mines shipped characters with a real small model.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--server", help="base address with its /v1")
    where.add_argument("--gguf", type=Path, help="file to serve with llama.cpp")
    parser.add_argument("--model", default="model", help="the model's name at the server")
    parser.add_argument("--dialect", default="vllm", choices=["openai", "sglang", "vllm"])
    parser.add_argument("--language", action="append", choices=["zh", "en", "ja", "ko"], help="default: zh and en")
    parser.add_argument("--characters", type=int, default=20, help="of each language at most")
    parser.add_argument("--samples", type=int, default=8, help="wanted of each character")
    parser.add_argument("--answers", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=240)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--without-schema", action="store_true")
    parser.add_argument("--replies", type=Path, help="folder of the store; default: forgotten afterwards")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    languages = given.language or ["zh", "en"]
    each = [read_characters([f"shipped:{language}"]).characters[: given.characters] for language in languages]
    # In turns, so that a run that is ended early has done some of each language.
    characters = [one[place] for place in range(given.characters) for one in each if place < len(one)]
    out: dict[str, Any] = {
        "hardware": describe_hardware(),
        "model": given.gguf.name if given.gguf else given.model,
        "schema": not given.without_schema,
        "languages": languages,
    }
    try:
        with server(given) as url:
            asyncio.run(measure(given, url, characters, out))
    except RaidenError as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
