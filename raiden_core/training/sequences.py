"""Token sequences for the cold start: prompts without loss, completions with it.

A sequence holds one question about a character, or several as further turns of the same chat: a tiny model only
learns to look things up when each profile is asked about many times (dense sequences).
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from raiden_core.errors import ConfigError
from raiden_core.prompts import Layout, Message, build_completion, build_prompt
from raiden_core.samples import Sample, withheld
from raiden_core.text.control_tokens import spelled_apart

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""Label of a token that bears no loss."""

Row = dict[str, list[int]]
"""``input_ids`` and ``labels`` of one sequence, equally long."""


@dataclass(frozen=True)
class Sequences:
    """Training rows, and how many samples were too long for them."""

    rows: list[Row]
    too_long: int


def build_sequences(
    samples: Sequence[Sample],
    tokenizer: PreTrainedTokenizerBase,
    *,
    epochs: float,
    questions_per_sequence: int,
    max_length: int,
    shortest_first: bool,
    instructions: str | None,
    layout: Layout = "raiden",
    prefilled_think: bool,
    seed: int,
) -> Sequences:
    """Rows of all epochs, in the order in which they are to be trained on.

    Samples of one character share a sequence; one with a conversation history can only open it. Every epoch draws
    the sequences anew. ``shortest_first``
    sorts the first epoch by the number of profile fields, equals in random
    order.

    Raises:
        ConfigError: several questions a sequence, but the chat template rewrites earlier turns, or ends them otherwise
            than with the tokenizer's end-of-sequence token.
    """
    rng = random.Random(seed)
    encoder = _Encoder(tokenizer, instructions, layout, prefilled_think)
    rows: list[Row] = []
    too_long = 0
    for epoch in range(math.ceil(epochs)):
        groups = _grouped(samples, questions_per_sequence, rng)
        rng.shuffle(groups)
        if epoch == 0 and shortest_first:
            groups.sort(key=lambda group: _fields(group[0]))
        for group in groups[: math.ceil(len(groups) * (epochs - epoch))]:
            row: Row = {"input_ids": [], "labels": []}
            opener: Sample | None = None
            for sample in group:
                segment = encoder.segment(sample, opener)
                if len(row["input_ids"]) + len(segment["input_ids"]) > max_length:
                    too_long += epoch == 0
                    continue
                opener = opener or sample
                row["input_ids"] += segment["input_ids"]
                row["labels"] += segment["labels"]
            if row["input_ids"]:
                rows.append(row)
    return Sequences(rows, too_long)


def _grouped(samples: Sequence[Sample], size: int, rng: random.Random) -> list[list[Sample]]:
    """Groups of at most ``size`` samples of one character; those with a history come first in theirs."""
    by_character: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        by_character[sample.character_name, str(sample.character_profile)].append(sample)
    groups = []
    for mine in by_character.values():
        openers = [[sample] for sample in mine if sample.conversation_history]
        others = [sample for sample in mine if not sample.conversation_history]
        rng.shuffle(others)
        if size > 1 and len(others) > len(openers):
            # Without this every sequence would open with a conversation, and a bare first question would be new.
            openers.append([others.pop()])
        for place, sample in enumerate(others):
            if openers and len(openers[place % len(openers)]) < size:
                openers[place % len(openers)].append(sample)
            else:
                openers.append([sample])
        groups += openers
    return groups


def _fields(sample: Sample) -> int:
    """How many fields the whole profile has: else the first sequences would be those from which something was left out."""
    return len(sample.character_profile | withheld(sample))


class _Encoder:
    """Tokens of questions and completions; each sample is rendered once as an opener and once as a later turn."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, instructions: str | None, layout: Layout, prefilled_think: bool
    ) -> None:
        self.tokenizer = tokenizer
        self.instructions = instructions
        self.layout = layout
        self.prefilled_think = prefilled_think
        self.cache: dict[tuple[int, bool], Row] = {}

    def segment(self, sample: Sample, opener: Sample | None) -> Row:
        """A question with its completion, as the tokens that it adds to a chat; without an opener it opens one."""
        place = id(sample), opener is None  # ids of files made elsewhere need not be unique
        if place not in self.cache:
            prompt = (
                self._turn(opener, sample)
                if opener
                else self._render(build_prompt(sample, self.instructions, self.layout))
            )
            self.cache[place] = self._row(prompt, self._said(sample))
        return self.cache[place]

    def _turn(self, opener: Sample, sample: Sample) -> str:
        """What a further question adds to a chat, from the end of the completion before it."""
        chat = build_prompt(opener, self.instructions, self.layout)
        shown, end = self._render(chat) + self._said(opener), str(self.tokenizer.eos_token)
        answered: list[Message] = [*chat, {"role": "assistant", "content": build_completion(opener)}]
        rendered = self._render([*answered, {"role": "user", "content": spelled_apart(sample.question)}])
        if not rendered.startswith(shown):
            raise ConfigError(
                "cold_start.questions_per_sequence: this model's chat template rewrites earlier turns; set it to 1"
            )
        if not rendered.startswith(shown + end):
            raise ConfigError(
                f"student.model: the chat template ends a turn with {rendered[len(shown) :][:16]!r} and not with the "
                f"tokenizer's eos_token {end!r}; correct eos_token in tokenizer_config.json, or set "
                "cold_start.questions_per_sequence to 1"
            )
        return rendered[len(shown + end) :]

    def _said(self, sample: Sample) -> str:
        completion = build_completion(sample)
        return completion.removeprefix("<think>") if self.prefilled_think else completion

    def _render(self, chat: list[Message]) -> str:
        return str(self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))

    def _row(self, prompt: str, said: str) -> Row:
        prompt_ids = self.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        answer_ids = self.tokenizer(said, add_special_tokens=False)["input_ids"] + [self.tokenizer.eos_token_id]
        return {"input_ids": prompt_ids + answer_ids, "labels": [IGNORED] * len(prompt_ids) + answer_ids}
