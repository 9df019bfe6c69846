"""A GGUF file as an ordinary model folder: dense safetensors, tokenizer, chat template; made once and kept.

    folder = dense_folder(Path("SmolLM2-135M-Instruct.Q4_1.gguf"), GgufConfig())

Packed weights can be neither trained nor saved. The folder is kept below ``$RAIDEN_CACHE`` (default: raiden in the user's
cache folder), by the file's sha256, the type of the weights and the code that reads them. It is written under another name
and renamed when the model in it has been asked a question and has answered like a language model: what has its final name
is whole. Weights are written one after the other, so that memory holds one of them at a time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.config.sections.training import GgufConfig
from raiden_core.errors import ConfigError, DataError, StageError
from raiden_core.models.folder import load_tokenizer
from raiden_core.models.gguf.architectures import architecture_of, check_tensors, config_of, to_halves
from raiden_core.models.gguf.asking import ask
from raiden_core.models.gguf.comparing import compare
from raiden_core.models.gguf.header import Header, read_header
from raiden_core.models.gguf.tokenizers import rule_of, tokenizer_of
from raiden_core.models.llama_cpp import is_installed
from raiden_core.stages.digests import digest_code
from raiden_core.stages.folder import folder_name, unfinished_folder
from raiden_core.stages.run import stage_lock

CACHE_VARIABLE = "RAIDEN_CACHE"
ABOUT_FILE = "unpacked.json"
"""What the folder was made of, and what its model answered."""
MARGIN = 64 << 20
"""Bytes on the disk for the tokenizer and what else is beside the weights."""
GIB = 2**30
SAFETENSORS_TYPES = {"float32": "F32", "bfloat16": "BF16"}

log = logging.getLogger(__name__)


def dense_folder(path: Path, options: GgufConfig) -> Path:
    """The folder that a GGUF file was, or is now, unpacked into.

    Raises:
        ConfigError: the file is not there, or its hash is not the one that was asked for.
        DataError: it is cut short, or holds an architecture, a tokenizer or weights that are not read here; or the model
            answers nonsense.
        StageError: the disk has no room for the dense copy, or the cache folder cannot be written.
    """
    path = path.expanduser().absolute()
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; give a GGUF file, a model's folder or a Hub id")
    digest = file_sha256(path)
    if options.sha256 is not None and digest != options.sha256.lower():
        raise ConfigError(
            f"{path}: its sha256 is {digest}, not {options.sha256}; get the file again, or correct student.gguf.sha256"
        )
    key = hashlib.sha256(f"{digest} {options.dtype} {digest_code(__name__)}".encode()).hexdigest()
    cache = cache_folder()
    folder = cache / folder_name(path.stem, key)
    if folder.is_dir():
        return folder
    header = read_header(path)
    try:
        with stage_lock(cache, path.stem, key, lambda: log.info("%s: another process unpacks it", path.name)):
            if not folder.is_dir():
                _unpack(header, folder, options, digest, key)
    except OSError as error:
        raise StageError(f"{cache}: {error.strerror}; name another place with {CACHE_VARIABLE}=FOLDER") from None
    return folder


def unpacked_words(folder: Path) -> str:
    """What to say beside a model's folder that a GGUF file was unpacked into; nothing beside others."""
    about = folder / ABOUT_FILE
    if not about.is_file():
        return ""
    made = json.loads(about.read_text("utf-8"))
    question, reply = made["asked"]
    return f"; unpacked from {made['file']} as {made['dtype']}; asked {question!r} it says {reply!r}"


def cache_folder() -> Path:
    """Where dense copies are kept."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own).expanduser().absolute() / "gguf"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "raiden" / "gguf"


def file_sha256(path: Path) -> str:
    """sha256 of a whole file, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(header: Header, folder: Path, options: GgufConfig, digest: str, key: str) -> None:
    """Write the folder; whoever calls this holds its lock."""
    kind, config = architecture_of(header), config_of(header)
    names = check_tensors(header, kind, config)
    tokenizer = tokenizer_of(header, config["max_position_embeddings"])
    width = 4 if options.dtype == "float32" else 2
    needed = width * sum(math.prod(header.tensors[name].shape) for name in names) + MARGIN
    free = shutil.disk_usage(folder.parent).free
    if free < needed:
        raise StageError(
            f"{folder.parent}: {free / GIB:.1f} GiB free, but the dense copy of {header.path.name} needs "
            f"{needed / GIB:.1f} GiB; make room, or name another place with {CACHE_VARIABLE}=FOLDER"
        )
    log.info("%s: unpacking into %s, once", header.path.name, folder)
    partial = unfinished_folder(folder.parent, header.path.stem, key)
    shutil.rmtree(partial, ignore_errors=True)  # of a try that was killed
    partial.mkdir()
    try:
        tokenizer.save_pretrained(partial)
        _write_config(partial, config, options.dtype)
        _write_weights(partial / "model.safetensors", header, names, config, options.dtype)
        loaded = load_tokenizer(partial)
        if (rule := rule_of(loaded)) != header.metadata["tokenizer.ggml.pre"]:
            raise DataError(
                f"{header.path}: transformers loads a {kind.name} model's tokenizer as {type(loaded).__name__}, which splits as "
                f"{rule or 'nothing known'}, not as {header.metadata['tokenizer.ggml.pre']}; name the model's safetensors instead"
            )
        loaded.save_pretrained(partial)  # with a template that takes a system turn
        asked = ask(partial, header.path)
        if is_installed():
            compare(partial, header.path, partial.with_suffix(".log"))
        about = {"file": header.path.name, "sha256": digest, "dtype": options.dtype, "asked": asked}
        (partial / ABOUT_FILE).write_text(json.dumps(about, ensure_ascii=False, indent=2), "utf-8")
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    log.info("%s: asked %r, it says %r", header.path.name, *asked)


def _write_config(folder: Path, config: Mapping[str, Any], dtype: str) -> None:
    from transformers import AutoConfig, GenerationConfig

    values = {name: value for name, value in config.items() if name != "model_type"}
    AutoConfig.for_model(config["model_type"], dtype=dtype, **values).save_pretrained(folder)
    make: Any = GenerationConfig
    make(
        bos_token_id=config["bos_token_id"], eos_token_id=config["eos_token_id"], pad_token_id=config["pad_token_id"]
    ).save_pretrained(folder)


def _write_weights(file: Path, header: Header, names: Mapping[str, str], config: Mapping[str, Any], dtype: str) -> None:
    """The weights as one safetensors file: the length of its table, the table, the numbers."""
    kind, width = architecture_of(header), 4 if dtype == "float32" else 2
    table: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for ours, theirs in names.items():
        shape = header.tensors[ours].shape
        start, end = end, end + width * math.prod(shape)
        table[theirs] = {"dtype": SAFETENSORS_TYPES[dtype], "shape": list(shape), "data_offsets": [start, end]}
    head = json.dumps(table).encode()
    head += b" " * (-len(head) % 8)  # numbers begin at a multiple of eight
    with file.open("wb") as out:
        out.write(struct.pack("<Q", len(head)))
        out.write(head)
        for ours in names:
            weights = header.weights(ours)
            heads = kind.heads_of(ours, config["num_attention_heads"], config["num_key_value_heads"])
            out.write(_as_bytes(weights if heads is None else to_halves(weights, heads), dtype))


def _as_bytes(weights: Any, dtype: str) -> bytes | memoryview:
    import numpy as np

    numbers = np.ascontiguousarray(weights, "<f4")
    if dtype == "bfloat16":
        import torch

        numbers = torch.tensor(numbers).to(torch.bfloat16).view(torch.int16).numpy()
    return numbers.data.cast("B")
