"""Topics: what a question asks for, so that a denial can be told from a sentence that only holds a negator.

"I can't sleep when it thunders" says that thunder is feared; "I can't stand peaches" says that peaches are not liked. The
question decides which it is. A validator may say it (``about``, ``polarity``); otherwise it is read off the question and
the reference answer here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from raiden_core.rewards.folding import fold, simplify

ABOUT = ("identity", "taste", "fear", "possession", "activity", "event", "other")
"""What a question can be about, as a validator says it."""


class Topic(NamedTuple):
    """What a question asks for."""

    about: str = ""
    """One of `ABOUT`; "" where neither validator nor question says."""
    is_name: bool = False
    """An identity or possession that is a name: only what says who somebody is can deny it."""
    asks_denied: bool = False
    """The question asks for what is not so ("What can't you do?")."""
    is_past: bool = False
    """It asks for what was."""
    is_future: bool = False
    """It asks for what is planned or dreamt of."""
    is_memory: bool = False
    """It asks what the user said: an unsure answer is a question back."""
    is_others: bool = False
    """It asks for somebody else: what a relative is or does is an answer."""


NO_TOPIC = Topic()


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile(simplify("|".join(patterns)))


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    return {
        "why": _any(
            "为什么|为何|为啥|怎么会", r"\b(?:why|how come)\b", "どうして|なぜ|何で(?=.*の)|なんで", "왜|어째서"
        ),
        "fear": _any(
            "怕|恐惧|畏惧|吓",
            r"\b(?:afraid|scared?|scares|fears?|feared|frighten\w*|terrif\w*|phobia)\b",
            "怖|恐[れい]|こわい|苦手なもの",
            "무서|무섭|두려|두렵|겁",
        ),
        "taste": _any(
            "喜欢(?!做)|稀罕|爱[看听玩读穿]|最爱|[吃喝]什么|爱吃|爱喝|讨厌|不爱|口味|偏爱|好吃",
            r"\b(?:favou?rite|like to (?:eat|drink|listen)|(?:do|does|did|n't) (?:you|he|she) (?:really )?(?:like|love|"
            r"hate|dislike|enjoy|prefer|eat)|dislike|hate|refuse to eat|can't stand|fond of)\b",
            "好き|嫌い|好物|好み|食べられ|苦手な食",
            "좋아하|싫어하|즐겨 먹|입맛|못 먹",
        ),
        "activity": _any(
            "爱好|兴趣|会(?:什么|做|哪|说|不会)|擅长|拿手|特长|喜欢做|业余|消遣|戒",
            r"\b(?:hobb(?:y|ies)|good at|can(?:'t|not)? you|pastimes?|free time|languages?|skills?|talents?|play|give up|"
            r"given up|quit)\b",
            "趣味|特技|得意|でき(?:る|ない|ま)|話せ|何語|やめ|弾",
            "취미|특기|할 줄|잘하|언어|못 ?하|끊",
        ),
        "possession": _any(
            "宠物|养(?:了|过|着|什么)|有(?:什么|没有|几)|带着|缺|拥有|收藏",
            r"\b(?:pets?|do you (?:have|own|keep|collect|carry)|lack)\b",
            "ペット|飼|持って",
            "반려|키우|기르|가지고|들고 다|애완",
        ),
        "name": _any(
            "叫什么|名字|是谁|谁是|哪位|姓什么|怎么称呼|宠物",
            r"\b(?:names?|called|who(?:'s| is| are| was|m)?|pets?)\b",
            "名前|名は|誰|だれ|どなた|ペット|飼",
            "이름|누구|누가|성함|반려|키우|애완",
        ),
        "identity": _any(
            "工作|职业|做什么的|家乡|老家|哪里人|哪儿人|住在|来自|身份|干什么的|上班|故乡|出身|籍贯|什么人|哪国|想[当做]什么",
            r"\b(?:for a living|job|occupation|profession|trade|come from|where(?: \w+){0,3} (?:from|live|born|work)|hometown|"
            r"what are you|what do you do|who are you|your work|your role)\b",
            "仕事|職業|出身|故郷|住|勤|何者|生まれ|国籍|どちら(?:です|か)|将来",
            "무슨 일|직업|고향|어디서? ?(?:살|사|일|오|태)|출신|어디(?:예요|입니까|에요|세요)|정체",
        ),
        "denied": _any(
            r"(?<![会能爱喜吃喝敢想怕愿可认懂了])不(?:会|能|爱|喜欢|吃|喝|敢|想|怕|擅长|愿|可以|认识|懂|了解)(?!不)|不[^\W]{1,3}(?:什么|哪|啥|谁)|没有(?:什么|哪)|(?:哪|什么)[^,。不]{1,6}不[^\W]{1,2}\W*$|没(?:去|做|吃|学|见|有|到)过?(?!没)|讨厌|最恨|戒|缺|放弃|受不了",
            r"n't\b|\b(?:never|cannot|refuse|hate|dislike|avoid|give up|gave up|given up|quit|lack|stop(?:ped)?|not)\b",
            "ない|ません|嫌い|苦手|やめ|なかった",
            "못 ?(?:하|먹|가)|안 (?!녕)|싫어|끊|그만|않|없",
        ),
        "asks memory": _any(
            "^(?:那?你?还?记得)?我|我的",
            r"\b(?:my|am i|did i|do i|was i|have i)\b",
            "私の|僕の|俺の|私が|私は",
            "(?:제|내)(?:가| )",
        ),
        "others": _any(
            "爸|妈|爹|娘|父|母|哥|姐|弟|妹|爷爷|奶奶|外公|外婆|姥|叔|舅|姑|姨|媳妇|老婆|老公|丈夫|妻|爱人|对象|朋友|女儿|儿子|闺女|孩子|"
            "室友|同学|同桌|同事|邻居|师[兄姐弟妹父傅]|徒|搭档|谁|哪位",
            "父|母|親|兄|姉|弟|妹|家族|妻|奥さん|旦那|ご主人|息子|娘|お子さん|孫|友|同僚|先輩|後輩|師匠|相棒|恋人|彼氏|彼女|好きな人|憧れ|誰|だれ|どなた",
            r"\b(?:(?:your|his|her|their)(?: [\w'-]+){0,3} (?!name\b|job\b)(?:wife|husband|brothers?|sisters?|mother|father|"
            r"mum|mom|dad|sons?|daughters?|children|kids|cousins?|uncle|aunt|parents?|grand\w+|boss|neighbou?rs?|partner|"
            r"twin|nephew|niece|boyfriend|girlfriend|family|friends?)|family|who|whose|whom)\b",
            "아내|남편|형|누나|언니|오빠|동생|어머니|아버지|엄마|아빠|부모|아들|딸|할머니|할아버지|친구|가족|누구|누가|삼촌|이모|고모",
        ),
        "past": _any(
            "以前|从前|曾经|过去|小时候|当年|原来|之前",
            r"\b(?:used to|before|formerly|previous|once|were you|did you|was your|past|childhood|as a (?:child|kid|boy|girl))\b",
            "以前|昔|かつて|前は|前の|でしたか|ましたか|子供の頃",
            "전에|예전|옛날|과거|했어요|하셨|였어요|었어요|어릴",
        ),
        "future": _any(
            "长大|将来|以后|梦想|想[当做去成]|未来|愿望",
            r"\b(?:want to|will you|going to|dream|plan|hope|wish|future|someday|grow up)\b",
            "将来|夢|なりたい|大きくなったら|つもり",
            "장래|꿈|되고 싶|하고 싶|나중|앞으로|미래",
        ),
    }


@lru_cache(maxsize=16384)
def topic_of(question: str) -> Topic:
    """The topic of a question in any of the four languages; a blank one for a blank question."""
    text = fold(question)
    if not text:
        return NO_TOPIC
    told = {name for name, pattern in _patterns().items() if pattern.search(text)}
    is_why = "why" in told
    order = ("fear", "taste", "activity", "possession", "identity", "name")
    about = "event" if is_why else next((name for name in order if name in told), "other")
    is_name = "name" in told and about in ("identity", "possession", "name")
    return Topic(
        about="identity" if about == "name" else about,
        is_name=is_name,
        asks_denied="denied" in told and not is_why,
        is_past="past" in told,
        is_future="future" in told,
        is_memory="asks memory" in told,
        is_others="others" in told,
    )
