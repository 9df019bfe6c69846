"""The report in a real browser: hostile text is inert, the console is silent, the script works, nothing is too wide."""

import os
import re
import runpy
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from raiden_core.report import build_report

SYNTHETIC = runpy.run_path(str(Path(__file__).parents[1] / "report" / "synthetic.py"))
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
    inputs = SYNTHETIC["make_inputs"](tmp_path / "run", hostile)
    build_report(**inputs)
    dom, log = _dump(inputs["out"].as_uri(), tmp_path / "profile")
    assert _console(log) == []
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert title is not None and title[1].startswith("quickstart")
    assert re.search(r"<output[^>]*>(\d+) of \1</output>", dom), "the filter has counted the dialogues"
    assert dom.count("<script>") == 1 and "<img" not in dom


def test_the_console_would_show_a_script_that_is_stopped(tmp_path: Path) -> None:
    """The policy itself works, and so does the way in which the test above reads the console."""
    inputs = SYNTHETIC["make_inputs"](tmp_path / "run")
    build_report(**inputs)
    page = inputs["out"].read_text(encoding="utf-8")
    bad = tmp_path / "bad.html"
    bad.write_text(page.replace("</body>", "<script>document.title = 'owned'</script></body>"), encoding="utf-8")
    dom, log = _dump(bad.as_uri(), tmp_path / "profile")
    assert "<title>owned" not in dom
    assert any("Content Security Policy" in line for line in _console(log))


def test_page_fits_a_phone(tmp_path: Path) -> None:
    inputs = SYNTHETIC["make_inputs"](tmp_path / "run", hostile=True)
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
