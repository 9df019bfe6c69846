"""Text that people wrote stays text: a control token in it is spelled apart, so that no tokenizer takes it for one.

Chat templates put turns together from strings, and tokenizers look for their control tokens in the whole string. So a
card, a question or a line of a conversation that holds ``<|im_end|>`` ends its turn and may open another, in training
and when the model is served. No tokenizer knows a control token with a blank in it (``< |im_end|>``), whichever the
model, and a served one cannot be asked for its list: so what looks like one is taken apart wherever prompts are built.
"""

from __future__ import annotations

import re

_ANGLES = re.compile(r"<(?=(?:/?[^\W\d][\w|▁:]{0,80}|[|｜][^<>\n]{0,80}[|｜])>)")
"""``<|im_end|>``, ``<｜User｜>``, ``<s>``, ``</s>``, ``<start_of_turn>``, ``<<SYS>>``, and the tags of the output format."""
_BRACKETS = re.compile(r"\[(?=/?g?[A-Z][A-Z_]{1,40}\d{0,3}\])")
"""``[INST]``, ``[/INST]``, ``[AVAILABLE_TOOLS]``, ``[gMASK]``, ``[UNUSED_TOKEN_145]``."""


def spelled_apart(text: str) -> str:
    """The text with a blank inside whatever looks like a control token; any other text as it is."""
    if "<" in text:
        text = _ANGLES.sub("< ", text)
    if "[" in text:
        text = _BRACKETS.sub("[ ", text)
    return text
