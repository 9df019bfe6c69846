"""A group's prompt computed once: the same log-probabilities, losses, gradients and samples as computed for each."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raiden_core.training.row_size import completions_per_row
from raiden_core.training.shared_prefix import SharedPrefix, pack, together
from tests.support import injection

pytestmark = pytest.mark.integration

GROUP, PROMPTS = 4, 3
SHAPE = {
    "vocab_size": 300, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
KINDS = ("qwen3", "llama", "qwen2")


def model_of(kind: str, **changes: Any) -> Any:
    """A random model whose distributions are not flat."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(3)
    config = AutoConfig.for_model(kind, **{**SHAPE, "head_dim": 8, **changes})
    model = AutoModelForCausalLM.from_config(config, attn_implementation=changes.get("attn_implementation", "sdpa"))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.mul_(4)
    return model.float()


def trainer_of(kind_of_trainer: type[Any], model: Any, tokenizer: Any, batches: Any, out: Path, **changes: Any) -> Any:
    """A trainer that takes its completions from ``batches`` and records its gradients."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import GRPOConfig

    gradients: list[dict[str, torch.Tensor]] = []

    class Gradients(TrainerCallback):  # type: ignore[misc]  # transformers is not followed
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            model = given["model"]
            gradients.append({name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None})

    accumulation = changes.pop("gradient_accumulation_steps", 1)
    adapter = changes.pop("peft_config", None)
    arguments: dict[str, Any] = {
        "output_dir": str(out), "use_cpu": True, "bf16": False, "gradient_checkpointing": False, "report_to": "none",
        "save_strategy": "no", "disable_tqdm": True, "logging_steps": 1, "shuffle_dataset": False, "optim": "sgd",
        "learning_rate": 0.1, "lr_scheduler_type": "constant", "max_grad_norm": 1e9, "max_steps": 2,
        "num_generations": GROUP, "per_device_train_batch_size": PROMPTS * GROUP // accumulation,
        "gradient_accumulation_steps": accumulation, "max_completion_length": 16, "beta": 0.0,
        "reward_weights": list(injection.WEIGHTS), "model_init_kwargs": {"dtype": "float32"}, **changes,
    }  # fmt: skip
    folder = out / "start"
    model.save_pretrained(folder)  # TRL loads the reference policy of beta > 0 from where the policy came from
    trainer = kind_of_trainer(
        model=str(folder),
        reward_funcs=[injection.first_reward, injection.second_reward],
        args=GRPOConfig(**arguments),
        train_dataset=Dataset.from_list([{"prompt": prompt} for prompt in batches.prompts]),
        processing_class=copy.deepcopy(tokenizer),
        rollout_func=injection.rollout_of(batches),
        callbacks=[Gradients()],
        peft_config=adapter,
    )
    trainer.gradients = gradients
    return trainer


@pytest.fixture(scope="module")
def batches(nano_tokenizer: Any) -> Any:
    return injection.inject(PROMPTS * 2, GROUP, 2, seed=11)


def adapter() -> Any:
    from peft import LoraConfig

    return LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)


CHUNKED_HEAD = ("bnpo", "sapo")
"""With these loss types the test lets TRL's chunked head score the rows, as it does for a large vocabulary."""
CASES: list[tuple[str, dict[str, Any]]] = [
    ("qwen3", {}),
    ("llama", {"beta": 0.1}),
    ("qwen2", {"loss_type": "grpo", "beta": 0.1, "gradient_accumulation_steps": 2}),
    ("qwen3", {"importance_sampling_level": "sequence", "loss_type": "grpo", "num_iterations": 2}),
    ("qwen3", {"loss_type": "dr_grpo", "temperature": 0.7}),
    ("qwen3", {"loss_type": "bnpo"}),
    ("qwen3", {"loss_type": "cispo", "epsilon_high": 0.3}),
    ("qwen3", {"loss_type": "sapo"}),
    ("qwen3", {"entropy_coef": 0.01}),
    ("qwen3", {"top_entropy_quantile": 0.5}),
    ("qwen3", {"mask_truncated_completions": True, "beta": 0.1}),
    ("qwen3", {"gradient_checkpointing": True}),
    ("qwen3", {"peft_config": "lora", "beta": 0.1}),
    ("qwen3", {"gradient_accumulation_steps": 6}),
]


@pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")
@pytest.mark.parametrize(("kind", "changes"), CASES, ids=lambda case: str(case))
def test_losses_and_gradients_equal_trls(
    kind: str,
    changes: dict[str, Any],
    batches: Any,
    nano_tokenizer: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from trl import GRPOTrainer

    if changes.get("loss_type") in CHUNKED_HEAD:
        monkeypatch.setattr("raiden_core.training.shared_prefix.LOGITS_BYTES", {})

    model = model_of(kind, vocab_size=max(300, len(nano_tokenizer)))
    runs = []
    for kind_of_trainer in (GRPOTrainer, SharedPrefix):
        given = {name: adapter() if value == "lora" else value for name, value in changes.items()}
        torch.manual_seed(0)
        trainer = trainer_of(kind_of_trainer, model, nano_tokenizer, batches, tmp_path, **given)
        trainer.train()
        runs.append((trainer, [row for row in trainer.state.log_history if "loss" in row]))
    (_, their_figures), (ours, our_figures) = runs
    assert ours.not_shared is None, "the prompt was not shared at all"
    assert len(our_figures) == len(their_figures) > 0
    for mine, theirs in zip(our_figures, their_figures, strict=True):
        # Over micro-batches TRL logs means of means, which depend on who is in which.
        means = () if "gradient_accumulation_steps" in changes else ("entropy", "kl")
        for figure in ("loss", "grad_norm", *means):
            if figure in theirs:
                assert mine[figure] == pytest.approx(theirs[figure], rel=1e-5, abs=1e-6), figure
    for mine, theirs in zip(ours.gradients, runs[0][0].gradients, strict=True):
        assert mine.keys() == theirs.keys()
        for name, gradient in theirs.items():
            scale = float(gradient.abs().max())
            torch.testing.assert_close(mine[name], gradient, rtol=1e-5, atol=1e-5 * scale + 1e-8, msg=name)


def plain_logps(model: Any, ids: torch.Tensor, attention: torch.Tensor, width: int) -> torch.Tensor:
    """(B, C) log-probabilities of each completion, every sequence computed by itself and without padding."""
    result = torch.zeros(len(ids), width)
    for row, (tokens, mask) in enumerate(zip(ids, attention, strict=True)):
        whole = tokens[mask.bool()]
        length = int(mask[-width:].sum())
        if length:
            scores = model(whole[None]).logits[0].log_softmax(-1)
            result[row, :length] = scores[-length - 1 : -1].gather(-1, whole[-length:, None]).squeeze(-1)
    return result


@st.composite
def micro_batches(draw: st.DrawFn) -> list[tuple[list[int], list[int]]]:
    """(prompt, completion) pairs: prompts that repeat or not, in any order; completions of any length, empty ones too."""
    token = st.integers(3, 299)
    prompts = draw(st.lists(st.lists(token, min_size=1, max_size=7), min_size=1, max_size=4))
    pairs = st.tuples(st.sampled_from(prompts), st.lists(token, max_size=6))
    return draw(st.lists(pairs, min_size=1, max_size=10))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(micro_batches(), st.sampled_from(["sdpa", "eager"]), st.booleans())
def test_rows_give_the_log_probabilities_of_each_sequence(
    pairs: list[tuple[list[int], list[int]]], kernel: str, split: bool
) -> None:
    model = MODELS.setdefault(kernel, model_of("qwen3", attn_implementation=kernel)).eval()
    prompt_width = max(len(prompt) for prompt, _ in pairs)
    width = max(1, *(len(completion) for _, completion in pairs))
    ids = torch.zeros(len(pairs), prompt_width + width, dtype=torch.long)
    attention = torch.zeros_like(ids)
    for row, (prompt, completion) in enumerate(pairs):
        columns = slice(prompt_width - len(prompt), prompt_width + len(completion))
        ids[row, columns], attention[row, columns] = torch.tensor(prompt + completion), 1
    rows = pack(ids, attention, width, hidden_size=1 if split else 4096)
    with torch.no_grad():
        expected = plain_logps(model, ids, attention, width)
        found = torch.zeros(len(pairs) * width)
        if rows is not None:
            scored = rows.labels != -100
            logits = model(
                input_ids=rows.input_ids,
                position_ids=rows.position_ids,
                attention_mask=rows.mask(torch.float32),
                logits_to_keep=rows.tail,
            ).logits
            scores = logits.log_softmax(-1)[scored[:, -rows.tail :]]
            found[rows.places] = scores.gather(-1, rows.labels[scored][:, None]).squeeze(-1)
    torch.testing.assert_close(found.view(-1, width), expected, rtol=1e-5, atol=2e-5)
    assert (rows is None) == (not any(completion for _, completion in pairs))


MODELS: dict[str, Any] = {}


def test_a_prompt_stands_once_in_a_micro_batch() -> None:
    ids = torch.arange(8 * 12).reshape(8, 12)
    ids[:, :8] = torch.arange(8)
    rows = pack(ids, torch.ones_like(ids), 4, hidden_size=4096)
    assert rows is not None
    assert rows.input_ids.shape == (1, 7 + 8 * 4), "seven shared tokens, and the last one before each completion"


def test_long_completions_are_dealt_to_several_rows() -> None:
    assert completions_per_row(400, 64, 8, 576) == 8
    assert completions_per_row(100, 2000, 8, 576) < 3
    assert completions_per_row(2000, 10, 64, 64) == 64


def test_together_keeps_the_order_of_first_appearance() -> None:
    assert together([[1], [2], [1], [3], [2]], [4, 0, 3, 1, 2]) == [4, 1, 0, 2, 3]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("mistral", {"sliding_window": 8}, "sliding window"),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1}, "layers attend|sliding"),
    (
        "gemma3_text",
        {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]},
        "not all of the model.s layers",
    ),
]


@pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")
@pytest.mark.parametrize(("kind", "changes", "reason"), REFUSED, ids=lambda case: str(case))
def test_where_it_cannot_be_right_trls_own_path_runs(
    kind: str, changes: dict[str, Any], reason: str, batches: Any, nano_tokenizer: Any, tmp_path: Path
) -> None:
    import re

    model = model_of(kind, vocab_size=max(300, len(nano_tokenizer)), **changes)
    trainer = trainer_of(SharedPrefix, model, nano_tokenizer, batches, tmp_path, max_steps=1)
    trainer.train()
    assert trainer.not_shared and re.search(reason, trainer.not_shared)


@pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")
def test_a_model_that_ignores_positions_is_found_out(batches: Any, nano_tokenizer: Any, tmp_path: Path) -> None:
    model = model_of("qwen3", vocab_size=max(300, len(nano_tokenizer)))
    trainer = trainer_of(SharedPrefix, model, nano_tokenizer, batches, tmp_path, max_steps=1)
    original = trainer.model.model.rotary_emb.forward

    def in_order(states: torch.Tensor, position_ids: torch.Tensor) -> Any:
        return original(states, torch.arange(position_ids.shape[1])[None].expand_as(position_ids))

    trainer.model.model.rotary_emb.forward = in_order
    trainer.train()
    assert trainer.not_shared and "apart" in trainer.not_shared


@pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_rounding_to_16_bits_is_no_reason_to_compute_prompts_apart(
    dtype: torch.dtype, batches: Any, nano_tokenizer: Any, tmp_path: Path
) -> None:
    model = model_of("qwen3", vocab_size=max(300, len(nano_tokenizer)))
    with torch.no_grad():
        model.lm_head.weight.mul_(30)  # logits as wide as a trained model's, whose roundings are tenths of a nat
    loading = {"bf16": True, "model_init_kwargs": {"dtype": dtype}}
    trainer = trainer_of(SharedPrefix, model, nano_tokenizer, batches, tmp_path, max_steps=1, **loading)
    trainer.train()
    assert trainer.not_shared is None


@pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")
def test_rollouts_sample_what_trls_would(batches: Any, nano_tokenizer: Any, tmp_path: Path) -> None:
    from trl import GRPOTrainer

    model = model_of("qwen3", vocab_size=max(300, len(nano_tokenizer)))
    prompts = [[7, 8, 9, 10, 11]] * 3 + [[20, 21]] * 4 + [[7, 8, 9, 10, 11]]
    sampled = []
    for kind_of_trainer in (GRPOTrainer, SharedPrefix):
        trainer = trainer_of(kind_of_trainer, model, nano_tokenizer, batches, tmp_path)
        trainer.model.train()
        torch.manual_seed(5)
        sampled.append(trainer._generate_single_turn(prompts, None, {}, 1)[0])
    assert sampled[0] == sampled[1]
    assert len({tuple(ids) for ids in sampled[0]}) > 2


def test_switched_off_it_does_nothing(batches: Any, nano_tokenizer: Any, tmp_path: Path) -> None:
    model = model_of("qwen3", vocab_size=max(300, len(nano_tokenizer)))
    trainer = trainer_of(SharedPrefix, model, nano_tokenizer, batches, tmp_path, max_steps=1)
    trainer.share_prefix = False
    trainer.train()
    assert trainer.not_shared == "grpo.shared_prefix is off"
