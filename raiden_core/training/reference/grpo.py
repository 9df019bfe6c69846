"""GRPO on one page: plain PyTorch, a transformers model, no trainer. It is here to be read, and to check the other.

    python -m raiden_core.training.reference --model DIR --train train.json --out DIR [--max_steps 100 …]

For real runs use raiden_core.training.grpo, which is TRL; this file shows what happens there, and
tests/integration/test_reference_grpo.py holds TRL to it: same batch, same loss, same gradients. One device, one
micro-batch, every weight trained. `__main__.py` reads the command line and the data.

One step of GRPO (Shao et al., DeepSeekMath, arXiv 2402.03300, section 4.1):

1. ask every prompt G times (a *group*) and reward each completion: `sample`, `earned`;
2. a completion's *advantage* is its reward against its group's mean: no value model is needed: `advantages_of`;
3. raise the probability of tokens with a positive advantage, lower the others', by a ratio that is clipped where it
   has moved far enough from the policy that sampled, with a penalty for leaving the policy of the start: `objective`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import TrainerState

from raiden_core.models.kv_cache import cache_name
from raiden_core.prompts import build_prompt
from raiden_core.rewards import Scorer
from raiden_core.rewards.listed.running import RewardRun
from raiden_core.rewards.listed.trial import as_chats, columns_of
from raiden_core.samples import Sample

Tokens = list[int]
Report = Callable[[dict[str, Any]], None]


def setting(default: Any, help: str, *choices: str) -> Any:
    """A field with what ``--help`` says of it."""
    return field(default=default, metadata={"help": help} | ({"choices": list(choices)} if choices else {}))


@dataclass(frozen=True)
class Settings:
    """Settings that TRL has too carry TRL's names; the defaults suit the nano student."""

    num_generations: int = setting(8, "G: completions of each prompt")
    prompts_per_step: int = setting(8, "groups of a batch")
    max_completion_length: int = setting(48, "longest completion in tokens")
    max_steps: int = setting(100, "optimizer steps")
    num_iterations: int = setting(1, "optimizer steps on each batch")
    learning_rate: float = setting(3e-4, "after the warm-up")
    warmup_steps: int = setting(5, "steps in which the rate rises from 0")
    max_grad_norm: float = setting(1.0, "longer gradients are cut to this")
    epsilon: float = setting(0.2, "how far the ratio may leave 1")
    beta: float = setting(0.0, "weight of the KL term; 0 keeps no reference policy")
    use_bias_correction_kl: bool = setting(True, "the KL term's gradient is unbiased too")
    loss_type: str = setting("dapo", "dapo: all tokens count alike; grpo: all completions", "dapo", "grpo")
    scale_rewards: str = setting("group", "whose deviation advantages are divided by", "group", "batch", "none")
    mask_truncated_completions: bool = setting(False, "learn nothing from cut completions")
    temperature: float = setting(1.0, "of the rollouts, and so of the policy")
    seed: int = setting(7, "of the order of prompts and of the rollouts")


@dataclass(frozen=True)
class Batch:
    """Prompts padded on the left and completions padded on the right, so that they meet in one column."""

    ids: Tensor
    """[B, P + C] prompt and completion."""
    attention: Tensor
    """[B, P + C] 1 for every token that is no padding."""
    mask: Tensor
    """[B, C] 1 for every token of the completion that is learned from, its end token included."""


def pack(prompts: Sequence[Tokens], completions: Sequence[Tokens], pad: int, learn: Sequence[bool]) -> Batch:
    """The batch of these token lists; completions with ``learn`` False stay out of the loss."""
    reversed_prompts = [torch.tensor(prompt[::-1], dtype=torch.long) for prompt in prompts]
    answers = [torch.tensor(completion, dtype=torch.long) for completion in completions]

    def padded(rows: list[Tensor], value: int) -> Tensor:
        return pad_sequence(rows, batch_first=True, padding_value=value)

    ids = torch.cat([padded(reversed_prompts, pad).flip(1), padded(answers, pad)], 1)
    before = padded([torch.ones_like(row) for row in reversed_prompts], 0).flip(1)
    after = padded([torch.ones_like(row) for row in answers], 0)
    return Batch(ids, torch.cat([before, after], 1), after * torch.tensor(learn).unsqueeze(1))


@torch.no_grad()
def sample(policy: Any, prompts: Sequence[Tokens], ends: Sequence[int], pad: int, settings: Settings) -> list[Tokens]:
    """One completion of each prompt, up to its end token or ``max_completion_length``.

    Every token is drawn from the policy's own distribution: no top-k, no top-p, no penalties. Whatever changes the
    distribution here makes the ratio of the loss a wrong one.
    """
    start = pack(prompts, [[] for _ in prompts], pad, [True] * len(prompts))
    ids, attention = start.ids.to(policy.device), start.attention.to(policy.device)
    stops = torch.tensor(ends, device=policy.device)
    drawn, cache, going = [], None, torch.ones(len(prompts), dtype=torch.bool, device=policy.device)
    for _ in range(settings.max_completion_length):
        # Rotary positions are relative, so the padding on the left shifts nothing and needs no positions of its own.
        known = {cache_name(): cache}
        out = policy(input_ids=ids, attention_mask=attention, use_cache=True, logits_to_keep=1, **known)
        cache = getattr(out, cache_name())
        ids = torch.multinomial((out.logits[:, -1].float() / settings.temperature).softmax(-1), 1)
        attention = torch.cat([attention, torch.ones_like(ids)], 1)
        drawn.append(torch.where(going, ids.squeeze(1), -1))
        going = going & ~torch.isin(ids.squeeze(1), stops)
        if not going.any():
            break
    return [[token for token in row if token >= 0] for row in torch.stack(drawn, 1).tolist()]


def log_probs_of(policy: Any, batch: Batch, temperature: float) -> Tensor:
    """[B, C] log-probability of each token of the completions; the logits at a position speak of the next one."""
    width = batch.mask.size(1)
    logits: Tensor = policy(input_ids=batch.ids, attention_mask=batch.attention, use_cache=False).logits
    scores = logits[:, -width - 1 : -1].float() / temperature
    chosen = scores.gather(-1, batch.ids[:, -width:].unsqueeze(-1)).squeeze(-1)
    return chosen - scores.logsumexp(-1)


def advantages_of(rewards: Tensor, settings: Settings) -> Tensor:
    """[B] rewards -> [B] advantages; rows ``i * G`` to ``(i + 1) * G - 1`` are the group of prompt ``i``.

    A completion whose reward is NaN is in no mean, and moves nothing.

    Dividing by the group's standard deviation makes every question count alike, also those on which completions hardly
    differ; "none" is the proposal of Dr. GRPO (arXiv 2503.20783).
    """
    groups = rewards.view(-1, settings.num_generations)
    above = groups - groups.nanmean(1, keepdim=True)
    if settings.scale_rewards == "group":
        above = above / (torch.stack([deviation(group) for group in groups]).unsqueeze(1) + 1e-4)
    elif settings.scale_rewards == "batch":
        above = above / (deviation(rewards) + 1e-4)
    return above.flatten().nan_to_num(0.0)


def deviation(rewards: Tensor) -> Tensor:
    """The sample deviation of the rewards that there are."""
    there = rewards[~rewards.isnan()]
    return there.std() if len(there) > 1 else torch.zeros(())


def objective(
    log_probs: Tensor, old: Tensor, start: Tensor | None, advantages: Tensor, mask: Tensor, settings: Settings
) -> tuple[Tensor, Tensor]:
    """The loss, and the estimate of the KL divergence [B, C] from the start (zeros without a start).

    Args:
        log_probs: [B, C] of the policy; the only argument with a gradient.
        old: [B, C] of the policy that sampled.
        start: [B, C] of the reference policy, or None.
        advantages: [B].
        mask: [B, C] 1 for the tokens that count.
        settings: those of the loss.
    """
    ratio = torch.exp(log_probs - old)
    clipped = ratio.clamp(1 - settings.epsilon, 1 + settings.epsilon)
    # The smaller of the two: clipping takes away what there is to gain by going on, never what is to be put right.
    loss = -torch.min(ratio * advantages.unsqueeze(1), clipped * advantages.unsqueeze(1))
    kl = torch.zeros_like(log_probs)
    if start is not None:
        # The estimator "k3" (J. Schulman, Approximating KL Divergence): unbiased like the plain log-ratio, never
        # negative, and of less variance.
        away = start - log_probs
        kl = torch.exp(away) - away - 1
        if settings.use_bias_correction_kl:
            # Its value is unbiased, its gradient is not: which tokens were drawn depends on the policy as well. The
            # ratio, 1 at first, brings that part of the gradient back (DeepSeek-V3.2, arXiv 2512.02556).
            kl = kl * ratio
        loss = loss + settings.beta * kl
    if settings.loss_type == "dapo":  # every token counts alike (arXiv 2503.14476)
        return (loss * mask).sum() / mask.sum().clamp(min=1), kl
    # every completion counts alike, so a token of a long one counts less
    return ((loss * mask).sum(1) / mask.sum(1).clamp(min=1)).mean(), kl


def learn(
    policy: Any, reference: Any, optimizer: Any, batch: Batch, advantages: Tensor, settings: Settings
) -> Iterator[dict[str, float]]:
    """``num_iterations`` optimizer steps on one batch; the figures of each."""
    start = None
    if reference is not None:
        with torch.no_grad():
            start = log_probs_of(reference, batch, settings.temperature)
    old = None
    for _ in range(settings.num_iterations):
        log_probs = log_probs_of(policy, batch, settings.temperature)
        # In the first iteration the policy is still the one that sampled: the ratio is 1, its gradient is not 0.
        old = log_probs.detach() if old is None else old
        loss, kl = objective(log_probs, old, start, advantages, batch.mask, settings)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        norm = torch.nn.utils.clip_grad_norm_(policy.parameters(), settings.max_grad_norm)
        optimizer.step()
        figures = {"loss": loss.item(), "grad_norm": norm.item()}
        if start is not None:
            figures["kl"] = ((kl.detach() * batch.mask).sum() / batch.mask.sum().clamp(min=1)).item()
        yield figures


def earned(
    rows: Sequence[Sample], texts: Sequence[str], scorer: Scorer, listed: RewardRun | None, state: Any = None
) -> tuple[Tensor, dict[str, float]]:
    """[B] what each completion earns, and the means to log; NaN where no reward says anything of a completion.

    Args:
        rows: the question that each completion answers.
        texts: the completions.
        scorer: accuracy and format, where there is no list; with one, its settings travel as columns.
        listed: a list of rewards and gates (docs/rewards.md).
        state: of the trainer, for rewards that ask for it.
    """
    if listed is None:
        scores = [scorer.score(one, text) for one, text in zip(rows, texts, strict=True)]
        means = {"accuracy": fmean(one.accuracy for one in scores), "format": fmean(one.format for one in scores)}
        figures = {f"rewards/{name}_reward/mean": mean for name, mean in means.items()}
        return torch.tensor([score.total for score in scores]), figures
    columns = columns_of(rows, scorer) | {"trainer_state": state}
    outcome = listed([build_prompt(one) for one in rows], as_chats(texts), columns)
    said = {one.logged: [value for value in outcome.values[one.name] if value is not None] for one in listed.chosen}
    figures = {f"rewards/{name}/mean": fmean(values) for name, values in said.items() if values}
    return torch.tensor([math.nan if total is None else total for total in outcome.totals]), figures


def train(
    policy: Any,
    tokenizer: Any,
    asked: Iterator[Sample],
    scorer: Scorer,
    settings: Settings,
    report: Report,
    listed: RewardRun | None = None,
) -> None:
    """Train ``policy`` in place on the questions of ``asked``; ``report`` is given the figures of every step.

    Completions earn what ``listed`` says, or accuracy and format by the scorer's weights where there is no list.
    """
    torch.manual_seed(settings.seed)
    policy.eval()  # dropout would make the ratio compare two different networks
    reference = copy.deepcopy(policy).requires_grad_(False) if settings.beta else None
    optimizer = torch.optim.AdamW(policy.parameters(), lr=settings.learning_rate, weight_decay=0.0)
    warmup = settings.warmup_steps
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / warmup if step < warmup else 1.0)
    ends, step = end_tokens(policy, tokenizer), 0
    while step < settings.max_steps:
        groups = [next(asked) for _ in range(settings.prompts_per_step)]
        rows = [one for one in groups for _ in range(settings.num_generations)]
        prompts = [prompt_ids(one, tokenizer) for one in rows]
        completions = sample(policy, prompts, ends, tokenizer.pad_token_id, settings)
        ended = [completion[-1] in ends for completion in completions]
        texts = tokenizer.batch_decode(completions, skip_special_tokens=True)
        rewards, means = earned(rows, texts, scorer, listed, TrainerState(global_step=step))
        advantages = advantages_of(rewards, settings).to(policy.device)
        kept = [not settings.mask_truncated_completions or whole for whole in ended]
        batch = pack(prompts, completions, tokenizer.pad_token_id, kept)
        batch = Batch(*(part.to(policy.device) for part in (batch.ids, batch.attention, batch.mask)))
        figures = {
            "reward": rewards.nanmean().item(),
            **means,
            "completions/mean_length": fmean(len(completion) for completion in completions),
            "completions/clipped_ratio": 1 - fmean(ended),
        }
        for learned in learn(policy, reference, optimizer, batch, advantages, settings):
            schedule.step()
            step += 1
            report({"step": step, **learned, **figures})
            if step == settings.max_steps:
                break


def prompt_ids(asked: Sample, tokenizer: Any) -> Tokens:
    """The tokens of the prompt, up to where the assistant begins to speak."""
    encoded = tokenizer.apply_chat_template(build_prompt(asked), add_generation_prompt=True, return_dict=True)
    return list(encoded["input_ids"])


def end_tokens(policy: Any, tokenizer: Any) -> Tokens:
    """Tokens that end a completion: the tokenizer's, and those that the model's folder adds."""
    more = policy.generation_config.eos_token_id
    return sorted({tokenizer.eos_token_id, *(more if isinstance(more, list) else [more])} - {None})
