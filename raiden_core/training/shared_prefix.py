"""GRPO that computes a group's prompt once: forward, backward and rollout.

A group asks one prompt G times. Plain GRPO pads G copies of the prompt beside G completions and computes all of them;
with a profile of 400 tokens and answers of 60 that is 3,680 tokens for 880 different ones. Here the copies go, and
nothing else changes: losses, gradients and log-probabilities are those of the plain computation up to the order in
which floating-point numbers are added (tests/integration/test_shared_prefix.py holds them to it).

**Log-probabilities.** In a causal decoder the hidden state of token i depends on tokens 0 to i and their positions
alone. So the G sequences ``prompt + c_g`` may stand in one row,

    p_0 … p_(P-2) | p_(P-1) c_1,0 … c_1,(n-2) | p_(P-1) c_2,0 … c_2,(n-2) | …

if token i attends to the prompt's block and to its own segment only, and keeps the position it has in its own sequence
(P-1, P, … in every segment). A segment starts with a copy of the prompt's last token, because that is the token that
predicts the completion's first; the completion's last token predicts nothing and is left out. Segment g then yields
exactly log p(c_g,t | prompt, c_g,<t), and the gradient of the shared block is the sum over the group, as it is when the
copies are computed one by one. This is the idea of Prefix Grouper (arXiv 2506.05433, section 3), written as one row
with a block mask so that any model that takes a mask and positions can run it.

**How many completions a row takes.** A row of T tokens costs about T (1 + T / 6h) in units of one token's matrix
products, h being the hidden size: 24 h² multiplications a token and layer against 4 h for each pair that attention looks
at, and a masked pair costs as much as any other. Few long completions therefore share a row less well than many short
ones; `completions_per_row` takes the number that costs least.

**Head.** Where the completions' logits are small they are computed at once; TRL's chunked head, which scores every
position twice on a CPU, is for vocabularies that do not fit.

**Rollout.** Every different prompt is prefilled once and its cache is repeated for the group; sampling then makes the same
draws from the same distributions. The cache has room for all that will be sampled, because appending by concatenation
copies everything before each token.

Where this cannot be right (sliding windows, encoders, recurrent layers, positions that are not given as ids, an attention
kernel that takes no such mask) TRL's own path runs. Whether it is right is not guessed: before the first step both
paths compute the same small batch, and `SharedPrefix.not_shared` says why they are not used.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers.cache_utils import DynamicLayer
from trl import GRPOTrainer
from trl.extras.profiling import profiling_context
from trl.models import unwrap_model_for_generation
from trl.trainer.utils import split_tensor_dict

from raiden_core.models.kv_cache import cache_name
from raiden_core.training.row_size import LOGITS_BYTES, completions_per_row

_log = logging.getLogger(__name__)

MASKED_KERNELS = ("sdpa", "eager")
"""Attention implementations of transformers that take a mask of any shape."""
MASK_ALIGNMENT = 16
"""Elements, as PyTorch's memory-efficient attention wants them."""
COMPUTED = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""What is computed in under mixed precision, whatever the weights are kept in."""
APART = 2.5
"""How many times farther the two paths' log-probabilities may lie apart, in the mean, than the plain path's own do when a
sequence is computed in a batch and alone: 17 tokens of SmolLM2 in bf16 lie 0.07 nats apart either way, 0.35 with a wrong
mask."""
ROUNDING, HALF_ROUNDING = 1e-4, 2e-2
"""Nats by which they may lie apart in any case, the latter where 16 bits are computed in: logits of that precision are
rounded by as much."""


Sampled = tuple[list[list[int]], Any]
"""Token ids of each completion; log-probabilities where the engine gives some."""
Scored = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]
"""(B, C) log-probabilities; (B, C) entropies or None; the auxiliary loss of a mixture of experts or None."""


@dataclass(frozen=True)
class Rows:
    """A micro-batch with every prompt once. R rows; W columns of prompt, then M of segments; N completion tokens."""

    input_ids: torch.Tensor
    """(R, W + M)"""
    position_ids: torch.Tensor
    """(R, W + M)"""
    segments: torch.Tensor
    """(R, W + M): 0 the prompt's block, 1 … a completion, -1 padding."""
    labels: torch.Tensor
    """(R, W + M): the token that each position predicts; -100 where none is scored."""
    tail: int
    """M"""
    places: torch.Tensor
    """(N,): where each scored token stands in the flattened (batch, completion) matrix, in row-major order of `labels`."""

    def mask(self, dtype: torch.dtype) -> torch.Tensor:
        """(R, 1, W + M, W + M): who attends to whom, 0 for yes and the dtype's minimum for no.

        In the dtype that is computed in, and with rows that begin at multiples of `MASK_ALIGNMENT`: a mask of another
        kind is converted or copied in every layer, and each layer keeps its copy for the backward pass.
        """
        rows, length = self.segments.shape
        own = self.segments[:, :, None] == self.segments[:, None, :]
        causal = torch.ones(length, length, dtype=torch.bool, device=own.device).tril()
        allowed = (own | (self.segments[:, None, :] == 0)) & causal
        room = torch.zeros(
            rows, 1, length, -(-length // MASK_ALIGNMENT) * MASK_ALIGNMENT, dtype=dtype, device=own.device
        )
        return room[..., :length].masked_fill_(~allowed[:, None], torch.finfo(dtype).min)


def pack(input_ids: torch.Tensor, attention_mask: torch.Tensor, completion_width: int, hidden_size: int) -> Rows | None:
    """Rows of a micro-batch as TRL has it: prompts padded on the left, completions on the right.

    Args:
        input_ids: (B, P + C).
        attention_mask: (B, P + C); a completion that is masked out whole is not computed.
        completion_width: C.
        hidden_size: of the model, for `completions_per_row`.

    Returns:
        None where no completion has a token.
    """
    device, (batch, width) = input_ids.device, input_ids.shape
    prompt_width = width - completion_width
    prompt_lengths = attention_mask[:, :prompt_width].sum(1).tolist()
    lengths = attention_mask[:, prompt_width:].sum(1).tolist()
    prompts = input_ids[:, :prompt_width].tolist()
    members: dict[tuple[int, ...], list[int]] = {}
    for one in range(batch):
        if lengths[one]:
            members.setdefault(tuple(prompts[one][prompt_width - prompt_lengths[one] :]), []).append(one)
    if not members:
        return None
    shared: list[list[int]] = []
    for prompt, group in members.items():
        mean = sum(lengths[one] for one in group) / len(group)
        size = completions_per_row(len(prompt), mean, len(group), hidden_size)
        shared += [group[start : start + size] for start in range(0, len(group), size)]

    block = max(prompt_lengths[row[0]] for row in shared) - 1
    sources, targets, positions, segments = [], [], [], []
    for row in shared:
        steps = [torch.arange(lengths[one]) for one in row]
        starts = [one * width + prompt_width for one in row]
        sources.append(torch.cat([start - 1 + step for start, step in zip(starts, steps, strict=True)]))
        targets.append(torch.cat([start + step for start, step in zip(starts, steps, strict=True)]))
        positions.append(torch.cat([prompt_lengths[row[0]] - 1 + step for step in steps]))
        segments.append(torch.cat([torch.full_like(step, number) for number, step in enumerate(steps, 1)]))
    source, target = (pad_sequence(each, batch_first=True, padding_value=-1).to(device) for each in (sources, targets))
    position = pad_sequence(positions, batch_first=True).to(device)
    segment = pad_sequence(segments, batch_first=True, padding_value=-1).to(device)

    flat, first = input_ids.reshape(-1), torch.tensor([row[0] for row in shared], device=device)
    columns = slice(prompt_width - 1 - block, prompt_width - 1)
    known = attention_mask[first][:, columns]
    scored = target >= 0
    labels = torch.where(scored, flat[target.clamp(min=0)], -100)
    places = target[scored]
    return Rows(
        input_ids=torch.cat([input_ids[first][:, columns], flat[source.clamp(min=0)]], 1),
        position_ids=torch.cat([(known.cumsum(1) - 1).clamp(min=0), position], 1),
        segments=torch.cat([known - 1, segment], 1),
        labels=torch.cat([labels.new_full((len(shared), block), -100), labels], 1),
        tail=source.shape[1],
        places=places // width * completion_width + places % width - prompt_width,
    )


def why_not(model: Any) -> str | None:
    """Why the prompt's computation cannot be shared with this model; None where it can, as far as its config tells."""
    config = model.config.get_text_config()
    if getattr(model.config, "is_encoder_decoder", False):
        return "the model has an encoder"
    kernel = getattr(config, "_attn_implementation", None)
    if kernel not in MASKED_KERNELS:
        return f"attn_implementation {kernel} takes no mask of blocks ({' or '.join(MASKED_KERNELS)} does)"
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"}:
        return f"not all of the model's layers attend to the whole sequence ({', '.join(sorted(kinds))})"
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return "the model attends within a sliding window"
    missing = {"position_ids", "logits_to_keep"} - set(inspect.signature(_inner(model).forward).parameters)
    if missing:
        return f"the model takes no {' and no '.join(sorted(missing))}"
    if getattr(model, "active_peft_config", None) is not None and model.active_peft_config.is_prompt_learning:
        return "the adapter puts tokens of its own before the prompt"
    return None


def _inner(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


class SharedPrefix(GRPOTrainer):
    """A `GRPOTrainer` whose groups share their prompt's computation wherever that gives the same result."""

    share_prefix = True
    """Whether to share at all; set before training."""
    not_shared: str | None = None
    """Why TRL's own path runs; None while the prompt is shared."""
    _checked = False
    _buffered_inputs: Any

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        compute_aux_loss: bool = False,
        **others: Any,
    ) -> Scored:
        """As TRL's: (B, C) log-probabilities, (B, C) entropies or None, the auxiliary loss or None."""
        plain = compute_aux_loss or any(value is not None for value in others.values())
        if plain or not self._shares(model):
            theirs: Scored = super()._get_per_token_logps_and_entropies(
                model,
                input_ids,
                attention_mask,
                logits_to_keep,
                batch_size,
                compute_entropy,
                compute_aux_loss,
                **others,
            )
            return theirs
        size = batch_size or len(input_ids)
        parts = [
            self._score(model, input_ids[start : start + size], attention_mask[start : start + size], logits_to_keep)
            for start in range(0, len(input_ids), size)
        ]
        logps, entropies = (torch.cat(each) for each in zip(*parts, strict=True))
        return logps, entropies if compute_entropy else None, None

    def _score(
        self, model: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor, width: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, C) log-probabilities and entropies of the completions' tokens; 0 where there is no token."""
        config = self._unwrapped(model).config.get_text_config()
        rows = pack(input_ids, attention_mask, width, config.hidden_size)
        if rows is None:  # nothing to score; a forward all the same, since other ranks wait for this one's
            logps, entropies, _ = super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, width, compute_entropy=True
            )
            return logps, entropies
        inputs = {
            "input_ids": rows.input_ids,
            "position_ids": rows.position_ids,
            "attention_mask": rows.mask(COMPUTED.get(self.accelerator.mixed_precision, self._unwrapped(model).dtype)),
            "use_cache": False,
        }
        scored = rows.labels != -100
        with self.accelerator.autocast():
            if rows.places.numel() * config.vocab_size * 4 <= LOGITS_BYTES.get(input_ids.device.type, 0):
                logits = model(**inputs, logits_to_keep=rows.tail).logits[scored[:, -rows.tail :]]
                logps, entropies = self._of_logits(logits, rows.labels[scored])
            else:
                del inputs["use_cache"]
                outputs = model(**inputs, shift_labels=rows.labels, fused_lm_head=True)
                logps, entropies = outputs.log_probs[scored], outputs.entropy
                entropies = torch.zeros_like(logps) if entropies is None else entropies[scored]
        empty = logps.new_zeros(len(input_ids) * width)
        return (
            empty.index_put((rows.places,), logps).view(-1, width),
            empty.index_put((rows.places,), entropies).view(-1, width),
        )

    def _of_logits(self, logits: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N,) log-probabilities of the labels, and entropies, from (N, V) logits."""
        scores = torch.log_softmax(logits.float() / self.temperature, dim=-1)
        with torch.set_grad_enabled(torch.is_grad_enabled() and self._entropy_bonus_enabled):
            entropies = -(scores.exp() * scores).sum(-1)
        return scores.gather(-1, labels[:, None]).squeeze(-1), entropies

    def _shares(self, model: Any) -> bool:
        """Whether the prompt is shared; decided once, by the config and by what a small batch gives on both paths."""
        if not self._checked:
            self._checked = True
            self.not_shared = self._objection(model)
            if self.not_shared and self.share_prefix:
                _log.info("each completion computes its prompt by itself: %s", self.not_shared)
        return self.not_shared is None

    def _objection(self, model: Any) -> str | None:
        if not self.share_prefix:
            return "grpo.shared_prefix is off"
        if reason := why_not(self._unwrapped(model)):
            return reason
        ids, attention = _specimen(self._unwrapped(model).config.get_text_config().vocab_size)
        ids, attention = ids.to(self.accelerator.device), attention.to(self.accelerator.device)
        scored = attention[:, -SPECIMEN_COMPLETION:].bool()
        training = model.training
        model.eval()
        with torch.no_grad():
            plain = self._plain(model, ids, attention)
            alone = [
                self._plain(model, row[None, length:], mask[None, length:])
                for row, mask, length in zip(ids, attention, (attention == 0).cumprod(1).sum(1).tolist(), strict=True)
            ]
            shared, _ = self._score(model, ids, attention, SPECIMEN_COMPLETION)
        model.train(training)
        noise, apart = (float((plain - other)[scored].abs().mean()) for other in (torch.cat(alone), shared.float()))
        half = self.accelerator.mixed_precision != "no" or self._unwrapped(model).dtype != torch.float32
        if apart <= APART * noise + (HALF_ROUNDING if half else ROUNDING):
            return None
        return (
            f"log-probabilities come out {apart:.2g} nats apart in the mean, where rounding explains {noise:.2g}, so the "
            "model does not heed the mask or the positions"
        )

    def _plain(self, model: Any, ids: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of the specimen's completions on TRL's path."""
        logps, _, _ = super()._get_per_token_logps_and_entropies(model, ids, attention, SPECIMEN_COMPLETION)
        return cast("torch.Tensor", logps).float()

    def _unwrapped(self, model: Any) -> Any:
        return self.accelerator.unwrap_model(model)

    def _prepare_inputs(self, generation_batch: Any) -> dict[str, Any]:
        """As TRL's, but completions of one prompt stay together where a generation batch is dealt to micro-batches."""
        if not (self.model.training and self.share_prefix) or self._is_vlm:
            return cast("dict[str, Any]", super()._prepare_inputs(generation_batch))
        every = self.args.steps_per_generation * self.num_iterations
        if self._step % every == 0 or self._buffered_inputs is None:
            scored = self._generate_and_score_completions(generation_batch)
            order = together(scored["prompt_ids"].tolist(), torch.randperm(len(scored["prompt_ids"])).tolist())
            self._buffered_inputs = split_tensor_dict(reordered(scored, order), self.args.steps_per_generation)
        return dict(self._buffered_inputs[self._step % self.args.steps_per_generation])

    def _generate_single_turn(
        self,
        prompt_ids: list[list[int]],
        images: Any,
        multimodal_fields: Mapping[str, Any],
        num_generations: int,
        **others: Any,
    ) -> Sampled:
        """As TRL's: sampled token ids of each prompt, and no log-probabilities."""
        elsewhere = self.use_vllm or self.use_transformers_continuous_batching
        if elsewhere or images is not None or multimodal_fields or not self._shares(self.model_wrapped):
            theirs: Sampled = super()._generate_single_turn(
                prompt_ids, images, multimodal_fields, num_generations, **others
            )
            return theirs
        different = list(dict.fromkeys(tuple(ids) for ids in prompt_ids))
        number = {ids: place for place, ids in enumerate(different)}
        copies = torch.tensor([number[tuple(ids)] for ids in prompt_ids], device=self.accelerator.device)
        ids, attention = _padded_left(different, self._tokenizer.pad_token_id, self.accelerator.device)
        with (
            profiling_context(self, "transformers.generate"),
            unwrap_model_for_generation(
                self.model_wrapped,
                self.accelerator,
                gather_deepspeed3_params=self.args.ds3_gather_for_generation,
                generation_kwargs=self.generation_kwargs,
                gradient_checkpointing_kwargs=self.args.gradient_checkpointing_kwargs,
            ) as model,
            torch.no_grad(),
            self._dist.summon_full_params(self.model_wrapped, recurse=False),
        ):
            known: Any = None
            if ids.shape[1] > 1:
                read = model(
                    input_ids=ids[:, :-1],
                    attention_mask=attention[:, :-1],
                    position_ids=(attention[:, :-1].cumsum(1) - 1).clamp(min=0),
                    use_cache=True,
                    logits_to_keep=1,
                )
                known = getattr(read, cache_name())
                room = self.generation_config.max_new_tokens or self.max_completion_length
                known.layers = [RoomyLayer.copied(layer, copies, room) for layer in known.layers]
            whole = model.generate(
                input_ids=ids[copies],
                attention_mask=attention[copies],
                generation_config=self.generation_config,
                **{cache_name(): known},
            )
        return [_up_to_end(row, self.eos_token_ids) for row in whole[:, ids.shape[1] :].tolist()], None


class RoomyLayer(DynamicLayer):
    """A cache layer with room for what will be sampled, so that a token is written instead of copying all before it."""

    keys: torch.Tensor
    values: torch.Tensor
    _room: tuple[torch.Tensor, torch.Tensor]

    @classmethod
    def copied(cls, layer: Any, rows: torch.Tensor, tokens: int) -> RoomyLayer:
        """The given rows of a filled layer, with room for so many tokens more."""
        roomy = cls()
        roomy.lazy_initialization(layer.keys, layer.values)
        batch, length = len(rows), layer.keys.shape[-2]
        keys, values = (
            known.new_empty(batch, known.shape[1], length + tokens, known.shape[-1])
            for known in (layer.keys, layer.values)
        )
        keys[..., :length, :], values[..., :length, :] = layer.keys[rows], layer.values[rows]
        roomy._room = keys, values
        roomy.keys, roomy.values = keys[..., :length, :], values[..., :length, :]
        return roomy

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the states of new tokens, (batch, heads, tokens, width) each; all that are known."""
        length = self.keys.shape[-2]
        end = length + key_states.shape[-2]
        keys, values = self._room
        keys[..., length:end, :], values[..., length:end, :] = key_states, value_states
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]
        return self.keys, self.values


def together(prompts: Sequence[Sequence[int]], order: Sequence[int]) -> list[int]:
    """An order of the batch in which equal prompts are neighbours; prompts come as they first come in ``order``."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place in order:
        groups.setdefault(tuple(prompts[place]), []).append(place)
    return [place for group in groups.values() for place in group]


def reordered(batch: Mapping[str, Any], order: Sequence[int]) -> dict[str, Any]:
    """Every column of a batch in the given order; single values and None stay."""
    index = torch.tensor(order)

    def one(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value[index.to(value.device)] if value.ndim else value
        return value if value is None else [value[place] for place in order]

    return {name: one(value) for name, value in batch.items()}


def _padded_left(
    prompts: Sequence[Sequence[int]], padding: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    reverse = [torch.tensor(ids[::-1]) for ids in prompts]
    ids = pad_sequence(reverse, batch_first=True, padding_value=padding).flip(1)
    attention = pad_sequence([torch.ones_like(one) for one in reverse], batch_first=True).flip(1)
    return ids.to(device), attention.to(device)


def _up_to_end(ids: list[int], ends: Sequence[int]) -> list[int]:
    """The tokens up to the first end-of-turn token, which belongs to them."""
    stop = next((place for place, token in enumerate(ids) if token in ends), len(ids) - 1)
    return ids[: stop + 1]


SPECIMEN_COMPLETION = 5


def _specimen(vocab_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask of two prompts of different length with two completions each, for the check."""
    tokens = torch.arange(4 * (9 + SPECIMEN_COMPLETION)).reshape(4, -1) * 7919 % min(vocab_size, 1000)
    tokens[1, :9], tokens[3, :9] = tokens[0, :9], tokens[2, :9]
    attention = torch.ones_like(tokens)
    attention[2:, :4] = 0
    attention[1, -2:] = attention[3, -1:] = 0
    return tokens, attention
