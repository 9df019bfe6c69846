"""The link on a run's page: it opens the report, and nothing else of the machine."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flows.report_server import HOST, Handler, serve
from flows.services import REPORTS_FILE, reports_address
from raiden_core.errors import UsageError
from tasks.links import REPORTS_VARIABLE, report_link

WORD = "s3cret-word"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A report's folder, a folder of another stage, and a page that nobody made."""
    for name, stage in (("report-1 ü", "report"), ("train-1", "train")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.html").write_text(f"<p>{stage}", "utf-8")
        (tmp_path / name / "secret.txt").write_text("no")
        (tmp_path / name / "manifest.json").write_text(json.dumps({"stage": stage}))
    (tmp_path / "report.html").write_text("not of a stage")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "report.html").write_text("x")
    (tmp_path / "broken" / "manifest.json").write_text("[]")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "manifest.json").write_text(json.dumps({"stage": "report"}))
    (tmp_path / "linked" / "report.html").symlink_to("/etc/hostname")
    return tmp_path


@pytest.fixture
def address() -> Iterator[str]:
    handler = type("H", (Handler,), {"word": WORD})
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_address[1]}/{WORD}"
        server.shutdown()


def get(url: str, host: str | None = None) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(HOST, parts.port or 0, timeout=10)
    connection.request("GET", parts.path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_the_link_of_a_report_opens_it(folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = folder / "report-1 ü" / "report.html"
    monkeypatch.delenv(REPORTS_VARIABLE, raising=False)
    assert report_link(page) == page.as_uri()
    monkeypatch.setenv(REPORTS_VARIABLE, address)
    assert get(report_link(page)) == (200, "<p>report")
    assert get(report_link(page), host="localhost:1")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["train-1/report.html", "report-1%20%C3%BC/secret.txt", "report-1%20%C3%BC/manifest.json", "report-1%20%C3%BC/",
     "report.html", "broken/report.html", "linked/report.html", "nowhere/report.html", "report-1%20%C3%BC/report.html%00"],
)  # fmt: skip
def test_nothing_else_is_served(path: str, folder: Path, address: str) -> None:
    assert get(f"{address}{folder}/{path}")[0] == 404


def test_a_wrong_word_or_a_strange_host_gets_nothing(folder: Path, address: str) -> None:
    good = f"{address}{folder}/report-1%20%C3%BC/report.html"
    assert get(good.replace(WORD, "guess"))[0] == 404
    assert get(good, host="evil.example:80")[0] == 404


def test_the_address_stays_as_it_was_where_its_port_is_free(tmp_path: Path) -> None:
    first = reports_address(tmp_path)
    assert reports_address(tmp_path) == first
    assert (tmp_path / REPORTS_FILE).stat().st_mode & 0o777 == 0o600
    with ThreadingHTTPServer((HOST, urlsplit(first).port or 0), Handler):
        assert reports_address(tmp_path) != first


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:1", "http://0.0.0.0:9/word", "http://127.0.0.1/word"])
def test_it_starts_at_a_loopback_address_with_a_word_only(address: str) -> None:
    with pytest.raises(UsageError, match=REPORTS_VARIABLE):
        serve(address)
