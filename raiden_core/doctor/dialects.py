"""Whether every served model is asked in a way that its server understands."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping

from raiden_core.config import Config
from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.doctor.check import Check, bad, none, ok
from raiden_core.doctor.services import SECONDS, used_endpoints
from raiden_core.doctor.subject import Subject
from raiden_core.errors import ConfigError, RaidenError
from raiden_core.models.served.finding import find_dialect
from raiden_core.models.served.keys import key_of
from raiden_core.models.served.listing import fetch_models
from raiden_core.rewards.listed.chosen import chosen_rewards

NEXT = "\n→ "
"""Before each further line of what to do."""


def check_dialects(subject: Subject, environment: Mapping[str, str] = os.environ) -> Check:
    """Ask each served teacher, judge and model under evaluation a few short questions, and say what to set for it."""
    name = "dialects"
    seen: list[str] = []
    problems: list[str] = []
    advice: list[str] = []
    for place, endpoint in served_endpoints(subject).items():
        try:
            key = key_of(place, endpoint, environment)
        except ConfigError:
            continue  # check_keys says so
        listing = fetch_models(endpoint.url, key, SECONDS)
        if (listing.trouble and not listing.lists_nothing) or listing.lacks(endpoint.model):
            continue  # check_teacher says so of a teacher; whoever is not up yet cannot be asked
        try:
            found = asyncio.run(find_dialect(endpoint, key))
        except RaidenError as error:
            problems.append(f"{place}: {error}")
            advice.append(f"correct {place}, or look after its server")
            continue
        (problems if found.settings else seen).append(f"{place}: {found.seen}")
        advice += [
            f"{place}.{field}: {json.dumps(value)} ({found.because[field]})" for field, value in found.settings.items()
        ]
    if problems:
        return bad(name, "\n".join(problems + seen), NEXT.join(advice))
    return ok(name, "\n".join(seen)) if seen else none(name, "no server that runs now was to be asked")


def served_endpoints(subject: Subject) -> dict[str, EndpointConfig]:
    """The endpoints that a run will ask and that no run starts, by the key where each is configured."""
    config = subject.config
    found = {} if subject.flat is not None else _teachers(config)
    if config.evaluation.judge is not None:
        found["evaluation.judge"] = config.evaluation.judge
    if "url" in config.evaluation.served.model_fields_set:
        found["evaluation.served"] = config.evaluation.served
    for place, reward in enumerate(chosen_rewards(config)):
        if reward.endpoint is not None and reward.endpoint not in found.values():
            found[f"rewards.{place}.endpoint"] = reward.endpoint
    return found


def _teachers(config: Config) -> dict[str, EndpointConfig]:
    teacher = config.teacher
    if teacher.kind == "offline":
        return {}
    launched = teacher.answerer if teacher.launch is not None else None
    used = used_endpoints(config).items()
    return {f"teacher.endpoints.{label}": endpoint for label, endpoint in used if label != launched}
