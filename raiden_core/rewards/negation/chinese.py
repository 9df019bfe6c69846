"""Chinese negation: the negator stands before what it negates (我不是医生, 从来没有去过长沙).

What only looks negative is blanked first (不仅, 忍不住, 是不是). A negation reaches to the end of its clause, but not
past a conjunction (但, 而是, 所以), nor past a new statement (我没骗你我是医生), nor out of an attribute
(一个不爱说话的医生). 不是…吗 and 谁说…不 turn it round; two negations cancel.
"""

from __future__ import annotations

import re
from functools import lru_cache

from raiden_core.rewards.negation import classes
from raiden_core.rewards.negation.clause import OPEN, QUOTES, Clause, Segment, is_predicated
from raiden_core.rewards.negation.hints import CHINESE
from raiden_core.rewards.negation.needed import by_letters
from raiden_core.rewards.negation.table import DOUBT, REMEMBERED, ROWS, load
from raiden_core.rewards.negation.topic import Topic

_SPEAK = (
    "(?:但是?|可(?:是|惜)?|其实|不过|然而|事实上|实际上|才|那|这|都|我们?|当然|绝对|根本|完全|并|也|还|从来?|最后|"
    "结果|想都|说实话|老实说|真的|就|却)*"
)
_SOFTENER = "(?:的|啊|哦|呢|吧|哒|这样|那样|啦|了|呀|嘛|哟)*$"
RULES = load(
    "chinese",
    {
        "harmless": ROWS,
        "conjunction": ROWS,
        "negator": ROWS,
        "rhetorical": ROWS,
        "behind": ROWS,
        "echo": ROWS,
        "denial": f"^{_SPEAK}(?:{ROWS}){_SOFTENER}",
        "no": f"^{_SPEAK}(?:{ROWS})(?:的|啊|哦|呢|吧|啦|呀|哟)*$",
        "around": ROWS,
        "dislike": ROWS,
        "fear": ROWS,
        "name": ROWS,
        "others": ROWS,
        "lost": ROWS,
        **DOUBT,
    },
    classes.expand(classes.CHINESE),
)
COMMA = ""
ASKS = re.compile("[吗么][\"'”」』]?$")
NOW = re.compile("现在|如今|眼下|这会儿")
VALUE = re.compile("^(?!真的|说真的|我没|我不|不|没|是真|骗|开玩笑|认真|我是说真|谁|什么|怎么|为什么|你)")
_A_NOT_A = re.compile("([^\\W不])不\\1|有没有|([^\\W没])没\\2")
_REPLY = re.compile("^(?:不|没有|不是|没)(?=[我你您他她它咱俺本这那]|老)")
_MAY_NEGATE = re.compile(CHINESE.near)
_DENYING_VERBS = frozenset({"否认", "拒绝", "假装", "冒充", "装成", "误以为", "误认为", "错当成", "错认成", "以为"})
_TRANSPARENT = re.compile(
    "(?:会|能|敢|想|是|可能|可以|应该|得|说|认为|觉得|相信|承认|有|人|谁|天|个|一|哪|我|他|她|你|自己|地方|任何|什么|"
    "理由|办法|曾|再|肯|愿意?|希望|知道|因为|过|那|这|的|就|根本|从来|并|真|大家|太|特别|很){0,6}"
)
_EMBEDDING = re.compile(
    "^(?:能|会|敢|想|太|曾|可能|可以|应该|要)?(?:说|认为|觉得|想|相信|承认|记得|以为|希望|愿意?|知道|确定|告诉|提过?|"
    "听说|声称|意味着|等于|代表|表示|觉着|是)"
)
_NEW_STATEMENT = re.compile(
    by_letters(
        "(?:我|俺|咱|本人|本宫|在下|老夫|我们|本王|朕)(?:的[^的不没]{1,6}|[^不没]{0,2})?(?:是|叫|住|来自|姓|在|当)|其实是|"
        "(?<=[^不也都总还或要是算就再会可能该曾真并想愿敢必光])是(?=[^不否]|$)"
    )
)
_ATTRIBUTE_BEFORE = re.compile("(?:[是个位名只座条家款种间本]|一[^\\W]|当|做|有着?|这|那|最|叫)$")
_ATTRIBUTE = re.compile("^[^是]*的(?:[^\\W的]{0,4})$")
_CONDITIONAL = re.compile("^[^\\W]{0,3}(?:不|没有?)[^\\W]{0,3}$")
_CONSEQUENCE = re.compile(
    "^(?:的话)?(?:我|你|他|她|人|日子)?(?:还能|还会|怎么|怎能|哪|就|便|活不|睡不|吃不|过不|受不|(?:是)?一[^\\W]{1,2}[都也][^\\W]{0,3}不|那可?不|会很|会死|可?不行|"
    "都不行|浑身|的[^,。!?]{1,4}(?:不|哪|还算|算什么))"
)
"""没有辣椒我吃不下饭, 不打篮球就难受: what is imagined away is there."""
_INDISPENSABLE_BEFORE = re.compile("[非无][^\\W不没无非]{0,2}$")
_INDISPENSABLE_AFTER = re.compile("^(?:不(?:可|行|成|欢|娶|嫁|吃|住|去)|莫)")
"""非长沙莫属, 无辣椒不欢, 非弹钢琴不可: two negations around the mention."""
_WITHOUT = re.compile("^(?:[^,。!?没不]{0,4}(?:要是|如果|假如)[^,。!?没不]{0,4})?没[有了]?$")
_WHAT_ELSE = re.compile("^(?:难道|那)?(?:我)?(?:还|又)?(?:能|会|该)?是")
"""我不是长沙的，难道还能是武汉的？"""
_RHETORICAL_END = re.compile("(?:吗|嘛|么)[^\\w]*$")
_TOPIC = re.compile("^[\"'”“」』》]?(?:[这那][个种]?[^\\W]{0,2}|嘛|呢|啊|的话)?$")
_TOPIC_DENIED = re.compile(
    "^[\"'”“」』》]?(?:这个|那个|这种|那种)?(?:称呼|说法|职业|行当|工作|名字)?(?:什么的|之类的)?[\"'”“」』》]?(?:这个|"
    "那个|这种)?(?:我|俺)(?:可|真|从来|从|都|也|并|根本|绝对|还|压根|完全|一点|是|[^\\W不没]都)*(?:不|没)(?![^\\W]*[吗嘛])"
)
_TOPIC_NEVER = re.compile(
    "^(?:我|俺|咱)(?:可|真|从来|从|都|也|并|根本|绝对|还|压根儿?|完全|一天|一次|一口|这辈子)*(?:不|没)有?(?:去|当|做|干|学|会|吃|喝|"
    "养|住|碰|玩|看|练|懂|喜欢|爱|认识|感兴趣|知道|清楚|听说)[^\\W吗嘛]{0,2}$"
)
"""长沙，我没去过: the topic of what follows."""
_WISH_BEFORE = re.compile("(?:要是|如果|假如|若是|倘若|要|真?希望|但愿|恨不得)[^是]{0,6}是?[^是]{0,6}$")
_WISH_AFTER = re.compile("(?:就好|该多好|多好)(?:了|啊|呢)?$")
_REPORTED = re.compile("(?<!我)(?:说|讲|以为|认为|觉得)(?!过|不定)|[把将].{0,6}当[成作]|传|叫|猜|听信")
_MISTAKEN = re.compile(
    "(?<![没别])(?<!不会)(?:大错特错|(?:搞|弄|说|认|记|看|想|猜|听|传|完全)错)[了啦的啊吧呢]*$|(?:都|就|全)错[了啦]$"
)
_OBJECT_DENIED = re.compile(
    "^[^\\W]{0,2}(?:都|也)(?:从来|一点)?(?:不|没)|^[^\\W]{0,4}?(?:没有?|不|毫无|提不起)(?:什么|太|怎么|大|"
    "半点)?(?:兴趣|感兴趣|感冒|了解|在行|好感)"
)
_OBJECT_BEFORE = re.compile("(?:对|对于)$|(?:一点|半点|一口|任何|连|丝毫)[^\\W]?$")
"""我对篮球没兴趣, 我一点辣椒都不吃: the object stands before its negated verb."""
_TIED_BEFORE = re.compile("[跟和与同]$")
_UNTIED = re.compile(
    "^[^\\W不没]{0,4}(?:没有?|毫无|并无|无|扯不上)(?:什么|任何|半点|一点)?(?:关系|瓜葛|交集|联系|往来|缘分?)(?!不?[大好])"
)
"""我跟长沙没有关系"""
_ECHO_BEFORE = re.compile("^(?:至于|说到|说起|提到|提起|要说|去|当|做|是|我|我是|你说我是|什么|住|叫)?[\"'“「]?$")
_ECHO_AFTER = re.compile("^[\"'”」]?(?:吗|啊|呀|么|嘛)?$")
_BARE_BEFORE = re.compile(
    "^[\\s\"“「『《'的]*(?:或者?|和|与|以及|还有|[也不是]|更别说|甚至|又或者|一[个名位只条]|[个名位])*[\\s\"“「『《']*$"
)
_BARE_AFTER = re.compile("^[\\s\"”」』》'啊呀吧呢等之类的什么都也]*$")
_DANGLING = re.compile(
    "(?:我|俺|咱|本人|他|她|你).*(?:不|没有?|不是|不会是|没当过|别叫我|从未)(?:是|当|做|什么|一个|一名|一位|个)?$"
)


def denies_itself(clause: Clause, topic: Topic) -> bool:
    """Whether what stands before the mention in its clause denies it."""
    return _governed(clause.before, clause.after) and not _imagined_away(clause)


def denies(clause: Clause, topic: Topic) -> bool:
    """Whether what stands around the mention denies it."""
    if _denied_behind(clause.before, clause.after, clause.stop, clause.following.text):
        return True
    if is_predicated(clause, topic) and _never_done(clause.opening, clause.rest):
        return True
    return _enumerated(clause) or clause.holds(RULES, "around")


@lru_cache(maxsize=REMEMBERED)
def _never_done(opening: str, rest: str) -> bool:
    """Whether the sentence that has the mention for its topic goes on to say that it was never done or cannot be.

    龙舟我就在岸上看看,没下过水: whatever stands between. One that praises it does not deny it.
    """
    if len(opening) > _SHORT_OPENING or "我" in opening or _BARE_ITEM.match(rest) or _PRAISE.search(rest):
        return False
    text = RULES["harmless"].sub(_blank, rest)
    return _NEVER.search(text) is not None and sum(1 for _ in _NOT.finditer(text)) == 1


@lru_cache(maxsize=REMEMBERED)
def _governed(before: str, after: str) -> bool:
    """Whether what stands before the mention negates it."""
    if not _MAY_NEGATE.search(before):
        return False
    before = before.lstrip(QUOTES)
    if after.startswith(("以外", "之外")):
        return False
    if (_CONDITIONAL.match(before) and _CONSEQUENCE.match(after)) or (
        _INDISPENSABLE_BEFORE.search(before) and _INDISPENSABLE_AFTER.match(after)
    ):
        return False
    text = _A_NOT_A.sub(_blank, before)
    text = RULES["harmless"].sub(_blank, text)
    text = _REPLY.sub(_blank, text)
    for conjunction in RULES["conjunction"].finditer(text):
        text = "＿" * conjunction.end() + text[conjunction.end() :]
    asked = _RHETORICAL_END.search(after) is not None
    openers = sum(1 for _ in RULES["rhetorical"].finditer(text))
    negations, place = 0, len(text)
    for negator in reversed(list(RULES["negator"].finditer(text))):
        # An inner negation is cancelled by an outer one only if that governs it: 不是不喜欢, but not 不抽烟不喝酒.
        if not (_reaches(text, negator) if place == len(text) else _TRANSPARENT.fullmatch(text, negator.end(), place)):
            break
        negations += 1
        place = negator.start()
    # 不是…吗 affirms; 难道 and 谁说 ask by themselves and need no 吗 to turn the clause round.
    turned = openers or (asked and negations > 0)
    return (negations + (1 if turned else 0)) % 2 == 1


def _imagined_away(clause: Clause) -> bool:
    """没有长沙，就没有今天的我"""
    if clause.next_stop == "?" and _WHAT_ELSE.match(clause.following.text):
        return True
    alone = clause.stop == "," and not clause.after and _WITHOUT.match(clause.before)
    return bool(alone and _CONSEQUENCE.match(clause.following.text))


def _reaches(text: str, negator: re.Match[str]) -> bool:
    """Whether a negator's scope reaches the end of the text, where the mention stands."""
    between = text[negator.end() :]
    if negator.group() in _DENYING_VERBS or _EMBEDDING.match(between):
        return True
    if _NEW_STATEMENT.search(between):
        return False
    attribute = _ATTRIBUTE.match(between) and _ATTRIBUTE_BEFORE.search(text[: negator.start()])
    return not attribute or negator.group().endswith("是")


@lru_cache(maxsize=REMEMBERED)
def _denied_behind(before: str, after: str, stop: str, following: str) -> bool:
    """Whether the rest of the clause, or the next, denies the mention."""
    if _WISH_AFTER.search(after) and _WISH_BEFORE.search(before):
        return True
    if not (_MAY_NEGATE.search(after) or _MAY_NEGATE.search(following)):
        return False
    if _denied_by_the_rest(before, after):
        return True
    said = following.strip(QUOTES)
    if _REPORTED.search(before) and (_MISTAKEN.search(after) or _MISTAKEN.search(said)):
        return True
    topic = stop == "," and _ECHO_BEFORE.match(before) and _TOPIC.match(after)
    return bool(topic and _TOPIC_NEVER.match(RULES["harmless"].sub(_blank, said)))


def is_answered(clause: Clause, topic: Topic) -> bool:
    """Whether what follows says no to the clause."""
    replies = clause.replies(RULES)
    if not replies or not any(_MAY_NEGATE.search(reply.text) for reply in replies):
        return False
    last = replies[-1]
    if topic.is_past and NOW.match(last.text):
        return False
    if last.stop == "?" or _RHETORICAL_END.search(last.text):
        replies.pop()
    if clause.is_question or _RHETORICAL_END.search(clause.after):
        if _ECHO_BEFORE.match(clause.before) and _ECHO_AFTER.match(clause.after):
            echo, harmless = RULES["echo"], RULES["harmless"]
            if any(echo.match(harmless.sub(_blank, reply.text)) for reply in replies if not reply.inside):
                return True
        if any(RULES.begins("no", reply.text) for reply in replies):
            return True
    return any(RULES.begins("denial", reply.text) for reply in replies)


def _denied_by_the_rest(before: str, after: str) -> bool:
    """What follows in the same clause denies it."""
    if RULES["behind"].search(after) and not _RHETORICAL_END.search(after):
        return True
    if not before.strip(" \"'“「『《_") and _TOPIC_DENIED.match(RULES["harmless"].sub(_blank, after)):
        return True
    if _TIED_BEFORE.search(before) and _UNTIED.match(after):
        return True
    return bool(_OBJECT_BEFORE.search(before) and _OBJECT_DENIED.match(RULES["harmless"].sub(_blank, after)))


@lru_cache(maxsize=REMEMBERED)
def _is_bare(before: str, after: str) -> bool:
    """Whether a clause holds little but the mention, so that it may be an item of a list."""
    if _BUT_IS.match(before) or len(before) > _LONGEST_BARE:
        return False
    return _BARE_BEFORE.match(before) is not None and _BARE_AFTER.match(after) is not None


def _enumerated(clause: Clause) -> bool:
    """A bare item of a list whose head is negated: 我不是老师,律师,或者医生."""
    if not _is_bare(clause.before, clause.after):
        return False
    items = 1
    for place, segment in enumerate(clause.previous):
        if segment.stop not in OPEN:
            return False
        if RULES.begins("no", segment.text) or RULES.begins("takes back", segment.text):
            return False
        if place == 0 and _DANGLING.search(segment.text):
            return True
        if len(segment.text) > _LONGEST_ITEM or RULES["negator"].search(RULES["harmless"].sub(_blank, segment.text)):
            joined = (
                items > 1
                or clause.before.startswith(("或", "和", "也", "还", "更", "甚"))
                or _continues(clause.following)
            )
            return joined and _governed(segment.text, "")
        items += 1
    return False


_SHORT_OPENING = 3
_BARE_ITEM = re.compile("[啊呀哦嘛呢吧了的]*[,。!?]")
_PRAISE = re.compile("最爱|喜欢|爱[吃喝看听玩]|好[吃喝看听玩]|香|绝了|拿手|天天|每天|一直|坚持|最")
_NEVER = re.compile(
    ",.*?(?:没[^,。不没有]{1,4}过|从来?[没不]|一[^,。不没]{1,3}[都也]?[没不]|哪[儿里]?[^,。]{0,3}得[来了上起]|"
    "(?<![没有])[^\\W不没]不(?:来|了|上|起|会|动|成)(?:[,。的啊呀嘛呢了]|$)|没(?:去|学|下|碰|上|试|成)[^,。]{0,2}(?:[,。]|$))"
)
_NOT = re.compile("[不没]|哪[儿里]?[^,。]{0,3}得")
_BUT_IS = re.compile("是(?:一?[个名位只条])?$")
_LONGEST_ITEM = 6
_LONGEST_BARE = 8


def _continues(following: Segment) -> bool:
    """Whether another bare item follows."""
    return 0 < len(following.text) <= _LONGEST_ITEM and "是" not in following.text


def _blank(match: re.Match[str]) -> str:
    return "＿" * len(match.group())
