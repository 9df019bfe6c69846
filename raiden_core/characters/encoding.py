"""Bytes to text, in whatever encoding an editor wrote.

A byte order mark decides; then valid UTF-8; then charset-normalizer says which of the encodings of the supported
languages could have written the bytes. Chinese, Japanese and Korean encodings share most of their byte ranges, and
a short text leaves several candidates; among those, the one wins whose reading consists of ordinary characters: each
of these standards keeps the everyday ones in its first level, and a wrong reading scatters over all of it.
"""

from __future__ import annotations

import codecs
import re

from raiden_core.characters.rows import Unreadable
from raiden_core.text.scripts import IDEOGRAPHS, KANA_LETTERS, SYLLABLES

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
CANDIDATES = ("gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1252")
"""Legacy encodings of the supported languages; others are tried only when none of these fits."""
LIKELY = 0.75
"""Share of ordinary characters from which a candidate is believed."""
SAMPLE_BYTES = 65_536
_PUNCTUATION = re.compile("[\u00b7\u2010-\u203b\u3000-\u3020\u30fb\u30fc\uff01-\uff60]")
_KANA = re.compile(f"[{KANA_LETTERS}]")
_HANGUL = re.compile(f"[{SYLLABLES}]")
_HAN = re.compile(f"[{IDEOGRAPHS}]")
_FIRST_LEVEL = {
    "gb18030": ("gb2312", 0xB0, 0xD7),
    "big5": ("big5", 0xA4, 0xC6),
    "cp932": ("euc_jp", 0xB0, 0xCF),
    "euc_jp": ("euc_jp", 0xB0, 0xCF),
}
"""The standard and its first and last lead byte of everyday Han characters."""
_ACCENTED = re.compile("[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e]")
_WINDOWS_MARKS = re.compile("[\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026\u20ac\u2122\u00a0-\u00bf]")


def decode(data: bytes) -> str:
    """The text of a whole file, its line ends as they are, without byte order mark.

    Raises:
        Unreadable: no encoding fits; the file is broken or no text.
    """
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _strictly(data, _legacy_encoding(data, error.start))
    if "\0" in text:
        return _strictly(data, _wide_encoding(data))
    return text


def encoding_of_lines(sample: bytes) -> str:
    """The encoding of a file that is read line by line, told from its beginning.

    Raises:
        Unreadable: no encoding fits.
    """
    for mark, encoding in BOMS:
        if sample.startswith(mark):
            return encoding
    whole = sample[: sample.rfind(b"\n") + 1] or sample
    try:
        text = whole.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and whole is sample:
            return "utf-8"
        return _legacy_encoding(whole, error.start)
    return _wide_encoding(whole) if "\0" in text else "utf-8"


def _strictly(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"looks like {encoding}, but byte {error.start} does not fit; save the file anew as UTF-8"
        ) from None
    if "\0" in text:
        raise Unreadable(f"a NUL character at position {text.index(chr(0))}: not a text file")
    return text


def _wide_encoding(data: bytes) -> str:
    """UTF-16 without a mark: only one order of its bytes reads as everyday characters."""
    sample = data[: SAMPLE_BYTES - SAMPLE_BYTES % 2]
    best, best_score = "", 0.0
    for encoding in ("utf-16-le", "utf-16-be"):
        text = sample.decode(encoding, errors="replace")[:20_000]
        score = sum(_everyday(char) for char in text) / len(text) if text else 0.0
        if score > best_score:
            best, best_score = encoding, score
    if best_score < LIKELY:
        raise Unreadable(f"a NUL byte at offset {data.index(0)}: not a text file")
    return best


def _everyday(char: str) -> bool:
    if char < "\x7f":
        return char >= " " or char in "\t\r\n"
    if _HAN.match(char):
        return any(_level(char, *level) for level in _FIRST_LEVEL.values())
    return any(kind.match(char) for kind in (_PUNCTUATION, _KANA, _HANGUL))


def _legacy_encoding(data: bytes, first_bad: int) -> str:
    if b"\0" in data:
        return _wide_encoding(data)
    import charset_normalizer

    # The beginning of a long file may be all ASCII, which says nothing: look from the first byte that is not.
    start = data.rfind(b"\n", 0, first_bad) + 1
    sample = _whole_characters(data[start:], SAMPLE_BYTES)
    best, best_score = "", 0.0
    for match in charset_normalizer.from_bytes(sample, cp_isolation=list(CANDIDATES), threshold=1.0):
        score = _ordinary(str(match), match.encoding)
        if score > best_score:
            best, best_score = match.encoding, score
    if best_score >= LIKELY:
        return best
    other = charset_normalizer.from_bytes(sample).best()
    if other is None:
        raise Unreadable(
            f"neither UTF-8 (byte {first_bad} does not fit) nor another encoding; save the file anew as UTF-8"
        )
    return other.encoding


def _whole_characters(data: bytes, limit: int) -> bytes:
    """The beginning of the data, cut where no encoding has the middle of a character."""
    if len(data) <= limit:
        return data
    # No second byte of these encodings lies below 0x30, so a space, comma, quote or line end is always itself.
    for end in range(limit, limit // 2, -1):
        if data[end - 1] < 0x30:
            return data[:end]
    return data[:limit]


def _ordinary(text: str, encoding: str) -> float:
    """The share of everyday characters among those beyond ASCII, as a reader of this encoding's languages sees it."""
    beyond = [(place, char) for place, char in enumerate(text[:20_000]) if char > "\x7f"]
    if not beyond:
        return 1.0
    if encoding == "cp1252":
        return sum(_fits_a_western_text(text, place) for place, _ in beyond) / len(beyond)
    kana = sum(1 for _, char in beyond if _KANA.match(char))
    common = sum(1 for _, char in beyond if _PUNCTUATION.match(char))
    if encoding == "cp949":
        common += sum(1 for _, char in beyond if _HANGUL.match(char) and _level(char, "euc_kr", 0xB0, 0xC8))
        return common / len(beyond)
    common += sum(1 for _, char in beyond if _HAN.match(char) and _level(char, *_FIRST_LEVEL[encoding]))
    if encoding in ("cp932", "euc_jp"):
        # Japanese of any length has kana; without them the reading is possible, but second choice.
        return (common + kana) / len(beyond) * (1.0 if kana else 0.85)
    return common / len(beyond)


def _level(char: str, standard: str, first: int, last: int) -> bool:
    try:
        code = char.encode(standard)
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and first <= code[0] <= last


def _fits_a_western_text(text: str, place: int) -> bool:
    if _WINDOWS_MARKS.match(text[place]):
        return True
    around = text[max(0, place - 1) : place] + text[place + 1 : place + 2]
    return bool(_ACCENTED.match(text[place])) and not any(_ACCENTED.match(char) for char in around)
