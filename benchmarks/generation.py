"""How fast the client asks: against an ideal, against a bare loop, against one request at a time, and for how long.

    python -m benchmarks.generation                    # all four measurements, a few minutes
    python -m benchmarks.generation --only bare --requests 200000

The server is `tests.support.fault_server` in a process of its own, on loopback. Measured are

- ``slow``: 2 s latency and 256 slots, after a ramp of 30 s: the share of the ideal 128 requests a second, and how many
  times that is what one request at a time brings;
- ``bare``: 50 ms and 256 slots: the client with its store against a loop over `openai.AsyncOpenAI` without repetitions,
  checks or store (with the same number of requests at a time), and against one request at a time, in turns;
- ``memory``: the client's resident memory over many requests that are all stored.

Results go to ``benchmarks/results/generation.json``, with the hardware, and to standard output.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from openai import AsyncOpenAI, DefaultAioHttpClient
from openai.types.chat import ChatCompletionMessageParam

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.models.answering import Reply, Request
from raiden_core.models.served.client import Client
from raiden_core.report.hardware import describe_hardware

RESULTS = Path(__file__).parent / "results" / "generation.json"
SLOTS = 256
PROFILE = "Name: Lin Yuan\nJob: doctor\nHome: Changsha, near the river\nLikes: chess, long walks, old songs\n" * 5
SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "answer": {"type": "string"}, "keyword": {"type": "string"}},
    "required": ["question", "answer", "keyword"],
    "additionalProperties": False,
}


@asynccontextmanager
async def server(latency: float) -> AsyncIterator[str]:
    """The URL of a server in a process of its own."""
    command = [sys.executable, "-m", "tests.support.fault_server", f"--latency={latency}", f"--slots={SLOTS}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def requests(number: int, salt: str) -> Iterator[Request]:
    """Different questions about one profile."""
    for place in range(number):
        question = {"role": "user", "content": f"Ask something about fact {place}. ({salt})"}
        yield Request("teacher", ({"role": "system", "content": PROFILE}, question), "questions/1", SCHEMA, 0.8)


async def at_a_time(number: int, ask: Callable[[Request], Awaitable[object]], asked: Iterator[Request]) -> None:
    """Work through an iterator with so many workers, so that the questions themselves take no memory."""

    async def work() -> None:
        for request in asked:
            await ask(request)

    await asyncio.gather(*(work() for _ in range(number)))


def configured(url: str) -> dict[str, EndpointConfig]:
    return {"teacher": EndpointConfig(url=url, model="scripted", max_concurrency=SLOTS)}


async def measure_slow(seconds: float, ramp: float) -> dict[str, Any]:
    """Requests a second at 2 s latency, counted after the ramp."""
    done: list[float] = []
    latency = 2.0
    began = 0.0

    async with server(latency) as url:
        with tempfile.TemporaryDirectory() as folder:
            async with Client(configured(url), Path(folder)) as client:

                async def ask(request: Request) -> None:
                    if isinstance(await client.ask(request), Reply):
                        done.append(time.perf_counter() - began)

                asked = requests(10**9, "slow")
                began = time.perf_counter()
                work = asyncio.create_task(at_a_time(2 * SLOTS, ask, asked))
                await asyncio.sleep(ramp + seconds)
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
        single, _ = await _bare(url, 3, 1, "single")
    rate = sum(ramp <= moment < ramp + seconds for moment in done) / seconds
    ideal = SLOTS / latency
    return {
        "seconds": seconds,
        "ramp": ramp,
        "per_second": rate,
        "ideal": ideal,
        "share": rate / ideal,
        "one_at_a_time_per_second": 3 / single,
        "times_one_at_a_time": rate * single / 3,
    }


async def measure_bare(number: int, rounds: int) -> dict[str, Any]:
    """Wall-clock and processor seconds for the same requests, in turns: client, bare loop; then one at a time."""
    figures: dict[str, list[tuple[float, float]]] = {"client": [], "bare": []}
    async with server(0.05) as url:
        for turn in range(rounds):
            figures["bare"].append(await _bare(url, number, SLOTS, f"bare {turn}"))
            with tempfile.TemporaryDirectory() as folder:
                async with Client(configured(url), Path(folder)) as client:
                    await at_a_time(SLOTS, client.ask, requests(SLOTS * 5, f"ramp {turn}"))
                    figures["client"].append(await _timed(number, client.ask, SLOTS, f"client {turn}"))
        single = await _bare(url, 50, 1, "single")
    rates = {name: [number / wall for wall, _ in runs] for name, runs in figures.items()}
    best = {name: max(values) for name, values in rates.items()}
    processor = {name: min(cpu for _, cpu in runs) / number * 1e3 for name, runs in figures.items()}
    return {
        "requests": number,
        "client_per_second": rates["client"],
        "bare_per_second": rates["bare"],
        "one_at_a_time_per_second": 50 / single[0],
        "share_of_bare": best["client"] / best["bare"],
        "times_one_at_a_time": best["client"] * single[0] / 50,
        "client_processor_ms": processor["client"],
        "bare_processor_ms": processor["bare"],
    }


async def _timed(
    number: int, ask: Callable[[Request], Awaitable[object]], workers: int, salt: str
) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    await at_a_time(workers, ask, requests(number, salt))
    return time.perf_counter() - wall, time.process_time() - cpu


async def _bare(url: str, number: int, workers: int, salt: str) -> tuple[float, float]:
    async with AsyncOpenAI(
        base_url=url, api_key="none", max_retries=0, http_client=DefaultAioHttpClient(timeout=60)
    ) as bare:

        async def ask(request: Request) -> None:
            messages: list[ChatCompletionMessageParam] = [
                {"role": "system", "content": request.messages[0]["content"]},
                {"role": "user", "content": request.messages[1]["content"]},
            ]
            reply = await bare.chat.completions.create(
                model="scripted",
                messages=messages,
                temperature=request.temperature,
                max_tokens=request.max_tokens,
                response_format={"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA}},
            )
            json.loads(reply.choices[0].message.content or "")

        await at_a_time(workers, ask, requests(workers, f"warm {salt}"))
        return await _timed(number, ask, workers, salt)


async def measure_memory(number: int) -> dict[str, Any]:
    """The client's resident memory, in MB, at ten moments."""
    process = psutil.Process()
    sizes: list[float] = []
    done = 0
    async with server(0.0) as url:
        with tempfile.TemporaryDirectory() as folder:
            async with Client(configured(url), Path(folder)) as client:

                async def ask(request: Request) -> None:
                    nonlocal done
                    await client.ask(request)
                    done += 1
                    if done % (number // 10) == 0:
                        sizes.append(process.memory_info().rss / 1e6)

                began = time.perf_counter()
                await at_a_time(SLOTS, ask, requests(number, "memory"))
                seconds = time.perf_counter() - began
                stored = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
    return {
        "requests": number,
        "mb": sizes,
        "most_mb": max(sizes),
        "growth_mb": sizes[-1] - sizes[0],
        "store_mb": stored,
        "per_second": number / seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures the client that asks OpenAI-compatible servers.")
    parser.add_argument("--only", choices=["slow", "bare", "memory"], action="append", help="measure only this")
    parser.add_argument("--requests", type=int, default=200_000, help="requests of the memory measurement")
    parser.add_argument("--bare-requests", type=int, default=10_000, help="requests of each run beside the bare loop")
    parser.add_argument("--rounds", type=int, default=3, help="runs beside the bare loop")
    parser.add_argument("--seconds", type=float, default=60, help="how long is counted at 2 s latency")
    parser.add_argument("--ramp", type=float, default=30, help="seconds before that")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the results' file")
    given = parser.parse_args()
    measurements: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
        "slow": lambda: measure_slow(given.seconds, given.ramp),
        "bare": lambda: measure_bare(given.bare_requests, given.rounds),
        "memory": lambda: measure_memory(given.requests),
    }
    before = json.loads(given.out.read_text("utf-8")) if given.out.is_file() else {}
    results: dict[str, Any] = before.get("results", {})
    for name in given.only or measurements:

        async def run(measure: Callable[[], Awaitable[dict[str, Any]]] = measurements[name]) -> dict[str, Any]:
            return await measure()

        results[name] = asyncio.run(run()) | {
            "hardware": describe_hardware(),
            "measured": datetime.now(UTC).isoformat(timespec="seconds"),
            "load": round(psutil.getloadavg()[0], 1),
        }
        sys.stdout.write(f"{name}: {json.dumps(results[name])}\n")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"results": results}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
