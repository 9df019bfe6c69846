"""How many samples there will be and how long their prompts are, from a file, from counts, or assumed and said so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from raiden_core.config import Config
from raiden_core.errors import DataError
from raiden_core.planning.drafts import CHARACTERS, drafted_samples
from raiden_core.planning.job import ASSUMED_PROMPT, Lengths
from raiden_core.prompts import Layout, build_completion, build_prompt
from raiden_core.rewards.configured import data_scorer
from raiden_core.samples import Sample, iter_rows, parse_sample

CHARACTERS_TO_A_TOKEN = {"zh": 1.5, "ja": 1.3, "ko": 1.4}
"""Characters that one token of a Qwen tokenizer holds on average; other languages have `LATIN`."""
LATIN = 3.8
TURN_TOKENS = 8
"""Tokens that a chat template adds to each turn."""
MARGIN = 1.3
"""How much longer than the longest draft the longest prompt is taken to be."""
ASSUMED_SAMPLES = 8
"""Samples a character where the configuration sets no limit."""


@dataclass(frozen=True)
class Amount:
    """How many training samples there are."""

    samples: int
    source: str


def expected_amount(config: Config) -> Amount | None:
    """Training samples that the configuration's characters will give at most; None where nothing says how many."""
    composed = config.characters.composed.count
    read, words = 0, []
    if config.characters.paths:
        from raiden_core.characters import read_characters

        read = len(read_characters(config.characters.paths).characters)
        words.append(f"{read:,} read")
    if composed:
        words.append(f"{composed:,} composed")
    characters = read + composed
    if not characters:
        return None
    split = config.split
    held = split.validation_characters or round(characters * (split.validation_share or 0))
    each = config.generation.samples_per_character or ASSUMED_SAMPLES
    used = max(1, characters - held)
    return Amount(
        used * each, f"{used:,} of {' + '.join(words)} characters, {held:,} held out, x {each} samples at most"
    )


def file_amount(path: Path, instructions: str | None, layout: Layout = "raiden") -> tuple[Amount, Lengths]:
    """The samples of a file and their prompts, in tokens estimated from their characters.

    Raises:
        DataError: the file cannot be read or holds no sample.
    """
    samples = [parse_sample(row, where) for where, row in iter_rows(path)]
    if not samples:
        raise DataError(f"{path}: holds no sample")
    lengths = [estimated_tokens(sample, instructions, layout) for sample in samples]
    replies = [_tokens(build_completion(sample), sample.language) for sample in samples]
    mean = round(sum(lengths) / len(lengths))
    source = f"{path.name}: up to {max(lengths):,} tokens, {mean:,} on average (from the number of characters)"
    return Amount(len(lengths), str(path)), Lengths(max(lengths), mean, source, round(sum(replies) / len(replies)))


def estimated_tokens(sample: Sample, instructions: str | None, layout: Layout = "raiden") -> int:
    """Tokens of a sample's prompt, from its characters."""
    chat = build_prompt(sample, instructions, layout)
    return _tokens("".join(message["content"] for message in chat), sample.language) + TURN_TOKENS * len(chat)


def _tokens(text: str, language: str) -> int:
    return round(len(text) / CHARACTERS_TO_A_TOKEN.get(language, LATIN))


def drafted_lengths(config: Config) -> Lengths | None:
    """The lengths of prompts and completions of a configuration's characters, from drafts of a few of them.

    None where there are no characters, or the offline teacher finds nothing to ask in them; a student that is made inside
    the run has tokens of its own.

    Raises:
        DataError: the characters cannot be read.
    """
    if config.student.is_nano:
        return None
    samples = drafted_samples(config, data_scorer(config))
    if not samples:
        return None
    prompts = [estimated_tokens(sample, config.system_prompt, config.prompt.layout) for sample in samples]
    replies = [_tokens(build_completion(sample), sample.language) for sample in samples]
    longest, mean = round(MARGIN * max(prompts)), round(sum(prompts) / len(prompts))
    if limit := config.grpo.max_prompt_length:
        longest, mean = min(limit, longest), min(limit, mean)
    source = f"up to {longest:,} tokens, {mean:,} on average (drafts of up to {CHARACTERS} characters)"
    return Lengths(longest, mean, source, round(sum(replies) / len(replies)))


def assumed_lengths(config: Config, context: int) -> Lengths:
    """The length of prompts that nothing is known about."""
    limit = config.grpo.max_prompt_length
    room = max(1, context - config.grpo.max_completion_length)
    if config.student.is_nano:
        longest = min(192, room, limit or room)
        return Lengths(longest, longest, f"{longest:,} tokens assumed, as the quickstart's profiles have")
    if limit:
        longest = min(limit, room)
        return Lengths(longest, longest, f"{longest:,} tokens, from grpo.max_prompt_length")
    longest = min(ASSUMED_PROMPT, room)
    return Lengths(longest, longest, f"{longest:,} tokens assumed; --data FILE measures them")
