"""A stand-in for a model server: python fake_server.py PORT [what it does wrong].

It starts a child in a session of its own, as servers' launchers do, and leaves both process ids in PIDS.
"""

import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

CHILD = ["sleep", "120"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(120)"]


class Handler(BaseHTTPRequestHandler):
    """Health, models, and a path that makes the server end."""

    def do_GET(self) -> None:
        if self.path == "/die":
            sys.stderr.write("CUDA error: an illegal memory access\n")
            os._exit(3)
        if self.path == "/health_generate":
            ready = time.monotonic() - started > 0.2 and "never" not in sys.argv
            self.reply(200 if ready else 503, b"")
        elif self.path == "/v1/models":
            asked = self.headers["Authorization"]
            if "keyed" in sys.argv and asked != "Bearer sesame":
                self.reply(401, b"")
            elif "html" in sys.argv:
                self.reply(200, b"<html>")
            else:
                self.reply(200, json.dumps({"data": [{"id": "glm-4.6"}]}).encode())
        else:
            self.reply(404, b"")

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return None


started = time.monotonic()
child = subprocess.Popen(STUBBORN if "stubborn" in sys.argv else CHILD, start_new_session=True)
Path(os.environ["PIDS"]).write_text(f"{os.getpid()}\n{child.pid}\n")
if "die" in sys.argv:
    sys.stderr.write("loading weights\nRuntimeError: out of memory, key sesame\n\x1b[31mbye\x1b[0m\n")
    sys.exit(7)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
