"""A model folder as a GGUF file, for llama.cpp and the programs that are built on it.

    packed = pack(Path("run/train/model"), Path("mine-f16.gguf"), "f16", "mine")

Written with the maintainers' package, one weight after the other, from the same tables by which such files are read. The
tokenizer must split by a rule that llama.cpp knows; what is not special here is not special there, so that ``<think>`` and
``<answer>`` stay text.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from raiden_core.errors import DataError, StageError
from raiden_core.models.folder import check_weights, load_tokenizer
from raiden_core.models.gguf.architectures import ARCHITECTURES, EMBEDDING, OUTPUT, Architecture, to_neighbours
from raiden_core.models.gguf.tokenizers import CONTROL, MODEL, NORMAL, SPLITTINGS, UNUSED, USER_DEFINED, rule_of
from raiden_core.models.gguf.writing import gguf_writer
from raiden_core.processes.collection import without_collection

if TYPE_CHECKING:
    import gguf
    import numpy as np
    from transformers import PreTrainedTokenizerBase

Quant = Literal["f16", "q8_0", "q4_0"]
QUANTS: tuple[Quant, ...] = get_args(Quant)
TAGS = ("<think>", "</think>", "<answer>", "</answer>")
"""Stay text, whatever the tokenizer has registered them as: a program that hides special tokens would hide the reply's form."""
CONVERTER = "llama.cpp's convert_hf_to_gguf.py"
MARGIN = 32 << 20
"""Bytes for metadata and vocabulary."""
GIB = 2**30


@dataclass(frozen=True)
class Packed:
    """A file that was written."""

    file: Path
    quant: Quant
    size: int
    """Bytes."""
    rule: str
    """``tokenizer.ggml.pre``."""


def pack(folder: Path, file: Path, quant: Quant, name: str) -> Packed:
    """Write a model folder as one GGUF file.

    Args:
        folder: safetensors, config.json, tokenizer with chat template.
        file: to write; it appears under its name when it is whole.
        quant: how matrices are packed; norms and biases stay float32. With q4_0 embeddings are packed as q8_0.
        name: of the model, as programs show it.

    Raises:
        DataError: an architecture, a weight or a tokenizer that is not written here.
        StageError: the disk has no room.
    """
    check_weights(folder)
    config = _config(folder)
    kind = ARCHITECTURES[config["model_type"]]
    # A vocabulary is a hundred thousand objects that are all needed: a quarter of the export of a small model.
    with without_collection():
        tokenizer = load_tokenizer(folder)
    rule = rule_of(tokenizer)
    if rule is None:
        raise DataError(
            f"{folder}: its tokenizer splits text by a rule that llama.cpp has no name for here ({', '.join(SPLITTINGS)} are "
            "known), so the file would read other tokens; the nano student's cuts at the keys and values of its own data. "
            f"For other models try {CONVERTER}"
        )
    with ExitStack() as opened:
        weights = _Weights(folder, opened)
        names = _names(folder, kind, config, weights)
        kinds = {ours: _kind(ours, weights.shape(theirs), quant) for ours, theirs in names.items()}
        sizes = {ours: _size(weights.shape(theirs), kinds[ours]) for ours, theirs in names.items()}
        _check_room(file, sum(sizes.values()))
        partial = file.with_name(f".{file.name}.partial")
        writer = gguf_writer(partial, kind.name)
        try:
            _add_metadata(writer, kind, config, name, quant)
            with without_collection():
                _add_tokenizer(writer, tokenizer, rule, weights.shape(names[EMBEDDING])[0])
            for ours, theirs in names.items():
                packed_type = _numpy_type(kinds[ours])
                shape = _packed_shape(weights.shape(theirs), kinds[ours])
                writer.add_tensor_info(ours, shape, packed_type, sizes[ours], raw_dtype=kinds[ours])
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_ti_data_to_file()
            halves = _Halves(
                math.prod(weights.shape(names[ours])) for ours, packed in kinds.items() if _is_half(packed)
            )
            for ours, theirs in names.items():
                heads = kind.heads_of(ours, config["num_attention_heads"], config["num_key_value_heads"])
                writer.write_tensor_data(_packed(weights.numbers(theirs), heads, kinds[ours], halves))
            writer.close()
            partial.rename(file)
        except OSError as error:
            raise StageError(f"{file}: {error.strerror}; make room or name another folder") from None
        finally:
            partial.unlink(missing_ok=True)
    return Packed(file, quant, file.stat().st_size, rule)


class _Halves:
    """Memory for the 16-bit form of one weight after the other: fresh memory for each takes longer than the conversion."""

    def __init__(self, sizes: Iterable[int]) -> None:
        import torch

        self._numbers = torch.empty(max(sizes, default=0), dtype=torch.float16)

    def of(self, numbers: Any) -> np.ndarray[Any, Any]:
        """A torch tensor in 16 bits; it holds until the next one is asked for."""
        found: np.ndarray[Any, Any] = self._numbers[: numbers.numel()].view(numbers.shape).copy_(numbers).numpy()
        return found


class _Weights:
    """The weights of a folder, read one by one."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        from safetensors import SafetensorError, safe_open

        self._of: dict[str, Any] = {}
        for path in sorted(folder.glob("*.safetensors")):
            try:
                content = opened.enter_context(safe_open(path, framework="pt"))
            except SafetensorError as error:
                raise DataError(f"{path}: cannot be read: {error}; train again or copy the file again") from None
            self._of |= dict.fromkeys(content.keys(), content)

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def __contains__(self, name: str) -> bool:
        return name in self._of

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._of[name].get_slice(name).get_shape())

    def numbers(self, name: str) -> Any:
        """A torch tensor."""
        return self._of[name].get_tensor(name)


def _config(folder: Path) -> dict[str, Any]:
    if (folder / "adapter_config.json").is_file():
        raise DataError(f"{folder}: an adapter alone; merge it into its base first")
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / 'config.json'}: cannot be read: {error}; give a model's folder") from None
    kind = config.get("model_type")
    if kind not in ARCHITECTURES:
        raise DataError(
            f"{folder}: model_type {kind} is not written as GGUF here ({', '.join(ARCHITECTURES)} are); {CONVERTER} may do it"
        )
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if rope.get("rope_type", rope.get("type", "default")) != "default" or config.get("use_sliding_window"):
        raise DataError(f"{folder}: scaled positions or a sliding window are not written here; {CONVERTER} does it")
    heads = int(config["num_attention_heads"])
    config["num_key_value_heads"] = int(config.get("num_key_value_heads") or heads)
    config["head_dim"] = int(config.get("head_dim") or config["hidden_size"] // heads)
    config["rope_theta"] = float(rope.get("rope_theta") or config.get("rope_theta") or 10000.0)
    return config


def _names(folder: Path, kind: Architecture, config: Mapping[str, Any], weights: _Weights) -> dict[str, str]:
    """The weights to write: GGUF's name -> transformers'."""
    names = kind.names(int(config["num_hidden_layers"]))
    if config.get("tie_word_embeddings") or names[OUTPUT] not in weights:
        del names[OUTPUT]
    missing = next((theirs for theirs in names.values() if theirs not in weights), None)
    if missing is not None:
        raise DataError(f"{folder}: {missing}: no such weight; not a whole {kind.name} model")
    known = {*names.values(), "lm_head.weight"}
    unknown = next((theirs for theirs in weights if theirs not in known), None)
    if unknown is not None:
        raise DataError(
            f"{folder}: {unknown}: a {kind.name} model's GGUF has no such weight here; {CONVERTER} may do it"
        )
    return names


def _kind(name: str, shape: tuple[int, ...], quant: Quant) -> gguf.GGMLQuantizationType:
    import gguf

    if len(shape) == 1:
        return gguf.GGMLQuantizationType.F32
    wanted = "q8_0" if quant == "q4_0" and name in (EMBEDDING, OUTPUT) else quant
    found = gguf.GGMLQuantizationType[wanted.upper()]
    # A row that is no multiple of a block cannot be packed.
    return found if shape[-1] % gguf.GGML_QUANT_SIZES[found][0] == 0 else gguf.GGMLQuantizationType.F16


def _size(shape: tuple[int, ...], kind: gguf.GGMLQuantizationType) -> int:
    import gguf

    block, size = gguf.GGML_QUANT_SIZES[kind]
    return math.prod(shape) // block * size


def _packed_shape(shape: tuple[int, ...], kind: gguf.GGMLQuantizationType) -> tuple[int, ...]:
    import gguf

    if _is_plain(kind):
        return shape
    return tuple(gguf.quants.quant_shape_to_byte_shape(shape, kind))


def _is_plain(kind: gguf.GGMLQuantizationType) -> bool:
    import gguf

    return kind in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16)


def _is_half(kind: gguf.GGMLQuantizationType) -> bool:
    import gguf

    return kind == gguf.GGMLQuantizationType.F16


def _numpy_type(kind: gguf.GGMLQuantizationType) -> Any:
    import gguf
    import numpy as np

    types = {gguf.GGMLQuantizationType.F32: np.float32, gguf.GGMLQuantizationType.F16: np.float16}
    return np.dtype(types.get(kind, np.uint8))


def _packed(numbers: Any, heads: int | None, kind: gguf.GGMLQuantizationType, halves: _Halves) -> np.ndarray[Any, Any]:
    """A torch tensor as llama.cpp wants it."""
    import gguf
    import numpy as np
    import torch

    plain = halves.of(numbers) if _is_half(kind) else numbers.to(torch.float32).numpy()
    if heads is not None:
        plain = np.ascontiguousarray(to_neighbours(plain, heads))
    packed: np.ndarray[Any, Any] = plain if _is_plain(kind) else gguf.quants.quantize(plain, kind)
    return packed


def _add_metadata(
    writer: gguf.GGUFWriter, kind: Architecture, config: Mapping[str, Any], name: str, quant: Quant
) -> None:
    import gguf

    types = {
        "f16": gguf.LlamaFileType.MOSTLY_F16,
        "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
        "q4_0": gguf.LlamaFileType.MOSTLY_Q4_0,
    }
    writer.add_name(name)
    writer.add_file_type(types[quant])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(int(config["num_hidden_layers"]))
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(int(config["hidden_size"]))
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(int(config["num_attention_heads"]))
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_vocab_size(int(config["vocab_size"]))


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: PreTrainedTokenizerBase, rule: str, rows: int) -> None:
    """Vocabulary, merges, special tokens and chat template; ``rows`` is how many embeddings there are."""
    pieces, kinds, merges = vocabulary(tokenizer, rows)
    writer.add_tokenizer_model(MODEL)
    writer.add_tokenizer_pre(rule)
    writer.add_token_list(pieces)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    for number, add in (
        (tokenizer.bos_token_id, writer.add_bos_token_id),
        (tokenizer.eos_token_id, writer.add_eos_token_id),
        (tokenizer.pad_token_id, writer.add_pad_token_id),
        (tokenizer.unk_token_id, writer.add_unk_token_id),
    ):
        if isinstance(number, int):
            add(number)
    writer.add_add_bos_token(False)  # the template writes what a prompt begins with
    writer.add_chat_template(str(tokenizer.chat_template))


def vocabulary(tokenizer: PreTrainedTokenizerBase, rows: int) -> tuple[list[str], list[int], list[str]]:
    """Pieces by id, what GGUF says of each, and merges, the first ones first.

    Args:
        tokenizer: of byte-level BPE.
        rows: embeddings; ids that no token has are written as unused.

    Raises:
        DataError: there are more tokens than embeddings.
    """
    backend: Any = tokenizer
    model = json.loads(backend.backend_tokenizer.to_str())["model"]
    pieces: dict[int, str] = {number: piece for piece, number in model["vocab"].items()}
    kinds = dict.fromkeys(pieces, NORMAL)
    for number, token in backend.added_tokens_decoder.items():
        special = token.special and token.content not in TAGS
        pieces[number], kinds[number] = token.content, CONTROL if special else USER_DEFINED
    if max(pieces) >= rows:
        raise DataError(f"{tokenizer.name_or_path}: token {max(pieces)} has no embedding: the model has {rows} rows")
    for number in set(range(rows)) - pieces.keys():
        pieces[number], kinds[number] = f"[PAD{number}]", UNUSED
    merges: list[Any] = model["merges"]
    if merges and not isinstance(merges[0], str):
        merges = list(map(" ".join, merges))
    order = range(rows)
    return list(map(pieces.__getitem__, order)), list(map(kinds.__getitem__, order)), merges


def _check_room(file: Path, size: int) -> None:
    free, needed = shutil.disk_usage(file.parent).free, size + MARGIN
    if free < needed:
        raise StageError(
            f"{file.parent}: {free / GIB:.2f} GiB free, but {file.name} needs {needed / GIB:.2f} GiB; make room or name "
            "another folder"
        )
