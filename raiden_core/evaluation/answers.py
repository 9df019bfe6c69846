"""Greedy answers of a model in a local folder, in batches, by transformers.

    model = LocalModel(Path("run/train/model"), max_new_tokens=128, batch_size=96)
    replies = model.answer(prompts, store=Path("out/answers.jsonl"), progress=silent)

Anything with such an ``answer`` method is an `Answerer`, so a served model can stand beside a local one. Every reply is
appended to the store, keyed by model, settings and prompt, as soon as its batch is done: a killed run goes on
where it stopped, a store of another data set or of other weights merely has no matching keys, and a prompt that
several samples share is asked once.

Replies are decoded with their special tokens and cut at the first end-of-turn token: ``<think>`` and ``<answer>`` must
reach the scorer, whatever the tokenizer has registered them as.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from raiden_core.errors import DataError, StageError
from raiden_core.progress import Progress, silent

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Prompt = Sequence[dict[str, str]]
"""A chat: ``{"role", "content"}`` messages that end with the user's question."""

MAX_BATCH_TOKENS = 131_072
"""Padded tokens, prompt and reply together, that one batch may hold: long prompts make smaller batches."""

SMALL_MODEL = 20_000_000
"""Below so many parameters generation on a CPU keeps to one thread: steps take milliseconds, and threads waiting for
each other on a busy machine made 480 answers take 77 s instead of 7."""

SAMPLED_BYTES = 1 << 16
"""Length of each piece that `model_digest` reads of a big file."""

SAMPLED_PIECES = 128


@dataclass(frozen=True)
class Reply:
    """What a model said."""

    text: str
    tokens: int
    """Generated tokens, the end-of-turn token not counted."""
    finished: bool
    """It ended by itself, not at ``max_new_tokens``."""
    note: str = ""
    """Why there is no reply, where the model could not be asked."""


class Answerer(Protocol):
    """Something that replies to chats."""

    def answer(self, prompts: Sequence[Prompt], *, store: Path, progress: Progress = silent) -> list[Reply]:
        """One reply a prompt, in their order; what ``store`` already holds is not asked again."""
        ...


@dataclass(frozen=True)
class LocalModel:
    """A model folder (safetensors, tokenizer, chat template) that answers greedily, on the GPU if there is one."""

    folder: Path
    max_new_tokens: int = 256
    batch_size: int = 64
    """Prompts at most in one batch."""

    def answer(self, prompts: Sequence[Prompt], *, store: Path, progress: Progress = silent) -> list[Reply]:
        """One reply a prompt, in their order; the model is loaded only when something is left to ask.

        Raises:
            DataError: the folder is missing or holds no usable model; the store is broken.
            StageError: a single prompt does not fit into memory.
        """
        tokenizer = _load_tokenizer(self.folder)
        texts = _render(tokenizer, prompts, self.folder)
        settings = f"{model_digest(self.folder)} greedy {self.max_new_tokens}"
        keys = [hashlib.sha256(f"{settings}\0{text}".encode("utf-8", "surrogatepass")).hexdigest() for text in texts]
        replies = _read_store(store)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in replies}
        done = len(set(keys)) - len(missing)
        total = done + len(missing)
        progress(done, total)
        if missing:
            store.parent.mkdir(parents=True, exist_ok=True)
            with store.open("a", encoding="utf-8") as file:
                for batch in self._generate(tokenizer, missing):
                    for key, reply in batch.items():
                        file.write(json.dumps({"key": key, **asdict(reply)}, ensure_ascii=True) + "\n")
                    file.flush()
                    replies |= batch
                    done += len(batch)
                    progress(done, total)
        return [replies[key] for key in keys]

    def _generate(self, tokenizer: PreTrainedTokenizerBase, texts: dict[str, str]) -> Iterator[dict[str, Reply]]:
        """Replies to rendered prompts by key, a batch at a time, the longest first: what breaks breaks early."""
        import torch

        model = _load_model(self.folder)
        threads = torch.get_num_threads()
        if model.device.type == "cpu" and model.num_parameters() < SMALL_MODEL:
            torch.set_num_threads(1)
        try:
            settings = _greedy(model, tokenizer, self.max_new_tokens)
            encoded = tokenizer(list(texts.values()), add_special_tokens=False)["input_ids"]
            tokens = sorted(zip(texts, encoded, strict=True), key=lambda item: -len(item[1]))
            context = getattr(model.config, "max_position_embeddings", None)
            if context is not None:
                room = context - self.max_new_tokens
                if too_long := [(key, ids) for key, ids in tokens if len(ids) > room]:
                    tokens = tokens[len(too_long) :]
                    words = f"leaves no room for {self.max_new_tokens} more in the model's context of {context}"
                    yield {
                        key: Reply("", 0, False, f"the prompt of {len(ids)} tokens {words}") for key, ids in too_long
                    }
            for batch in _batches(tokens, self.batch_size, self.max_new_tokens):
                keys, ids = zip(*batch, strict=True)
                yield dict(zip(keys, _reply(model, tokenizer, settings, list(ids)), strict=True))
        finally:
            torch.set_num_threads(threads)
            del model
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


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


def _load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    if not folder.is_dir():
        raise DataError(f"{folder}: no such model folder")
    if not any(folder.glob("*.safetensors")):
        raise DataError(f"{folder}: holds no .safetensors file; only such weights are loaded")
    # Without these files transformers builds an empty tokenizer, which reads every prompt as nothing.
    if not any(path.name.startswith(("tokenizer", "vocab")) for path in folder.iterdir()):
        raise DataError(f"{folder}: the tokenizer cannot be loaded: its files are missing")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{folder}: the tokenizer cannot be loaded: {_first_line(error)}") from error
    if tokenizer.chat_template is None:
        raise DataError(f"{folder}: the tokenizer has no chat template; store one beside the model")
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _load_model(folder: Path) -> Any:
    """The model on its device; typed loosely, because transformers' own types do not fit its usage."""
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


def _render(tokenizer: PreTrainedTokenizerBase, prompts: Sequence[Prompt], folder: Path) -> list[str]:
    from jinja2 import TemplateError

    try:
        return [
            str(tokenizer.apply_chat_template(list(prompt), tokenize=False, add_generation_prompt=True))
            for prompt in prompts
        ]
    except TemplateError as error:
        raise DataError(f"{folder}: the chat template refuses a prompt: {_first_line(error)}") from error


def _greedy(model: Any, tokenizer: PreTrainedTokenizerBase, max_new_tokens: int) -> Any:
    """Plain argmax until an end-of-turn token, whatever sampling and penalties the folder recommends."""
    from transformers import GenerationConfig

    make_settings: Any = GenerationConfig
    ends: set[int] = set()
    for ids in (model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id):
        ends.update([ids] if isinstance(ids, int) else ids or [])
    settings = make_settings(
        do_sample=False,
        num_beams=1,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(ends) or None,
        pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0,
    )
    # transformers fills what a call leaves open from the model's own settings; these replace them altogether.
    model.generation_config = settings
    return settings


def _batches(
    tokens: Sequence[tuple[str, list[int]]], batch_size: int, new_tokens: int
) -> Iterator[list[tuple[str, list[int]]]]:
    """Batches of prompts that are sorted from long to short, within the number of prompts and of padded tokens."""
    start = 0
    while start < len(tokens):
        width = len(tokens[start][1]) + new_tokens
        size = max(1, min(batch_size, MAX_BATCH_TOKENS // width))
        yield list(tokens[start : start + size])
        start += size


def _reply(model: Any, tokenizer: PreTrainedTokenizerBase, settings: Any, prompts: list[list[int]]) -> list[Reply]:
    """Replies to one batch; a batch that does not fit into the GPU's memory is halved."""
    import torch

    batch = tokenizer.pad({"input_ids": prompts}, return_tensors="pt").to(model.device)
    try:
        with torch.inference_mode():
            output = model.generate(**batch, generation_config=settings)
    except torch.cuda.OutOfMemoryError:
        if len(prompts) == 1:
            words = f"a prompt of {len(prompts[0])} tokens alone does not fit into the GPU's memory"
            raise StageError(f"{words}; use a smaller model or shorter profiles") from None
        torch.cuda.empty_cache()
        middle = len(prompts) // 2
        parts = (prompts[:middle], prompts[middle:])
        return [reply for part in parts for reply in _reply(model, tokenizer, settings, part)]
    ends = set(settings.eos_token_id or [])
    return [_cut(tokenizer, row, ends) for row in output[:, batch["input_ids"].shape[1] :].tolist()]


def _cut(tokenizer: PreTrainedTokenizerBase, ids: list[int], ends: set[int]) -> Reply:
    end = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    text = tokenizer.decode(ids[:end], skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return Reply(str(text), end, end < len(ids))


def _read_store(store: Path) -> dict[str, Reply]:
    """The replies of a store; a last line that a kill cut short is dropped from the file.

    Raises:
        DataError: any other line is broken.
    """
    if not store.is_file():
        return {}
    content = store.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with store.open("r+b") as file:
            file.truncate(len(whole))
    replies: dict[str, Reply] = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            row: dict[str, Any] = json.loads(line)
            key = row.pop("key")
            replies[key] = Reply(**row)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DataError(f"{store}: line {number} is no stored reply; remove that line, or the file") from None
    return replies


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
