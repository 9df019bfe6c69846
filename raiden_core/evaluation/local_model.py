"""Answers of a model in a local folder, in batches, by transformers.

    model = LocalModel(Path("run/train/model"), max_new_tokens=128, batch_size=96)
    replies = model.answer(prompts, store=Path("out/answers.jsonl"), progress=silent)

Replies are decoded with their special tokens and cut at the first end-of-turn token: ``<think>`` and ``<answer>`` must
reach the scorer, whatever the tokenizer has registered them as. A prompt that several samples share is asked once.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError, StageError
from raiden_core.evaluation.answers import GREEDY, Prompt, Reply, append_replies, read_replies
from raiden_core.progress import Progress, silent

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MAX_BATCH_TOKENS = 131_072
"""Padded tokens, prompt and reply together, that one batch may hold: long prompts make smaller batches."""

CPU_BATCH_TOKENS = 32_768
"""The same on a CPU: 360 prompts of 1,100 tokens took a tiny model 121 s in batches of 128, and 60 s in those of 32."""

SMALL_MODEL = 20_000_000
"""Below so many parameters generation on a CPU keeps to one thread: steps take milliseconds, and threads waiting for
each other on a busy machine made 480 answers take 77 s instead of 7."""

SAMPLED_BYTES = 1 << 16
"""Length of each piece that `model_digest` reads of a big file."""

SAMPLED_PIECES = 128


@dataclass(frozen=True)
class _Job:
    """A rendered prompt and which draw of it is wanted."""

    text: str
    draw: int


@dataclass(frozen=True)
class LocalModel:
    """A model folder (safetensors, tokenizer, chat template) that answers on the GPU if there is one."""

    folder: Path
    max_new_tokens: int = 256
    batch_size: int = 64
    """Prompts at most in one batch."""
    temperature: float = 1.0
    """Of all draws but the greedy one."""
    seed: int = 0
    """Of the same draws: the same batches give the same replies."""

    def answer(
        self,
        prompts: Sequence[Prompt],
        *,
        store: Path,
        progress: Progress = silent,
        draws: Sequence[int] | None = None,
    ) -> list[Reply]:
        """One reply a prompt, in their order; the model is loaded only when something is left to ask.

        Raises:
            DataError: the folder is missing or holds no usable model; the store is broken.
            StageError: a single prompt does not fit into memory.
        """
        tokenizer = load_tokenizer(self.folder)
        texts = render(tokenizer, prompts, self.folder)
        digest = model_digest(self.folder)
        jobs = [_Job(text, draw) for text, draw in zip(texts, draws or [GREEDY] * len(texts), strict=True)]
        keys = [self._key(digest, job) for job in jobs]
        replies = read_replies(store)
        missing = {key: job for key, job in zip(keys, jobs, strict=True) if key not in replies}
        done = len(set(keys)) - len(missing)
        total = done + len(missing)
        progress(done, total)
        if missing:
            for batch in self._generate(tokenizer, missing):
                append_replies(store, batch.items())
                replies |= batch
                done += len(batch)
                progress(done, total)
        return [replies[key] for key in keys]

    def _key(self, digest: str, job: _Job) -> str:
        how = "greedy" if job.draw == GREEDY else f"temperature {self.temperature} seed {self.seed} draw {job.draw}"
        settings = f"{digest} {how} {self.max_new_tokens}"
        return hashlib.sha256(f"{settings}\0{job.text}".encode("utf-8", "surrogatepass")).hexdigest()

    def _generate(self, tokenizer: PreTrainedTokenizerBase, jobs: dict[str, _Job]) -> Iterator[dict[str, Reply]]:
        """Replies by key, a batch at a time, greedy ones first, and the longest first: what breaks breaks early."""
        import torch

        model = load_model(self.folder)
        most = CPU_BATCH_TOKENS if model.device.type == "cpu" else MAX_BATCH_TOKENS
        threads = torch.get_num_threads()
        if model.device.type == "cpu" and model.num_parameters() < SMALL_MODEL:
            torch.set_num_threads(1)
        try:
            encoded = tokenizer([job.text for job in jobs.values()], add_special_tokens=False)["input_ids"]
            tokens = sorted(zip(jobs, encoded, strict=True), key=lambda item: -len(item[1]))
            context = getattr(model.config, "max_position_embeddings", None)
            if context is not None:
                room = context - self.max_new_tokens
                if too_long := [(key, ids) for key, ids in tokens if len(ids) > room]:
                    tokens = tokens[len(too_long) :]
                    words = f"leaves no room for {self.max_new_tokens} more in the model's context of {context}"
                    yield {
                        key: Reply("", 0, False, f"the prompt of {len(ids)} tokens {words}") for key, ids in too_long
                    }
            for sampled in (False, True):
                settings = decoding(model, tokenizer, self.max_new_tokens, self.temperature if sampled else 0)
                part = [(key, ids) for key, ids in tokens if (jobs[key].draw != GREEDY) == sampled]
                for batch in _batches(part, self.batch_size, self.max_new_tokens, most):
                    keys, ids = zip(*batch, strict=True)
                    # By the batch's own first key: a batch draws the same whatever was asked before it.
                    torch.manual_seed(int(keys[0][:15], 16))
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


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder, set up to pad on the left.

    Raises:
        DataError: the folder holds no usable model.
    """
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


def load_model(folder: Path) -> Any:
    """The model on its device; typed loosely, because transformers' own types do not fit its usage.

    Raises:
        DataError: its weights or its configuration are broken.
    """
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


def decoding(model: Any, tokenizer: PreTrainedTokenizerBase, max_new_tokens: int, temperature: float) -> Any:
    """Argmax or plain sampling until an end-of-turn token, whatever sampling and penalties the folder recommends."""
    from transformers import GenerationConfig

    make_settings: Any = GenerationConfig
    ends: set[int] = set()
    for ids in (model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id):
        ends.update([ids] if isinstance(ids, int) else ids or [])
    sampling = {"do_sample": True, "temperature": temperature, "top_p": 1.0, "top_k": 0} if temperature else {}
    settings = make_settings(
        **{"do_sample": False, **sampling},
        num_beams=1,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(ends) or None,
        pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0,
    )
    # transformers fills what a call leaves open from the model's own settings; these replace them altogether.
    model.generation_config = settings
    return settings


def _batches(
    tokens: Sequence[tuple[str, list[int]]], batch_size: int, new_tokens: int, most: int
) -> Iterator[list[tuple[str, list[int]]]]:
    """Batches of prompts that are sorted from long to short, within the number of prompts and of padded tokens."""
    start = 0
    while start < len(tokens):
        width = len(tokens[start][1]) + new_tokens
        size = max(1, min(batch_size, most // width))
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


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
