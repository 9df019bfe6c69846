"""The letters of Han, kana and hangul, each defined once, as the inside of a regular expression's class.

    re.compile(f"[{HAN}{KANA}]")

The wide classes hold all that Unicode counts to the script; folding and matching use them. Detection of a language or
an encoding uses the narrow ones, since a stray radical, iteration mark or jamo speaks for none.
"""

from __future__ import annotations

IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
"""Chinese characters, kanji and hanja."""
KANA_LETTERS = "\u3041-\u3096\u30a1-\u30fa"
"""Hiragana and katakana."""
HALF_WIDTH_KANA = "\uff66-\uff9d"
SYLLABLES = "\uac00-\ud7a3"
"""Hangul as it is written today."""

HAN = IDEOGRAPHS + "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b"
"""With radicals and the marks 々〆〇."""
KANA = KANA_LETTERS + "\u309d-\u309f\u30fc-\u30ff\u31f0-\u31ff"
"""With ー, iteration marks and phonetic extensions; half-width letters are folded before."""
HANGUL = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff"
"""With jamo."""
