"""Gates: what no answer in character may do, however right it is. Each has TRL's signature and gives 1 or 0.

    trl grpo --reward_funcs raiden_core.rewards.accuracy_reward raiden_core.rewards.one_voice …

- `one_voice`: speaks for the character alone, and not for the user.
- `in_role`: does not leave the role ("as an AI", "according to my profile").
- `own_language`: answers in the language of the sample (column ``language``).
- `no_stuffing`: does not repeat a keyword again and again, or list whatever could be right.

They read the answer text (docs/vrar.md), so what is thought is free. They look for plain signs, in Chinese, English,
Japanese and Korean, and let pass what they do not know: a gate that closes on a right answer does more harm than one
that misses a wrong one. What they look for are failures that role-playing models are known for (the twelve dimensions of
the RAIDEN benchmark, and the checks of chat front ends).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from raiden_core.rewards.completion import extract_answer
from raiden_core.rewards.folding import fold, units
from raiden_core.rewards.scorer import text_of
from raiden_core.text.scripts import HAN, HANGUL, KANA

_TEMPLATE_MARK = re.compile(
    r"<\|(?:im_start|im_end|user|assistant|system|eot_id|start_header_id)\|>|\[/?INST\]|<</?SYS>>"
    r"|^#{2,3} ?(?:instruction|user|human|input)\b|<start_of_turn>",
    re.IGNORECASE | re.MULTILINE,
)
_USER_LABEL = re.compile(
    r"(?:^|[。！？!?.”」』\"*]\s*)[*\[（(【]?"
    r"(?:user|human|you|interviewer|\{\{user\}\}|用户|使用者|人类|你|您|对方|提问者|ユーザー|あなた|質問者|相手|사용자|유저|당신|너|상대방|질문자)"
    r"[*\])）】]{0,2}\s*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_USER_ACTION = re.compile(
    r"\*\s*(?:you(?! know\b)(?:r)?\b|你|您|あなた(?:は|が|の)|君(?:は|が)|당신(?:은|이|의)|너는|네가)[^*\n]{0,200}\*"
    r"|[（(]\s*(?:you (?:nod|smile|laugh|sit|stand|look|walk|sigh|take|say|lean|blush|shrug|frown|gasp)\w*"
    r"|(?:你|您)(?:点|笑|摇|沉默|叹|走|坐|站|接过|低头|抬头|脸红|愣)"
    r"|(?:あなた|君)(?:は|が)|(?:당신|너)(?:은|이|는))[^）)\n]{0,200}[)）]",
    re.IGNORECASE,
)
_USER_SPEECH = re.compile(
    r"\byou (?:say|reply|answer|whisper|exclaim|nod and say|smile and say|ask)s?[,:]? ?[\"“]"
    r"|[”\"] ?(?:you (?:say|reply|answer|whisper|ask)\b)"
    r"|(?:你|您)[^，。！？\n]{0,6}(?:说道|问道|答道|回答道|笑道|喊道)[：:，,]?"
    r"|[」』]と、?(?:あなた|君)(?:は|が)|[」』]\s*(?:あなた|君)(?:は|が)(?:言|答|尋|聞|つぶや|笑)"
    r"|[”\"'’]\s*(?:라고|하고)?\s*(?:당신|너)(?:은|이|는)\s*(?:말|대답|묻|물|속삭|웃)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^[\s*\[【（(]*([^\s:：*\]】）)][^\n:：*\]】）)]{0,24}?)[*\]】）)]{0,3}\s*[:：]", re.MULTILINE)

_AI = r"(?:AI|A\.I\.|artificial intelligence)"
_MODELS = "chatgpt|gpt-?\\d|qwen|claude|gemini|llama|deepseek|通义千问|文心一言|豆包大模型|千问"
_LEAVES_ROLE = re.compile(
    rf"\bas an? {_AI}(?: (?:language )?model| assistant| chatbot| system| program)?(?=\s*[,.;!—–-]|\s+(?:I|my|it|there)\b|\s*$)"
    r"|\bas an? (?:large )?language model\b"
    rf"|\bI(?:['’]m| am) (?:just |only |merely |simply |really |actually )*an? (?:{_AI}\b(?! (?:researcher|engineer|expert))"
    r"|(?:large )?language model|chatbot|virtual assistant|computer program|bot\b)"
    rf"|\bI(?:['’]m| am) (?:{_MODELS})\b|\b(?:developed|created|trained) by (?:OpenAI|Alibaba|Anthropic|Google|DeepSeek|Meta)\b"
    r"|\bI (?:don['’]t|do not|cannot|can['’]t) (?:actually )?(?:have (?:personal )?(?:feelings|emotions|experiences|a body)"
    r"|role-?play|stay in character|pretend to be)\b"
    r"|\b(?:out of character|OOC)\b|\bthe character(?: I(?:['’]m| am) playing| I play| would| is supposed)"
    r"|\baccording to (?:my|the) (?:character )?(?:profile|character sheet|persona|prompt|instructions)\b"
    r"|\bmy (?:character )?(?:profile|persona|system prompt|character card) (?:says|states|does|mentions|doesn)"
    r"|作为(?:一个|一名|一款|个)?(?:AI|人工智能|大?语言模型|智能助手|虚拟助手|聊天机器人)"
    rf"|我(?:其实|只|仅仅)?(?:是|只是)(?:一个|一名|一款|个)?(?:AI|人工智能|大?语言模型|智能助手|虚拟助手|聊天机器人|程序|{_MODELS})"
    r"|由(?:OpenAI|阿里|百度|深度求索|谷歌|Anthropic)\S{0,6}(?:开发|训练|研发)"
    r"|(?:根据|按照|依照)(?:我的|角色|人物|以上|所给|提供的|给定的)*(?:人设|设定|角色卡|角色资料|人物资料|角色信息|提示词)"
    r"|我(?:的)?(?:资料|设定|人设|角色卡|提示词)(?:里|中|上)?(?:写|显示|说|没有|并没有|提到|没提|没写)"
    r"|我(?:所|正在|在)?扮演的(?:角色|人物)|这个角色(?:的|会|应该)|(?:跳|脱离|出)(?:出)?(?:角色|戏)(?:说|来|一下|回答)"
    r"|(?:AI|人工知能|言語モデル|チャットボット|アシスタント)(?:アシスタント|言語モデル|モデル)?(?:として(?:は|の|、|お)|なので|ですので|だから、|である私|の私)"
    r"|私は(?:ただの|単なる|実は)?(?:大規模)?(?:AI|人工知能|言語モデル|チャットボット|プログラム)(?:アシスタント|モデル)?(?:です|だ|であり|に過ぎ|でして)"
    r"|(?:私の|キャラクターの?|この|与えられた)?(?:プロフィール|設定|キャラ設定|プロンプト|人物設定)(?:によると|に書かれ|には書|では、|によれば|に記載)"
    r"|(?:演じて(?:いる|る)|このロールの)(?:キャラ|役|人物)|このキャラクター(?:は|なら|として)|ロールプレイ(?:を|は|と|な)"
    r"|(?:AI|인공지능|언어 ?모델|챗봇)(?: ?(?:언어 ?모델|비서|어시스턴트|모델))?(?:로서|으로서|이기 때문|이라서|라서|이므로)"
    r"|(?:저는|나는|전|난) (?:그저 |단지 |사실 )?(?:대규모 )?(?:AI|인공지능|언어 ?모델|챗봇|프로그램)"
    r"(?: ?(?:언어 ?모델|비서|어시스턴트|모델))?"
    r"(?:입니다|이에요|예요|일 뿐|이야|야\b)"
    r"|(?:제|내|캐릭터|주어진|인물)? ?(?:프로필|설정|캐릭터 ?시트|프롬프트)(?:에 따르면|상으로는|에는 |에 적힌|에 나와)"
    r"|(?:연기하는|맡은) (?:캐릭터|인물|배역)|이 캐릭터(?:는|라면|가)|역할극(?:을|은|이|입)",
    re.IGNORECASE,
)

_ENGLISH = re.compile(
    r"\b(?:i|i'm|i've|i'd|i'll|the|a|an|is|am|are|was|were|my|me|of|and|to|in|it|it's|that|this|you|your|at|on|for|with|not"
    r"|no|have|had|do|don't|he|she|they|we|be|but|so|from|as|by|can|would|there)\b"
)
_WORD = re.compile(r"[a-z\u00df-\u024f]+(?:'[a-z]+)?")
_SCRIPT = {code: re.compile(f"[{letters}]") for code, letters in {"han": HAN, "kana": KANA, "ko": HANGUL}.items()}
_FEW_WORDS = 6
"""So many English words in a row hold one of the commonest."""
_SHORT_HAN = 8
"""A Japanese answer of so few Han characters needs no kana: 東京都世田谷区。"""

_ECHO = re.compile(r"([^\W_](?:[^\n]{0,23}[^\W_])?)(?:[\s、，,。.!！/;；~～·…-]{0,3}\1){4,}")
_LAUGH = re.compile(
    r"(?:[哈嘿呵嘻嗯啊哦喵汪咕嗷呜咚当叮咯啦ははハふフへヘㅋㅎㅠㅜwWまアあ]+|ha|he|ho|hi|la|ja|heh|hah|haha|boom|knock|tap|tick|no|yes|very|haha"
    r"|はは|ふふ|ワン|ニャー|トン|コン|にゃ|하하|호호|헤헤|야옹|멍|쿵|똑|아주|정말|真的|非常|很|とても|ずっと)",
    re.IGNORECASE,
)
_ITEMS = re.compile(r"[、，,;；/／\n·・|]| and | or |和|或|と|や|그리고|하고")
_MAX_ITEM_UNITS = {True: 4, False: 3}
"""The longest item of a bare list, with and without CJK characters."""
_FREE_ITEMS = 5
"""A list of so many items is an answer like any other; a longer one may have as many as the reference."""
_FREE_MENTIONS = 4
"""So often a keyword may be said; or twice as often as in the reference."""


def one_voice(completions: Sequence[object], **columns: Any) -> list[float]:
    """1 where only the character speaks; 0 where the answer also tells what the user says or does.

    With a column ``character_name`` a written-out dialogue of the character with anybody fails too.

    >>> one_voice(["I'm a baker.", "I'm a baker.\\nUser: What do you bake?"])
    [1.0, 0.0]
    """
    names = _column(columns.get("character_name"), len(completions))
    texts = _texts(completions, columns)
    return [float(not _speaks_for_others(text, name)) for text, name in zip(texts, names, strict=True)]


def in_role(completions: Sequence[object], **columns: Any) -> list[float]:
    """0 where an answer calls itself a model or speaks of its role from outside; else 1.

    Where the reference (column ``answer``) does so, the character is one, and everything passes.

    >>> in_role(["I'm a baker, not an AI.", "As an AI, I have no home town."])
    [1.0, 0.0]
    """
    references = _column(columns.get("answer"), len(completions))
    texts = _texts(completions, columns)
    return [
        float(not _LEAVES_ROLE.search(text) or (isinstance(said, str) and bool(_LEAVES_ROLE.search(said))))
        for text, said in zip(texts, references, strict=True)
    ]


def own_language(completions: Sequence[object], **columns: Any) -> list[float]:
    """1 where most of an answer is in the sample's language (column ``language``); other languages than ours pass.

    >>> own_language(["I live in Leeds.", "我住在利兹。"], language="en")
    [1.0, 0.0]
    """
    languages = _column(columns.get("language"), len(completions))
    texts = _texts(completions, columns)
    return [float(_is_in(fold(text), code)) for text, code in zip(texts, languages, strict=True)]


def no_stuffing(completions: Sequence[object], **columns: Any) -> list[float]:
    """0 where an answer says a thing again and again or is a bare list of more than the reference has; else 1.

    A keyword alone, said briefly, passes: it is right by rule.

    >>> no_stuffing(["Leeds.", "Leeds Leeds Leeds Leeds Leeds Leeds"])
    [1.0, 0.0]
    """
    count = len(completions)
    rows = zip(
        _texts(completions, columns),
        _column(columns.get("answer"), count),
        _column(columns.get("keywords"), count, single=_is_one_list),
        strict=True,
    )
    return [float(not _stuffs(text, said, keywords or ())) for text, said, keywords in rows]


def _speaks_for_others(text: str, name: object) -> bool:
    if any(sign.search(text) for sign in (_TEMPLATE_MARK, _USER_LABEL, _USER_ACTION, _USER_SPEECH)):
        return True
    labels = {label.strip() for label in _LABEL.findall(text)}
    return isinstance(name, str) and bool(name) and name in labels and len(labels) > 1


def _is_in(text: str, language: object) -> bool:
    counts = {name: len(script.findall(text)) for name, script in _SCRIPT.items()}
    words = _WORD.findall(text)
    latin = len(words)
    cjk = counts["han"] + counts["kana"]
    everything = cjk + counts["ko"] + latin
    if language not in ("zh", "en", "ja", "ko"):
        return True
    if not everything:
        return any(letter.isdecimal() for letter in text)
    if language == "en":
        return 2 * latin > everything and (latin < _FEW_WORDS or _ENGLISH.search(text) is not None)
    if language == "ko":
        # A Hangul character is less than a word, and a foreign name among them more than one.
        return counts["ko"] >= 2 * latin and 2 * counts["ko"] > counts["ko"] + cjk
    if language == "zh":
        return counts["han"] >= latin and 5 * counts["kana"] <= counts["han"] and counts["han"] > counts["ko"]
    short = counts["kana"] == 0 and 0 < counts["han"] <= _SHORT_HAN
    return (10 * counts["kana"] >= counts["han"] and counts["kana"] > 0 and cjk >= latin and cjk > counts["ko"]) or (
        short and not latin and not counts["ko"]
    )


def _stuffs(answer: str, reference: object, keywords: Sequence[object]) -> bool:
    right = reference if isinstance(reference, str) else ""
    text, said = fold(answer), fold(right)
    for keyword in keywords:
        term = _folded(keyword) if isinstance(keyword, str) else ""
        if len(term) > 1 and text.count(term) > max(_FREE_MENTIONS, 2 * said.count(term)):
            return True
    if any(not _LAUGH.fullmatch(echo[1]) and len(set(echo[1])) > 1 for echo in _ECHO.finditer(text)):
        return True
    items = _items(answer)
    return len(items) > max(_FREE_ITEMS, len(_items(right))) and all(map(_is_short, items))


def _items(text: str) -> set[str]:
    """What stands between the commas of a text."""
    items = (item.strip(" .。!！?？").lower() for item in _ITEMS.split(text))
    return {item for item in items if item}


def _is_short(item: str) -> bool:
    cjk = any(script.search(item) for script in _SCRIPT.values())
    return units(fold(item)) <= _MAX_ITEM_UNITS[cjk]


def _texts(completions: Sequence[object], columns: dict[str, Any]) -> list[str]:
    opened = _column(columns.get("prefilled_think"), len(completions))
    return [
        extract_answer(text_of(completion) or "", bool(begun))
        for completion, begun in zip(completions, opened, strict=True)
    ]


def _is_one_list(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(value, str) for value in values)


def _column(values: Any, count: int, single: Callable[[Sequence[Any]], bool] = lambda values: False) -> Sequence[Any]:
    """A column as TRL gives it: a list; a single value (from ``functools.partial``) stands for all rows."""
    return values if isinstance(values, (list, tuple)) and not single(values) else [values] * count


@lru_cache(maxsize=65536)
def _folded(text: str) -> str:
    return fold(text)
