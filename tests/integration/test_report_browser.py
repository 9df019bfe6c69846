"""The report in a real browser: hostile text is inert, the console is silent, the script works, nothing is too wide."""

import base64
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from raiden_core.report import build_report
from tests.support.synthetic import make_inputs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE = 390
TIMEOUT = 90
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--enable-logging=stderr", "--v=0", "--virtual-time-budget=2000", "--allow-file-access-from-files",
)  # fmt: skip

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        CHROMIUM is None, reason="NOT TRIED IN A BROWSER: chromium is not installed (apt-get install chromium)"
    ),
]


def _dump(url: str, profile: Path) -> tuple[str, str]:
    """The page's DOM after its scripts ran, and what the browser logged."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", url]
    # A session of its own, so that a browser that hangs goes down with its children.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        dom, log = process.communicate(timeout=TIMEOUT)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode == 0, log[-2000:]
    return dom, log


def _console(log: str) -> list[str]:
    return [line for line in log.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])
def test_page_runs_its_own_script_and_no_other(hostile: bool, tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path / "run", hostile)
    build_report(**inputs)
    dom, log = _dump(inputs["out"].as_uri(), tmp_path / "profile")
    assert _console(log) == []
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert title is not None and title[1].startswith("quickstart")
    assert re.search(r"<output[^>]*>(\d+) of \1</output>", dom), "the filter has counted the dialogues"
    assert dom.count("<script>") == 1 and "<img" not in dom
    assert not {"\u202e", "\x1b"} & set(dom)


def test_the_console_would_show_a_script_that_is_stopped(tmp_path: Path) -> None:
    """The policy itself works, and so does the way in which the test above reads the console."""
    inputs = make_inputs(tmp_path / "run")
    build_report(**inputs)
    page = inputs["out"].read_text(encoding="utf-8")
    bad = tmp_path / "bad.html"
    bad.write_text(page.replace("</body>", "<script>document.title = 'owned'</script></body>"), encoding="utf-8")
    dom, log = _dump(bad.as_uri(), tmp_path / "profile")
    assert "<title>owned" not in dom
    assert any("Content Security Policy" in line for line in _console(log))


def test_page_fits_a_phone(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path / "run", hostile=True)
    build_report(**inputs)
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe id="f" width="{PHONE}" height="900" style="border:0" src="{inputs["out"].as_uri()}"></iframe>'
        "<p id='w'></p>"
        "<script>onload = () => { const page = document.getElementById('f').contentDocument.documentElement;"
        "document.getElementById('w').textContent = 'wide ' + page.scrollWidth; }</script>"
    )
    dom, log = _dump(frame.as_uri(), tmp_path / "profile")
    width = re.search(r"wide (\d+)", dom)
    assert width is not None, _console(log)
    assert int(width[1]) <= PHONE


class Page:
    """A page in a browser that the test steers, by Chromium's own protocol."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.numbers = socket, itertools.count(1)
        self.complaints: list[str] = []

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(self.socket.recv(timeout=TIMEOUT))
            if said.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(said["params"])
            if said.get("id") == number:
                assert "error" not in said, said
                return dict(said["result"])

    def run(self, script: str) -> Any:
        said = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def press(self, key: str, code: int = 0, text: str = "") -> None:
        what = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **what, **({"text": text} if text else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **what)

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)
        for _ in range(200):
            if self.run(f"document.readyState === 'complete' && location.href === {json.dumps(url)}"):
                return
            time.sleep(0.05)
        raise AssertionError(f"{url} did not load")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A hostile run's report, open in a browser of its own."""
    assert CHROMIUM is not None
    folder = tmp_path_factory.mktemp("browser")
    inputs = make_inputs(folder / "run", hostile=True)
    build_report(**inputs)
    flags = [flag for flag in FLAGS if not flag.startswith("--virtual-time")]
    process = subprocess.Popen(
        [CHROMIUM, *flags, f"--user-data-dir={folder / 'profile'}", "--remote-debugging-port=0", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        port_file = folder / "profile" / "DevToolsActivePort"
        for _ in range(20 * TIMEOUT):
            if port_file.is_file() and len(port_file.read_text().splitlines()) == 2:
                break
            time.sleep(0.05)
        port, path = port_file.read_text().splitlines()
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None) as browser:
            target = Page(browser).ask("Target.createTarget", url="about:blank")["targetId"]
        with connect(f"ws://127.0.0.1:{port}/devtools/page/{target}", max_size=None, proxy=None) as socket:
            steered = Page(socket)
            for domain in ("Page", "Runtime", "Log"):
                steered.ask(f"{domain}.enable")
            steered.open(inputs["out"].as_uri())
            yield steered
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


VISIBLE = "[...document.querySelectorAll('.example')].filter((one) => one.offsetParent !== null)"


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(120):
        if page.run(f"document.activeElement.matches({json.dumps(selector)})"):
            return
        page.press("Tab", 9)
    raise AssertionError(f"{selector} cannot be reached by the Tab key")


def test_everything_is_reached_by_keyboard(page: Page) -> None:
    page.run("document.activeElement.blur(); scrollTo(0, 0)")
    page.press("Tab", 9)
    assert page.run("document.activeElement.className") == "skip"
    everything = page.run(f"{VISIBLE}.length")
    _tab_to(page, "[name=outcome]")
    page.press("ArrowRight", 39)
    assert page.run("document.querySelector('[name=outcome]:checked').value") == "fixed"
    shown = page.run(f"{VISIBLE}.map((one) => one.dataset.outcome)")
    assert 0 < len(shown) < everything and set(shown) == {"fixed"}
    assert page.run("document.querySelector('output').textContent") == f"{len(shown)} of {everything}"
    _tab_to(page, "[name=dimension]")
    page.press("ArrowDown", 40)
    assert page.run("document.activeElement.value") == "SBK"
    assert set(page.run(f"{VISIBLE}.map((one) => one.dataset.dimension)")) == {"SBK"}
    _tab_to(page, "[name=text]")
    page.ask("Input.insertText", text="no such word anywhere")
    assert page.run(f"{VISIBLE}.length") == 0
    page.run(
        "document.querySelector('.filters').reset(); document.querySelector('.filters').dispatchEvent(new Event('input'))"
    )
    _tab_to(page, ".example summary")
    page.press("Enter", 13, "\r")
    assert page.run("document.activeElement.parentElement.open")


def test_the_console_is_silent_and_scripts_of_strangers_are_not_run(page: Page) -> None:
    assert page.run("document.title").startswith("quickstart")
    assert page.run("document.scripts.length") == 1 and page.run("document.images.length") == 0
    assert page.run("performance.getEntriesByType('resource').length") == 0
    assert page.complaints == []


CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = (colour) => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$|\\/ 0\\)$|transparent/.test(colour)) return colour;
    }
    return "white";
  };
  return Object.fromEntries(["body", ".verdict", ".quiet", ".notes h2", ".tag.fixed", ".tag.broken", ".turn", ".word", "summary",
    ".who .mark", "thead th", ".values .trained", ".brand"].map((selector) => {
    const one = document.querySelector(selector);
    const [a, b] = [light(getComputedStyle(one).color), light(background(one))].sort((x, y) => y - x);
    return [selector, (a + 0.05) / (b + 0.05)];
  }));
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page: Page, scheme: str) -> None:
    page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    dark = page.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((part) => part < 60)")
    assert dark == (scheme == "dark")
    contrast = page.run(CONTRAST)
    assert {name: ratio for name, ratio in contrast.items() if ratio < 4.5} == {}


def test_the_print_shows_everything_within_its_page(page: Page) -> None:
    page.ask("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    page.ask("Emulation.setDeviceMetricsOverride", width=718, height=1000, deviceScaleFactor=1, mobile=False)
    closed = page.run(
        "dispatchEvent(new Event('beforeprint')), document.querySelectorAll('details:not([open])').length"
    )
    assert closed == 0
    assert page.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.run("document.documentElement.scrollWidth") <= 718
    printed = page.ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run("document.querySelectorAll('details:not([open])').length") > 0
    page.ask("Emulation.clearDeviceMetricsOverride")


def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    page.ask("Emulation.setEmulatedMedia", media="", features=[])
    page.ask("Emulation.setDeviceMetricsOverride", width=PHONE, height=844, deviceScaleFactor=3, mobile=True)
    assert page.run("document.documentElement.scrollWidth") <= PHONE
    small = page.run(
        "[...document.querySelectorAll('p, td, li, dd')].filter((one) => one.offsetParent !== null && "
        "parseFloat(getComputedStyle(one).fontSize) < 11).map((one) => one.outerHTML.slice(0, 80))"
    )
    assert small == []
    page.ask("Emulation.clearDeviceMetricsOverride")
