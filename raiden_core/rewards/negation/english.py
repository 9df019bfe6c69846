"""English negation: not, never, no, n't and the like before the term (I have never been a doctor).

What only looks negative is blanked first (not only, no doubt, can't live without, never forget). A negation reaches to
the end of its clause, but not past a conjunction that opens a new statement (but, although, and I), nor past a new
statement without one (I'm not kidding I'm a doctor). Negative questions affirm (Aren't I a doctor?), "who says" turns
its clause round, and two negations cancel, but for the concord of "I ain't no doctor".
"""

from __future__ import annotations

import re

from raiden_core.rewards.negation.clause import OPEN, Clause, Segment
from raiden_core.rewards.negation.hints import ENGLISH

_HARMLESS = re.compile(
    r"(?:\b|(?=n't))(?:"
    + "|".join(
        (
            # More than, exactly, always: what follows is affirmed.
            r"(?:not|n't) (?:everyone|everybody|every|all|always|only|just|merely|simply|solely|least|to mention|"
            r"to say|surprisingly|unlike|bad|long ago|far from|that far from|until|till|without|for nothing|yet \d+)",
            r"not (?:un(?:happy|like|common|usual|proud|aware|willing|known|familiar)|ashamed|sorry|afraid|dissatisfied)",
            r"(?:hard|difficult|impossible) not to",
            r"no (?:doubt|secret|coincidence|accident|surprise|wonder|"
            r"matter|less(?: than)?|other than|problem|question|sooner|need to (?:say|worry)|"
            r"kidding|worries|offen[cs]e|denying|mistaking|escaping|hiding|(?:point|use|sense)(?: in)? (?:denying|hiding|"
            r"pretending|lying))",
            r"if i (?:weren't|wasn't|were not|was not|hadn't (?:been|become)|had not (?:been|become))|"
            r"(?:not|n't) \w+ (?:much|well|enough|a lot)(?= as an? $)",
            r"(?:if it (?:hadn't been|had not been|weren't|wasn't|were not|was not)|had it not been) for|none other than|none but|no one (?:but|other than)|nobody (?:but|other than|else but)|nowhere (?:but|"
            r"else but)|nothing but|nothing (?:if|other) than|nothing if not|if not|whether or not|or not|why not|"
            r"last but not least|believe it or not",
            # Nothing beats it, nobody does not know.
            r"(?:no|nothing|nobody|never|nowhere|n't)(?: \w+){0,4} (?:beats|compares? (?:to|with)|like|better than|"
            r"(?:more|\w+er)(?: \w+)? than)",
            r"(?:no one|nobody|few|you (?:don't|may not|might not|didn't)|they don't|"
            r"people don't) (?:here )?knows? (?:that )?(?=i\b|my\b)",
            r"(?:never|not|n't|cannot|no one|nobody)(?: \w+){0,4} without",
            r"(?:would|could|will|wo|ca)(?: not|n't) believe|how (?:could|can|would) (?:i|"
            r"anyone) (?:ever )?(?:forget|leave|not)",
            r"not a day (?:goes|passes|went)(?: by)?(?: without| when| that)?(?: i (?:don't|do not))?",
        )
    )
    + r")\b|(?:\b(?:can|could|would|do|did|does|wo|will|ca|have|has|had|is|was|am|are|should) ?(?:not|n't)|"
    r"\b(?:cannot|never|no longer|not|cant|wont)|n't)(?: (?:ever|even|really|ever once|once|"
    r"been able to))? (?:be (?:happier|prouder|more)|wait|help(?: but)?|deny|denied|forg[eo]t(?:ten)?|stop(?:ped)?|"
    r"quit|left|leave|miss(?:ed)?|(?:move|go|stay|be|run|get|walk|moved|gone|strayed) (?:away |far )?from|"
    r"regret(?:ted)?|doubt(?:ed)?|fail(?:ed)? to|give up|gave up|given up|mind|tire of|get enough|be without|"
    r"live without|survive without|do without|imagine (?:my )?(?:life|living|a day|a world) without|go (?:a|one|"
    r"anywhere|a single|out)?(?: day| anywhere| out)? ?without|get tired|but|agree more|part with|trade|"
    r"abandon(?:ed)?|kidding|joking|lying|hide|hid|hidden|ashamed|lie)\b"
)
_REPLY = re.compile(r"^\W*(?:no+|nope|nah|not really|no no) (?=i\b|i'|my |we |it |it's |it is |he |she |that's )")
_ANYTHING_BUT = re.compile(r"\banything but\b")
_ALL_EXCEPT = re.compile(
    r"\b(?:any(?:one|body|where|thing)?|every(?:one|body|where|thing)?|all)(?: \w+){0,4}? (?:except|but|"
    r"save)(?: for)?(?: in| to| at| a| the| my)? $"
)
_BOUNDARY = re.compile(
    r"\b(?:but|except(?: for)?|although|though|because|while|whereas|however|unless|so (?=i\b|my|that)|yet (?=i\b|"
    r"my)|"
    r"since (?=i\b|my)|(?<!rather )than|besides|apart from|aside from|(?:and|or) (?=(?:i|i'm|i've|my|we|he|she|it|"
    r"they|you|there|do|does|did|am|is|are|was|were|have|has|had|never|not|no|cannot|can|will|would|\w+n't|\w+ed|"
    r"became|went|got|took|found|left|made|came|instead|now|then|always|still)\b)|nor (?!.*\bneither\b)(?=\w))"
)
_NEGATOR = re.compile(
    r"n't\b|\b(?:not|never|(?<!-)no(?!-)|cannot|nor|neither|none|nobody|nothing|nowhere|without|hardly|barely|"
    r"scarcely|den(?:y|"
    r"ie[sd]|ying)|refuse[sd]? to|fail(?:ed|s)? to|far from (?:being|a|an)|(?:have|has|had) yet to|zero (?=interest|"
    r"desire|intention)|doubt (?=it|that|if|whether|i\b)|instead of|rather than|pretend(?:s|ed|ing)?|lack(?:s|ed|"
    r"ing)?|(?<!best )wish(?:es|ed)? i|if only (?:i|it|he|she|we|they)\b|if i (?:were|was)|used to (?=(?:think|believe|claim|pretend|say)(?: that)? "
    r"(?:i|it|he|she|we|they)\b)|(?:almost|nearly)(?= (?:became|become|married|chose|joined|moved to)\b)|"
    r"mist(?:ake|aken|aking|ook) me for|confus(?:e|ed|ing) me with|do i look like|had i (?=been|become|gone|lived|known|chosen|stayed|had)|were i (?=an?|the|to|from|in)|"
    r"lying if i (?:said|told|claimed)|why (?:would|should|on earth would) i(?: ever| possibly)?(?! (?:not|leave|hide|lie|deny|stop|quit|give up|forget|"
    r"miss|regret|trade|pretend|be|want)\b)|(?:ceased?|stopped|gave up|quit) (?:to be|being) (?=an?\b|the\b|my\b)|"
    r"(?:untrue|false|an? (?:lie|myth|rumou?r)|nonsense|wrong|mistaken|impossible)(?: to (?:call me|say|think|believe|claim|assume|"
    r"suppose)| that)|who (?:says|said|told you)|how (?:could|can|"
    r"would) i(?: ever| possibly)?|(?:do|did|does|is|was|wo|ca|ai|are|have|has|had|could|would|should|were)nt|wont|"
    r"cant|non(?=-))\b"
)
_MAY_NEGATE = re.compile(ENGLISH)
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
    r"^[\w' ]{0,20}?(?:think again|(?:(?:is|are|was|were|has|have)|'re|'s|'ve)(?: (?:simply|just|all|sadly|been|badly|sorely|dead))* "
    r"(?:lying|lied|lied to|wrong|mistaken|misinformed|misled|confused|a liar|liars))\W*$"
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
_DENIED_AFTER = re.compile(
    r"^[\"'”’ ]*(?:is|was|are|were|has|had)(?:n't| not| never| no longer)(?: been)? (?:my|mine|me|what i|who i|"
    r"where i|how i|the (?:case|truth|answer)|true|right|correct|for me)\b|^[\"'”’ ]*i(?:'m| am| was)(?: certainly|"
    r" definitely| most certainly| surely)? (?:not|never)\b|^[\"'”’ ]*i (?:never|do not|don't|did not|didn't|"
    r"have never|haven't)\b(?! (?:forg|leave|left|regret|stop))|^ (?:is|was) (?:something|a thing|one thing) i (?:have no|know nothing|never|do not|"
    r"cannot|don't|can't)\b|\bbut (?:i )?(?:decided against it|thought better of it|never (?:did|managed|made it|got there)|"
    r"failed|gave up)\W*$|\b(?:is|was|would be|'s) (?:a lie|lies|false|wrong|"
    r"untrue|a rumou?r|nonsense|a myth|a mistake|rubbish|impossible|just a rumou?r|not true|not the case)\W*$"
)
_SPEAK = (
    r"^(?:(?:but|well|actually|in fact|in truth|in reality|really|oh|and|yet|though|so|honestly|sorry|of course|"
    r"obviously|clearly|because|however|still|that said) )*"
)
_DENIAL = re.compile(
    _SPEAK + r"(?:(?:that|it|this|which|they|he|she|people|those|these)(?:'s| is| was| are|'re)?(?: all| just| simply|"
    r" of course| absolutely)* ?(?:n't|not|wrong|false|a lie|lies|untrue|nonsense|mistaken|incorrect|rumou?rs?|"
    r"lying|a (?:myth|rumou?r|mistake|misunderstanding|joke)|rubbish|gossip|fiction)(?: true| right| correct| me| the case| so| at all)*|i(?:'m| am| was|'ve been| have been| have| did|"
    r" do)? ?(?:not|never|n't)(?: at all| really| actually| been| one| was| did| said(?: that)?| that)*|(?:i|it|that|"
    r"he|she|they|we) ?(?:is|was|did|does|do|have|has|ai|were|are|had|would|wo|could|ca)n't(?: at all| really| true|"
    r" right| me| one| the case| been)*|not true(?: at all)?|wrong|nothing of the (?:sort|kind)|i (?:made|"
    r"am making) (?:that|it) up|just kidding)$"
)
_CORRECTION = re.compile(r"^(?:no wait|wait no|scratch that|correction|my mistake|or rather)\b")
_TAKING_BACK = re.compile(r"^(?:no|wait|sorry)$")
_TAKEN_BACK = re.compile(r"^(?:wait|no wait|sorry|scratch that|i meant?|make that)\b")
"""Oslo... no, wait, it was Bergen."""
_ME = re.compile(r"(?:^|\W)me$")
_YES = re.compile(r"^(?:yes|yeah|yep|sure|of course|indeed|absolutely|certainly|why|that|exactly|right|you)\b")
"""Me, a pilot?"""
_ANSWER_NO = re.compile(
    _SPEAK + r"(?:no+|nope|nah|not|not me|never|not really|not at all|no way|of course not|certainly not|"
    r"absolutely not|definitely not|hardly|not quite|far from it|not in the least|not anymore)$"
)
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


def denies(clause: Clause) -> bool:
    """Whether the clause denies its mention."""
    after = clause.after or (clause.following.text if clause.stop == "," else "")
    if _MAY_NEGATE.search(clause.before) and _governed(clause.before, after, clause.is_question):
        return True
    return _denied_by_what_follows(clause) or _enumerated(clause)


def _governed(before: str, after: str, is_question: bool) -> bool:
    if _IMAGINED_AWAY.match(before) and _CONSEQUENCE.match(after):
        return False
    if _HOW.match(after) or (_NO_ONE.search(before) and _SURPASSED.match(after)):
        return False
    text = _REPLY.sub(_blank, before)
    asked = is_question and (_INVERTED.search(text) is not None)
    affirmed = _WHY_NOT.search(text) is not None
    if _ALL_EXCEPT.search(text) and not _NEGATOR.search(text):
        return True
    text = _ANYTHING_BUT.sub("far from a    ", text)
    text = _HARMLESS.sub(_blank, text)
    for boundary in _BOUNDARY.finditer(text):
        kept = boundary.start() if boundary.group().startswith("nor") else boundary.end()
        text = "~" * kept + text[kept:]
        asked = False
    state = False
    for negator in _NEGATOR.finditer(text):
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


def _denied_by_what_follows(clause: Clause) -> bool:
    if _DENIED_AFTER.search(clause.after) and not clause.is_question:
        return True
    following = clause.following
    said = following.text.strip(" \"'“”")
    if _REPORTED.search(clause.before) and (_MISTAKEN.match(clause.after) or _MISTAKEN.match(said)):
        return True
    if _CORRECTION.match(said) or (_TAKING_BACK.match(said) and _TAKEN_BACK.match(clause.after_next.text)):
        return True
    if clause.is_question and not _YES.match(said) and _ME.search(next(clause.previous, Segment("", "")).text):
        return True
    if clause.is_question and following.stop == "?" and _ECHO.match(said):
        # "A nurse? Me? Never."
        following = clause.after_next
        said = following.text.strip(" \"'“”")
    if following.stop == "?":
        return False
    if clause.is_question:
        echoed = _BARE_BEFORE.match(clause.before) and not clause.after.strip(" \"'“”")
        if echoed and _ECHO_DENIED.match(_HARMLESS.sub(_blank, said)):
            return True
        return _ANSWER_NO.match(said) is not None or _DENIAL.match(said) is not None
    return _DENIAL.match(said) is not None


def _enumerated(clause: Clause) -> bool:
    """A bare item of a list whose head is negated: I'm not a teacher, a cook, or a doctor."""
    if not (_BARE_BEFORE.match(clause.before) and _BARE_AFTER.match(clause.after)):
        return False
    joined = _JOINED.match(clause.before) is not None or _continues(clause.following)
    for segment in clause.previous:
        if segment.stop not in OPEN:
            return False
        if _DANGLING.search(segment.text) and segment.text.strip() != "not":
            return True
        if _ASIDE.match(segment.text):
            continue
        if not _ITEM.match(segment.text) or _NEGATOR.search(segment.text):
            return joined and _governed(segment.text + " ", "", False)
        joined = True
    return False


def _continues(following: Segment) -> bool:
    """Whether another bare item follows."""
    return _JOINED.match(following.text) is not None and _ITEM.match(following.text) is not None


def _blank(match: re.Match[str]) -> str:
    return "~" * len(match.group())
