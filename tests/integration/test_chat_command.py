"""`raiden chat` as a process: a local model, a server that streams, a pipe, a terminal, Ctrl-C, and a browser."""

import fcntl
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.tiny_models import teach_chain, tiny_model, tiny_tokenizer

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TIMEOUT = 60
PIECES = ["<thi", "nk>I wonder", ".</think><ans", "wer>From ", "Leeds\x1b[2J.", "</answer>"]

pytestmark = pytest.mark.integration


class _Streams(BaseHTTPRequestHandler):
    """Chat completions by server-sent events."""

    seen: list[dict[str, object]]
    pause: float

    def do_GET(self) -> None:
        self._send(
            json.dumps({"object": "list", "data": [{"id": "m", "object": "model", "created": 0, "owned_by": ""}]})
        )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append(body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for piece in [*PIECES, None]:
                delta = {} if piece is None else {"content": piece}
                choice = {"index": 0, "delta": delta, "finish_reason": "stop" if piece is None else None}
                chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                time.sleep(self.pause)
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        return

    def _send(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def _streaming(pause: float = 0.0) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    seen: list[dict[str, Any]] = []
    handler = type("Handler", (_Streams,), {"seen": seen, "pause": pause})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1#m", seen
        finally:
            server.shutdown()
            thread.join(10)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "flows.cli", "chat", *arguments]


def _chat(said: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments), input=said, capture_output=True, text=True, timeout=TIMEOUT, cwd=ROOT, check=False
    )


@pytest.fixture
def parrot(tmp_path: Path) -> Path:
    """A folder with a model that says one fixed completion, its tags registered as special tokens."""
    tokenizer = tiny_tokenizer()
    model = tiny_model(len(tokenizer), 2048)
    reply = ["<think>", "h", "m", "</think>", "<answer>", "长沙", "!", "</answer>", "<|im_end|>"]
    chain = [tokenizer.encode("\n", add_special_tokens=False)[0], *map(tokenizer.convert_tokens_to_ids, reply)]
    teach_chain(model, chain)
    folder = tmp_path / "train" / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder.parent


def test_a_local_model_streams_its_reply_without_end_tokens_and_says_when_its_context_is_full(parrot: Path) -> None:
    arguments = ("--model", str(parrot), "--character", "Beryl Stannard", "--max-tokens", "20", "--temperature", "0")
    done = _chat(f"hello\n/reasoning\nagain\n{'x' * 2100}\nnever said\n", *arguments)
    first, second, third = (
        "Beryl Stannard: 长沙!\n\n",
        "(reasoning is shown)\nBeryl Stannard: hm\n长沙!\n\n",
        "Beryl Stannard: ",
    )
    assert done.stdout == first + second + third
    assert done.returncode == 1 and "leaves no room for 20 more" in done.stderr and done.stderr.count("\n") == 1


def test_a_served_model_streams_into_a_pipe(tmp_path: Path) -> None:
    with _streaming() as (url, seen):
        done = _chat(
            f"hello\nand you?\n/save {tmp_path}/talk.json\n", "--model", url, "--base", url, "--character", "蔡罔腰"
        )
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.count("From Leeds\ufffd[2J.") == 4 and "I wonder" not in done.stdout and "\x1b" not in done.stdout
    )
    assert "蔡罔腰 (base): " in done.stdout and "蔡罔腰 (trained): " in done.stdout
    last = seen[-1]
    assert last["stream"] is True and last["temperature"] == 0.7 and last["max_completion_tokens"] == 512
    assert [turn["role"] for turn in last["messages"]] == ["system", "user", "assistant", "user"]
    assert last["messages"][2]["content"] == "From Leeds\x1b[2J."
    assert len(json.loads((tmp_path / "talk.json").read_text())["exchanges"]) == 2


def test_servers_that_are_not_there_or_lack_the_model_are_one_line() -> None:
    with _streaming() as (url, _):
        wrong = _chat("hi\n", "--model", url.replace("#m", "#other"), "--character", "Beryl")
        unnamed = _chat("hi\n", "--model", url.removesuffix("#m"), "--character", "Beryl")
    assert wrong.returncode == 2 and "has no model 'other'; it has: m" in wrong.stderr
    assert unnamed.returncode == 2 and "which model?" in unnamed.stderr
    dead = _chat("hi\n", "--model", url, "--character", "Beryl")
    assert dead.returncode == 1 and "cannot be reached" in dead.stderr
    for done in (wrong, unnamed, dead):
        assert done.stderr.count("\n") == 1 and not done.stdout


class _Screen:
    """What a terminal shows, read up to the words that are waited for."""

    def __init__(self, terminal: int) -> None:
        self.terminal = terminal
        self.unread = ""

    def wait_for(self, words: str) -> None:
        end = time.monotonic() + TIMEOUT
        while words not in self.unread:
            assert time.monotonic() < end, self.unread
            if select.select([self.terminal], [], [], 1)[0]:
                try:
                    self.unread += os.read(self.terminal, 4096).decode(errors="replace")
                except OSError:  # the other side has closed
                    pytest.fail(f"ended before {words!r}: {self.unread}")
        self.unread = self.unread.partition(words)[2]


def _wait_until_it_waits(pid: int) -> None:
    """Python's own line editor loses a Ctrl-C that comes in the microseconds between its prompt and its waiting."""
    end = time.monotonic() + TIMEOUT
    while psutil.Process(pid).status() != psutil.STATUS_SLEEPING:
        assert time.monotonic() < end
        time.sleep(0.01)


def _take_terminal() -> None:
    """In the child: the terminal's keys are meant for it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize("end", ["\x04", "\x03", "/quit\n"])
def test_a_person_at_a_terminal_can_stop_a_reply_and_ends_cleanly(end: str) -> None:
    with _streaming(pause=0.3) as (url, _):
        here, there = pty.openpty()
        process = subprocess.Popen(
            _command("--model", url, "--character", "Beryl Stannard"),
            stdin=there, stdout=there, stderr=there, cwd=ROOT, start_new_session=True,
            preexec_fn=_take_terminal,
        )  # fmt: skip
        os.close(there)
        try:
            screen = _Screen(here)
            screen.wait_for("> ")
            os.write(here, b"hello\n")
            screen.wait_for("From ")
            os.write(here, b"\x03")
            screen.wait_for("was not kept")
            screen.wait_for("> ")
            _wait_until_it_waits(process.pid)
            os.write(here, end.encode())
            assert process.wait(TIMEOUT) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            os.close(here)


@pytest.mark.skipif(CHROMIUM is None, reason="NOT TRIED IN A BROWSER: chromium is not installed")
def test_the_page_works_in_a_browser_and_its_console_is_silent(tmp_path: Path) -> None:
    with _streaming() as (url, seen):
        server = subprocess.Popen(
            _command("--model", url, "--character", "蔡罔腰", "--web"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[0]
            assert address.startswith("http://127.0.0.1:")
            command = [
                str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--enable-logging=stderr", "--v=0", "--virtual-time-budget=2000", f"--user-data-dir={tmp_path}",
                "--dump-dom", address,
            ]  # fmt: skip
            browser = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
            assert "蔡罔腰" in browser.stdout and "textarea" in browser.stdout
            assert "CONSOLE" not in browser.stderr, browser.stderr
            assert not seen, "nobody said anything"
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(TIMEOUT) == 0
