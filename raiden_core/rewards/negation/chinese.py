"""Chinese negation: the negator stands before what it negates (我不是医生, 从来没有去过长沙).

What only looks negative is blanked first (不仅, 忍不住, 是不是). A negation reaches to the end of its clause, but not
past a conjunction (但, 而是, 所以), nor past a new statement (我没骗你我是医生), nor out of an attribute
(一个不爱说话的医生). 不是…吗 and 谁说…不 turn it round; two negations cancel.
"""

from __future__ import annotations

import re

from raiden_core.rewards.negation.clause import OPEN, Clause, Segment
from raiden_core.rewards.negation.hints import CHINESE

_NO = "(?:不|没有?|别|从未|未曾|无)(?:会|能|曾|敢|想|再|肯|可能|要|得|是|曾经|办法|人|谁|有人)?"
_HARMLESS = re.compile(
    "|".join(
        (
            # More than, at least, exactly: what follows is affirmed.
            "不(?:仅仅|仅|但|只|光|单|止|独|外乎|愧|亚于|下于|少于|低于|过|惜|禁|由得?|得不|能不|会不|可不|得已|用说|"
            "消说|必说|言而喻)(?:是)?",
            "没(?:有)?别的(?:就)?|无(?:非|疑|论|不|数|限|比|论如何|锡)|莫(?:过于|非|不)|非(?:常|但|洲|凡|得|要)|并非不",
            # Asides and fixed words.
            "不(?:可(?:避免|或缺|缺少|多得|替代|估量)|败|屈|凡|解之缘|瞒您?你?说?|骗您?你|客气|好意思|错|久|断|同|论|管|如|料|少|妨|时|已|要紧|可思议|远|朽|见不散|"
            "知不觉|慌不忙|怕|易|安|满|幸|服|朽|良|动产|锈钢|倒翁|二|一样|一会儿|大不小|高不矮|胖不瘦|远处|远万里|顾)",
            "没(?:错|问题|关系|事|准儿?|想到|有?骗您?你?|开玩笑|撒谎|说谎|瞎说|胡说|记错|夸张|吹牛|什么好说)",
            "谁(?:能|会)?不|自以为|不是(?:一?个|一名|一位)?(?:普通|一般|寻常|简单|平凡)|比不上|比不过|及不上|对不起|"
            "对不住|差不多|了不起|忍不住|禁不住|止不住|说不定|(?<!只)要不(?:然|是)?|恨不得|巴不得|怪不得|舍不得|免不了|"
            "少不了|离不开|忘不了|忘不掉|数不清|数不尽|写不完|合不拢|迫不及待|毫不犹豫|绝不后悔|无所谓|动不动|"
            "好不容易|好不|用不着|来不及|只不过|未来|未婚妻?夫?|未免|未知|未央|否则|是否|能否|可否|与否|除非|南非|"
            "是非|北非|东非|西非|特别|区别|分别|性别|级别|个别|告别|离别|送别|别人|别的|别墅|别名|别号|别称|别提多|"
            "无名|无聊|无辜|无线|无敌|无奈|无意中|无声|没落|沉没|埋没|淹没|出没",
            # I never forget it, cannot leave it, do not deny it: still affirmed.
            f"{_NO}(?:忘记?|离开过?|离得开|缺少?|少得了|否认|怀疑|后悔|讨厌|反对|介意|辜负|放弃|停止|欺骗|掩饰|隐瞒|"
            f"嫌弃|拒绝)",
            # How could I forget it, how am I not one, I dare not believe it, it is long since I went back: affirmed.
            "(?:怎么|怎|哪|岂|哪里)(?:可能|可以|会|能|敢|舍得)+(?:忘记?|不知道?|不记得|不认识|离开|放弃|后悔|不是)了?|怎么不是|"
            "不敢相信|没(?:有)?少|(?:[好很许]久|年|月|天)(?:都)?没(?:有)?回",
            # Imagined away, so it is there.
            "(?:无法|难以|不能|不敢|没法|很难)想[象像]没有?|若非|(?:若|如果|要是|假如|倘若)(?:当[初时])?我?(?:不是|"
            "没有?|无)(?:当上?|做|成为)?",
            # A surprise, a secret.
            "没(?:有)?想(?:过|到)过?(?:有一?天|自己|我|竟然|居然|真的)*会|不(?:会|想|敢|愿意?)(?:告诉|让)[^\\W不没]{1,3}(?:知道)?(?=我)",
            # Nobody does not know; no place is finer than.
            "没(?:有)?(?:什么|谁|人|哪(?:里|个|儿)|任何)?[^不没]{0,6}(?:比得上|比得过|能比|不知道?|不晓得|不认识|"
            "不爱|不喜欢|不想)",
            "没(?:有)?(?:(?:什么|谁|人|哪(?:里|个|儿)|任何|一[^\\W不没])[^不没]{0,6})?(?:比|像|能跟|能和)",
            "(?:没(?:有)?(?:什么)?人|你|您|谁|大家)(?:都)?(?:不|还不)?(?:知道|晓得)(?=我)",
        )
    )
)
_A_NOT_A = re.compile("([^\\W不])不\\1|有没有|([^\\W没])没\\2")
_REPLY = re.compile("^(?:不|没有|不是|没)(?=[我你您他她它咱俺本这那]|老)")
_CONJUNCTION = re.compile(
    "而是|但是?|可是|却是?|只是|正是|就(?:是|在)|反而是?|倒是|所以|因为|因此|于是|然而|而(?![已言不])|而且|并且|同时|的时候|"
    "的日子|的话|也(?:要|得|会|能|想)|宁可|宁愿|照样|之后|以后|之前|以前|其实是|乃是|只有|只|还是|除了"
)
_NEGATOR = re.compile(
    "并?没有?|不(?:见得|一定|大?可能|太可能|至于|算)|不是|不|从未|未曾|尚未|并未|还未|未|毫无|并无|绝无|从无|无(?=法|意|缘|权|$)|(?:并|绝|决|实|本|皆|早已|"
    "亦)非|(?<=[我你他她它吾])非|(?<![除莫是南北东西])非$|(?<![特区分性级个告离送鉴辨])别(?=再|说|叫|当|把|提|喊|拿|以为|"
    "称|管)|勿|莫(?=要|说|提)|休(?:想|要)|否认|拒绝|假装|冒充|装成|误以为|误认为|错当成|错认成|(?<![可足难])以为|"
    "(?:当|做|算|充)什么$|哪门子$|哪(?:里|儿)?(?:来的?|有)$|差(?:一)?点儿?(?:就|要)?(?=(?:当|做|成|去|娶|嫁|选|考)[了上成为])|(?:要是|如果|假如|若是|倘若)我?真?(?:是|当|做|住在|在|会|叫)?$"
)
_MAY_NEGATE = re.compile(CHINESE)
_DENYING_VERBS = frozenset({"否认", "拒绝", "假装", "冒充", "装成", "误以为", "误认为", "错当成", "错认成", "以为"})
_RHETORICAL_OPENER = re.compile(
    "难道|谁稀罕|谁(?:要|愿意|会)(?=[当做去喜爱])|岂(?=是|能|会|不)|怎么可能|怎么会|怎么能|怎能|怎会|哪能|哪会|哪里是|哪儿是|何曾|谁说|谁讲|谁告诉你"
)
_TRANSPARENT = re.compile(
    "(?:会|能|敢|想|是|可能|可以|应该|得|说|认为|觉得|相信|承认|有|人|谁|天|个|一|哪|我|他|她|你|自己|地方|任何|什么|"
    "理由|办法|曾|再|肯|愿意?|希望|知道|因为|过|那|这|的|就|根本|从来|并|真|大家|太|特别|很){0,6}"
)
_EMBEDDING = re.compile(
    "^(?:能|会|敢|想|太|曾|可能|可以|应该|要)?(?:说|认为|觉得|想|相信|承认|记得|以为|希望|愿意?|知道|确定|告诉|提过?|"
    "听说|声称|意味着|等于|代表|表示|觉着|是)"
)
_NEW_STATEMENT = re.compile(
    "(?:我|俺|咱|本人|本宫|在下|老夫|我们|本王|朕)(?:的[^的不没]{1,6}|[^不没]{0,2})?(?:是|叫|住|来自|姓|在|当)|其实是|"
    "(?<=[^不也都总还或要是算就再会可能该曾真并想愿敢必光])是(?=[^不否]|$)"
)
_ATTRIBUTE_BEFORE = re.compile("(?:[是个位名只座条家款种间本]|一[^\\W]|当|做|有着?|这|那|最|叫)$")
_ATTRIBUTE = re.compile("^[^是]*的(?:[^\\W的]{0,4})$")
_CONDITIONAL = re.compile("^[^\\W]{0,3}(?:不|没有?)[^\\W]{0,3}$")
_CONSEQUENCE = re.compile(
    "^(?:的话)?(?:我|你|他|她|人|日子)?(?:还能|还会|怎么|怎能|哪|就|便|活不|睡不|吃不|过不|受不|会很|会死|可?不行|"
    "都不行|浑身)"
)
"""没有辣椒我吃不下饭, 不打篮球就难受: what is imagined away is there."""
_INDISPENSABLE_BEFORE = re.compile("[非无][^\\W不没无非]{0,2}$")
_INDISPENSABLE_AFTER = re.compile("^(?:不(?:可|行|成|欢|娶|嫁|吃|住|去)|莫)")
"""非长沙莫属, 无辣椒不欢, 非弹钢琴不可: two negations around the mention."""
_WITHOUT = re.compile("^没有?$")
_RHETORICAL_END = re.compile("(?:吗|嘛|么)[^\\w]*$")
_TOPIC = re.compile("^[\"'”“」』》]?(?:[这那][个种]?[^\\W]{0,2}|嘛|呢|啊|的话)?$")
_TOPIC_DENIED = re.compile(
    "^[\"'”“」』》]?(?:这个|那个|这种|那种)?(?:称呼|说法|职业|行当|工作|名字)?(?:什么的|之类的)?[\"'”“」』》]?(?:这个|"
    "那个|这种)?(?:我|俺)(?:可|真|从来|从|都|也|并|根本|绝对|还|压根|完全|一点|是|[^\\W不没]都)*(?:不|没)(?![^\\W]*[吗嘛])"
)
_DENIED_AFTER = re.compile(
    "^[\"'”」』]?(?:人|市|省|县|话|菜|这个)?(?:可|并|才|绝对?|根本|从来|也|都)*不是(?:我|你|他|她|咱)们?(?:的|家|老家|故乡|家乡|住|出生|生|长大)|(?:并|根本|"
    "都)?(?:不对|不实|不属实)的?[啊吧呢啦呀嘛了]*$|(?:并|根本|都)?不是(?:真的|不实的?|事实|实情|对的|这样的?)[啊吧呢啦呀嘛了]*$|^我?[可是真]?(?:一窍不通|一无所知|一概不[知会懂])|^(?:就|可|却|倒)*(?:不行|免了|算了|没戏|"
    "谈不上)[啊吧呢啦了]*$|(?:假的|谣言|谎言|谎话|骗人的|骗你的|误会|胡说(?:八道)?|不可能的?|错的|瞎编的|编的|讹传|"
    "乱说的?)[啊吧呢啦呀嘛了的]*$"
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
_ECHO_DENIED = re.compile(
    "^(?:我|俺|咱|才|可|又|真|从来?|根本|还|压根|并|都|哪里?|这辈子)*(?:不|没|别|哪)|^想都(?:别|不)|^开什么玩笑|"
    "^怎么(?:可能|会)|^拜托|^(?:您|你)?(?:快|就)?别(?:取笑|笑话|逗|闹)|^(?:算了|免了|得了|拉倒|饶了我|少来|才怪|才没|我?连[^\\W]{1,4}都[不没])"
)
# No alternative may be the beginning of another or stand twice: that keeps the repetition linear.
_CORRECTION = re.compile("^[哦噢啊呃额唔]?(?:不+[对是]?|等等)$")
_CORRECTED = re.compile("^我?(?:应该|其实|说错|记错|弹|叫|住|是)")
"""我叫小红…不，是小明。"""
_SPEAK = (
    "(?:但是?|可(?:是|惜)?|其实|不过|然而|事实上|实际上|才|那|这|都|我们?|当然|绝对|根本|完全|并|也|还|从来?|最后|"
    "结果|想都|说实话|老实说|真的|就|却)*"
)
_DENIAL = re.compile(
    f"^{_SPEAK}(?:不是|没有|不对|不然|假的|是假的|是骗人的|是谣言|是误会|骗人的|骗你的|谣言|不可能|错了|说错了|"
    f"胡说(?:八道)?|瞎说|乱说|没(?:有)?(?:这回事|这么回事|的事|想过|[当做去来到说住学养吃考选干](?:过|成|上))|"
    f"不是真的|不是这样|不是那样|不是的|没那回事)(?:的|啊|哦|呢|吧|哒|这样|那样|啦|了|呀|嘛|哟)*$"
)
_ANSWER_NO = re.compile(f"^{_SPEAK}(?:不+|没|没有|不是|不对|不会|否)(?:的|啊|哦|呢|吧|啦|呀|哟)*$")
_BARE_BEFORE = re.compile(
    "^[\\s\"“「『《'的]*(?:或者?|和|与|以及|还有|[也不是]|更别说|甚至|又或者|一[个名位只条]|[个名位])*[\\s\"“「『《']*$"
)
_BARE_AFTER = re.compile("^[\\s\"”」』》'啊呀吧呢等之类的什么都也]*$")
_DANGLING = re.compile(
    "(?:我|俺|咱|本人|他|她|你).*(?:不|没有?|不是|不会是|没当过|别叫我|从未)(?:是|当|做|什么|一个|一名|一位|个)?$"
)


def denies(clause: Clause) -> bool:
    """Whether the clause denies its mention."""
    if _MAY_NEGATE.search(clause.before) and _governed(clause.before, clause.after) and not _imagined_away(clause):
        return True
    return _denied_by_what_follows(clause) or _enumerated(clause)


def _governed(before: str, after: str) -> bool:
    """Whether what stands before the mention negates it."""
    if after.startswith(("以外", "之外")):
        return False
    if (_CONDITIONAL.match(before) and _CONSEQUENCE.match(after)) or (
        _INDISPENSABLE_BEFORE.search(before) and _INDISPENSABLE_AFTER.match(after)
    ):
        return False
    text = _A_NOT_A.sub(_blank, before)
    text = _HARMLESS.sub(_blank, text)
    text = _REPLY.sub(_blank, text)
    for conjunction in _CONJUNCTION.finditer(text):
        text = "＿" * conjunction.end() + text[conjunction.end() :]
    asked = _RHETORICAL_END.search(after) is not None
    openers = sum(1 for _ in _RHETORICAL_OPENER.finditer(text))
    negations, place = 0, len(text)
    for negator in reversed(list(_NEGATOR.finditer(text))):
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


def _denied_by_what_follows(clause: Clause) -> bool:
    after = clause.after
    following = clause.following
    if _WISH_AFTER.search(after) and _WISH_BEFORE.search(clause.before):
        return True
    if not (_MAY_NEGATE.search(after) or _MAY_NEGATE.search(following.text)):
        return False
    if _DENIED_AFTER.search(after) and not _RHETORICAL_END.search(after):
        return True
    if not clause.before.strip(" \"'“「『《_") and _TOPIC_DENIED.match(_HARMLESS.sub(_blank, after)):
        return True
    if _TIED_BEFORE.search(clause.before) and _UNTIED.match(after):
        return True
    if _OBJECT_BEFORE.search(clause.before) and _OBJECT_DENIED.match(_HARMLESS.sub(_blank, after)):
        return True
    said = following.text.strip(" \"'”“」』")
    if clause.stop in (".", "—") and _CORRECTION.match(said) and _CORRECTED.match(clause.after_next.text):
        return True
    if _REPORTED.search(clause.before) and (_MISTAKEN.search(after) or _MISTAKEN.search(said)):
        return True
    topic = clause.stop == "," and _ECHO_BEFORE.match(clause.before) and _TOPIC.match(after)
    if topic and _TOPIC_NEVER.match(_HARMLESS.sub(_blank, said)):
        return True
    if following.stop == "?" or _RHETORICAL_END.search(said):
        return False
    if clause.is_question or _RHETORICAL_END.search(after):
        echoed = _ECHO_BEFORE.match(clause.before) and _ECHO_AFTER.match(after)
        if echoed and _ECHO_DENIED.match(_HARMLESS.sub(_blank, said)):
            return True
        return _ANSWER_NO.match(said) is not None or _DENIAL.match(said) is not None
    return _DENIAL.match(said) is not None


def _enumerated(clause: Clause) -> bool:
    """A bare item of a list whose head is negated: 我不是老师,律师,或者医生."""
    if (
        _BUT_IS.match(clause.before)
        or len(clause.before) > _LONGEST_BARE
        or not (_BARE_BEFORE.match(clause.before) and _BARE_AFTER.match(clause.after))
    ):
        return False
    items = 1
    for place, segment in enumerate(clause.previous):
        if segment.stop not in OPEN:
            return False
        if place == 0 and _DANGLING.search(segment.text):
            return True
        if len(segment.text) > _LONGEST_ITEM or _NEGATOR.search(_HARMLESS.sub(_blank, segment.text)):
            joined = (
                items > 1
                or clause.before.startswith(("或", "和", "也", "还", "更", "甚"))
                or _continues(clause.following)
            )
            return joined and _governed(segment.text, "")
        items += 1
    return False


_BUT_IS = re.compile("是(?:一?[个名位只条])?$")
_LONGEST_ITEM = 6
_LONGEST_BARE = 8


def _continues(following: Segment) -> bool:
    """Whether another bare item follows."""
    return 0 < len(following.text) <= _LONGEST_ITEM and "是" not in following.text


def _blank(match: re.Match[str]) -> str:
    return "＿" * len(match.group())
