"""Folding: two spellings of one text become the same string, so that matching may compare code points.

NFKC(full-width forms, compatibility characters), case, apostrophes and hyphens, emphasis (`emphasis`), traditional
Chinese and old and new Japanese forms → simplified Chinese; zero-width and control characters and keycaps go, white
space collapses and vanishes beside Han and kana. The order follows Unicode's NFKC_Casefold: what is ignorable goes
first, so that it cannot keep a letter and its accent apart. The tables of characters are OpenCC's, one character for
one: phrases would make the folding of a term depend on its neighbours, and a keyword would no longer be found inside
a sentence.

Every step is linear in the text's length. NFKC alone is not: it sorts combining marks by insertion, so runs of them
are cut to `MARKS_KEPT` first, as the Stream-Safe Text Format of UAX #15 does.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import islice

from raiden_core.rewards.emphasis import without_code_marks, without_emphasis
from raiden_core.text.scripts import HAN, HANGUL, KANA

SPACELESS = HAN + KANA + HANGUL + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3105-\u312f"
"""Scripts whose words are not set apart by blanks (Korean particles are glued to their noun), as a regex class."""

MARKS_KEPT = 30
"""How many combining marks in a row survive, as in the Stream-Safe Text Format."""

LINES_READ = 1000
"""Of an answer in more lines than this, the rest is read as one."""

_IGNORED = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u20e2-\u20e4\u202a-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\uffff\U000110bd\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_IGNORABLE = re.compile(f"[{_IGNORED}]+")
_SPECIAL = re.compile(f"[{_IGNORED}’‘ʼ＇`´ʹ′ıſ‐‑−]")
"""A text with none of these and in NFKC needs no more than case folding and simplification."""
_ACCENTED = re.compile("[\u00e0-\u024f\u1e00-\u1eff]")
_INK = re.compile(f"[^\\s{_IGNORED}]")
_ASCII_FOLD = {**dict.fromkeys([*range(0x09), *range(0x0E, 0x1C), 0x7F]), ord("`"): "'"}
"""What folding does to ASCII beside lowering it: control characters (white space aside) go."""
_VARIANTS = str.maketrans("’‘ʼ＇`´ʹ′ıſ‐‑−", "''''''''is---")
_HAS_VARIANT = re.compile("[’‘ʼ＇`´ʹ′ıſ‐‑−]")
"""Emphasis in Markdown: it may stand inside a term and around a reply, and says nothing."""
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
_BLANK_EATERS = re.compile(f"([{HAN}{KANA}]+)")
_PARTS_ASCII_UNITS = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")}
_ASCII_UNIT = re.compile("[a-z0-9_]+(?:'[a-z0-9_]+)*")
_UNIT = re.compile(f"[\\w{SPACELESS}](?:(?<=[^\\W{SPACELESS}])[^\\W{SPACELESS}]*(?:'[^\\W{SPACELESS}]+)*)?")
"""One letter, and the rest of its word if it begins one: a class in front lets the search skip what is neither."""
_SEPARATED = bytes(code if chr(code).isalnum() or chr(code) in "_'" or code > 127 else 32 for code in range(256))
"""Over UTF-8: ASCII that is no part of a word becomes a blank."""
_PLAIN = bytes(code for code in (*range(9, 14), *range(32, 127)) if code != ord("`"))
"""ASCII that folding leaves as it is, but for case and white space."""
_TOO_MANY_HALF_WIDTH = re.compile(f"[\uff9e\uff9f]{{{MARKS_KEPT + 1},}}")
"""NFKC makes combining marks of these."""
_TOO_MANY_MARKS = re.compile(b"[^\0]{%d,}" % (MARKS_KEPT + 1))
"""Over the combining classes of a text."""
_LONG = 10_000
"""A longer text is normalised unasked: in the worst case the question costs as much as the answer."""
_SHORT = 400
"""In a shorter text few letters change, and replacing those is faster than looking up every one."""
_TOUCHES = re.compile(f"[{HAN}{KANA}]")
_HAS_HAN = re.compile("[\u3400-\u9fff\U00020000-\U000323af]")


def fold(text: str) -> str:
    """The folded text; ``fold(fold(text)) == fold(text)``."""
    return collapse(normalise(text))


def line_breaks(text: str) -> tuple[int, ...]:
    """The places in ``collapse(text)`` where a new line of the normalised ``text`` begins.

    A line break is a blank like any other to a term, but the end of a sentence to a negation. Only the first
    `LINES_READ` lines are told apart.
    """
    if "\n" not in text and len(text.splitlines()) < 2:
        return ()
    read = [line for part in text.split("\n", LINES_READ)[:LINES_READ] for line in part.splitlines()]
    lines = [line for line in read[:LINES_READ] if line and not line.isspace()]
    breaks: list[int] = []
    size = 0
    last = ""
    for line in map(collapse, lines):
        if last:
            size += not (_TOUCHES.match(last) or _TOUCHES.match(line[0]))
            breaks.append(size)
        size += len(line)
        last = line[-1]
    return tuple(breaks)


def normalise(text: str) -> str:
    """Folding without its last step: blanks stay as they are."""
    if text.isascii():
        if "`" in text:
            text = without_code_marks(text)
        text = text.lower().translate(_ASCII_FOLD)
        return without_emphasis(text) if "**" in text or "_" in text or "~~" in text or "<" in text else text
    for wide, narrow in _WIDE:
        text = text.replace(wide, narrow)
    if _SPECIAL.search(_without_plain(text) if len(text) > _LONG else text):
        text = without_code_marks(_IGNORABLE.sub("", text))
        if _HAS_VARIANT.search(text):
            text = text.translate(_VARIANTS)
    if len(text) > _LONG or not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", _cut_marks(text))
    folded = text.casefold()
    if folded != text:
        if not unicodedata.is_normalized("NFKC", folded):
            folded = unicodedata.normalize("NFKC", folded)
        if _HAS_VARIANT.search(folded):
            folded = folded.translate(_VARIANTS)
    if "**" in folded or "_" in folded or "~~" in folded or "<" in folded:
        plain = without_emphasis(folded)
        if plain != folded:
            # Marks that emphasis kept apart from their letter may compose now.
            folded = unicodedata.normalize("NFKC", _cut_marks(plain))
    return simplify(folded)


def collapse(text: str) -> str:
    """White space collapsed to single blanks, and gone where it touches Han or kana."""
    text = " ".join(text.split())
    if " " in text and not text.isascii():
        text = "".join(map(str.strip, _BLANK_EATERS.split(text)))
    return text


def simplify(text: str) -> str:
    """Traditional Chinese characters and Japanese forms, old and new, replaced by simplified ones, one by one."""
    if not _HAS_HAN.search(text):
        return text
    table, traditional = _simplification()
    if len(text) > _SHORT:
        return text.translate(table) if traditional.search(text) else text
    for letter in set(traditional.findall(text)):
        text = text.replace(letter, table[ord(letter)])
    return text


def without_accents(text: str) -> str:
    """A folded text whose Latin letters have lost their accents, every letter at its place."""
    return text.translate(_unaccented()) if not text.isascii() and _ACCENTED.search(text) else text


def units(text: str) -> int:
    """The length of a folded text: a Chinese, Japanese or Korean character or another word is one unit."""
    if not text.isascii():
        return sum(1 for _ in _UNIT.finditer(text))
    if "'" in text:
        return sum(1 for _ in _ASCII_UNIT.finditer(text))
    return len(text.translate(_PARTS_ASCII_UNITS).split())


def has_more_units(text: str, bound: int) -> bool:
    """Whether a folded text is longer than ``bound``; what comes after is not counted."""
    if text.isascii():
        return units(text) > bound
    # What parts words in ASCII goes first: the expression below is slow where there is little but that.
    separated = text.encode("utf-8", "surrogatepass").translate(_SEPARATED).split()
    text = b" ".join(separated).decode("utf-8", "surrogatepass")
    return next(islice(_UNIT.finditer(text), bound, None), None) is not None


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


@cache
def _unaccented() -> dict[int, str]:
    """Latin letters with accents → without them; strokes and ligatures (ø, æ) are letters of their own."""
    blocks = (range(0xE0, 0x250), range(0x1E00, 0x1F00))
    split = {code: unicodedata.normalize("NFD", chr(code)) for block in blocks for code in block}
    return {code: letters[0] for code, letters in split.items() if len(letters) > 1}


def _without_plain(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").translate(None, _PLAIN).decode("utf-8", "surrogatepass")


def _cut_marks(text: str) -> str:
    if "\uff9e" in text or "\uff9f" in text:
        text = _TOO_MANY_HALF_WIDTH.sub(lambda run: run.group()[:MARKS_KEPT], text)
    combining = unicodedata.combining
    # A run of more than MARKS_KEPT marks covers at least one of these places.
    if not any(combining(mark) for mark in text[:: MARKS_KEPT + 1]):
        return text
    classes = bytes(map(combining, text))
    kept, place = [], 0
    for run in _TOO_MANY_MARKS.finditer(classes):
        kept.append(text[place : run.start() + MARKS_KEPT])
        place = run.end()
    return "".join([*kept, text[place:]])


_NAME_VARIANTS = dict(zip("邉髙﨑嶋嶌冨濵栁桒舘埜凜槗曻薗", "边高崎岛岛富滨柳桑馆野凛桥升园", strict=True))
"""Variants that names are spelled with and that OpenCC's table of Japanese forms leaves out."""
_OWN_MEANING = frozenset("両台円")
"""Forms that would become a numeral, that Chinese uses for something else, or that are a currency of their own."""


@cache
def _simplification() -> tuple[dict[int, str], re.Pattern[str]]:
    import opencc

    letters = [chr(code) for block in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for code in range(*block)]
    listed = "\n".join(letters)
    to_simple, to_old = opencc.OpenCC("t2s"), opencc.OpenCC("jp2t")
    once = dict(zip(letters, to_simple.convert(listed).split("\n"), strict=True))
    for new, old in zip(letters, to_old.convert(listed).split("\n"), strict=True):
        # What GB 2312 holds is Chinese in its own right: 芸 is no 艺 there. 浜 is the one that only names use.
        if new != old and new not in _OWN_MEANING and (new == "浜" or not _is_chinese(new)):
            once[new] = once.get(old, old)
    once |= _NAME_VARIANTS
    table = {ord(letter): once.get(simple, simple) for letter, simple in once.items() if simple != letter}
    return table, re.compile("[" + "".join(map(chr, table)) + "]")


def _is_chinese(letter: str) -> bool:
    try:
        letter.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
