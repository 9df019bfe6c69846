"""Chat templates that know no system turn: there the profile goes into the first user turn.

Some instruct models were trained without a system role. Their templates refuse it, or leave it out without a word, and a
character whose profile is left out cannot be played. The template itself is completed, so that training, evaluation and
whatever serves the saved model all see the same prompt.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

JOIN_SYSTEM_TURN = (
    "{%- if messages and messages[0]['role'] == 'system' -%}"
    "{%- if messages[1:] and messages[1]['role'] == 'user' -%}"
    "{%- set messages = [{'role': 'user', 'content': messages[0]['content'] + '\\n\\n' + messages[1]['content']}] "
    "+ messages[2:] -%}"
    "{%- else -%}"
    "{%- set messages = [{'role': 'user', 'content': messages[0]['content']}] + messages[1:] -%}"
    "{%- endif -%}{%- endif -%}"
)
"""Stands before a template of that kind."""

_SYSTEM, _USER = "Profile of somebody", "Question to them"

log = logging.getLogger(__name__)
_said: set[str] = set()


def complete_template(tokenizer: PreTrainedTokenizerBase, model: str) -> bool:
    """Let a tokenizer's template take a system turn; whether it had to be completed. It is said once for each model."""
    template = tokenizer.chat_template
    if not isinstance(template, str) or takes_system_turn(tokenizer):
        return False
    tokenizer.chat_template = JOIN_SYSTEM_TURN + template
    if not takes_system_turn(tokenizer):  # broken in another way, which whoever renders a prompt will be told
        tokenizer.chat_template = template
        return False
    if model not in _said:
        _said.add(model)
        log.warning("%s: its chat template has no system turn; profile and format go into the first user turn", model)
    return True


def joins_system_turn(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the template puts the system turn into the first user turn."""
    return str(tokenizer.chat_template).startswith(JOIN_SYSTEM_TURN)


def takes_system_turn(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a prompt shows both turns."""
    from jinja2 import TemplateError

    chat = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _USER}]
    try:
        text = str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
    except TemplateError:
        return False
    return _SYSTEM in text and _USER in text
