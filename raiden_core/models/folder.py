"""What a model folder holds: its tokenizer, its weights, its chat template, and a digest that changes with them.

Only safetensors are loaded, nothing of the folder is executed, and nothing is fetched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError
from raiden_core.models.answering import Prompt
from raiden_core.models.templates import complete_template
from raiden_core.processes.threads import share_cores

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SAMPLED_BYTES = 1 << 16
"""Length of each piece that `model_digest` reads of a big file."""

SAMPLED_PIECES = 128


def model_digest(folder: Path) -> str:
    """A digest that changes with the weights, the tokenizer or the chat template of a model folder.

    Of a file above 8 MiB only its size and 128 pieces spread over it are read: training moves every tensor, and
    hashing 30 GB on each look would cost minutes.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix not in {".safetensors", ".json", ".jinja", ".txt", ".model"}:
            continue
        size = path.stat().st_size
        digest.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            if size <= SAMPLED_BYTES * SAMPLED_PIECES:
                digest.update(file.read())
                continue
            for piece in range(SAMPLED_PIECES):
                file.seek((size - SAMPLED_BYTES) * piece // (SAMPLED_PIECES - 1))
                digest.update(file.read(SAMPLED_BYTES))
    return digest.hexdigest()


TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")


def check_model_folder(name: str) -> None:
    """Refuse a folder that is no model; a name that is no folder is left to the Hub.

    Raises:
        DataError: there is no config.json or no tokenizer in it, or a path does not exist.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if folder.is_absolute() or name.startswith((".", "~")):
            raise DataError(f"{name}: no such folder; give a model's folder or its Hub id")
        return
    if not (folder / "config.json").is_file():
        raise DataError(f"{folder}: no config.json: not a model; give the folder that save_pretrained wrote")
    # Without these files transformers builds an empty tokenizer, which reads every prompt as nothing.
    if not any((folder / file).is_file() for file in TOKENIZER_FILES):
        raise DataError(
            f"{folder}: the tokenizer cannot be loaded: no tokenizer (e.g. tokenizer.json) is there; copy its files "
            "from the model it was made from"
        )


def check_weights(folder: Path) -> None:
    """Refuse a folder without weights that `load_model` loads.

    Raises:
        DataError: it does not exist, or holds no safetensors.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such model folder")
    if not any(folder.glob("*.safetensors")):
        raise DataError(f"{folder}: holds no .safetensors file; only such weights are loaded")


def load_tokenizer(model: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model's folder, or of a model that the Hub or its cache knows by this name.

    It pads on the left, as generation needs it, always has a padding token, and a template that takes a system turn.

    Raises:
        DataError: no model or no tokenizer is there, or the tokenizer has no chat template.
    """
    share_cores()
    from transformers import AutoTokenizer

    check_model_folder(str(model))
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            model, padding_side="left", trust_remote_code=False, local_files_only=Path(model).is_dir()
        )
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{model}: the tokenizer cannot be loaded: {_first_line(error)}") from error
    if tokenizer.chat_template is None:
        raise DataError(f"{model}: the tokenizer has no chat template; use an instruction-tuned model or add one")
    complete_template(tokenizer, str(model))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(folder: Path) -> Any:
    """The model on its device; typed loosely, because transformers' own types do not fit its usage.

    Raises:
        DataError: its weights or its configuration are broken.
    """
    share_cores()
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging as untyped

    logging: Any = untyped
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype="auto", use_safetensors=True, trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise DataError(f"{folder}: the model cannot be loaded: {_first_line(error)}") from error
    finally:
        if bars:
            logging.enable_progress_bar()
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def render(tokenizer: PreTrainedTokenizerBase, prompts: Sequence[Prompt], folder: Path) -> list[str]:
    """Prompts as the folder's chat template writes them.

    Raises:
        DataError: the template refuses one.
    """
    from jinja2 import TemplateError

    try:
        return [
            str(tokenizer.apply_chat_template(list(prompt), tokenize=False, add_generation_prompt=True))
            for prompt in prompts
        ]
    except TemplateError as error:
        raise DataError(f"{folder}: the chat template refuses a prompt: {_first_line(error)}") from error


def end_tokens(model_settings: Any, config: Any, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Every token that ends a turn: those of the generation settings, the model's configuration, the tokenizer."""
    ends: set[int] = set()
    for ids in (model_settings.eos_token_id, config.eos_token_id, tokenizer.eos_token_id):
        ends.update([ids] if isinstance(ids, int) else ids or [])
    return sorted(ends)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
