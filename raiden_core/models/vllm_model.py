"""Answers of a model in a local folder by vLLM, where that is installed and asked for (``evaluation.engine: vllm``).

    model = VllmModel(Path("run/train/model"), max_new_tokens=256)
    replies = model.answer(prompts, store=Path("out/answers.jsonl"))

vLLM makes its own batches, so that ``batch_size`` does not count here. Prompts are rendered and cut into tokens by the
folder's own tokenizer, and replies are decoded by it, as with transformers: only what is computed in between differs.
The interface is that of vLLM's documentation (``LLM.generate`` on ``prompt_token_ids``, ``SamplingParams``).
"""

from __future__ import annotations

import gc
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from raiden_core.errors import ConfigError, StageError
from raiden_core.models.answering import GREEDY, Reply
from raiden_core.models.folder import end_tokens
from raiden_core.models.local_model import Job, LocalModel, cut_reply

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHUNK = 512
"""Prompts handed over at a time: after each chunk its replies are stored, so that a kill costs no more than one."""

SEED_DIGITS = 8
"""Hex digits of a job's key that seed its draw: vLLM takes a seed for each request."""


@dataclass(frozen=True)
class VllmModel(LocalModel):
    """A model folder that vLLM answers for; greedy replies are the argmax, as with transformers."""

    gpus: int = 1
    """How many GPUs the model is spread over."""
    engine: ClassVar[str] = " vllm"

    def __post_init__(self) -> None:
        if importlib.util.find_spec("vllm") is None:
            raise ConfigError(
                "evaluation.engine: vllm is not installed; install raiden with its extra 'vllm', or take transformers"
            )

    def _generate(self, tokenizer: PreTrainedTokenizerBase, jobs: dict[str, Job]) -> Iterator[dict[str, Reply]]:
        """Replies by key, a chunk at a time, the longest prompts first: what breaks breaks early."""
        from transformers import AutoConfig, GenerationConfig

        vllm: Any = importlib.import_module("vllm")

        config = AutoConfig.from_pretrained(self.folder, trust_remote_code=False, local_files_only=True)
        own = self.folder / "generation_config.json"
        settings = GenerationConfig.from_pretrained(self.folder) if own.is_file() else GenerationConfig()
        ends = end_tokens(settings, config, tokenizer)
        tokens, refused = self._encode(tokenizer, jobs, getattr(config, "max_position_embeddings", None))
        if refused:
            yield refused
        if not tokens:
            return
        try:
            llm = vllm.LLM(
                model=str(self.folder),
                trust_remote_code=False,
                seed=self.seed,
                tensor_parallel_size=self.gpus,
                # No cache for a longer context than these prompts need.
                max_model_len=len(tokens[0][1]) + self.max_new_tokens,
            )
        except (ValueError, RuntimeError) as error:
            words = " ".join(str(error).split()) or type(error).__name__
            raise StageError(f"{self.folder}: vLLM cannot load the model: {words}") from error

        def asked_for(key: str) -> Any:
            greedy = jobs[key].draw == GREEDY
            return vllm.SamplingParams(
                temperature=0.0 if greedy else self.temperature,
                seed=None if greedy else int(key[:SEED_DIGITS], 16),
                max_tokens=self.max_new_tokens,
                stop_token_ids=ends,
                skip_special_tokens=False,
            )

        try:
            for start in range(0, len(tokens), CHUNK):
                chunk = tokens[start : start + CHUNK]
                prompts = [{"prompt_token_ids": ids} for _, ids in chunk]
                outputs = llm.generate(prompts, [asked_for(key) for key, _ in chunk], use_tqdm=False)
                yield {
                    key: _reply(tokenizer, output.outputs[0], set(ends))
                    for (key, _), output in zip(chunk, outputs, strict=True)
                }
        finally:
            # The next model needs the memory.
            del llm
            gc.collect()


def _reply(tokenizer: PreTrainedTokenizerBase, output: Any, ends: set[int]) -> Reply:
    reply = cut_reply(tokenizer, list(output.token_ids), ends)
    return Reply(reply.text, reply.tokens, output.finish_reason == "stop")
