"""Japanese negation: it stands behind what it negates, in the predicate (医者ではありません, 東京に行ったことがない).

The predicate is what follows the term up to the end of its clause: a comma, or a conjunction such as が, けど, ので.
Fixed expressions with a negative form are blanked first (だけでなく, に他ならない, かもしれません, なければならない);
ではありませんか and じゃないですか affirm; two negations cancel.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from raiden_core.rewards.folding import simplify
from raiden_core.rewards.negation import classes
from raiden_core.rewards.negation.clause import Clause, is_predicated
from raiden_core.rewards.negation.table import DOUBT, REMEMBERED, ROWS, load
from raiden_core.rewards.negation.topic import Topic

_SPEAK = (
    "(?:いや|いいえ|いえ|でも|実は|それは|これは|本当は|私は|僕は|俺は|しかし|ですが|だが|もちろん|全然|まったく|"
    "実際は|そんなの|そんなことは|今は|もう|結局|の)*"
)
# Folding has simplified the text's characters (違 is 违), so the rows and patterns follow; not before the first
# Japanese text, because the table of characters takes a while to load.


def _prepare(pattern: str) -> str:
    return simplify(classes.expand(classes.JAPANESE)(pattern))


RULES = load(
    "japanese",
    {
        "harmless": ROWS,
        "end": ROWS,
        "negator": ROWS,
        "denial": f"^{_SPEAK}(?:{ROWS})(?:ん|です|だ|よ|ね|が|けど|わ|な|ぞ|の)*$",
        "no": f"^(?:{ROWS})(?:です|よ|ね|え)*$",
        "being": ROWS,
        "around": ROWS,
        "dislike": ROWS,
        "fear": ROWS,
        "name": ROWS,
        "others": ROWS,
        "lost": ROWS,
        **DOUBT,
    },
    _prepare,
)
COMMA = "、"
ASKS = re.compile("(?!)")
NOW = re.compile("(?:でも)?(?:今|现在|いま)")
VALUE = re.compile("^(?!本当|ほんと|冗談|冗谈|嘘|うそ|マジ|まじ|いい|もう|何|なん|だれ|誰)")
_WHO_SAYS = "(?:誰|だれ|どこ|何)が$"
_SAYS = "^(?:だ|です)?(?:って|なんて|と(?:言|い)(?:った|いました|うんだ|うの)|と[?])[^、]{0,6}$"
"""誰が医者だって？"""
_SCORNED = "^だ?(?:なんて|など)、?とんでも(?:ない|ありません|ございません)"
_TOPIC_COMMA = re.compile("(?:は|には|では|だけは|も|なんて|なんか|など|って)(?=、)")
"""京都なんて、好きになれない: the predicate stands behind the comma."""


_ECHO_DENIED = "^(?:[^、]{0,8}|そんな[^、]*)(?:ない|ません|なかった)(?:です|でした|よ|ね|わ|な|けど)*$"
_BARE = re.compile("(?:え|は|あ|私|僕|俺)?[\"'“”「」『』 ]*")


_SHORT_OPENING = 4
_AS_TOPIC = "(?![^、,]*(?:ます|です|だよ)[、,])(?:は|って|とか|なんて|なんか|も|なら|には|ね|か|のコレクション)?[^、]{0,20}[、,]"
_PRAISE = "大好き|得意|自慢|最高|一番|うま[いく]|美味し|おいし|たまら|毎日|いつも|続け|欠か|やめられ|離せ"
_JOINED = "[,、]|けれども?|けど|(?:です|ます|だ)が|のに|ので"
_NEGATIVE_END = (
    "(?:な[いかく]|なかった|ませんでした|ません|ねえ|ねぇ|ん)"
    "(?:です|でした|よ|ね|わ|な|ぁ|けど|の|んだ|んです|って|さ|から|し)*$"
)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(simplify(pattern))


def denies_itself(clause: Clause, topic: Topic) -> bool:
    """Whether the predicate behind the mention is negative."""
    return _is_negative(_asked(clause), topic.about == "identity")


def denies(clause: Clause, topic: Topic) -> bool:
    """Whether what stands around the mention denies it."""
    if clause.holds(RULES, "around"):
        return True
    if is_predicated(clause, topic) and _ends_negative(clause.opening, clause.rest):
        return True
    return _compiled(_WHO_SAYS).search(clause.before) is not None and _compiled(_SAYS).match(_asked(clause)) is not None


@lru_cache(maxsize=REMEMBERED)
def _ends_negative(opening: str, rest: str) -> bool:
    """Whether the sentence that has the mention for its topic ends in a negative predicate.

    阿波踊り、見るのは好きだけど踊れやしないよ: whatever stands between. A sentence that turns to another topic says nothing of
    this one, and one that praises it does not deny it.
    """
    if len(opening) > _SHORT_OPENING or not _compiled(_AS_TOPIC).match(rest) or _compiled(_PRAISE).search(rest):
        return False
    last = _compiled(_JOINED).split(RULES["harmless"].sub(_blank, rest))[-1]
    if last == rest or "は" in last or not _compiled(_NEGATIVE_END).search(last):
        return False
    return sum(1 for _ in RULES["negator"].finditer(last)) == 1


def _asked(clause: Clause) -> str:
    """The rest of the clause: 医者ではない? and 医者じゃないか? ask for assent."""
    return f"{clause.after}?" if clause.is_question else clause.after


@lru_cache(maxsize=REMEMBERED)
def _is_negative(after: str, is_identity: bool) -> bool:
    """Whether the predicate behind the mention is negative."""
    if _compiled(_SCORNED).match(after):
        return True
    topical = _TOPIC_COMMA.match(after)
    predicate = after[: topical.end()] + after[topical.end() + 1 :] if topical else after
    predicate = RULES["harmless"].sub(_blank, predicate)
    end = RULES["end"].search(predicate)
    if end:
        negative = "な" in end.group() or "ず" in end.group()
        predicate = predicate[: end.end() if negative else end.start()]
    predicate = predicate.rstrip("?")
    negations = sum(1 for _ in RULES["negator"].finditer(predicate))
    if is_identity and negations and not RULES["being"].search(predicate):
        # 医者は肉を食べません says nothing of who is one.
        return False
    return negations % 2 == 1


def is_answered(clause: Clause, topic: Topic) -> bool:
    """Whether what follows says no to the clause."""
    replies = clause.replies(RULES, COMMA)
    if not replies or (topic.is_past and NOW.match(replies[-1].text)):
        return False
    if replies[-1].stop == "?":
        replies.pop()
    if any(RULES.begins("denial", reply.text) for reply in replies):
        return True
    echoed = clause.stop == "?" and _BARE.fullmatch(clause.before.split(COMMA)[-1]) and _BARE.fullmatch(clause.after)
    if echoed:
        # 弟？いないよ。
        said = [RULES["harmless"].sub(_blank, reply.text) for reply in replies if not reply.inside]
        if any(_compiled(_ECHO_DENIED).match(text) for text in said):
            return True
    asked = clause.stop == "?" or clause.after.split(COMMA)[0].rstrip("」』").endswith(("か", "って"))
    return asked and any(RULES.begins("no", reply.text) for reply in replies)


def _blank(match: re.Match[str]) -> str:
    return "＿" * len(match.group())
