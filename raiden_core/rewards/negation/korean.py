"""Korean negation: it stands behind what it negates, in the predicate (의사가 아니에요, 서울에 살지 않아요).

안 and 못 stand before a verb, but behind the term as well (고기를 안 먹어요).

The predicate is what follows the term up to the end of its clause: punctuation, or a word with a connective ending
(-지만, -는데, -고, -니까). Fixed expressions with a negative form are blanked first (뿐만 아니라, 다름없다, 밖에 없다,
잊을 수 없다); 아닌가요? and 않나요? affirm; two negations cancel.
"""

from __future__ import annotations

import re

from raiden_core.rewards.negation.clause import Clause

_HARMLESS = re.compile(
    "|".join(
        (
            "뿐(?:만|이)? ?(?:이)?(?:아니|아닌|아닙)[^\\s]*|(?<!지)만(?:이)? (?:아니라|아니고|아니에요|아닙니다)|"
            "에 지나지 (?:않|안)[^\\s]*|에 불과[^\\s]*|다름 ?(?:없|아닌|아니|아닙)[^\\s]*",
            "밖에 (?:\\S+ )?(?:없|안|못|모르|몰라|않)[^\\s]*(?: \\S+)?",
            "지 ?않을 수 ?없[^\\s]*|지 ?않으면 ?안 ?[되돼][^\\s]*|없(?:어서|으면)(?:는)? ?안 ?[되돼될][^\\s]*|"
            "안 ?[^\\s]+ 수(?:가|는|도)? ?없[^\\s]*|안 ?[^\\s]+[려래]야|빼놓을 수 ?없[^\\s]*|빼 ?놓고[^\\s]*|말할 것도 ?없[^\\s]*|두말할[^.]*없[^\\s]*",
            "(?:틀림|변함|끊임|상관|문제|그지|한|더할 나위|둘도|어김|아낌|의심할 여지가?|의심의 여지가?|"
            "의심) ?없[^\\s]*|수없[^\\s]*|사족을 못[^\\s]*",
            # Nothing else, nothing like it; not easy is not denied.
            "만 있으면[^,.]*없[^\\s]*|(?:떠날|잊을|그만둘|버릴|포기할) (?:생각|마음|수|일)[^\\s]* ?없[^\\s]*",
            "(?:말고(?:는|도)? (?:다른|딴|아무|그)|말고(?:는|도) |외에|빼고|만큼|보다)[^,.]*?(?:없|안 |못|않|모르)[^\\s]*",
            "(?:쉬운|작은|가벼운|보통|만만한|간단한) [^\\s]+ (?:아니|아닙)[^\\s]*|(?:쉽|크|작|춥|덥|멀|길|짧|나쁘|싫|"
            "외롭|힘들|어렵|비싸|적|부끄럽|두렵|아깝)지(?:는|도)? ?않[^\\s]*",
            "(?:잊|떠나|떠난|포기|버리|버린|멈추|멈춘|질리|후회|의심|부정|숨기|빠지|변하|지지|놓치|거르|거른|"
            "벗어나)[^\\s]*(?: 본)?(?: 적(?:이|은|도)?| 수(?:가|는)?| 날(?:이|은)?)? ?(?:않|없|못)[^\\s]*|"
            "못 잊[^\\s]*|안 잊[^\\s]*",
            "(?:이|가)? ?아니(?:고|면)(?:서야?)? (?:어디|누구|뭐|무엇|언제)[^,.]*|만 ?한 [^ ]+ ?없[^ ]*|같은 [^ ]+ (?:다시|또|세상에|"
            "어디에도) ?없[^ ]*|(?:마다|사양|주저|망설이|아끼)[^ ]*지 ?않[^ ]*",
            "(?:이|가)? ?아니었(?:다면|더라면|으면(?! 좋))[^,.]*",
            "모르[^ ]* ?척[^,.]*|못지 ?않[^\\s]*|적지 ?않[^\\s]*|아니면 [^,.]*(?:안|못|않|싫)[^\\s]*(?: [돼되][^\\s]*)?|아니면|"
            "줄(?:은|도|을)? ?(?:몰랐|모르)[^\\s]*|아무것도|안녕[^\\s]*|안에[^\\s]*|안경|안쪽|안내|말씀[^\\s]*|"
            "말하[^\\s]*|말했[^\\s]*|말고[는도]|정말[^\\s]*|거짓말이? ?(?:아니|아닙)[^\\s]*|거짓말[^\\s]*(?=.*않)",
        )
    )
)
_TAG = re.compile(
    "(?:아닌가|아닌가요|아닙니까|아니겠어요|아니겠습니까|않나|않나요|않습니까|않니|아니냐|않겠어요|않을까요?|"
    "아닐까요?|않아요?|않았(?:어요?|나요?|습니까|니)|아니에요|아니예요|아니야|아니죠|아니지|아니었나요?|아니었어요?|없나요|잖아|잖아요)$"
)
_CONNECTIVE = re.compile(
    "(?:지만|는데|인데|은데|ㄴ데|니까|(?<=[^\\s])고|이며|으며|면서|이라서|라서|여서|어서|아서|해서|[나가와]서|므로|더니|거든|라|"
    "며)$"
)
_NEGATIVE = re.compile(
    "아니(?!오|요$)|아닌(?!가)|아닐(?! ?까)|아닙|척(?:을|만)? ?[했하한]|[았었였했갔됐]으면 좋|더라면 좋|아님|아녜|않|없|(?:^|(?<= ))(?:안|못) |못(?=하|해|했|한|합|가|먹|갔|살|돼|되)|"
    "지 ?(?:마|말|못)|모르|모른|몰라|몰랐|모릅|거짓말|틀렸|틀린|틀려|싫|말고|아뇨|그만[두뒀둔]"
)
_NO_CONNECTIVE = re.compile("(?:^|[라다냐자])고$|^(?:그리고|하고)$")
"""Quotations (간호사라고 부르지 마세요) and conjunctions do not end a clause."""
_AUXILIARY = re.compile("싶|있|계|나서|나니|보니|말")
_DENIAL = re.compile(
    "^(?:하지만|그런데|근데|사실은?|저는|나는|난|전|그건|그것은|그게|그렇지만|실은|물론|전혀|절대|에이|아뇨|아니요|"
    "아니) ?(?:사실(?:은)?|전혀|절대|정말)? ?(?:아니에요|아니예요|아닙니다|아니야|아니다|아니요|거짓말이에요|"
    "거짓말입니다|틀렸어요|사실이 아니에요|사실이 아닙니다|그렇지 않아요|그렇지 않습니다|오해예요|오해입니다|"
    "말도 안 [돼되][^\\s]*)$|^(?:아니에요|아니예요|아닙니다|아니야|그렇지 않아요|그렇지 않습니다|거짓말이에요|"
    "거짓말입니다|오해예요|오해입니다|사실이 아니에요|사실이 아닙니다|말도 안 [돼되][^\\s]*|틀렸어요|"
    "그건 거짓말이에요)$"
)
_REST_DENIED = re.compile("^(?:결국 |끝내 )?(?:(?:못|안) ?[^ ]+|(?:되|이루|가|하|살|배우)지 ?못[^ ]*)$")
_NEVER_DONE = re.compile(
    "^(?:거(?:긴|기는|기에는|기엔) )?(?:한 번도 )?(?:(?:안|못) [^ ]+(?: 봤[^ ]*)?$|[^ ]*(?: 본)? ?적(?:이|은|도)? ?(?:한 번도 )?없[^ ]*$)"
)
_FILLER = re.compile("^(?:글쎄요?|음+|아+|저기요?|어+)$")
_ANSWER_NO = re.compile(
    "^(?:아니|아니요|아니오|아뇨|전혀요?|절대|그럴 리가요?|설마요?|천만에요|아니지요|아니죠)(?: 아니에요| 아닙니다)?$"
)


_BELIEVED = re.compile("줄(?:로|만)? ?알[았고]")
_RHETORICAL = re.compile("(?:이야|이에요|예요|입니까|이냐|인가요?|이죠|겠어요?)$")
_SCORNED = re.compile(
    "^(?:은|는|이?라니)?(?:요)? ?무슨$|^(?:은|는)?커녕|^ 대신(?:에)?(?: |$)|"
    "^(?:과|와|이?랑|하고)(?:는|은)? ?(?:전혀 |아무 |아무런 )*(?:상관|관계|관련|인연)(?:이|도)? ?없"
)
"""의사는 무슨, 의사는커녕, 의사 대신, 의사와는 상관없다"""
_ABSURD = re.compile("^(?:당치도|말도|천만에|그럴 리|어림|설마|무슨|그런 .*(?:아니|않|없))")
_INDEED = frozenset({"라니", "라니요", "라뇨", "이라니", "이라니요", "이라뇨"})
_WHY = re.compile("(?:내|제|우리)가 왜 $")
_WHO = re.compile("(?:누가|어디가|뭐가) $")
_SAYS = re.compile("^(?:이?래|이?라(?:고|던|나|니)|이?라 ?그)[^ ]*(?: (?:했|그랬|해|그래|하던)[^ ]*)?$")
"""누가 의사래요?"""


def denies(clause: Clause) -> bool:
    """Whether the clause denies its mention."""
    if _SCORNED.match(clause.after) or (_WHO.search(clause.before) and _SAYS.match(clause.after)):
        return True
    if _WHY.search(clause.before) and _RHETORICAL.search(clause.after):
        return not _NEGATIVE.search(clause.after)
    if clause.after in _INDEED and _ABSURD.match(clause.following.text):
        return True
    predicate, rest = _predicate(clause)
    if clause.is_question and _TAG.search(clause.after.rstrip()):
        return False
    if _DENIAL.match(rest.strip()) or _REST_DENIED.match(rest.strip()):
        # 간호사로 보이지만 아니에요: a second predicate that only denies the first.
        return True
    negations = sum(1 for _ in _NEGATIVE.finditer(predicate))
    if not clause.is_question and _BELIEVED.search(predicate):
        negations += 1
    if negations:
        return negations % 2 == 1
    following = clause.after_next if _FILLER.match(clause.following.text) else clause.following
    said = following.text.strip(" \"'“”")
    if following.stop == "?":
        return False
    return _DENIAL.match(said) is not None or (
        clause.is_question and (_ANSWER_NO.match(said) or _NEVER_DONE.match(said)) is not None
    )


def _predicate(clause: Clause) -> tuple[str, str]:
    """What follows the mention, up to the word that ends its clause, and what follows that."""
    words = _HARMLESS.sub(_blank, clause.after).split(" ")
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if _CONNECTIVE.search(word) and not _NO_CONNECTIVE.search(word) and not _AUXILIARY.match(following):
            return " ".join(words[: place + 1]), " ".join(words[place + 1 :])
    return " ".join(words), ""


def _blank(match: re.Match[str]) -> str:
    return "＿" * len(match.group())
