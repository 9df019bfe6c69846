"""Whether a keyword is the kind of thing that a question asks for, as far as words can tell.

A question for an animal is answered by the animal and not by its name; one for a number or an age by a number. A keyword of
the wrong kind marks right answers wrong, so it is refused. What no rule below recognises passes.
"""

from __future__ import annotations

import re

from raiden_core.rewards import fold
from raiden_core.rewards.numbers import find_numbers

_ASKS_FOR_A_NAME = re.compile(
    r"\bnamed?\b|\bnames\b|\bcalled\b|\bcall\b|\bwho(?:m|se)?\b|叫|名字|姓名|名号|外号|绰号|谁|哪位|名前|何という|なんて呼|誰|だれ"
    r"|이름|누구|누가|뭐라고|부르",
    re.IGNORECASE,
)
_ASKS_FOR_A_NUMBER = re.compile(
    r"\bhow (?:many|old|much|tall|far)\b|多少|几(?:岁|个|只|条|年|次|位|名|口|斤|本|场)|多大|何歳|いくつ|何人|何匹|몇|얼마",
    re.IGNORECASE,
)
_WRITTEN_NUMBER = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy"
    r"|eighty|ninety|hundred|thousand|dozen|once|twice|no|none|zero|half)\b|[〇零一二三四五六七八九十百千万两双半]"
    r"|[한두세네]|하나|둘|셋|넷|다섯|여섯|일곱|여덟|아홉|열|스물|서른|마흔|쉰",
    re.IGNORECASE,
)
_BEFORE_A_NAME = (
    r"(?:\b(?:named|called|by the name of|name is|nicknamed)\s+[\"“'‘]?"
    r"|名叫|叫做|叫作|取名|起名|名为|唤作|叫[“「]?|이름은\s*)"
)
_AFTER_A_NAME = r"(?:[\"”'’]?,\s+an?\s|[」”]?(?:という|と名|이?라는|이?란 이름))"


def is_of_the_kind(term: str, question: str, evidence: str) -> bool:
    """Whether a term may answer a question; ``evidence`` shows whether the term is somebody's name."""
    if _ASKS_FOR_A_NUMBER.search(question):
        return bool(find_numbers(fold(term))) or _WRITTEN_NUMBER.search(term) is not None
    return _ASKS_FOR_A_NAME.search(question) is not None or not is_introduced_as_name(term, evidence)


def is_introduced_as_name(term: str, evidence: str) -> bool:
    """Whether a text says of a term that it is what somebody is called: "a turtle called Judge", 一只叫雪球的猫."""
    word = re.escape(term)
    pattern = f"{_BEFORE_A_NAME}{word}|{word}{_AFTER_A_NAME}"
    return re.search(pattern, evidence, re.IGNORECASE) is not None
