"""Korean negation: it stands behind what it negates, in the predicate (의사가 아니에요, 서울에 살지 않아요).

안 and 못 stand before a verb, but behind the term as well (고기를 안 먹어요).

The predicate is what follows the term up to the end of its clause: punctuation, or a word with a connective ending
(-지만, -는데, -고, -니까). Fixed expressions with a negative form are blanked first (뿐만 아니라, 다름없다, 밖에 없다,
잊을 수 없다); 아닌가요? and 않나요? affirm; two negations cancel.
"""

from __future__ import annotations

import re
from functools import lru_cache

from raiden_core.rewards.negation.clause import Clause, is_predicated
from raiden_core.rewards.negation.table import DOUBT, REMEMBERED, ROWS, load
from raiden_core.rewards.negation.topic import Topic

_SPEAK = (
    "(?:하지만|그런데|근데|사실은?|저는|나는|난|전|그건|그것은|그게|그렇지만|실은|물론|전혀|절대|에이|아뇨|아니요|아니) ?"
    "(?:사실(?:은)?|전혀|절대|정말)? ?"
)
RULES = load(
    "korean",
    {
        "harmless": ROWS,
        "tag": f"(?:{ROWS})$",
        "connective": f"(?:{ROWS})$",
        "negator": ROWS,
        "scorn": ROWS,
        "denial": f"^{_SPEAK}(?:{ROWS})$",
        "bare denial": f"^(?:{ROWS})$",
        "no": f"^(?:{ROWS})(?: 아니에요| 아닙니다)?$",
        "being": ROWS,
        "around": ROWS,
        "dislike": ROWS,
        "fear": ROWS,
        "name": ROWS,
        "contrast": ROWS,
        "others": ROWS,
        **DOUBT,
    },
)
COMMA = ""
ASKS = re.compile("(?!)")
NOW = re.compile("(?:하지만 |근데 )?(?:지금|이제|요즘|현재)")
VALUE = re.compile("^(?!진짜|정말|농담|장난|왜|뭐|누가)")
_SHORT_OPENING = 4
_PRAISE = re.compile("제일|최고|가장|좋아[하해]|사랑|맛있|자랑|매일|맨날|잘해|잘하|계속")
_OTHER_TOPIC = re.compile("(?:^| )(?!(?:저|나|전혀|거기|그거|그건|그|[^ ]*(?:줄|수|적))?[은는]? )[가-힣]+[은는] ")
_NEGATIVE_END = re.compile(
    "(?:(?:^| )(?:안|못) ?[^ ]+|지(?:는|도)? ?(?:않|못)[^ ]*|없[^ ]*|몰라[^ ]*|모르[^ ]*|모릅[^ ]*|아니[^ ]*|아닙[^ ]*|싫[^ ]*)$"
)
_NO_END = re.compile("(?:^|[라다냐자])고$|^(?:그리고|하고)$")
"""Quotations (간호사라고 부르지 마세요) and conjunctions do not end a clause."""
_AUXILIARY = re.compile("싶|있|계|나서|나니|보니|말")
_REST_DENIED = re.compile("^(?:결국 |끝내 )?(?:(?:못|안) ?[^ ]+|(?:되|이루|가|하|살|배우)지 ?못[^ ]*)$")
_NEVER_DONE = re.compile(
    "^(?:거(?:긴|기는|기에는|기엔) )?(?:한 번도 )?"
    "(?:(?:안|못) [^ ]+(?: 봤[^ ]*)?$|[^ ]*(?: 본)? ?적(?:이|은|도)? ?(?:한 번도 )?없[^ ]*$)"
)


_BELIEVED = re.compile("줄(?:로|만)? ?알[았고]")
_RHETORICAL = re.compile("(?:이야|이에요|예요|입니까|이냐|인가요?|이죠|겠어요?)$")
_ABSURD = re.compile("^(?:당치도|말도|천만에|그럴 리|어림|설마|무슨|그런 .*(?:아니|않|없))")
_INDEED = frozenset({"라니", "라니요", "라뇨", "이라니", "이라니요", "이라뇨"})
_WHY = re.compile("(?:내|제|우리)가 왜 $")
_WHO = re.compile("(?:누가|어디가|뭐가) $")
_SAYS = re.compile("^(?:이?래|이?라(?:고|던|나|니)|이?라 ?그)[^ ]*(?: (?:했|그랬|해|그래|하던)[^ ]*)?$")
"""누가 의사래요?"""


def denies_itself(clause: Clause, topic: Topic) -> bool:
    """Whether the words of the clause deny its mention."""
    return _is_negative(clause.before, clause.after, clause.is_question, topic.about == "identity")


def denies(clause: Clause, topic: Topic) -> bool:
    """Whether what stands around the mention denies it."""
    if clause.holds(RULES, "around"):
        return True
    if is_predicated(clause, topic) and _ends_negative(clause.opening, clause.rest):
        return True
    return clause.after in _INDEED and _ABSURD.match(clause.following.text) is not None


@lru_cache(maxsize=REMEMBERED)
def _ends_negative(opening: str, rest: str) -> bool:
    """Whether the sentence that has the mention for its topic ends in a negative predicate.

    춤은 보는 건 좋은데 출 줄은 몰라요: whatever stands between. A sentence that turns to another topic says nothing of this
    one, and one that praises it does not deny it.
    """
    if len(opening) > _SHORT_OPENING or _PRAISE.search(rest):
        return False
    predicate, last = _predicate(rest.replace(",", " ").replace("  ", " "))
    if not predicate or not last or _OTHER_TOPIC.search(last) or not _NEGATIVE_END.search(last):
        return False
    return sum(1 for _ in RULES["negator"].finditer(last)) == 1


@lru_cache(maxsize=REMEMBERED)
def _is_negative(before: str, after: str, is_question: bool, is_identity: bool) -> bool:
    """Whether the predicate behind the mention is negative."""
    if RULES["scorn"].match(after) or (_WHO.search(before) and _SAYS.match(after)):
        return True
    if _WHY.search(before) and _RHETORICAL.search(after):
        return not RULES["negator"].search(after)
    predicate, rest = _predicate(after)
    if is_question and RULES["tag"].search(after.rstrip()):
        return False
    if RULES.either("denial", "bare denial").match(rest.strip()) or _REST_DENIED.match(rest.strip()):
        # 간호사로 보이지만 아니에요: a second predicate that only denies the first.
        return True
    negations = sum(1 for _ in RULES["negator"].finditer(predicate))
    if not is_question and _BELIEVED.search(predicate):
        negations += 1
    if is_identity and negations and not RULES["being"].search(predicate):
        # 의사는 안 아파요 says nothing of who is one.
        return False
    return negations % 2 == 1


def is_answered(clause: Clause, topic: Topic) -> bool:
    """Whether what follows says no to the clause."""
    replies = clause.replies(RULES)
    if not replies or (topic.is_past and NOW.match(replies[-1].text)):
        return False
    if clause.is_question and RULES["tag"].search(clause.after.rstrip()):
        return False
    if replies[-1].stop == "?":
        replies.pop()
    denial = RULES.either("denial", "bare denial")
    if any(denial.match(reply.text) for reply in replies):
        return True
    return clause.is_question and any(
        RULES.begins("no", reply.text) or (not reply.inside and _NEVER_DONE.match(reply.text)) for reply in replies
    )


def _predicate(after: str) -> tuple[str, str]:
    """What follows the mention, up to the word that ends its clause, and what follows that."""
    words = RULES["harmless"].sub(_blank, after).split(" ")
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if RULES["connective"].search(word) and not _NO_END.search(word) and not _AUXILIARY.match(following):
            return " ".join(words[: place + 1]), " ".join(words[place + 1 :])
    return " ".join(words), ""


def _blank(match: re.Match[str]) -> str:
    return "＿" * len(match.group())
