"""What is reached over the network: the teacher, its keys, ports that servers of ours will want."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from raiden_core.config import Config
from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.doctor.check import Check, bad, none, ok
from raiden_core.doctor.subject import Subject
from raiden_core.errors import ConfigError
from raiden_core.models.served.listing import fetch_models, get

SECONDS = 5
PREFECT_PORT = 4200
VLLM_PORT = 8000


def check_teacher(subject: Subject) -> Check:
    """Whether every endpoint in use answers and has the model that the configuration names."""
    from raiden_core.models.served.keys import key_of
    from raiden_core.models.served.words import shown_url

    name = "teacher"
    teacher = subject.config.teacher
    if subject.flat is not None:
        return none(name, "not used: the samples are in a file")
    if teacher.kind == "offline":
        return none(name, "the offline teacher needs no server")
    reached, problems, advice = [], [], []
    for label, endpoint in used_endpoints(subject.config).items():
        if teacher.launch is not None and label == teacher.answerer:
            reached.append(f"{label} is started by generation")
            continue
        try:
            key = key_of(label, endpoint, os.environ)
        except ConfigError:
            continue  # check_keys says so
        url = f"{shown_url(endpoint.url).rstrip('/')}/models"
        listing = fetch_models(endpoint.url, key, SECONDS)
        if listing.trouble == "key":
            problems.append(f"{label}: {url} answers {listing.said}")
            advice.append(f"put a valid key into the variable that teacher.endpoints.{label}.api_key_env names")
        elif listing.trouble in ("unreachable", "status", "missing"):
            silent = listing.trouble == "unreachable"
            said = f"does not answer ({listing.said})" if silent else f"answers {listing.said}"
            problems.append(f"{label}: {url} {said}")
            advice.append("start the server, correct the URL, or let raiden start it with teacher.launch")
        elif listing.trouble:
            problems.append(f"{label}: {url} lists no models ({listing.said})")
            advice.append("name the base URL of an OpenAI-compatible server, with its /v1")
        elif endpoint.model not in listing.names:
            problems.append(f"{label}: {url} has {listing.shown() or 'no model'}, not {endpoint.model}")
            advice.append(f"correct teacher.endpoints.{label}.model")
        else:
            reached.append(f"{label}: {endpoint.model}")
    if problems:
        return bad(name, "; ".join(problems), "; ".join(dict.fromkeys(advice)))
    return ok(name, ", ".join(reached)) if reached else none(name, "no endpoint could be asked without its key")


def used_endpoints(config: Config) -> dict[str, EndpointConfig]:
    """The endpoints that generation will ask, each once."""
    teacher = config.teacher
    names = [teacher.answerer, teacher.judge, *teacher.second_answerers, getattr(teacher, "student", None)]
    return {name: teacher.endpoints[name] for name in dict.fromkeys(names) if name}


def check_keys(subject: Subject, environment: Mapping[str, str] | None = None) -> Check:
    """Whether the environment holds the keys that will be asked for; what they are is never shown."""
    from raiden_core.models.served.keys import key_of

    name = "keys"
    given = os.environ if environment is None else environment
    wanted, problems = [], []
    if subject.config.teacher.kind == "llm":
        for label, endpoint in used_endpoints(subject.config).items():
            if endpoint.api_key_env is None:
                continue
            wanted.append(endpoint.api_key_env)
            try:
                key_of(label, endpoint, given)
            except ConfigError as error:
                problems.append(str(error))
    if "wandb" in _reports(subject.config):
        wanted.append("WANDB_API_KEY")
        modes = given.get("WANDB_MODE", "").lower() in ("offline", "disabled")
        if not modes and not given.get("WANDB_API_KEY") and not _has_netrc_entry("api.wandb.ai"):
            problems.append("W&B: WANDB_API_KEY is not set")
    if problems:
        return bad(name, "; ".join(problems), "export the variable in the shell (or worker) that runs raiden")
    return ok(name, f"set: {', '.join(dict.fromkeys(wanted))}") if wanted else none(name, "none are needed")


def check_ports(subject: Subject) -> Check:
    """Whether ports are free that servers of ours will listen on, or what listens there is what is meant."""
    name = "ports"
    problems, advice, fine = [], [], []
    api = os.environ.get("PREFECT_API_URL")
    if subject.flat is not None:
        pass  # a training script on its own needs no Prefect
    elif api:
        shown = urlsplit(api)._replace(query="").geturl().rpartition("@")[2]
        if get(f"{api.rstrip('/')}/health", None, SECONDS).status == 200:
            fine.append("the Prefect server answers")
        else:
            problems.append(f"PREFECT_API_URL {shown} does not answer")
            advice.append("start it (prefect server start), or unset PREFECT_API_URL")
    elif not listening(PREFECT_PORT):
        fine.append(f"{PREFECT_PORT} is free for a Prefect server")
    elif get(f"http://127.0.0.1:{PREFECT_PORT}/api/health", None, SECONDS).status == 200:
        fine.append(f"a Prefect server answers at {PREFECT_PORT}")
    else:
        problems.append(f"{PREFECT_PORT}, Prefect's port, is taken by something else")
        advice.append("prefect server start --port with another one")
    teacher = subject.config.teacher
    if teacher.kind == "llm" and teacher.launch is not None:
        port = urlsplit(teacher.endpoints[teacher.answerer].url).port or 80
        if listening(port):
            problems.append(f"{port} is taken, where teacher.launch wants to listen")
            advice.append("stop that server, or set teacher.launch to null to use it")
        else:
            fine.append(f"{port} is free for the teacher")
    extra = subject.config.grpo.model_extra or {}
    if extra.get("use_vllm") and extra.get("vllm_mode") == "server":
        base = extra.get("vllm_server_base_url")
        host, port = str(extra.get("vllm_server_host", "127.0.0.1")), int(extra.get("vllm_server_port", VLLM_PORT))
        url = str(base or f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}").rstrip("/")
        if get(f"{url}/health", None, SECONDS).status == 200:
            fine.append("the vLLM server answers")
        else:
            problems.append(f"no vLLM server answers at {url.rpartition('@')[2]}")
            advice.append("start it (vllm serve) before training")
    if problems:
        return bad(name, "; ".join(problems), "; ".join(advice))
    return ok(name, ", ".join(fine)) if fine else none(name, "no server is needed")


def listening(port: int) -> bool:
    """Whether somebody listens on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()
    except OSError:
        return False
    return True


def _reports(config: Config) -> list[str]:
    wanted = (config.grpo.model_extra or {}).get("report_to") or []
    return [wanted] if isinstance(wanted, str) else [str(one) for one in wanted]


def _has_netrc_entry(host: str) -> bool:
    import netrc

    try:
        return netrc.netrc().authenticators(host) is not None
    except (FileNotFoundError, netrc.NetrcParseError, PermissionError):
        return False
