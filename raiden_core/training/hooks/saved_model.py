"""The end of a training run: a model that is saved, read back, compared, and asked one question.

Saving can go wrong without a word: adapters that come out empty under sharding, weights that were never gathered, a
tokenizer that renders another prompt. So what was saved is loaded as anybody will load it, and only when its answer's
probabilities are those of the model in memory is the run a success. (Where ranks hold only shards of the model in
memory, the saved weights are compared with those that training started from instead: they must differ.)
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import StageError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer

ADAPTER = "adapter"
"""Folder of an adapter beside the model that it was merged into."""
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
"""What is kept of it."""
QUESTION_TOKENS = 24
"""Tokens of the answer to the one question."""
CLOSE = {"float32": 1e-3, "bfloat16": 0.25, "float16": 0.05}
"""How far mean log-probabilities of the same tokens may lie apart: rounding of a merge and of another device."""


def save_model(
    trainer: Trainer, tokenizer: PreTrainedTokenizerBase, folder: Path, *, base: str | Path, prompt: Sequence[Any]
) -> str:
    """Save the trained model as one folder that loads without its base, and check what lies there.

    An adapter is merged into the model and kept beside it, in `ADAPTER`.

    Args:
        trainer: its model is saved; an adapter is merged into ``base``.
        tokenizer: saved with its chat template.
        folder: for the model.
        base: the model that training started from.
        prompt: a chat to ask the saved model.

    Returns:
        The saved model's answer, on the main process; "" on the others.

    Raises:
        StageError: what was saved is not what was trained.
    """
    adapted = hasattr(trainer.accelerator.unwrap_model(trainer.model), "merge_and_unload")
    first = trainer.is_world_process_zero()
    if first:
        for left in (folder, folder.with_name(ADAPTER)):  # halves of a try that was killed here
            shutil.rmtree(left, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    # The trainer gathers what is sharded, so that all ranks take part; what it writes of an adapter is the adapter.
    place = folder.with_name(ADAPTER) if adapted else folder
    if trainer.is_fsdp_enabled:
        trainer.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
    trainer.save_model(str(place))
    answer = ""
    if first:
        if adapted:
            _merge(base, place, folder, trainer.accelerator.unwrap_model(trainer.model))
            _keep_only(place, ADAPTER_FILES)
        tokenizer.save_pretrained(folder)
        (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle, of no use to whoever loads the model
        answer = _check(trainer, folder, base, prompt)
    trainer.accelerator.wait_for_everyone()
    return answer


def whole_base(base: str | Path, dtype: torch.dtype, quantized: Any = None) -> Any:
    """The model that an adapter is for.

    Args:
        base: its folder, or its name on the Hub.
        dtype: of its weights.
        quantized: how they were stored while the adapter was trained: it then belongs on those, written out, not on what
            they were before.
    """
    from transformers import AutoModelForCausalLM

    stored = {"quantization_config": quantized} if quantized is not None else {}
    whole: Any = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, trust_remote_code=False, **stored)
    return whole if quantized is None else whole.dequantize()


def _merge(base: str | Path, adapter: Path, folder: Path, trained: Any) -> None:
    from peft import PeftModel

    whole = whole_base(base, _dtype(trained), getattr(trained.config, "quantization_config", None))
    merged: Any = PeftModel.from_pretrained(whole, adapter)
    merged.merge_and_unload().save_pretrained(folder)


def _keep_only(folder: Path, names: Sequence[str]) -> None:
    """Remove the copies of tokenizer, settings and card that a trainer writes beside an adapter."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in names:
            path.unlink()


def _check(trainer: Trainer, folder: Path, base: str | Path, prompt: Sequence[Any]) -> str:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from raiden_core.training.hooks.probe import greedy_replies

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left", trust_remote_code=False)
    # Without autocast, so that both models are asked in the precision of their weights.
    trained = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    saved, about = AutoModelForCausalLM.from_pretrained(
        folder, dtype=_dtype(trained), output_loading_info=True, trust_remote_code=False
    )
    lost = [*sorted(about["missing_keys"]), *sorted(about["mismatched_keys"])]
    if lost:
        raise StageError(
            f"{folder}: the saved model lacks {len(lost)} weights, e.g. {lost[0]}; the checkpoints are kept"
        )
    broken = next((name for name, tensor in saved.named_parameters() if not bool(tensor.isfinite().all())), None)
    if broken is not None:
        raise StageError(
            f"{folder}: {broken} holds values that are no numbers: training diverged; lower learning_rate and start "
            "from an earlier checkpoint"
        )
    saved.eval()
    sharded = bool(trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled)
    if (sharded or _adapter_moved(trained)) and _same_weights(saved, base):
        raise StageError(
            f"{folder}: the saved weights are those that training started from, so what was trained was saved empty; "
            "the checkpoints are kept"
        )
    if sharded:
        return greedy_replies(saved, tokenizer, [list(prompt)], QUESTION_TOKENS)[0]
    saved.to(_place_for(saved, trained.device))
    answer = greedy_replies(saved, tokenizer, [list(prompt)], QUESTION_TOKENS)[0]
    text = str(tokenizer.apply_chat_template(list(prompt), tokenize=False, add_generation_prompt=True)) + answer
    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
    apart = abs(float(log_probabilities(trained, ids).mean()) - float(log_probabilities(saved, ids).mean()))
    allowed = rounding_of(_dtype(trained))
    if getattr(trained.config, "quantization_config", None) is not None:
        allowed = max(allowed, CLOSE["float16"])  # kernels for quantized weights round more than the weights' own type
    if apart > allowed:
        raise StageError(
            f"{folder}: the saved model is not the trained one: asked the same question, their log-probabilities lie "
            f"{apart:.2g} a token apart (rounding: {allowed}); the checkpoints are kept"
        )
    return answer


def _dtype(model: Any) -> torch.dtype:
    """What a model computes in; the numbers that quantized weights are stored as are no such type."""
    dtype: torch.dtype = next(one.dtype for one in model.parameters() if one.dtype.is_floating_point)
    return dtype


def rounding_of(dtype: torch.dtype) -> float:
    """How far log-probabilities per token may lie apart by rounding alone."""
    return CLOSE.get(str(dtype).removeprefix("torch."), CLOSE["bfloat16"])


def log_probabilities(model: Any, ids: torch.Tensor) -> torch.Tensor:
    """Of each token of a text after the first, on the CPU.

    Args:
        model: any causal language model.
        ids: shape (1, tokens).

    Returns:
        Shape (tokens - 1,).
    """
    import torch

    was_training = model.training
    model.eval()
    with torch.inference_mode():
        logits = model(ids.to(model.device)).logits[:, :-1].float().cpu()
    model.train(was_training)
    found: torch.Tensor = logits.log_softmax(-1).gather(-1, ids[:, 1:, None]).flatten()
    return found


def _same_weights(model: PreTrainedModel, base: str | Path) -> bool:
    from transformers import AutoModelForCausalLM

    before = AutoModelForCausalLM.from_pretrained(base, dtype=model.dtype, trust_remote_code=False).state_dict()
    return all(bool((before[name] == tensor).all()) for name, tensor in model.state_dict().items() if name in before)


def _adapter_moved(model: PreTrainedModel) -> bool:
    """Whether a LoRA adapter is there and does something: its second factor starts as zeros."""
    return any(bool(weight.any()) for name, weight in model.named_parameters() if "lora_B" in name)


def _place_for(model: PreTrainedModel, wanted: torch.device) -> torch.device:
    """The device of the trained model where there is room for a second one, else the CPU."""
    import torch

    if wanted.type == "cuda" and torch.cuda.mem_get_info(wanted)[0] < 1.5 * model.get_memory_footprint():
        return torch.device("cpu")
    return wanted
