"""What users give `raiden evaluate` by mistake, and servers that die: one clear line, and nothing done is lost."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from raiden_core.cli import group as cli
from raiden_core.samples import Sample, write_samples
from tests.support.fault_server import FaultServer

TOWNS = ("Leeds", "Derby", "Bath", "York", "Hull", "Truro", "Wells", "Ely", "Ripon", "Lincoln")
FAST = "{attempts: 2, patience_seconds: 0.3, max_concurrency: 2, dialect: openai, thinking: default}"


def _sample(number: int, **changes: object) -> Sample:
    town = TOWNS[number % len(TOWNS)]
    fields: dict[str, object] = {
        "character_name": f"Ann {number}", "character_profile": {"Home": town}, "language": "en",
        "question": "Where are you from?", "answer": f"I am from {town}.", "keywords": [town],
    }  # fmt: skip
    return Sample.model_validate(fields | changes)


def _reply(chat: Mapping[str, Any]) -> str:
    town = next((town for town in TOWNS if town in chat["messages"][0]["content"]), "nowhere")
    return f"<think>x</think><answer>I am from {town}.</answer>"


@contextmanager
def _serving(server: FaultServer) -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(20)
        yield loop
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


def _evaluate(capsys: pytest.CaptureFixture[str], data: Path, out: Path, *arguments: str) -> tuple[int, str, str]:
    root = cli.build(cli.COMMANDS, "raiden")
    given = ["evaluate", "--data", str(data), "--out", str(out), "--set", f"evaluation.served={FAST}", *arguments]
    code = cli.run(root, given)
    output, errors = capsys.readouterr()
    return code, output, errors


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "validation.json: no sample to evaluate"),
        ("", "broken JSON at line 1"),
        ('{"a": 1}', "not a JSON array of samples"),
        ('[{"question": "x"}]', "row 1: character_name"),
    ],
)
def test_a_validation_file_without_samples_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    data = tmp_path / "validation.json"
    data.write_text(content)
    code, _, errors = _evaluate(capsys, data, tmp_path / "out", "--model", "http://127.0.0.1:9/v1#m")
    assert code == 1 and words in errors and errors.count("\n") == 1 and not (tmp_path / "out").exists()


def test_one_sample_and_one_character_have_numbers_but_no_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with _serving(server := FaultServer(_reply, model="m")):
        for count in (1, 3):
            data = tmp_path / f"{count}.json"
            write_samples(data, [_sample(0, question=f"Where are you from? ({number})") for number in range(count)])
            out = tmp_path / f"out{count}"
            code, output, _ = _evaluate(capsys, data, out, "--model", f"{server.url}#m", "--base", f"{server.url}#m")
            results = json.loads((out / "results.json").read_text())
            assert code == 0 and results["trained"]["all"]["strict"] == 1.0 and "100.0" in output
            assert results["trained"]["all"]["ci95"] is None and results["paired"]["ci95"] is None
            assert "one character only" in output


def test_a_model_that_answers_nothing_is_a_result_that_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "validation.json"
    write_samples(data, [_sample(number) for number in range(4)])
    with _serving(server := FaultServer(lambda chat: "", model="m")):
        code, output, _ = _evaluate(capsys, data, tmp_path / "out", "--model", f"{server.url}#m")
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert code == 0 and results["trained"]["all"]["strict"] == 0.0 and results["empty_answers"] == {"trained": 4}
    assert "gave no answer text at all" in output


def test_an_endpoint_that_dies_at_60_percent_keeps_its_answers_and_a_rerun_asks_only_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "validation.json"
    write_samples(data, [_sample(number) for number in range(10)])
    mortal = True

    def reply(chat: Mapping[str, Any]) -> str:
        if mortal and sum(server.counters.replied.values()) == 6:
            asyncio.get_running_loop().call_soon(lambda: tasks.append(asyncio.ensure_future(server.stop())))
        return _reply(chat)

    tasks: list[asyncio.Future[None]] = []
    server = FaultServer(reply, model="m", latency=0.01)
    with _serving(server) as loop:
        arguments = ("--model", f"{server.url}#m")
        code, _, errors = _evaluate(capsys, data, tmp_path / "out", *arguments)
        assert code == 1 and server.url in errors and errors.count("\n") == 1 and "Traceback" not in errors
        answered = sum(server.counters.replied.values())
        assert 6 <= answered < 10 and not (tmp_path / "out").exists()
        mortal = False
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(20)
        code, output, _ = _evaluate(capsys, data, tmp_path / "out", *arguments)
        assert code == 0 and "100.0" in output
        repeated = [key for key, times in server.counters.replied.items() if times > 1]
        assert len(server.counters.replied) == 10 and len(repeated) <= 2, "only what was on its way when it died"


def test_sampled_replies_and_what_training_has_seen_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "validation.json"
    write_samples(data, [_sample(number) for number in range(3)])
    with _serving(server := FaultServer(_reply, model="m")):
        arguments = ("--model", f"{server.url}#m", "--samples", "2", "--train", str(data))
        code, output, _ = _evaluate(capsys, data, tmp_path / "out", *arguments)
    assert code == 0 and "trained, 2 sampled replies: pass@1 100.0, pass@2 100.0, majority 100.0" in output
    assert "Training has seen 3 of these characters" in output


def test_a_benchmark_folder_is_judged_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "release_data"
    folder.mkdir()
    npcs = {f"Ann {n}": {"npc_type": "x", "npc_setting": f"A baker from {TOWNS[n]} who sings."} for n in range(4)}
    dialogues = {
        str(n): {
            "npc_name": f"Ann {n}", "metrics": ["A", "E"], "reference": f"I am from {TOWNS[n]}.",
            "messages": [{"role": "user", "text": "Where do you come from, dear Ann?"}],
        }
        for n in range(4)
    }  # fmt: skip
    (folder / "npc.json").write_text(json.dumps(npcs))
    (folder / "dialogue.json").write_text(json.dumps(dialogues))

    def verdict(chat: Mapping[str, Any]) -> str:
        first = chat["messages"][1]["content"].split("Reply A:")[1].split("Reply B:")[0]
        return json.dumps({"reason": "r", "better": "A" if "I am from" in first else "B"})

    base = FaultServer(lambda chat: "<answer>Who knows.</answer>", model="b")
    with _serving(base), _serving(trained := FaultServer(_reply, model="t")):
        models = ("--model", f"{trained.url}#t", "--base", f"{base.url}#b")
        code, _, errors = _evaluate(capsys, folder, tmp_path / "out", *models)
        assert code == 1 and "only a judge" in errors and not base.counters.requests
        with _serving(referee := FaultServer(verdict, model="referee")):
            judge = ("--judge", f"{referee.url}#referee")
            code, output, _ = _evaluate(capsys, folder, tmp_path / "out", *models, *judge)
    judged = json.loads((tmp_path / "out/results.json").read_text())["judge"]
    assert code == 0 and judged["all"]["win"] == 8 and set(judged["by_rubric"]) == {"SBK", "PLS"}
    assert "referee" in output and len((tmp_path / "out/judge.jsonl").read_text().splitlines()) == 8
