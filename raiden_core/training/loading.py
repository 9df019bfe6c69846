"""What a job says of its model, on the way to whatever loads it: the settings of TRL's ModelConfig.

TRL's own scripts pass these on by themselves, its trainers do not: a setting that is forgotten here would be accepted
and ignored. tests/wiring/test_trl_fields.py looks for each of them behind this module.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config.sections.training import GgufConfig
from raiden_core.errors import DataError
from raiden_core.models.gguf import is_gguf
from raiden_core.models.gguf.unpack import dense_folder

if TYPE_CHECKING:
    from transformers.utils.quantization_config import BitsAndBytesConfig
    from trl import ModelConfig

WANTED = ("*.json", "*.safetensors", "*.jinja", "*.txt", "*.model")
"""Files of a model on the Hub that are loaded; none of them is code."""
NEWEST = "main"
"""The revision that a model's name means by itself."""


def model_place(model: ModelConfig) -> str:
    """Where everything about the model is loaded from: its name, the folder of the revision that was asked for, or the one
    that a GGUF file is unpacked into.

    Raises:
        DataError: the Hub and its cache have no such revision.
        RaidenError: a GGUF file cannot be unpacked.
    """
    name, revision = str(model.model_name_or_path), model.model_revision
    if is_gguf(name) and not Path(name).is_dir():
        return str(dense_folder(Path(name), GgufConfig()))
    if revision in (None, NEWEST):
        return name
    return str(model_snapshot(name, revision))


def model_snapshot(name: str, revision: str | None = None) -> Path:
    """The folder of a model: itself, or the Hub's, from its cache or fetched.

    Raises:
        DataError: the Hub and its cache have no such model or revision.
    """
    if Path(name).is_dir() and revision is None:
        return Path(name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(WANTED)))
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        what = f"model_revision: {name} has no {revision}" if revision else f"model_name_or_path: {name}: none is there"
        raise DataError(f"{what}, or it cannot be had: {first}") from None


def loading_arguments(model: ModelConfig, given: dict[str, Any] | str | None) -> dict[str, Any]:
    """The keyword arguments of ``from_pretrained``: the job's own ``model_init_kwargs``, and what its other keys say."""
    own: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
    said = {
        "dtype": model.dtype or "float32",
        "attn_implementation": model.attn_implementation,
    }
    # The revision is in the place that is loaded from; code that comes with a model is never run.
    return {**{name: value for name, value in said.items() if value is not None}, **own, "trust_remote_code": False}


def quantization(model: ModelConfig) -> BitsAndBytesConfig | None:
    """How the frozen weights below an adapter are stored (QLoRA), or None where they are what they were."""
    from trl import get_quantization_config

    return get_quantization_config(model)
