"""The folder behind what a user names as a model on the command line."""

from __future__ import annotations

from pathlib import Path

from raiden_core.config.sections.training import GgufConfig
from raiden_core.errors import DataError
from raiden_core.models.gguf import is_gguf
from raiden_core.models.gguf.unpack import dense_folder


def model_folder(place: str) -> Path:
    """The folder of a model; of a stage's folder the ``model`` in it; of a GGUF file what it was unpacked into.

    Raises:
        DataError: there is none.
        RaidenError: a GGUF file cannot be unpacked.
    """
    folder = Path(place)
    if is_gguf(place) and not folder.is_dir():
        return dense_folder(folder, GgufConfig())
    inner = folder / "model"
    if not (folder / "config.json").is_file() and (inner / "config.json").is_file():
        return inner
    if not folder.is_dir():
        raise DataError(f"{place}: no such model folder; a server is named by http://HOST:PORT/v1#MODEL")
    return folder
