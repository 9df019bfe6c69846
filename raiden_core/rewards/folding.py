"""Folding: two spellings of one text become the same string, so that matching may compare code points.

NFKC (full-width forms, compatibility characters, composed accents), case, apostrophes, traditional → simplified
Chinese; zero-width and control characters go, white space collapses and vanishes beside Han and kana. The order
follows Unicode's NFKC_Casefold: what is ignorable goes first, so that it cannot keep a letter
and its accent apart. The Chinese table is OpenCC's, character by character: phrases would make the folding of a
term depend on its neighbours, and a keyword would no longer be found inside a sentence.

Every step is linear in the text's length. NFKC alone is not: it sorts combining marks by insertion, so runs of them
are cut to `MARKS_KEPT` first, as the Stream-Safe Text Format of UAX #15 does.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

HAN = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
HANGUL = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff"
SPACELESS = HAN + KANA + HANGUL + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3105-\u312f"
"""Scripts whose words are not set apart by blanks (Korean particles are glued to their noun), as a regex class."""

MARKS_KEPT = 30
"""How many combining marks in a row survive, as in the Stream-Safe Text Format."""

_IGNORED = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\uffff\U000110bd\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_IGNORABLE = re.compile(f"[{_IGNORED}]+")
_SPECIAL = re.compile(f"[{_IGNORED}’‘ʼ＇`´ʹ′ıſ\\s]")
"""A text with none of these and in NFKC needs no more than case folding and simplification."""
_INK = re.compile(f"[^\\s{_IGNORED}]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f]+")
_QUOTES = str.maketrans("’‘ʼ＇`´ʹ′ıſ", "''''''''is")
_HAS_QUOTE = re.compile("[’‘ʼ＇`´ʹ′ıſ]")
_WIDE = (
    ("，", ","),
    ("！", "!"),
    ("？", "?"),
    ("：", ":"),
    ("；", ";"),
    ("（", "("),
    ("）", ")"),
    ("’", "'"),
    ("\u3000", " "),
)
"""What NFKC does to the punctuation of any Chinese text; done first, most texts need no NFKC."""
_BLANK = re.compile(r"\s")
_BLANKS = re.compile(r"\s\s+|[^\S ]")
_TOUCHING_BLANK = re.compile(f"(?<=[{HAN}{KANA}]) | (?=[{HAN}{KANA}])")
_LINE_BREAK = re.compile("[\n\r\v\f\x85\u2028\u2029]")
_ASCII_UNIT = re.compile("[a-z0-9_]+(?:'[a-z0-9_]+)*")
_UNIT = re.compile(f"[{SPACELESS}]|[^\\W{SPACELESS}]+(?:'[^\\W{SPACELESS}]+)*")
_TOUCHES = re.compile(f"[{HAN}{KANA}]")
_HAS_HAN = re.compile("[\u3400-\u9fff\U00020000-\U000323af]")


def fold(text: str) -> str:
    """The folded text; ``fold(fold(text)) == fold(text)``."""
    return collapse(normalise(text))


def fold_lines(text: str) -> tuple[str, tuple[int, ...]]:
    """The folded text, and the places in it where a new line begins.

    A line break is a blank like any other to a term, but the end of a sentence to a negation.
    """
    text = normalise(text)
    if not _LINE_BREAK.search(text):
        return collapse(text), ()
    folded: list[str] = []
    breaks: list[int] = []
    size = 0
    for line in map(collapse, _LINE_BREAK.split(text)):
        if not line:
            continue
        if folded:
            if not (_TOUCHES.match(folded[-1][-1]) or _TOUCHES.match(line[0])):
                folded.append(" ")
                size += 1
            breaks.append(size)
        folded.append(line)
        size += len(line)
    return "".join(folded), tuple(breaks)


def normalise(text: str) -> str:
    """Folding without its last step: blanks stay as they are."""
    if text.isascii():
        if _CONTROL.search(text):
            text = _CONTROL.sub("", text)
        return text.lower().replace("`", "'")
    for wide, narrow in _WIDE:
        text = text.replace(wide, narrow)
    if _SPECIAL.search(text):
        if _IGNORABLE.search(text):
            text = _IGNORABLE.sub("", text)
        if _HAS_QUOTE.search(text):
            text = text.translate(_QUOTES)
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", _cut_marks(text))
    folded = text.casefold()
    if folded != text:
        if not unicodedata.is_normalized("NFKC", folded):
            folded = unicodedata.normalize("NFKC", folded)
        if _HAS_QUOTE.search(folded):
            folded = folded.translate(_QUOTES)
    return simplify(folded)


def collapse(text: str) -> str:
    """White space collapsed to single blanks, and gone where it touches Han or kana."""
    if not _BLANK.search(text):
        return text
    text = " ".join(text.split()) if _BLANKS.search(text) else text.strip()
    if " " in text and not text.isascii():
        text = _TOUCHING_BLANK.sub("", text)
    return text


def simplify(text: str) -> str:
    """Traditional Chinese characters replaced by simplified ones, one by one."""
    if not _HAS_HAN.search(text):
        return text
    table, traditional = _simplification()
    return text.translate(table) if traditional.search(text) else text


def units(text: str) -> int:
    """The length of a folded text: a Chinese, Japanese or Korean character or another word is one unit."""
    return sum(1 for _ in (_ASCII_UNIT if text.isascii() else _UNIT).finditer(text))


def starts_longer_than(text: str, bound: int) -> bool:
    """Whether the beginning of a long text shows that all of it has more than ``bound`` units.

    It spares folding a text whose first few lines are too much already.
    """
    size = 4 * bound + 256
    # The cut may fall into a word or between a letter and its mark: two units of tolerance.
    return size < len(text) and units(fold(text[:size])) > bound + 2


def has_ink(text: str) -> bool:
    """Whether anything in the text can be seen: neither white space nor zero-width nor a control character."""
    return _INK.search(text) is not None


def _cut_marks(text: str) -> str:
    combining = unicodedata.combining
    # A run of more than MARKS_KEPT marks covers at least one of these places.
    if not any(combining(mark) for mark in text[:: MARKS_KEPT + 1]):
        return text
    kept, run = [], 0
    for letter in text:
        run = run + 1 if combining(letter) else 0
        if run <= MARKS_KEPT:
            kept.append(letter)
    return "".join(kept)


@cache
def _simplification() -> tuple[dict[int, str], re.Pattern[str]]:
    import opencc

    letters = [chr(code) for block in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for code in range(*block)]
    once = dict(zip(letters, opencc.OpenCC("t2s").convert("\n".join(letters)).split("\n"), strict=True))
    table = {ord(letter): once.get(simple, simple) for letter, simple in once.items() if simple != letter}
    return table, re.compile("[" + "".join(map(chr, table)) + "]")
