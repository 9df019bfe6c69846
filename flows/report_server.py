"""Serves the reports of runs on loopback, so that the link on a run's page opens: browsers follow no ``file://`` from there.

``raiden up`` starts it (``python -m flows.report_server``) and gives its address to the worker in ``RAIDEN_REPORTS``. The
address holds a secret word, as the Prefect server may ask for a password and this one does not. Nothing is served but the
page of a folder whose manifest says that it is a report; nothing is listed and nothing is written.
"""

from __future__ import annotations

import json
import os
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from raiden_core.errors import UsageError
from raiden_core.stages.folder import MANIFEST
from raiden_core.stages.layout import REPORT, REPORT_FILE
from tasks.links import REPORTS_VARIABLE

HOST = "127.0.0.1"


def page_of(path: str, word: str) -> Path | None:
    """The report that a request's path names; None where it names none, or the secret word is wrong."""
    given, _, place = unquote(urlsplit(path).path).lstrip("/").partition("/")
    if not secrets.compare_digest(given.encode(), word.encode()) or "\0" in place:
        return None
    page = Path("/", place)
    if page.name != REPORT_FILE or page.is_symlink():
        return None
    try:
        manifest = json.loads((page.parent / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return page if isinstance(manifest, dict) and manifest.get("stage") == REPORT else None


class Handler(BaseHTTPRequestHandler):
    """Answers GET for one page at a time."""

    word = ""

    def do_GET(self) -> None:
        """Send the page, or 404 without a reason."""
        page = page_of(self.path, self.word)
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        if page is None or host not in (HOST, "localhost"):  # another name would be somebody else's page asking
            self.send_error(404)
            return
        try:
            content = page.read_bytes()
        except OSError:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the secret word out of the log."""


def serve(address: str) -> None:
    """Serve reports at an address such as ``http://127.0.0.1:4201/WORD`` until the process is ended.

    Raises:
        UsageError: the address is none of that form.
    """
    parts = urlsplit(address)
    word = parts.path.strip("/")
    if parts.hostname != HOST or parts.port is None or not word:
        raise UsageError(f"{REPORTS_VARIABLE}: is no address of reports; raiden up sets it")
    handler = type("ReportHandler", (Handler,), {"word": word})
    with ThreadingHTTPServer((HOST, parts.port), handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    serve(os.environ.get(REPORTS_VARIABLE, ""))
