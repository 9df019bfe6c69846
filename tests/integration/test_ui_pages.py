"""Prefect's pages in a real browser, as somebody who watches a run sees them: run, artifacts, the parameters' form."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from benchmarks.chaos.house import House, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--no-proxy-server", "--remote-debugging-port=0", "--window-size=1400,2400",
)  # fmt: skip
SECONDS = 120.0
AUTH = "admin:canary-auth-string-7f3a91"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        CHROMIUM is None, reason="NOT SEEN IN A BROWSER: chromium is not installed (apt-get install chromium)"
    ),
]


class Browser:
    """A headless Chromium, driven by its DevTools protocol."""

    def __init__(self, profile: Path) -> None:
        assert CHROMIUM is not None
        self.profile = profile
        self.ids = itertools.count(1)
        self.process = subprocess.Popen(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.socket: ClientConnection | None = None

    def __enter__(self) -> Self:
        try:
            file = self.profile / "DevToolsActivePort"
            wait_until(lambda: file.is_file() and file.read_text().strip(), "chromium did not start", SECONDS)
            port = int(file.read_text().splitlines()[0])
            page = httpx.put(f"http://127.0.0.1:{port}/json/new?about:blank", trust_env=False, timeout=SECONDS).json()
            self.socket = connect(page["webSocketDebuggerUrl"], max_size=None, proxy=None)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the browser with all its processes."""
        if self.socket is not None:
            self.socket.close()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def call(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol."""
        assert self.socket is not None
        number = next(self.ids)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            answer = json.loads(self.socket.recv(timeout=SECONDS))
            if answer.get("id") == number:
                return answer["result"]
        raise TimeoutError(method)

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def open(self, url: str) -> None:
        """Go to a page."""
        self.call("Page.navigate", url=url)

    def text(self) -> str:
        """What the page shows, with what stands in its fields."""
        fields = "[...document.querySelectorAll('input,textarea')].map(field => field.value).join('\\n')"
        return str(self.evaluate(f"(document.body ? document.body.innerText : '') + '\\n' + {fields}"))

    def shows(self, *words: str) -> str:
        """Wait until the page shows all words; its text."""
        deadline = time.monotonic() + SECONDS
        while True:
            text = self.text()
            missing = [word for word in words if word.lower() not in text.lower()]
            if not missing:
                return text
            assert time.monotonic() < deadline, f"{missing} not on the page:\n{text[:3000]}"
            time.sleep(0.3)


@pytest.fixture(scope="module")
def browser(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.open(f"http://127.0.0.1:{house.port}/")
        opened.shows("login")
        # Where the pages keep the password that somebody typed in.
        password = base64.b64encode(AUTH.encode()).decode()
        opened.evaluate(f"localStorage.setItem('prefect-password', '{password}')")
        yield opened


def page(house: House, path: str) -> str:
    return f"http://127.0.0.1:{house.port}/{path}"


def test_the_runs_page_names_it_and_shows_its_stages(house: House, finished_run: str, browser: Browser) -> None:
    name = house.get(f"/flow_runs/{finished_run}")["name"]
    assert name.startswith("chaos: report, ")
    browser.open(page(house, f"runs/flow-run/{finished_run}"))
    browser.shows(name, "Completed", "full-pipeline", "raiden")
    browser.open(page(house, f"runs/flow-run/{finished_run}?tab=Logs"))
    browser.shows("evaluate-", "report-")


def test_the_artifacts_hold_results_dropped_samples_and_the_report(
    house: House, finished_run: str, browser: Browser
) -> None:
    filters = {"artifacts": {"flow_run_id": {"any_": [finished_run]}}}
    artifacts = {one["key"]: one for one in house.post("/artifacts/filter", filters)}
    assert {"stages", "results", "dropped", "report"} <= artifacts.keys()
    assert {row["stage"] for row in json.loads(artifacts["stages"]["data"])} >= {"generate", "train", "report"}
    expected = {
        "stages": ["cold-start", "train", "evaluate"],
        "results": ["trained", "strict", "95% interval", "Trained minus base"],
        "dropped": ["sample", "kept", "150"],
        "report": ["report.html"],
    }
    for key, words in expected.items():
        browser.open(page(house, f"artifacts/artifact/{artifacts[key]['id']}"))
        browser.shows(*words)


def test_the_form_explains_every_parameter(house: House, browser: Browser) -> None:
    deployment = house.get("/deployments/name/raiden/train")
    assert set(deployment["tags"]) == {"raiden", "stage", "gpu"}
    browser.open(page(house, f"deployments/deployment/{deployment['id']}/run"))
    browser.shows("config", "Path of the YAML configuration", "configs/quickstart.yaml", "str", "dict")
    browser.shows("overrides", "grpo.max_steps=100", "until", "The last stage to run", "refresh", "upstream of them")


def test_the_event_at_the_end_holds_the_headline(house: House, finished_run: str) -> None:
    query = {"filter": {"event": {"name": ["raiden.run.finished"]}}}
    found: list[dict[str, Any]] = []

    def arrived() -> bool:
        found[:] = house.post("/events/filter", query)["events"]
        return any(finished_run in json.dumps(event["related"]) for event in found)

    wait_until(arrived, "no event came", SECONDS)
    (event,) = [event for event in found if finished_run in json.dumps(event["related"])]
    assert event["resource"]["prefect.resource.name"] == "tiny"
    assert {"base", "trained", "delta", "n", "seconds", "report"} <= event["payload"].keys()
