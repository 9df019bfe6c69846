"""A model's files, in a folder or in the Hub cache; the Hub itself is asked only for what is not here."""

from __future__ import annotations

import json
import os
from pathlib import Path

from raiden_core.doctor.check import Check, bad, ok

HUB_SECONDS = 8
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
HEADER_LIMIT = 100 << 20
"""Bytes beyond which a safetensors header cannot be one."""


def folder_problem(folder: Path) -> tuple[str, str] | None:
    """What is wrong with a model's folder, and what to do; None where all is there."""
    if not (folder / "config.json").is_file():
        return f"{folder}: no config.json", "name the folder that holds config.json, weights and tokenizer"
    try:
        json.loads((folder / "config.json").read_text("utf-8"))
    except ValueError as error:
        return f"{folder / 'config.json'}: broken JSON: {error}", "copy the model again"
    weights = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if weights is None:
        return f"{folder}: no weights ({', '.join(WEIGHTS[:2])})", "copy the weights into it"
    files = [weights]
    if weights.suffix == ".json":
        try:
            files = sorted({folder / name for name in json.loads(weights.read_text("utf-8"))["weight_map"].values()})
        except (ValueError, KeyError, AttributeError):
            return f"{weights}: broken", "copy the model again"
    for file in files:
        problem = _weights_problem(file)
        if problem:
            return f"{file}: {problem}", "copy the model again"
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        return f"{folder}: no tokenizer ({', '.join(TOKENIZER_FILES[:2])})", "copy the tokenizer's files into it"
    return None


def _weights_problem(file: Path) -> str | None:
    if not file.is_file():
        return "is missing"
    if file.suffix != ".safetensors":
        return None
    whole = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 0 < length <= min(HEADER_LIMIT, whole):
            return "is no safetensors file, or was cut off"
        try:
            header = json.loads(stream.read(length))
        except ValueError:
            return "its header is broken"
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    if 8 + length + max(ends, default=0) != whole:
        return f"was cut off: {whole:,} bytes instead of {8 + length + max(ends, default=0):,}"
    return None


def hub_problem(name: str, model: str, revision: str | None = None) -> Check:
    """Whether a Hub id is in the cache at a revision (None: the newest), or can be had."""
    from httpx2 import HTTPError
    from huggingface_hub import HfApi, try_to_load_from_cache
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    cached = {
        file
        for file in ("config.json", *WEIGHTS, *TOKENIZER_FILES)
        if _path(try_to_load_from_cache(model, file, revision=revision))
    }
    shown = model if revision is None else f"{model} at revision {revision}"
    fetch = f"hf download {model}" if revision is None else f"hf download {model} --revision {revision}"
    if "config.json" in cached and cached & set(WEIGHTS) and cached & set(TOKENIZER_FILES):
        folder = Path(_path(try_to_load_from_cache(model, "config.json", revision=revision)) or "").parent
        problem = folder_problem(folder)
        if problem is None:
            return ok(name, f"{shown}: in the Hub cache")
        return bad(name, problem[0], fetch)
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    if offline:
        return bad(
            name,
            f"{shown}: not in the Hub cache, and HF_HUB_OFFLINE is set",
            f"run {fetch} with a network, then try again",
        )
    try:
        HfApi().model_info(model, revision=revision, timeout=HUB_SECONDS)
    except GatedRepoError:
        return bad(name, f"{model}: gated", "accept its licence on its page and set HF_TOKEN")
    except RevisionNotFoundError:
        return bad(name, f"{model}: has no revision {revision}", "check model_revision against the model's page")
    except RepositoryNotFoundError:
        return bad(name, f"{model}: the Hub has no such model, or it is private", "check the id, or set HF_TOKEN")
    except (HfHubHTTPError, HTTPError, OSError) as error:
        reason = type(error).__name__
        return bad(
            name,
            f"{shown}: not in the cache, and the Hub cannot be reached ({reason})",
            f"run {fetch} with a network, or copy the model and name its folder",
        )
    return ok(name, f"{shown}: on the Hub, to be downloaded when training starts")


def _path(found: object) -> str | None:
    return found if isinstance(found, str) else None
