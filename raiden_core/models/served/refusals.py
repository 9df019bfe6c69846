"""Refusals that are kept: what a model could not do in all attempts is not paid for again by the next run.

They lie in the store of replies, under keys of their own, as replies that ended ``refused``. The key holds what can be changed
about a refused request beside the request itself: how often it is tried, and whether the server is given the schema. So
whoever changes one of these, or the wording, the schema or the model, asks again; and so does whoever removes the store.
Only what lies in the text is kept (`OF_THE_MODEL`), never a server's failure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.models.answering import Refused
from raiden_core.models.served.acceptance import OF_THE_MODEL, Answer

REFUSED = "refused"
"""The ``finish_reason`` of such a row."""
HOTTER = 0.35
"""How much temperature each further attempt adds: a greedy request comes back the same, word for word."""
HOTTEST = 1.2
"""Beyond, small models write noise. A request that starts higher keeps its temperature."""


def key_of_refusal(key: str, config: EndpointConfig) -> str:
    """The store's key of the refusal of the request with this key: 64 hex digits."""
    content = f"{key} refused, attempts: {config.attempts}, json_schema: {config.json_schema}"
    return hashlib.sha256(content.encode()).hexdigest()


def as_answer(refused: Refused) -> Answer | None:
    """A refusal as a row of the store; None for one that another attempt may not meet."""
    if refused.reason not in OF_THE_MODEL or refused.of_server:
        return None
    return Answer(json.dumps({"reason": refused.reason, "detail": refused.detail}, ensure_ascii=False), REFUSED)


def as_refusal(answer: Answer) -> Refused:
    """What `as_answer` kept."""
    row = json.loads(answer.text)
    return Refused(row["reason"], row["detail"])


def changed(body: Mapping[str, Any], attempt: int) -> dict[str, Any]:
    """The body of a further attempt (from 1) after the model's own text was refused: hotter."""
    first = float(body["temperature"])
    return {**body, "temperature": max(first, min(HOTTEST, round(first + HOTTER * attempt, 4)))}
