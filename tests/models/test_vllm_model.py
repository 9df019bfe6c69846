"""vLLM as the engine of a local folder: what it is asked, what becomes of its replies. A stand-in has its interface."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from raiden_core.errors import ConfigError, StageError
from raiden_core.models.answering import Reply
from raiden_core.models.folder import load_tokenizer
from raiden_core.models.local_model import LocalModel
from raiden_core.models.vllm_model import VllmModel

REPLY = ["<think>", "h", "m", "</think>", "<answer>", "长沙", "</answer>", "<|im_end|>"]


def _prompt(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "You are Ann."}, {"role": "user", "content": question}]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Installs the stand-in, which says ``REPLY`` to everything, and tells what it was made and asked with."""
    seen: list[Any] = []

    class LLM:
        def __init__(self, **arguments: Any) -> None:
            if arguments["tensor_parallel_size"] > 1:
                raise ValueError("Tensor parallel size (2) cannot be larger than\nthe number of available GPUs (1).")
            seen.append(arguments)
            self.ids = load_tokenizer(Path(arguments["model"])).convert_tokens_to_ids(REPLY)

        def generate(self, prompts: list[Any], sampling_params: list[Any], *, use_tqdm: bool) -> list[Any]:
            assert len(prompts) == len(sampling_params) and not use_tqdm
            seen.extend(zip(prompts, sampling_params, strict=True))
            return [self._output(settings) for settings in sampling_params]

        def _output(self, settings: Any) -> Any:
            ended = settings.max_tokens >= len(self.ids)
            part = SimpleNamespace(
                token_ids=tuple(self.ids[: settings.max_tokens]), finish_reason="stop" if ended else "length"
            )
            return SimpleNamespace(outputs=[part])

    module = ModuleType("vllm")
    module.__spec__ = SimpleNamespace(name="vllm")  # type: ignore[assignment]
    module.LLM, module.SamplingParams = LLM, lambda **settings: SimpleNamespace(**settings)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", module)
    return seen


def test_replies_are_those_that_transformers_gives(
    parrot: Callable[..., Path], asked: list[Any], tmp_path: Path
) -> None:
    folder, prompts = parrot("parrot", REPLY), [_prompt("Who?"), _prompt("你好"), _prompt("Who?")]
    for limit in (12, 4):
        expected = LocalModel(folder, limit).answer(prompts, store=tmp_path / f"{limit}.jsonl")
        assert VllmModel(folder, limit).answer(prompts, store=tmp_path / f"v{limit}.jsonl") == expected
    assert expected == [Reply("<think>hm</think>", 4, False)] * 3


def test_vllm_is_asked_for_the_argmax_by_tokens_and_nothing_twice(
    parrot: Callable[..., Path], asked: list[Any], tmp_path: Path
) -> None:
    folder, store = parrot("parrot", REPLY), tmp_path / "a.jsonl"
    model = VllmModel(folder, 12, temperature=0.7)
    model.answer([_prompt("Who?")], store=store)
    arguments, (prompt, greedy) = asked
    tokenizer = load_tokenizer(folder)
    text = tokenizer.apply_chat_template(_prompt("Who?"), tokenize=False, add_generation_prompt=True)
    assert prompt == {"prompt_token_ids": tokenizer(text, add_special_tokens=False)["input_ids"]}
    assert (greedy.temperature, greedy.seed, greedy.max_tokens, greedy.skip_special_tokens) == (0.0, None, 12, False)
    assert greedy.stop_token_ids == [tokenizer.eos_token_id]
    assert arguments["max_model_len"] == len(prompt["prompt_token_ids"]) + 12 and not arguments["trust_remote_code"]
    del asked[:]
    replies = model.answer([_prompt("Who?")] * 3, store=store, draws=[0, 1, 2])
    assert len(replies) == 3
    draws = [settings for _, settings in asked[1:]]
    assert [one.temperature for one in draws] == [0.7, 0.7] and len({one.seed for one in draws}) == 2
    del asked[:]
    assert model.answer([_prompt("Who?")] * 3, store=store, draws=[0, 1, 2]) == replies and asked == []
    # What transformers has answered was not answered by vLLM.
    LocalModel(folder, 12).answer([_prompt("你好")], store=store)
    model.answer([_prompt("你好")], store=store)
    assert len(asked) == 2


def test_a_prompt_beyond_the_context_and_a_model_that_vllm_refuses_are_told(
    parrot: Callable[..., Path], asked: list[Any], tmp_path: Path
) -> None:
    folder = parrot("short", REPLY, context=120)
    replies = VllmModel(folder, 12).answer([_prompt("?"), _prompt("x" * 200)], store=tmp_path / "a.jsonl")
    assert replies[0].finished and "context of 120" in replies[1].note
    with pytest.raises(
        StageError, match=r"vLLM cannot load the model: Tensor parallel size \(2\) cannot be larger than the number"
    ):
        VllmModel(folder, 13, gpus=2).answer([_prompt("?")], store=tmp_path / "a.jsonl")


def test_without_vllm_the_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"evaluation\.engine: vllm is not installed"):
        VllmModel(tmp_path)
