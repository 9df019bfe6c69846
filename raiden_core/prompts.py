"""The one place where a prompt is built: training, evaluation and serving all see the same chat.

A prompt is a system turn (instructions, the whole profile, the output format), the conversation so far, and the
question as the last user turn. ``instructions`` replaces only the first of the three parts of the system turn:
a model that does not see the profile cannot stay in character, and one that is not told the format cannot keep it.

What people wrote (names, profiles, conversations, questions, answers) stays text: control tokens in it are spelled apart.

``layout`` is how the system turn is laid out: ``raiden``, or as a chat program lays out a character's card
(raiden_core/cards/layouts.py). Profile and format stand in it either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from raiden_core.cards.card import Card
from raiden_core.cards.layouts import Material, arranged
from raiden_core.cards.lorebook import triggered
from raiden_core.samples import Sample
from raiden_core.text.control_tokens import spelled_apart

Message = dict[str, str]
"""One turn of a chat: ``{"role": …, "content": …}``."""

Layout = Literal["raiden", "sillytavern", "risu"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
CARD = "card"
"""Where a sample's metadata keep the parts of the character's card."""
GREETING = "greeting"
"""Where they keep the number of the greeting that opens the conversation, from 0."""

INSTRUCTIONS = {
    "zh": "你是{name}。始终以第一人称、按下面的资料回答。",
    "en": "You are {name}. Always answer in the first person and according to the profile below.",
    "ja": "あなたは{name}です。常に一人称で、以下のプロフィールに従って答えてください。",
    "ko": "당신은 {name}입니다. 항상 일인칭으로, 아래 프로필에 따라 대답하세요.",
}
"""Default instructions by language; English serves every other language."""

FORMATS = {
    "zh": "格式：<think>思考</think><answer>回答</answer>",
    "en": "Format: <think>reasoning</think><answer>reply</answer>",
    "ja": "形式：<think>思考</think><answer>返答</answer>",
    "ko": "형식: <think>생각</think><answer>대답</answer>",
}


def build_prompt(sample: Sample, instructions: str | None = None, layout: Layout = "raiden") -> list[Message]:
    """The chat that asks a character the sample's question.

    Args:
        sample: its profile, history, question and language are used; the answer never is.
        instructions: replaces the default instructions; ``{name}`` in it becomes the character's name.
        layout: of the system turn; any but raiden's own takes the parts of the card from the sample's metadata.

    Returns:
        Messages that start with a system turn and end with the user's question.
    """
    if layout == "raiden":
        system = system_turn(sample.character_name, sample.character_profile, sample.language, instructions)
    else:
        system = _laid_out(sample, instructions, layout)
    history = [{"role": turn.role, "content": spelled_apart(turn.content)} for turn in sample.conversation_history]
    return [system, *history, {"role": "user", "content": spelled_apart(sample.question)}]


def system_turn(name: str, profile: Mapping[str, Any], language: str, instructions: str | None = None) -> Message:
    """The system turn: instructions, profile as ``key：value`` lines, output format."""
    opening = _opening(name, language, instructions)
    closing = FORMATS.get(language, FORMATS["en"])
    return {"role": "system", "content": f"{opening}\n{spelled_apart(profile_text(profile, language))}\n{closing}"}


def _opening(name: str, language: str, instructions: str | None) -> str:
    return (instructions or INSTRUCTIONS.get(language, INSTRUCTIONS["en"])).replace("{name}", spelled_apart(name))


def _laid_out(sample: Sample, instructions: str | None, layout: Literal["sillytavern", "risu"]) -> Message:
    card = Card.model_validate(sample.metadata.get(CARD) or {})
    history = sample.conversation_history
    entries = triggered(
        card.lorebook,
        [*(turn.content for turn in history), sample.question],
        replies=sum(turn.role == "assistant" for turn in history),
        greeting=sample.metadata.get(GREETING),
    )
    material = Material(
        name=sample.character_name,
        language=sample.language,
        instructions=_opening(sample.character_name, sample.language, instructions),
        card=card,
        entries=entries,
        profile={key: str(value) for key, value in sample.character_profile.items()},
        colon=colon(sample.language),
    )
    closing = FORMATS.get(sample.language, FORMATS["en"])
    return {"role": "system", "content": f"{spelled_apart(arranged(layout, material))}\n{closing}"}


def profile_text(profile: Mapping[str, Any], language: str) -> str:
    """The profile as lines of ``key：value``, with the colon of the language."""
    mark = colon(language)
    return "\n".join(f"{key}{mark}{value}" for key, value in profile.items())


def colon(language: str) -> str:
    """What stands between key and value: a full-width colon, or a half-width one and a space."""
    return "：" if language in ("zh", "ja") else ": "


def build_completion(sample: Sample) -> str:
    """What a perfect model would reply: the reference answer after the teacher's reasoning, in the format."""
    answer = spelled_apart(sample.answer)
    return f"<think>{spelled_apart(sample.reasoning.strip()) or answer}</think><answer>{answer}</answer>"
