"""The sentences of the report: what the numbers of this run mean, and what they do not.

Every sentence is derived from the results, so that the page never claims more than its own intervals allow.
"""

from __future__ import annotations

from collections.abc import Mapping

from raiden_core.evaluation.results import Controls, Leaks, Pair, Results
from raiden_core.text.formatting import p_value, percent, points, points_range

SMALL_N = 100
FEW_CHARACTERS = 30
ENOUGH = 0.05
"""Lenient lift, as a share, below which a strict lift is called a matter of format."""
CUT_OFF = 0.02
"""Share of cut-off replies above which they are worth a sentence."""


def verdict(results: Results) -> str:
    """One sentence: did training help, by how much, how sure is that."""
    trained = results.of_trained().all
    pair, base = results.paired, results.base
    where = f"{_count(trained.n, 'question')} about {_count(trained.characters, 'character')}"
    if pair is None or base is None:
        return f"The model answers {percent(trained.strict)}% of {where} right and in the required format."
    if pair.ci95 is None:
        return (
            f"On {where} the share of right answers went from {percent(base.all.strict)}% to "
            f"{percent(trained.strict)}%. One character says nothing about others, so no claim can be made."
        )
    low, high = pair.ci95
    sure = f"95% interval {points_range(pair.ci95)}; McNemar p\u00a0{_equals(pair.p)}"
    words = f"{points(pair.delta)} points ({sure})"
    if low > 0:
        return f"Training helped: {words} on {where}."
    if high < 0:
        return f"Training did harm: {words} on {where}."
    return f"No difference can be claimed: {words} on {where}. The interval includes zero."


def explanation(results: Results) -> list[str]:
    """What stands behind the verdict: knowledge or format, how many flips, how many replies were empty or cut off."""
    sentences = []
    pair, trained = results.paired, results.of_trained().all
    if pair is not None and pair.ci95 is not None:
        sentences.append(
            f"{_count(pair.fixed, 'question')} went from wrong to right and {pair.broken} from right to wrong."
        )
        sentences.append(_format_or_knowledge(pair))
    cells = {name: cells.all for name, cells in results.models.items() if name != "original"}
    if any(cell.empty for cell in cells.values()):
        sentences.append(
            f"Replies without answer text: {_of_each({name: (cell.empty, cell.n) for name, cell in cells.items()})}."
        )
    if any(cell.cut_off > CUT_OFF * cell.n for cell in cells.values()):
        sentences.append(
            f"Replies cut off at the length limit: {_of_each({name: (cell.cut_off, cell.n) for name, cell in cells.items()})}."
        )
    if trained.n < SMALL_N:
        sentences.append(f"{_count(trained.n, 'question')} are few: read the intervals, not the percentages.")
    return sentences


def reading_guide(results: Results) -> list[tuple[str, str]]:
    """Terms and what they mean here, for someone who sees such a page for the first time."""
    characters = results.of_trained().all.characters
    few = (
        f" Here there are {characters}, which is few."
        if 1 < characters < FEW_CHARACTERS
        else " Here there is only one, so no interval is given."
        if characters == 1
        else ""
    )
    return [
        (
            "Right",
            "The answer text contains the keywords of the question's validator and claims none of its distractors. "
            "This is "
            "checked by rule, without a judge. It says that a fact is there; it does not say that the reply is "
            "pleasant, "
            "natural or in the character's voice.",
        ),
        (
            "Strict and lenient",
            "Strict counts a right answer only when it also keeps the form <think>…</think><answer>…</answer>. Lenient "
            "counts a right answer in any form. A strict gain without a lenient one is format alone.",
        ),
        (
            "SBK, CM, SCK and RCB",
            "Script-based knowledge: the answer is in the profile. Conversation memory: it is only in the dialogue so"
            " far. Script-contradictory knowledge: the question assumes something that the profile contradicts, and the "
            "right answer corrects it. Role-cognition boundary: nobody told the character, and the right answer says so.",
        ),
        (
            "95% interval",
            "Answers to questions about one character tend to be right or wrong together, so the unit of chance is the "
            "character, not the question."
            + few
            + " The interval is about other characters of the same kind, made in the same way; it says nothing about "
            "other kinds of characters or other training seeds.",
        ),
        (
            "p",
            "McNemar's test: how often a difference at least so large would appear if gains and losses were equally "
            "likely. "
            "It treats questions as independent, which makes it a little too small; when it and the interval disagree, "
            "believe the interval.",
        ),
        (
            "Base",
            "The model that reinforcement learning started from, after the cold start if there was one. Both models "
            "got the same prompts and answered greedily.",
        ),
    ]


def control_rows(controls: Controls) -> list[tuple[str, str, str]]:
    """The controls as (name, value, what it should be and why)."""
    rows = [
        (
            "References",
            _share(controls.gold),
            "Must be 100%: a reference that fails its own check makes a question worthless.",
        )
    ]
    if controls.other_character is None:
        rows.append(("Another character's reply", "not possible", "There is only one character."))
    else:
        rows.append(
            (
                "Another character's reply",
                _share(controls.other_character),
                "The trained model's reply to a question of the same kind about somebody else. Chance is "
                f"{_share(controls.other_character_chance)}: "
                "that is how often the right answer about one character is right about the other too. Much more would mean "
                "that the model "
                "or the measure does not tell characters apart.",
            )
        )
    rows.append(
        (
            "Keywords only",
            _share(controls.keyword_list),
            "A bare list of the keywords. High by construction: keyword checks cannot tell a list from a sentence. "
            "Look at the dialogues to see that "
            "replies are sentences.",
        )
    )
    rows.append(
        (
            "Profile recited",
            _share(controls.profile_recited),
            "The whole profile as the reply. A long one scores 0 by the length limit, another one because it mentions much "
            "that was not asked for. Should be near 0.",
        )
    )
    if controls.recital is not None:
        rows.append(
            (
                "Short values recited",
                _share(controls.recital),
                "All short values of the profile as the reply to every question. Must be near 0: otherwise a model can "
                "learn to recite instead of answering.",
            )
        )
    if controls.always_refuses is not None:
        rows.append(
            (
                "Always refuses",
                _share(controls.always_refuses),
                "“I don't know” to every question: right exactly where nobody told the character. Each such question has "
                "an answerable twin that this answers wrongly.",
            )
        )
        rows.append(
            (
                "Always agrees",
                _share(controls.always_agrees),
                "Agreement with whatever the question assumes. Must be near 0.",
            )
        )
    if controls.leaks is not None:
        rows.append(_leak_row(controls.leaks))
    return rows


def _leak_row(leaks: Leaks) -> tuple[str, str, str]:
    number = len(leaks.characters)
    value = "none" if not (number or leaks.samples or leaks.conversations) else "found"
    return (
        "Seen in training",
        value,
        f"{_count(number, 'character')}, {_count(leaks.samples, 'question')} and "
        f"{_count(leaks.conversations, 'conversation')} of the validation set are in the training data.",
    )


def _format_or_knowledge(pair: Pair) -> str:
    lenient = f"{points(pair.lenient_delta)} points (95% interval {points_range(pair.lenient_ci95)})"
    if pair.lenient_ci95 is not None and pair.lenient_ci95[0] > 0:
        return f"It is not format alone: counting right answers in any form, the difference is {lenient}."
    if _strict_alone(pair):
        return f"This is mostly format: counting right answers in any form, the difference is {lenient}."
    return f"Counting right answers in any form, the difference is {lenient}."


def _strict_alone(pair: Pair) -> bool:
    """Whether a sure strict lift is clearly above the lenient one."""
    if pair.delta is None or pair.lenient_delta is None or pair.ci95 is None:
        return False
    return pair.delta - pair.lenient_delta > ENOUGH and pair.ci95[0] > 0


def _of_each(counts: Mapping[str, tuple[int, int]]) -> str:
    """By model, how many of how many."""
    return ", ".join(f"{some:,} of {every:,} ({model})" for model, (some, every) in counts.items())


def _share(value: float | None) -> str:
    return f"{percent(value)}%"


def _equals(p: float | None) -> str:
    text = p_value(p)
    # No line break between p and its value.
    return (text if text.startswith("<") else f"= {text}").replace(" ", "\u00a0")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
