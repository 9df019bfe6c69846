"""What any text of the teacher must be: something, in the right language, free of tags, no loop and no copy of the task.

What a character says or thinks is also looked at for who speaks (`check_voice`).
"""

from __future__ import annotations

import re

from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.prompts import wording
from raiden_core.generation.mining.reasons import Dropped
from raiden_core.rewards import contains_term
from raiden_core.rewards.extras import language_consistency, repetition_penalty
from raiden_core.rewards.folding import SPACELESS, fold, has_ink, units

MIN_LANGUAGE_SHARE = 0.5
"""Share of a text's words that must be in the character's language; names and titles of others are common."""
MAX_REPETITION = 0.3
"""Share of a text's four-word runs that may have occurred before in it."""
SHORT = 16
"""A text of fewer units cannot loop."""
_TAG = re.compile(r"</?(?:think|answer|data-[0-9a-f]*|reasoning|tool_call)\b[^>]*>|<\|[^|<>]{1,40}\|>", re.IGNORECASE)


COPIED_LETTERS, COPIED_WORDS = 12, 8
"""A run of so many CJK letters, or words, of the instructions is no accident."""
_TOKEN = re.compile(f"[^\\W_{SPACELESS}]+|[{SPACELESS}]")
_FIRST_PERSON = {
    "zh": re.compile(
        "[我俺吾咱余予朕]|本(?:人|官|王|姑娘|小姐|宫|座|尊|大爷|少爷)|在下|老夫|老身|老朽|老衲|贫道|小女|妾|奴婢|臣|孤"
    ),
    "en": re.compile(r"\b(?:i|me|my|mine|myself|we|us|our|ours)\b", re.IGNORECASE),
    "ja": re.compile(
        "私|わたし|わたくし|あたし|僕|ぼく|ボク|俺|おれ|オレ|儂|わし|ワシ|我|拙者|吾輩|うち|自分|妾|あたい|おいら|余|当方|手前"
    ),
    "ko": re.compile("나|내|저|제|우리|본인|소인|짐"),
}
"""Broad on purpose: what holds any of it is not looked at further."""
_THE_CHARACTER = {
    "zh": re.compile("角色|该人物|这个人物|这位人物"),
    "en": re.compile(r"\bthe (?:character|user)\b", re.IGNORECASE),
    "ja": re.compile("キャラクター|この人物"),
    "ko": re.compile("캐릭터|이 인물"),
}
_OTHERS = {
    "zh": re.compile("[他她你您]"),
    "en": re.compile(r"\b(?:he|she|his|her|him|they|their|you|your)\b", re.IGNORECASE),
    "ja": re.compile("彼女|彼は|彼の"),
    "ko": re.compile("그는|그녀"),
}


def check_text(text: str, language: str) -> None:
    """Pass a text or give it up.

    Raises:
        Dropped: it is blank, holds tags, repeats itself or the instructions, or is in another language.
    """
    if not has_ink(text) or not any(map(str.isalnum, text)):
        raise Dropped(reasons.BLANK)
    if _TAG.search(text):
        raise Dropped(reasons.LEAKED_TAGS)
    if units(fold(text)) >= SHORT and -repetition_penalty([text])[0] > MAX_REPETITION:
        raise Dropped(reasons.REPETITION)
    if is_copied(text, language):
        raise Dropped(reasons.COPIED)
    # A short Japanese text can do without kana; anything longer that has none is Chinese.
    if language == "ja" and units(fold(text)) < 8:
        return
    if any(letter.isalpha() for letter in text):
        share = language_consistency([f"<answer>{text}</answer>"], language=language)[0]
        if share < MIN_LANGUAGE_SHARE:
            raise Dropped(reasons.WRONG_LANGUAGE)


def check_voice(text: str, name: str, language: str, *, thought: bool = False) -> None:
    """Pass what a character says, or thinks, where it is the character that speaks.

    A text without a first person that names the character, or speaks of "the character", is about it and not by it. A
    ``thought`` is also refused where it only says *he*, *she* or *you*; a reply may, of somebody else.

    Raises:
        Dropped: it is in the third person.
    """
    if _FIRST_PERSON[language].search(text):
        return
    named = bool(name) and contains_term(text, name)
    if named or _THE_CHARACTER[language].search(text) or (thought and _OTHERS[language].search(text)):
        raise Dropped(reasons.THIRD_PERSON)


def is_copied(text: str, language: str) -> bool:
    """Whether a text repeats a run of the templates' wording."""
    folded = fold(text)
    spans = [match.span() for match in _TOKEN.finditer(folded)]
    size = COPIED_WORDS if language in ("en", "ko") else COPIED_LETTERS
    runs = {folded[spans[place][0] : spans[place + size - 1][1]] for place in range(len(spans) - size + 1)}
    return any(run in known for known in wording(language) for run in runs)
