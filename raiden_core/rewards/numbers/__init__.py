"""Numbers in a folded text: where they stand and what they are worth, however they are written.

Digits are numbers unless glued into a word (mp3). Numeral words are so before a unit or as a whole token: 周一 and
一早 hold none; a compound numeral (一百零五, 二〇二四) is one wherever it stands. Values are canonical strings, so that
equal numbers are equal strings however large. An approximate number has a value of its own that no exact number equals:
十七八 and 17-18 before a unit are "17~18", 十几 is "10+".

One module a script. Each makes one pass with expressions that hold no nested repetition, so all of it is linear.
"""

from raiden_core.rewards.numbers.han import HAN_NUMERALS
from raiden_core.rewards.numbers.scan import find_numbers, may_hold_numbers
from raiden_core.rewards.numbers.units import UNIT_AFTER
from raiden_core.rewards.numbers.values import Number

__all__ = ["HAN_NUMERALS", "UNIT_AFTER", "Number", "find_numbers", "may_hold_numbers"]
