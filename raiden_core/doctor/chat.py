"""What the student's chat template and tokenizer make of prompts and answers, seen as the reward will see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2.exceptions import TemplateError

from raiden_core.doctor.check import Check, bad, none, ok
from raiden_core.doctor.subject import Subject
from raiden_core.models.templates import joins_system_turn
from raiden_core.planning.shapes import shape_of
from raiden_core.prompts import build_completion, build_prompt
from raiden_core.samples import Sample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SCORED = 64
"""Samples whose gold and empty completions are scored."""
MEASURED = 2000
"""Samples whose prompts are measured."""
TOO_MANY = 0.05
"""Share of prompts that do not fit from which on something is wrong with the settings."""


def check_template(subject: Subject) -> Check:
    """Whether the template keeps profile and history, and opens ``<think>`` if and only if the configuration says so."""
    name, config = "chat template", subject.config
    missing = subject.missing_tokenizer()
    if missing:
        return none(name, missing)
    if subject.tokenizer.chat_template is None:
        return bad(
            name, "the tokenizer has none", "use an instruction-tuned model, or put a chat_template.jinja beside it"
        )
    for sample in _with_and_without_history(subject):
        try:
            text = rendered(subject, sample)
        except TemplateError as error:
            first = "a conversation that a greeting opens" if _is_greeted(sample) else "a conversation"
            return bad(
                name,
                f"it refuses {first}: {' '.join(str(error).split())[:200]}",
                "use a template that takes such turns, or cards without greetings",
            )
        if build_prompt(sample, config.system_prompt, config.prompt.layout)[0]["content"].strip() not in text:
            return bad(
                name, "it drops the system turn, and with it the profile", "use a template that shows system turns"
            )
        if any(turn.content.strip() not in text for turn in sample.conversation_history):
            return bad(name, "it drops turns of the history", "use a template that shows all turns")
    end = rendered(subject, subject.samples.samples[0]).rstrip()
    opens, says = end.endswith("<think>"), subject.config.prefilled_think
    if opens and not says:
        return bad(name, "it opens <think> itself, so the format reward would always be 0", "set prefilled_think: true")
    if says and not opens:
        return bad(name, "prefilled_think is true, but it does not open <think>", "set prefilled_think: false")
    if end.endswith("</think>"):
        return bad(
            name,
            "it closes an empty <think></think> before the answer, so reasoning would be in a second one",
            "use a template (or chat_template_kwargs) that leaves thinking on",
        )
    where = ", in the first user turn, since it has no system turn" if joins_system_turn(subject.tokenizer) else ""
    return ok(name, f"keeps profile{where} and history; {'opens' if opens else 'does not open'} <think>, as configured")


def _missing_template(subject: Subject) -> str | None:
    """Why no prompt can be rendered; None where one can."""
    missing = subject.missing_tokenizer()
    if missing:
        return missing
    return "the tokenizer has no chat template" if subject.tokenizer.chat_template is None else None


def check_rewards(subject: Subject) -> Check:
    """Whether gold completions earn 1 and empty ones 0, through template, tokenizer and TRL's way of decoding."""
    name = "rewards"
    if missing := _missing_template(subject):
        return none(name, missing)
    samples = subject.samples.samples[:SCORED]
    empty = "</think><answer></answer>" if subject.config.prefilled_think else "<think></think><answer></answer>"
    for sample in samples:
        gold = gold_completion(subject, sample)
        seen = as_trl_decodes(subject.tokenizer, gold)
        score = subject.scorer.score(sample, seen)
        if score.accuracy != 1 or score.format != 1:
            return bad(
                name, f"sample {sample.id}: gold earns {score.total:g}: {_why(gold, seen, score.why)}", _advice(seen)
            )
        for text in ("", empty):
            earned = subject.scorer.score(sample, as_trl_decodes(subject.tokenizer, text))
            if earned.accuracy or earned.format:
                return bad(
                    name,
                    f"sample {sample.id}: an empty completion earns {earned.total:g}",
                    "check its validator with raiden score",
                )
    return ok(name, f"gold earns 1 and empty 0 on {len(samples)} samples ({subject.samples.source})")


def check_lengths(subject: Subject) -> Check:
    """How long prompts are against the context."""
    name = "prompt lengths"
    if missing := _missing_template(subject):
        return none(name, missing)
    config, tokenizer = subject.config, subject.tokenizer
    context = min(
        shape_of(config.student.model, config.student.nano, config.student_revision).context,
        int(tokenizer.model_max_length),
    )
    room = context - config.grpo.max_completion_length
    if config.grpo.max_prompt_length:
        room = min(room, config.grpo.max_prompt_length)
    texts = [rendered(subject, sample) for sample in subject.samples.samples[:MEASURED]]
    lengths = [len(ids) for ids in tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]]
    over = sum(length > room for length in lengths)
    words = f"longest {max(lengths):,} tokens, room for {room:,} of a context of {context:,}"
    if over:
        words += f"; {over} of {len(lengths)} do not fit"
    if over > TOO_MANY * len(lengths):
        return bad(
            name,
            words,
            "shorten profiles, lower grpo.max_completion_length, or raise grpo.max_prompt_length; what is longer is left out",
        )
    return ok(name, words)


def rendered(subject: Subject, sample: Sample) -> str:
    """A sample's prompt as text, up to where the completion begins."""
    chat = build_prompt(sample, subject.config.system_prompt, subject.config.prompt.layout)
    return str(subject.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))


def gold_completion(subject: Subject, sample: Sample) -> str:
    """What a perfect model would generate."""
    completion = build_completion(sample)
    return completion.removeprefix("<think>") if subject.config.prefilled_think else completion


def as_trl_decodes(tokenizer: PreTrainedTokenizerBase, completion: str) -> str:
    """A completion as TRL hands it to the rewards: its tokens and the end token, decoded without special tokens."""
    ids = tokenizer(completion, add_special_tokens=False)["input_ids"]
    if tokenizer.eos_token_id is not None:
        ids = [*ids, tokenizer.eos_token_id]
    return str(tokenizer.batch_decode([ids], skip_special_tokens=True)[0])


def _with_and_without_history(subject: Subject) -> list[Sample]:
    samples = subject.samples.samples
    chosen = [next((one for one in samples if not one.conversation_history), None)]
    chosen.append(next((one for one in samples if one.conversation_history), None))
    chosen.append(next((one for one in samples if _is_greeted(one)), None))
    return [one for one in chosen if one is not None]


def _is_greeted(sample: Sample) -> bool:
    """Whether the character opens the conversation."""
    return bool(sample.conversation_history) and sample.conversation_history[0].role == "assistant"


def _why(gold: str, seen: str, why: str) -> str:
    lost = [tag for tag in ("<think>", "</think>", "<answer>", "</answer>") if tag in gold and tag not in seen]
    return f"{', '.join(lost)} vanish when TRL decodes" if lost else f"{why} (read as {seen[:80]!r})"


def _advice(seen: str) -> str:
    if "<answer>" in seen and "</think>" in seen:
        return "check the sample with raiden score, and the tokenizer's normalisation"
    return "add the tags as ordinary tokens: AddedToken(tag, special=False)"
