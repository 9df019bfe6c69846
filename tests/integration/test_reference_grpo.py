"""The reference GRPO against TRL's: on the same batches, the same losses and the same gradients.

This holds both: a mistake on our page shows, and so does a TRL whose loss, masks or defaults have changed.
"""

from __future__ import annotations

import copy
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from raiden_core.config.sections.training import NanoConfig
from raiden_core.errors import ConfigError, DataError
from raiden_core.rewards.listed.chosen import parse_entries
from raiden_core.rewards.listed.columns import trl_rewards
from raiden_core.rewards.listed.running import RewardRun
from raiden_core.rewards.scorer import Score, Scorer
from raiden_core.samples import Sample, write_samples
from raiden_core.training.reference.__main__ import main, shuffled
from raiden_core.training.reference.grpo import (
    Settings,
    advantages_of,
    earned,
    end_tokens,
    learn,
    log_probs_of,
    objective,
    pack,
    prompt_ids,
    sample,
)
from tests.support import injection

pytestmark = pytest.mark.integration

GROUP, PROMPTS, BATCHES = 4, 3, 2
RATE = 0.5
BASE = Settings(num_generations=GROUP, prompts_per_step=PROMPTS, max_grad_norm=1e9, max_steps=BATCHES)


@pytest.fixture(scope="module")
def student(nano_tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen3 of two small blocks, with weights large enough that its distributions are not flat."""
    from raiden_core.training.nano import build_model

    folder = tmp_path_factory.mktemp("student")
    torch.manual_seed(5)
    model = build_model(nano_tokenizer, NanoConfig(vocab_size=1000, hidden_size=32, layers=2, heads=2))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.mul_(5)
    model.save_pretrained(folder)
    nano_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tokenizer(student: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(student)


@pytest.fixture(scope="module")
def batches(tokenizer: Any) -> Any:
    """What both trainers are given: prompts for two batches."""
    return injection.inject(PROMPTS * BATCHES, GROUP, tokenizer.eos_token_id, seed=11)


def load(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


Trace = list[tuple[dict[str, float], dict[str, torch.Tensor]]]
"""For every optimizer step: figures, and the gradient of every parameter."""


def ours(student: Path, tokenizer: Any, batches: Any, settings: Settings) -> Trace:
    """The steps of raiden_core.training.reference.grpo on the injected batches."""
    policy = load(student)
    reference = copy.deepcopy(policy) if settings.beta else None
    optimizer = torch.optim.SGD(policy.parameters(), lr=RATE)
    gradients: list[dict[str, torch.Tensor]] = []
    optimizer.register_step_pre_hook(
        lambda *_: gradients.append({name: one.grad.clone() for name, one in policy.named_parameters()})
    )
    figures: list[dict[str, float]] = []
    for first in range(0, len(batches.prompts), PROMPTS):
        rows = [(prompt, number) for prompt in range(first, first + PROMPTS) for number in range(GROUP)]
        prompts = [
            tokenizer.apply_chat_template(batches.prompts[prompt], add_generation_prompt=True)["input_ids"]
            for prompt, _ in rows
        ]
        completions = [batches.completions[prompt][number] for prompt, number in rows]
        ends = end_tokens(policy, tokenizer)
        kept = [not settings.mask_truncated_completions or one[-1] in ends for one in completions]
        advantages = advantages_of(torch.tensor([batches.total(*row) for row in rows]), settings)
        batch = pack(prompts, completions, tokenizer.pad_token_id, kept)
        figures += list(learn(policy, reference, optimizer, batch, advantages, settings))
    return list(zip(figures, gradients, strict=True))


def reward_functions() -> tuple[list[Any], list[float]]:
    """What TRL's trainer is given, with its weights."""
    return [injection.first_reward, injection.second_reward], list(injection.WEIGHTS)


def trls(student: Path, tokenizer: Any, batches: Any, settings: Settings, accumulation: int, out: Path) -> Trace:
    """The steps of TRL's GRPOTrainer on the same."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    gradients: list[dict[str, torch.Tensor]] = []

    class Gradients(TrainerCallback):  # type: ignore[misc]
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            gradients.append({name: one.grad.clone() for name, one in given["model"].named_parameters()})

    functions, weights = reward_functions()
    trainer = GRPOTrainer(
        model=str(student),
        reward_funcs=functions,
        args=GRPOConfig(
            output_dir=str(out), use_cpu=True, bf16=False, gradient_checkpointing=False, report_to="none",
            save_strategy="no", disable_tqdm=True, logging_steps=1, shuffle_dataset=False, optim="sgd",
            learning_rate=RATE, lr_scheduler_type="constant", max_grad_norm=settings.max_grad_norm,
            max_steps=BATCHES * settings.num_iterations, num_generations=GROUP,
            per_device_train_batch_size=PROMPTS * GROUP // accumulation, gradient_accumulation_steps=accumulation,
            max_completion_length=16, reward_weights=weights, temperature=settings.temperature,
            beta=settings.beta, epsilon=settings.epsilon, loss_type=settings.loss_type,
            scale_rewards=settings.scale_rewards, num_iterations=settings.num_iterations,
            use_bias_correction_kl=settings.use_bias_correction_kl,
            mask_truncated_completions=settings.mask_truncated_completions,
            model_init_kwargs={"dtype": "float32"},
        ),
        train_dataset=Dataset.from_list([{"prompt": prompt} for prompt in batches.prompts]),
        processing_class=copy.deepcopy(tokenizer),
        rollout_func=injection.rollout_of(batches),
        callbacks=[Gradients()],
    )  # fmt: skip
    trainer.train()
    figures = [row for row in trainer.state.log_history if "loss" in row]
    return list(zip(figures, gradients, strict=True))


CASES: list[tuple[dict[str, Any], int]] = [
    ({}, 1),
    ({"loss_type": "grpo", "scale_rewards": "none"}, 1),
    ({"beta": 0.1}, 1),
    ({"beta": 0.1, "loss_type": "grpo", "use_bias_correction_kl": False}, 1),
    ({"num_iterations": 3, "scale_rewards": "batch"}, 1),
    ({"num_iterations": 3, "loss_type": "grpo", "beta": 0.1}, 1),
    ({"mask_truncated_completions": True, "beta": 0.1}, 1),
    ({"mask_truncated_completions": True, "loss_type": "grpo"}, 1),
    ({"temperature": 0.7, "beta": 0.1, "num_iterations": 2, "epsilon": 0.05}, 1),
    ({"beta": 0.1}, 2),
    ({"loss_type": "grpo", "beta": 0.1}, 3),
]
"""Settings, and over how many micro-batches TRL accumulates what our page computes at once."""


@pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")
@pytest.mark.parametrize(("changed", "accumulation"), CASES, ids=lambda case: str(case))
def test_losses_and_gradients_equal_trls(
    student: Path, tokenizer: Any, batches: Any, tmp_path: Path, changed: dict[str, Any], accumulation: int
) -> None:
    settings = replace(BASE, **changed)
    mine = ours(student, tokenizer, batches, settings)
    theirs = trls(student, tokenizer, batches, settings, accumulation, tmp_path)
    assert len(mine) == len(theirs) == BATCHES * settings.num_iterations
    for (my_figures, my_gradients), (their_figures, their_gradients) in zip(mine, theirs, strict=True):
        assert my_figures["loss"] == pytest.approx(their_figures["loss"], rel=1e-4, abs=1e-6)
        assert my_figures["grad_norm"] == pytest.approx(their_figures["grad_norm"], rel=1e-4)
        # TRL logs the mean over micro-batches, which is no mean over tokens.
        if settings.beta and accumulation == 1:
            assert my_figures["kl"] == pytest.approx(their_figures["kl"], rel=1e-3, abs=1e-6)
        assert my_gradients.keys() == their_gradients.keys()
        for name, gradient in my_gradients.items():
            torch.testing.assert_close(gradient, their_gradients[name], rtol=1e-3, atol=2e-6, msg=name)
    if settings.num_iterations > 1:
        assert max(figures["clip_ratio/region_mean"] for figures, _ in theirs) > 0.02, "nothing was clipped"
    if settings.beta:
        assert mine[-1][0]["kl"] > 1e-4, "the policy never left the reference"


LISTED = """
import asyncio

def first(completions, injected=(), **columns):
    return [one[0] for one in injected]

async def second(completions, injected=(), **columns):
    await asyncio.sleep(0.01)
    return [one[1] for one in injected]

def third(completions, injected=(), **columns):
    return [None if place % 5 == 4 else one[0] * one[1] for place, one in enumerate(injected)]

def gate(completions, injected=(), **columns):
    return [float(one[1] > 0.3) for one in injected]
"""


@pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")
def test_a_list_with_a_gate_and_an_asynchronous_reward_trains_like_trls(
    student: Path, tokenizer: Any, batches: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "listed_rewards.py"
    own.write_text(LISTED)
    entries = [{"use": f"{own}:{name}", "weight": weight} for name, weight in (("first", 0.5), ("second", 0.3))]
    entries += [{"use": f"{own}:third", "weight": 0.2}, {"use": f"{own}:gate", "gate": True}]
    plain = ours(student, tokenizer, batches, BASE)
    with RewardRun(parse_entries(entries, "test")) as listed:
        monkeypatch.setattr(sys.modules[__name__], "reward_functions", lambda: trl_rewards(listed))
        theirs = trls(student, tokenizer, batches, BASE, 1, tmp_path / "out")
        injected = [one for group in batches.rewards for one in group]
        size, totals = GROUP * PROMPTS, []
        for at in range(0, len(injected), size):
            monkeypatch.setattr(
                "raiden_core.training.reference.grpo.columns_of", lambda rows, scorer: {"injected": rows}
            )
            monkeypatch.setattr("raiden_core.training.reference.grpo.build_prompt", lambda row: [])
            rows: Any = injected[at : at + size]
            rewards, means = earned(rows, [""] * size, Scorer(), listed)
            totals += rewards.tolist()
            assert means.keys() == {f"rewards/{name}/mean" for name in ("first", "second", "third", "gate")}
    assert 0 < sum(one == 0.0 for one in totals) < len(totals), "no gate was closed, or all were"
    given = dict(zip([(row, n) for row in range(len(batches.prompts)) for n in range(GROUP)], totals, strict=True))
    monkeypatch.setattr(type(batches), "total", lambda self, row, number: given[row, number])
    mine = ours(student, tokenizer, batches, BASE)
    assert len(mine) == len(theirs) == BATCHES
    for (my_figures, my_gradients), (their_figures, their_gradients) in zip(mine, theirs, strict=True):
        assert my_figures["loss"] == pytest.approx(their_figures["loss"], rel=1e-4, abs=1e-6)
        assert my_figures["grad_norm"] == pytest.approx(their_figures["grad_norm"], rel=1e-4)
        for name, gradient in my_gradients.items():
            torch.testing.assert_close(gradient, their_gradients[name], rtol=1e-3, atol=2e-6, msg=name)
    assert abs(mine[-1][0]["grad_norm"] - plain[-1][0]["grad_norm"]) > 1e-3, "the list changes nothing here"


def test_completions_of_which_nobody_says_anything_move_nothing() -> None:
    settings = replace(BASE, num_generations=3, scale_rewards="none")
    rewards = torch.tensor([1.0, math.nan, 0.0, math.nan, math.nan, math.nan])
    assert advantages_of(rewards, settings).tolist() == [0.5, 0.0, -0.5, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "changed",
    [
        {"loss_type": "grpo"},
        {"beta": 0.1},
        {"beta": 0.1, "use_bias_correction_kl": False},
        {"scale_rewards": "batch"},
        {"scale_rewards": "none"},
        {"mask_truncated_completions": True},
        {"temperature": 0.7},
    ],
    ids=str,
)
def test_the_batches_tell_every_setting_from_the_default(
    student: Path, tokenizer: Any, batches: Any, changed: dict[str, Any]
) -> None:
    default, other = (ours(student, tokenizer, batches, replace(BASE, **one)) for one in ({}, changed))
    name = "model.layers.0.mlp.up_proj.weight"
    apart = (default[-1][1][name] - other[-1][1][name]).norm() / default[-1][1][name].norm()
    assert apart > 0.01


def test_padding_changes_no_log_probability(student: Path, tokenizer: Any, batches: Any) -> None:
    policy = load(student)
    prompts = [tokenizer.apply_chat_template(one, add_generation_prompt=True)["input_ids"] for one in batches.prompts]
    completions = [group[1] for group in batches.completions]
    assert len({len(one) for one in prompts}) > 2 and len({len(one) for one in completions}) > 2
    together = log_probs_of(policy, pack(prompts, completions, tokenizer.pad_token_id, [True] * len(prompts)), 0.9)
    for row, prompt, completion in zip(together, prompts, completions, strict=True):
        logits = policy(torch.tensor([[*prompt, *completion]])).logits[0, len(prompt) - 1 : -1] / 0.9
        alone = logits.log_softmax(-1)[range(len(completion)), completion]
        torch.testing.assert_close(row[: len(completion)], alone, rtol=1e-4, atol=1e-5)


def test_sampling_without_chance_is_greedy_search(student: Path, tokenizer: Any, batches: Any) -> None:
    policy = load(student)
    prompts = [tokenizer.apply_chat_template(one, add_generation_prompt=True)["input_ids"] for one in batches.prompts]
    alone = [
        policy.generate(torch.tensor([one]), do_sample=False, max_new_tokens=8, eos_token_id=None)[0, len(one) :]
        for one in prompts
    ]
    # An end token that some completions hold: they must stop there, the others go on.
    end = int(alone[0][3])
    wanted = [one[: one.index(end) + 1] if end in one else one for one in (row.tolist() for row in alone)]
    assert {len(one) for one in wanted} > {8}
    cold = replace(BASE, temperature=1e-5, max_completion_length=8)
    assert sample(policy, prompts, [end], tokenizer.pad_token_id, cold) == wanted


def test_tokens_are_sampled_as_often_as_the_policy_says(student: Path, tokenizer: Any, batches: Any) -> None:
    policy = load(student)
    prompt = tokenizer.apply_chat_template(batches.prompts[0], add_generation_prompt=True)["input_ids"]
    warm = replace(BASE, temperature=0.3, max_completion_length=1)
    torch.manual_seed(0)
    drawn = torch.tensor(sample(policy, [prompt] * 1500, [], tokenizer.pad_token_id, warm)).flatten()
    wanted = (policy(torch.tensor([prompt])).logits[0, -1] / 0.3).softmax(-1)
    often = drawn.bincount(minlength=len(wanted)) / len(drawn)
    top = wanted.topk(5).indices
    assert wanted[top].sum() > 0.1
    for token in top.tolist():
        chance = wanted[token].item()
        assert abs(often[token].item() - chance) < 4 * math.sqrt(chance / len(drawn))


@pytest.mark.parametrize(
    ("scale", "rewards", "wanted"),
    [
        ("none", [1.0, 0.0, 1.0, 1.0], [0.5, -0.5, 0.0, 0.0]),
        ("group", [1.0, 0.0, 1.0, 1.0], [0.5 / (math.sqrt(0.5) + 1e-4), -0.5 / (math.sqrt(0.5) + 1e-4), 0.0, 0.0]),
        ("batch", [1.0, 0.0, 1.0, 1.0], [0.5 / 0.5001, -0.5 / 0.5001, 0.0, 0.0]),
    ],
)
def test_advantages(scale: str, rewards: list[float], wanted: list[float]) -> None:
    settings = replace(BASE, num_generations=2, scale_rewards=scale)
    assert advantages_of(torch.tensor(rewards), settings).tolist() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "gradient"),
    [
        (1.0, 1.0, -1.0, -1.0),
        (1.1, 1.0, -1.1, -1.1),
        (1.5, 1.0, -1.2, 0.0),  # gained enough
        (0.5, 1.0, -0.5, -0.5),  # went the wrong way: is put right
        (0.5, -1.0, 0.8, 0.0),  # lowered enough
        (1.5, -1.0, 1.5, 1.5),
    ],
)
def test_the_ratio_is_clipped_only_where_it_has_gone_far_enough(
    ratio: float, advantage: float, loss: float, gradient: float
) -> None:
    moved = torch.tensor([[math.log(ratio)]], requires_grad=True)
    got, kl = objective(moved, torch.zeros(1, 1), None, torch.tensor([advantage]), torch.ones(1, 1), BASE)
    torch.autograd.backward(got)
    assert moved.grad is not None
    assert [got.item(), moved.grad.item()] == pytest.approx([loss, gradient])
    assert kl.item() == 0.0


def test_prompts_come_again_only_when_all_have_been_asked(composed_samples: list[Sample]) -> None:
    asked, some = shuffled(composed_samples[:10], 3), {one.id for one in composed_samples[:10]}
    rounds = [[next(asked).id for _ in range(10)] for _ in range(3)]
    assert all(set(one) == some for one in rounds)
    assert rounds[0] != rounds[1]


def arguments(student: Path, data: Path, out: Path, *more: str) -> list[str]:
    small = ["--max_steps", "3", "--num_generations", "2", "--prompts_per_step", "2", "--max_completion_length", "6"]
    return ["--model", str(student), "--train", str(data), "--out", str(out), *small, *more]


def test_the_command_trains_saves_and_logs(
    student: Path, tokenizer: Any, composed_samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Parity(Scorer):
        """A reward that random weights can earn."""

        def score(self, sample: Any, completion: object) -> Score:
            parity = float(sum(map(ord, str(completion))) % 2)
            return replace(super().score(sample, completion), accuracy=parity, total=parity)

        def check(self, sample: Any) -> None:
            return None

    monkeypatch.setattr("raiden_core.training.reference.__main__.Scorer", Parity)
    data, out = tmp_path / "train.json", tmp_path / "out"
    write_samples(data, composed_samples[:12])
    main(arguments(student, data, out, "--num_iterations", "2", "--beta", "0.1", "--learning_rate", "0.01"))
    head, *rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert head == {"phase": "grpo", "total_steps": 3}
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert rows[0]["reward"] == rows[1]["reward"] and 0 < rows[0]["reward"] < 1, "two steps on one batch"
    assert all(row["completions/mean_length"] <= 6 for row in rows)
    trained, before = load(out / "model").state_dict(), load(student).state_dict()
    assert any(not torch.equal(trained[name], before[name]) for name in before)
    assert prompt_ids(composed_samples[0], tokenizer)[-1] == tokenizer.convert_tokens_to_ids("<|assistant|>")
    with pytest.raises(ConfigError, match="holds a model already"):
        main(arguments(student, data, out))


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        (("--num_generations", "1"), ConfigError, "--num_generations is 1; it must be at least 2"),
        (("--temperature", "0"), ConfigError, "--temperature is 0.0"),
        (("--model", "nowhere"), ConfigError, "--model nowhere: no config.json there"),
        (("--max_completion_length", "4096"), DataError, "no usable sample"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    student: Path, composed_samples: list[Sample], tmp_path: Path, more: tuple[str, ...], error: Any, said: str
) -> None:
    data = tmp_path / "train.json"
    write_samples(data, composed_samples[:4])
    with pytest.raises(error, match=said):
        main(arguments(student, data, tmp_path / "out", *more))
    assert not (tmp_path / "out" / "model").exists()


def test_the_command_takes_a_configurations_list(student: Path, composed_samples: list[Sample], tmp_path: Path) -> None:
    own = tmp_path / "their_rewards.py"
    own.write_text(
        "async def parity(completions, **columns):\n    return [float(len(str(one)) % 2) for one in completions]\n"
    )
    config = tmp_path / "config.yaml"
    config.write_text(
        f"rewards: [{{use: accuracy, weight: 0.5}}, {{use: '{own}:parity'}}, {{use: own_language, gate: true}}]\n"
    )
    data, out = tmp_path / "train.json", tmp_path / "out"
    write_samples(data, composed_samples[:6])
    main(arguments(student, data, out, "--rewards", str(config)))
    _, *rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text("utf-8").splitlines()]
    names = {f"rewards/{name}/mean" for name in ("accuracy_reward", "parity", "own_language")}
    assert all(names <= row.keys() for row in rows) and "rewards/format_reward/mean" not in rows[0]
