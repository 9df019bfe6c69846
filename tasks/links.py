"""Addresses that a run's page can link to."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

REPORTS_VARIABLE = "RAIDEN_REPORTS"
"""Environment variable with the address at which `raiden up` serves reports."""


def report_link(page: Path) -> str:
    """Where a browser finds a report: on this machine's report server, else the file itself."""
    address = os.environ.get(REPORTS_VARIABLE)
    return f"{address}{quote(str(page.absolute()))}" if address else page.absolute().as_uri()
