"""English negation: not, never, no, n't and the like before the term (I have never been a doctor).

What only looks negative is blanked first (not only, no doubt, can't live without, never forget). A negation reaches to
the end of its clause, but not past a conjunction that opens a new statement (but, although, and I), nor past a new
statement without one (I'm not kidding I'm a doctor). Negative questions affirm (Aren't I a doctor?), "who says" turns
its clause round, and two negations cancel, but for the concord of "I ain't no doctor".
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from raiden_core.rewards.negation import classes
from raiden_core.rewards.negation.clause import OPEN, QUOTES, Clause, Segment
from raiden_core.rewards.negation.hints import ENGLISH, words
from raiden_core.rewards.negation.table import DOUBT, REMEMBERED, ROWS, load
from raiden_core.rewards.negation.topic import Topic

_SPEAK = (
    r"^(?:(?:but|well|actually|in fact|in truth|in reality|really|oh|and|yet|though|so|honestly|sorry|of course|"
    r"obviously|clearly|because|however|still|that said) )*"
)
_NEVER = (
    r"(?:\b(?:can|could|would|do|did|does|wo|will|ca|have|has|had|is|was|am|are|should) ?(?:not|n't)|"
    r"\b(?:cannot|never|no longer|not|cant|wont)|n't)(?: (?:ever|even|really|ever once|once|been able to))? "
)
RULES = load(
    "english",
    {
        "harmless": rf"(?:\b|(?=n't))(?:{ROWS})\b",
        "never": rf"{_NEVER}(?:{ROWS})\b",
        "boundary": rf"\b(?:{ROWS})",
        "negator": rf"n't\b|\b(?:{ROWS})\b",
        "behind": ROWS,
        "denial": rf"{_SPEAK}(?:{ROWS})$",
        "no": rf"{_SPEAK}(?:{ROWS})$",
        "around": ROWS,
        "dislike": ROWS,
        "fear": ROWS,
        "name": ROWS,
        "contrast": ROWS,
        "others": ROWS,
        **DOUBT,
    },
    classes.expand(classes.ENGLISH),
)
COMMA = ""
ASKS = re.compile("(?!)")
NOW = re.compile(r"(?:but )?(?:now|these days|nowadays|today|not any ?more)\b")
VALUE = re.compile(
    r"^(?:(?:it(?:'s| is| was)|i'm|i am|i was|i mean|that's|my|from|in|at) )?(?!(?:i|you|we|he|she|they|it|that|this|what|"
    r"who|why|how|really|serious|seriously|honest|honestly|truly|just|not|never|no|yes|yeah|and|but|so|because|if|"
    r"thanks?|please|joking|kidding|believe|trust|sure|true|wait|lying)\b)"
)
_REPLY = re.compile(r"^\W*(?:no+|nope|nah|not really|no no) (?=i\b|i'|my |we |it |it's |it is |he |she |that's )")
_ANYTHING_BUT = re.compile(r"\banything but\b")
_ALL_EXCEPT = re.compile(
    r"\b(?:any(?:one|body|where|thing)?|every(?:one|body|where|thing)?|all)(?: \w+){0,4}? (?:except|but|"
    r"save)(?: for)?(?: in| to| at| a| the| my)? $"
)
_MAY_NEGATE = re.compile(words(ENGLISH.near))
_ECHO = re.compile("^(?:me|i|really|what|who|seriously)$")
_CONCORD = frozenset({"no", "nobody", "nothing", "none", "nowhere", "nor", "neither"})
_EMBEDDING = re.compile(
    r"^(?: (?:really|even|ever|exactly|actually|quite|honestly|truly))? (?:think|thought|believe|say|said|saying|"
    r"claim|claimed|mean|suppose|remember|tell|told|guess|feel|imagine|admit|recall|sure|certain|true|wish|want|hope|"
    r"expect|know|the case|that|convinced|because|as if|like|wrong|mistaken|untrue|false|nonsense|an? lie|an? myth)"
)
_REACHING = (
    *("who", "how", "why", "den", "wish", "doubt", "lying if", "do i", "used", "if only", "had i", "were i"),
    *("untrue", "false", "a ", "nonsense", "wrong", "mistaken", "impossible"),
)
"""Negators that reach past a new statement: who says I am …"""
_NEW_STATEMENT = re.compile(
    r"\b(?:i am|i'm|i was|i live|i come|i work|i have|i've|i love|i like|my (?:\w+ ){1,3}(?:is|are|was)|call me|"
    r"it is|"
    r"it's)\b"
)
_WHEN = re.compile(r"^\W*(?:when(?:ever)?|if|while|after|before|since|once)\b")
_SUBJECT = re.compile(r"\b(?:i|we|you|he|she|they|it)\b")
_IMAGINED_AWAY = re.compile(r"^\W*without(?: my| a| the| any)? $")
_CONSEQUENCE = re.compile(r"^\W*(?:i|we|my|life|there|it|nothing)\b")
"""Without Rex I would be lost: what is imagined away is there."""
_NO_ONE = re.compile(r"\b(?:no one|nobody|none|nothing|few|no \w+) (?:[^,]{0,40})$")
_SURPASSED = re.compile(
    r"^[\w' ]{0,40}?\b(?:(?:better|more|\w{2,}er) than|as (?:much|well|\w+) as|like (?:i|me|we|my)\b|the way i\b)"
)
"""Nobody knows Oslo better than I do: a comparison, not a denial."""
_HOW = re.compile(
    r"^[\w' ]{0,24}?\b(?:by (?:accident|chance|mistake)|overnight|for (?:the )?(?:money|fame|nothing|fun|glory)|"
    r"for no reason|in a day)\W*$"
)
"""I didn't become a doctor by accident: how it came is denied, not that it came."""
_REPORTED = re.compile(
    r"\b(?:if|whoever|anyone|everyone|people|they|those|he|she|you|some|rumou?r|story|books?)\b.*\b(?:think|thinks|thought|says?|said|"
    r"believes?|believed|claims?|claimed|told|tells?|heard|hears?|assumes?|assumed|insists?|has it|have it|call|calls|"
    r"called)\b"
)
_MISTAKEN = re.compile(
    r"^[\w' ]{0,20}?(?:think again|"
    r"(?:(?:is|are|was|were|has|have)|'re|'s|'ve)(?: (?:simply|just|all|sadly|been|badly|sorely|dead))* "
    r"(?:lying|lied|lied to|joking|making it up|"
    r"pulling (?:your|his|her|their) leg|having (?:you|him|her|them) on|winding (?:you|him|her|them) up|"
    r"wrong|mistaken|misinformed|misled|confused|a liar|liars))\W*$"
)
"""Whoever said I was from Oslo was lying."""
_ECHO_DENIED = re.compile(
    r"^(?:me\W+)?(?:not|no|never|hardly|please|as if|(?:i|i've|i'm|i'd|my|he|she|it|we|that)(?: \w+){0,2}? ?(?:n't|"
    r"not|never)\b|i\w*n't|(?:ca|do|have|wo|would|did|could)n't\b)"
)
_INVERTED = re.compile(
    r"^\W*(?:(?:well|but|and|oh|so|hey|why|wait|honestly|come on) )*(?:(?:is|are|was|were|do|did|does|have|has|had|"
    r"can|could|would|wo|ca|should|ai)n't|(?:am|is|are|was|were|do|did|does|have|has|can|could) (?:i|you|it|he|"
    r"she|we|"
    r"they|that|this|my \w+) not)\b"
)
_WHY_NOT = re.compile(
    r"^\W*(?:why|how) (?:would|should|could|do|can)(?:n't| i not)\b|\bhow (?:could|can|would) i (?:not|n't)\b"
)
_ME = re.compile(r"(?:^|\W)me$")
_YES = re.compile(r"^(?:yes|yeah|yep|sure|of course|indeed|absolutely|certainly|why|that|exactly|right|you)\b")
"""Me, a pilot?"""
_ARTICLES = r"[\s\"'“”]*(?:(?:and|or|nor|not|from|in|at|of|a|an|the|any|even|some|my|much less|let alone|still less)\s+)*[\"'“”]*"
_BARE_BEFORE = re.compile(f"^{_ARTICLES}$")
_BARE_AFTER = re.compile(
    r"^[\s\"'“”]*(?:either|or anything(?: like that)?|at all|whatsoever|for that matter|(?:and|or|"
    r"nor) [\w' -]{1,20})?[\s\"'“”]*$"
)
_ITEM = re.compile(f"^{_ARTICLES}\\w[\\w'-]*(?: \\w[\\w'-]*)?\\s*$")
_JOINED = re.compile(r"^\s*(?:or|nor|and|not|even|much less|let alone|still less)\b")
_ASIDE = re.compile(
    r"^\s*(?:however|of course|though|sadly|honestly|to be honest|to be clear|unfortunately|frankly|actually|in fact|"
    r"you know|as you know|let's be clear|by any means|in any way|contrary to (?:rumou?r|popular belief)|"
    r"and never (?:was|have been|will be)|nor have i(?: ever)? been|nor will i be|you see|believe me|i assure you|"
    r"my friend)\s*$"
)
_DANGLING = re.compile(
    r"(?:n't|\b(?:not|never)(?: (?:have|had|was|been|be|will be|ever|really|exactly|actually|"
    r"and never was)){0,3})(?: (?:a|an|the|my|some|any))?\s*$"
)


def denies_itself(clause: Clause, topic: Topic) -> bool:
    """Whether the words of the clause deny its mention."""
    after = clause.after or (clause.following.text if clause.stop == "," else "")
    if _governed(clause.before, after, clause.is_question):
        return True
    return not clause.is_question and RULES["behind"].search(clause.after) is not None


def denies(clause: Clause, topic: Topic) -> bool:
    """Whether what stands around the mention denies it."""
    if _is_mistaken(clause.before, clause.after, clause.following.text):
        return True
    return _enumerated(clause) or clause.holds(RULES, "around")


@lru_cache(maxsize=REMEMBERED)
def _is_mistaken(before: str, after: str, following: str) -> bool:
    """Whether somebody else says so and is wrong."""
    if not _REPORTED.search(before):
        return False
    return _MISTAKEN.match(after) is not None or _MISTAKEN.match(following.strip(QUOTES)) is not None


@lru_cache(maxsize=REMEMBERED)
def _governed(before: str, after: str, is_question: bool) -> bool:
    """Whether what stands before the mention negates it."""
    if not _MAY_NEGATE.search(before):
        return False
    if _IMAGINED_AWAY.match(before) and _CONSEQUENCE.match(after):
        return False
    if _HOW.match(after) or (_NO_ONE.search(before) and _SURPASSED.match(after)):
        return False
    text = _REPLY.sub(_blank, before)
    asked = is_question and (_INVERTED.search(text) is not None)
    affirmed = _WHY_NOT.search(text) is not None
    if _ALL_EXCEPT.search(text) and not RULES["negator"].search(text):
        return True
    text = _ANYTHING_BUT.sub("far from a    ", text)
    text = RULES.either("harmless", "never").sub(_blank, text)
    for boundary in RULES["boundary"].finditer(text):
        text = "~" * boundary.end() + text[boundary.end() :]
        asked = False
    state = False
    for negator in RULES["negator"].finditer(text):
        word = negator.group()
        if not _reaches(text, negator):
            continue
        if state and word in _CONCORD:
            continue
        state = not state
    if (asked or affirmed) and state:
        return False
    return state


def _reaches(text: str, negator: re.Match[str]) -> bool:
    """Whether a negator's scope reaches the end of the text, where the mention stands."""
    between = text[negator.end() :]
    if negator.group().startswith(_REACHING) or _EMBEDDING.match(between):
        return True
    if _WHEN.match(text) and _SUBJECT.search(between):
        return False
    return _NEW_STATEMENT.search(between) is None


def is_answered(clause: Clause, topic: Topic) -> bool:
    """Whether what follows says no to the clause."""
    replies = clause.replies(RULES)
    if not replies:
        return False
    if topic.is_past and NOW.match(replies[-1].text):
        return False
    if clause.is_question:
        if not _YES.match(replies[-1].text) and _ME.search(next(clause.previous, Segment("", "")).text):
            return True
        if replies[-1].stop == "?" and _ECHO.match(replies[-1].text):
            # "A nurse? Me? Never."
            replies = list(islice((piece for piece in clause.pieces() if piece.text), len(replies), len(replies) + 1))
    if replies and replies[-1].stop == "?":
        replies.pop()
    if clause.is_question:
        if _BARE_BEFORE.match(clause.before) and not clause.after.strip(QUOTES):
            harmless = RULES.either("harmless", "never")
            if any(_ECHO_DENIED.match(harmless.sub(_blank, reply.text)) for reply in replies if not reply.inside):
                return True
        if any(RULES.begins("no", reply.text) for reply in replies):
            return True
    return any(RULES.begins("denial", reply.text) for reply in replies)


def _enumerated(clause: Clause) -> bool:
    """A bare item of a list whose head is negated: I'm not a teacher, a cook, or a doctor."""
    if not _is_bare(clause.before, clause.after):
        return False
    joined = _JOINED.match(clause.before) is not None or _continues(clause.following)
    for segment in clause.previous:
        if segment.stop not in OPEN:
            return False
        if RULES.begins("no", segment.text) or RULES.begins("filler", segment.text):
            return False
        if _DANGLING.search(segment.text) and segment.text.strip() != "not":
            return True
        if _ASIDE.match(segment.text):
            continue
        if not _ITEM.match(segment.text) or RULES["negator"].search(segment.text):
            return joined and _governed(segment.text + " ", "", False)
        joined = True
    return False


@lru_cache(maxsize=REMEMBERED)
def _is_bare(before: str, after: str) -> bool:
    """Whether a clause holds little but the mention, so that it may be an item of a list."""
    return _BARE_BEFORE.match(before) is not None and _BARE_AFTER.match(after) is not None


def _continues(following: Segment) -> bool:
    """Whether another bare item follows."""
    return _JOINED.match(following.text) is not None and _ITEM.match(following.text) is not None


def _blank(match: re.Match[str]) -> str:
    return "~" * len(match.group())
