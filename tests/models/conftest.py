"""What the tests of models share: clients that do not wait long before they ask again."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raiden_core.models.served.endpoint.FIRST_PAUSE", 0.05)
