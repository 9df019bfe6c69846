"""Japanese negation: it stands behind what it negates, in the predicate (医者ではありません, 東京に行ったことがない).

The predicate is what follows the term up to the end of its clause: a comma, or a conjunction such as が, けど, ので.
Fixed expressions with a negative form are blanked first (だけでなく, に他ならない, かもしれません, なければならない);
ではありませんか and じゃないですか affirm; two negations cancel.
"""

from __future__ import annotations

import re
from functools import cache

from raiden_core.rewards.folding import simplify
from raiden_core.rewards.negation.clause import Clause

_HARMLESS = "|".join(
    (
        # What is imagined away is there; nothing else, nothing like it.
        "(?<!でも)(?:(?<!も)なければ|なかったら|ないと(?!思|言|聞|感|い)|なし(?:で|に)(?:は)?|なくては(?!な|い))[^、]*",
        "[るたいだ](?:とは|なんて|など)(?:夢にも)?思(?:わ|っても?い|ってもみ)(?:なかった|ませんでした)",
        "なくして(?:は)?[^、]*|に(?:すぎ|過ぎ)(?:ない|ません|なかった|ず|ぬ)",
        "なしの[^、]{1,8}?(?:考えられ|想像(?:が|も)?(?:でき|つか)|あり得|ありえ)(?:ない|ません)|(?:嫌い|苦手)な?(?:わけ|はず|"
        "こと)(?:が|は)?(?:ない|ありません)",
        "さえ[^、]*?(?:ない|ません)|(?:離れる|忘れる|やめる|手放す|裏切る)(?:つもり|気|こと|わけ)(?:は|が|"
        "も)?(?:ない|ありません|なかった)",
        "(?:以外|のほか|の他|ほど|くらい|ぐらい)[^、]*?(?:ない|ません|なかった)",
        "を(?:一歩も|一度も)?出(?:た|る)(?:こと|気|つもり)[^、]{0,3}?(?:ない|ありません)",
        "から(?:一歩も|一度も)?(?:出|離れ)[^、]*?(?:ない|ありません|ません|なかった)",
        "(?<!た)(?<!欲し)(?<!ほし)く(?:は|も)?(?:ない|ありません|なかった)",
        "(?:楽|簡単|容易|嫌い|下手|無駄|退屈|悪|平気|静か|有名)(?:では|じゃ)(?:ない|ありません|なかった)",
        "(?:では|じゃ)なかった(?:です)?(?:か|っけ)",
        # Not only, none other than, must, may, cannot help: what stands before is affirmed.
        "(?:だけ|ばかり|のみ)(?:で|じゃ)(?:は)?(?:なく(?:て)?|ない|ありません)|(?:だけ|ばかり|"
        "のみ)(?:に(?:は)?)?とどまら(?:ず|ない)|のみならず|に限らず",
        "に(?:他|ほか)(?:なら(?:ない|なりません|ぬ)|なりません)|に(?:違い|相違|間違い)(?:は)?(?:ない|ありません|なく|"
        "なかった)|間違い(?:は)?(?:ない|なく|ありません)",
        "(?:しか|より(?:ほか|他)(?:に|は)?)(?:[^\\W]{0,8}?)(?:ない|いない|ありません|いません|なかった|ません)",
        "(?:なければ|なくて(?:は)?|ないと|なきゃ|なくちゃ|ねば|なけりゃ)(?:なら(?:ない|なかった|ぬ)|"
        "なりません(?:でした)?|いけない|いけません(?:でした)?|だめ|ダメ|駄目|生きて|いられ(?:ない|ません))",
        "かも(?:しれ|知れ)(?:ない|ません|ないけど)|とは限らない|ざるを得(?:ない|ません)|ずに(?:は)?(?:いられ|おけ|"
        "おられ)(?:ない|ません)|ないわけに(?:は)?いか(?:ない|ません)|ない(?:こと|わけ|はず)(?:は|が|も)?(?:ない|"
        "ありません)",
        "(?:忘れ|欠かせ|離れ|負け|譲れ|変わら|変わり|止め|やめ|裏切|飽き|絶や|見逃せ|手放せ|外せ|忘れられ|離せ|疑|"
        "疑い|疑わ|悔い|後悔し|後悔は|惜し)(?:ら)?(?:れ)?(?:は)?(?:た(?:こと|日|時|とき)(?:が|は|など|なんて)?(?:一[日度瞬秒](?:も|たりとも))?)?(?:し)?(?:ない|ません|なかった|"
        "なく|ず|ありません)",
        "たまら(?:ない|なく|ん)|たまりません|(?:て|で)(?:なら|なり)(?:ない|ません)|やみません|やまない|もったいない|"
        "申し訳(?:ない|ありません|ございません)|すみません|すいません|仕方(?:が)?(?:ない|ありません|なく)|"
        "しょうがない|とんでもない|つまらない|くだらない|さりげない|何気ない|限りない|少ない|少なく|危ない|切ない|"
        "汚い|はかない|ぎこちない|かけがえのない|問題(?:ない|ありません)|相変わらず|必ず|まず|思わず|いらず|ひとまず|"
        "とりあえず|わずか|はず(?!が|も|は)|ずっと|ずつ|いずれ|まずは|恥ずかし|珍し|少なからず|絶えず|知らず|飽きず|"
        "みず|おなか|なかなか|なかま|仲|中|大人げ|じゃないか|ではないか|じゃない[?]|ではない[?]|じゃないですか|"
        "ではないですか|ではありませんか|じゃありませんか|ありませんか|ではないでしょうか|じゃないの|じゃん|不思議|"
        "不動産|不安|不便|非常|無料|無事|無理|無口|無限|無数|(?<!でも)何でもない|"
        "(?:でなくて|じゃなくて|でなければ|じゃなければ|じゃなきゃ)(?:何|誰|どこ|なん)[^、]*|(?:嫌う|嫌いな|知らない)(?:人|者|奴|やつ)(?:は|など|"
        "なんて)?(?:いない|いません|おりません)|言うまでも(?:なく|ない)|他でもない|"
        "ほかでもない|他でもなく|紛れもない|紛れもなく|まぎれもない",
    )
)
_END = (
    "、|(?<=[すだたいん])(?:が(?![あい])|けれども?|けど|から(?!な)|し(?=[^なまてたよいら]|$))|"
    "(?<=[いっしきぎちりみび])て(?=[\u4e00-\u9fffァ-ヶ])|ので(?![はも])|のに|(?:ではなく|じゃなく|でなく|なくて)て?|(?:ずに)|"
    "(?:育ち|生まれ|出身|在住)で(?![はもなあ])|もなければ|ながら|一方で?|もので|(?<=[ぁ-ん])と(?=言|聞|思)(?!.)"
)
_NEGATOR = (
    "(?:では|じゃ|で|も|は|が|に|く|と)?(?:ありません|ございません|なかった|ない|なく(?:て)?)|ません|"
    "(?<=[かがさたなばまらわいきしちにひみりえけせてねべめれげ])(?:ない|なかった|なく|ず(?:に)?(?=、|$|に|暮|じまい)|"
    "ぬ(?=$))|まい(?=$|と)|じゃねえ|じゃねー|わけが?ない|わけ(?:は)?ありません|はず(?:が|も|は)(?:ない|ありません)|"
    "^と?ちゃ(?:う(?!う)|います)|(?<=[とや])ちが(?:う|い|っ)|や(?:あら|おま)へん|違(?:う|い|っ|え)(?!な)|(?<![の])うそ(?:です|だ|$)|(?:嘘|誤り|誤解|デマ|でたらめ|冗談)(?:です|だ|でした|$|に)|"
    "(?:おら|知ら|いら|やら|行か|食わ|飲ま)ん(?=$|[よなわで]|ねん)|"
    "(?:だめ|ダメ|駄目)(?=だ|で|な(?!ら)|$)|無理(?:です|だ)|もなければ|(?:たら|れば|けば|せば)(?:よかった|良かった|いいのに)"
)
_DENIAL = (
    "^(?:いや|いいえ|いえ|でも|実は|それは|これは|本当は|私は|僕は|俺は|しかし|ですが|だが|もちろん|全然|まったく|"
    "実際は|そんなの|そんなことは|今は|もう|結局|の)*(?:違(?:う|います|いました|った)|そうでは(?:ない|ありません)|"
    "そうじゃ(?:ない|ありません)|嘘(?:です|だ)|うそ(?:です|だ)|(?:では|じゃ)(?:ない|ありません)|間違い(?:です|"
    "だ)(?:です|だ)|あり(?:えません|えない|得ません|得ない)|ありません|誤解(?:です|だ)|冗談(?:です|だ)|とんでもない|"
    "とんでもありません|(?:なれ|行け|住め)(?:なかった|ませんでした))(?:ん|です|だ|よ|ね|が|けど|わ|な|ぞ|の)*$"
)
_ANSWER_NO = (
    "^(?:いいえ|いや|いえ|ううん|ノー|まさか|とんでもない|とんでもありません|[^、]{0,8}[ただ]こと(?:は|が|"
    "も)?(?:一度も)?(?:ない|ありません))(?:です|よ|ね|え)*$"
)


_WHO_SAYS = "(?:誰|だれ|どこ|何)が$"
_SAYS = "^(?:だ|です)?(?:って|なんて|と(?:言|い)(?:った|いました|うんだ|うの)|と[?])[^、]{0,6}$"
"""誰が医者だって？"""
_SCORNED = "^だ?(?:なんて|など)、?とんでも(?:ない|ありません|ございません)"
_TOPIC_COMMA = re.compile("^(は|には|では|なんて|なんか|など|って)、")
"""京都なんて、好きになれない: the predicate stands behind the comma."""


_BARE = re.compile("(?:え|は|あ|私|僕|俺)?[\"'“”「」『』 ]*")
_ECHO_DENIED = f"{_ANSWER_NO}|^(?:[^、]{{0,8}}|そんな[^、]*)(?:ない|ません|なかった)(?:です|でした|よ|ね|わ|な|けど)*$"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Folding has simplified the text's characters (違 is 违), so the patterns follow; not before the first
    # Japanese text, because the table takes a while to load.
    return re.compile(simplify(pattern))


def denies(clause: Clause) -> bool:
    """Whether the clause denies its mention."""
    after = clause.after
    if clause.stop == "?":
        # 医者ではない? and 医者じゃないか? ask for assent.
        after += "?"
    if _compiled(_SCORNED).match(after):
        return True
    if _compiled(_WHO_SAYS).search(clause.before) and _compiled(_SAYS).match(after):
        return True
    predicate = _compiled(_HARMLESS).sub(_blank, _TOPIC_COMMA.sub(r"\1", after))
    end = _compiled(_END).search(predicate)
    if end:
        negative = "な" in end.group() or "ず" in end.group()
        predicate = predicate[: end.end() if negative else end.start()]
    negations = sum(1 for _ in _compiled(_NEGATOR).finditer(predicate.rstrip("?")))
    if negations:
        return negations % 2 == 1
    return _denied_by_what_follows(clause)


def _denied_by_what_follows(clause: Clause) -> bool:
    segments = clause.after.split("、")[1:]
    is_last = len(segments) == 1 or (not segments and "、" not in clause.following.text)
    if is_last and (clause.stop if segments else clause.following.stop) == "?":
        return False
    said = (segments or clause.following.text.split("、"))[0].strip(" \"'“”」』")
    if _compiled(_DENIAL).match(said):
        return True
    if clause.stop == "?" and _BARE.fullmatch(clause.before) and _BARE.fullmatch(clause.after):
        # 弟？いないよ。
        return _compiled(_ECHO_DENIED).search(_compiled(_HARMLESS).sub(_blank, said)) is not None
    asked = clause.stop == "?" or clause.after.rstrip("」』").endswith(("か", "って", "だって"))
    return asked and _compiled(_ANSWER_NO).match(said) is not None


def _blank(match: re.Match[str]) -> str:
    return "＿" * len(match.group())
