"""Hints: without one of these nothing is denied or left open in a language.

They stand apart from the rules, so that a text without any is done with before the rules are even loaded. A negator
added to a language's rules needs its hint here; tests/rewards/test_negation_tables.py finds the rows that lack one.
"""

from __future__ import annotations

from typing import NamedTuple

from raiden_core.rewards.negation.needed import alternatives


class Hints(NamedTuple):
    """Regular expressions over folded text (違 is 违); the example of every row of a table holds a match of one.

    Each alternative begins with a letter, so that the search for them skips from candidate to candidate.
    """

    near: str
    """What negates in its own clause or the next."""
    far: str
    """What takes back or leaves open from further off."""
    topical: str
    """What counts only where the question is known: another time, a dislike, somebody else."""


CHINESE = Hints(
    near=(
        r"不|没|未|非|无|别|勿|莫|休|否|谁|假|谣|谎|骗|误|拒|岂|冒|错|讹|瞎|哪|怎|若|以为|要是|如果|装成|什么|"
        r"难道|何曾|算了|差一?点|险些|得了|免了|拉倒|饶了|少来|才怪|胡说|"
        r"编的|乱说|就好|多好|拜托|\?|唔|冇|鬼|袂|毋|弗|甭|咋|吗|何"
    ),
    far=(
        r"不不*(?:是|对)?(?=[,.。!—~])|没说过|未说过|错[了啦]|骗|差得?远|唬|要么|就是|可能|也许|或许|大概|本来|"
        r"原[本来]|想知道|你是?问|您是?问|辞了|呸|口误|嘴瓢|更正|收回|"
        r"其实是|应该是|是说|准确|开玩笑|说笑|逗你|忽悠|耍|吹牛|才怪|不是真|八竿子|差[得远]|轮[不得]|或者?是|倘若|"
        r"早知道|假[如使若]|要[是不]|鬼|摇|编|说着玩|糟|该死"
    ),
    topical=(
        r"不[干做当]了|以前|从前|曾|过去|早年|年轻时|当年|原先|小时候|以往|辞|卸|离[了任开职]|退[了休]|改行|干过|"
        r"做过|当过|想|要|梦想|立志|打算|希望|准备|将来|以后|长大|讨厌|憎恶|"
        r"厌恶|痛恨|最恨|恨|反感|嫌弃|受不了|惯|看不上|戒了|腻|难吃|恶心|无聊|没意思|难喝|倒胃口|想吐|敬谢|过敏|"
        r"反胃|头疼|外行|门外汉|七窍|抹黑|谁|哪|叫我|以为|认成|当[成作]|另有|别人"
    ),
)
JAPANESE = Hints(
    near=(
        r"ず|ぬ|违|嘘|误|无|非|不|间|冗|な[いくかしきけ]|ませ|まい|らん|かん|わん|まん|じゃ|ちが|ちゃ|うそ|まさか|"
        r"い[いや]?え|いや|ううん|ノー|とんでも|谁が|何が|だれが|どこが|"
        r"よかった|良かった|いいのに|デマ|でたらめ|駄目|だめ|ダメ|へん|\?|ござ|あらず|ね[えぇ]|もんか|ものか|どころ"
    ),
    far=(
        r"い[やえ]|违|じゃな[くか]|では?な[くか]|嘘|うそ|でたらめ|本当|事实|とは[言申]|もし|だったら|だったなら|"
        r"どちらか|どっち|どれか|なれたら|なりたかった|なりそこ|なり损|なりかけ|"
        r"なるはず|なるつもり|であれば|きっと|おそらく|たぶん|今ごろ|间违|勘违|灭相|笑わせ|片腹|へそ|柄じゃ|新闻|"
        r"记事|噂|世间|ネット|看板|なんて|なんちゃ|冗谈|取り消|订正|撤回|言い间违|"
        r"もとい|というか|首を|全然|ちっとも|全く|真実|でまかせ|出まかせ|作り话|かもしれ"
    ),
    topical=(
        r"以前|昔|かつて|若い顷|元|もとは|前は|やめ|辞め|引退|廃业|なりたい|なるんだ|なる予定|なるため|なるのが|"
        r"なれたら|目指|めざ|志望|の卵|见习い|嫌|苦手|不得意|不得手|下手|からっきし|"
        r"さっぱり|だめ|ダメ|駄目|いや[だで]|受け付け|御免|ごめん|勘弁|远虑|まっぴら|吐き気|まずい|不味|谁|だれ|"
        r"どなた|何|人违い|别人|间违"
    ),
)
KOREAN = Hints(
    near=(
        r"않|없|못|몰|싫|척|잖|뇨|안|아[니닌닐닙님녜]|지 ?[마말]|말[고도]|모[르른릅]|거짓|틀[렸린려]|그만|그럴|"
        r"그런|면 좋|무슨|누가|커녕|알[았고]|대신|왜|당치|천만|전혀|절대|"
        r"설마|어[림디]|뭐가|오해|\?|몬|아[이녀]|턱도|관[두뒀둔]|때려치|개뿔|어찌|어떻게|아냐"
    ),
    far=(
        r"아니[다지구]|아니(?=[ ,.요])|아뇨|아냐|수도|중에? ?[하한]|만약|만일|다면|더라면|았으면|었으면|"
        r"내가 [^ ]{1,12}면 |제가 [^ ]{1,12}면 |되고 싶|될 ?뻔|"
        r"오[해보]|잘못|착각|웬|누가|신문|기사|소문|인터넷|농담|장난|뻥|헛소|사실|정정|취소|아차|말이 헛|고개|"
        r"어림|본 적|라고"
    ),
    topical=(
        r"전에|예전|옛날|한때|과거|그만|관[두뒀둔]|때려치|은퇴|전직|될 |되고|되려|되는|되기|지망|질색|혐오|별로|"
        r"극혐|꺼려|거북|입에|맛없|역겨|토할|끊|젬병|꽝|소질|서툴|진저리|누구|"
        r"누군|뭐|착각|오해"
    ),
)
ENGLISH = Hints(
    near=(
        r"opposed|prefer(?:red)?|over|since when|what (?:would|use|do|need|business|good|ma[dk]es?)|would i|did i|do i|where did you get|"
        r"who (?:gave|needs?|wants?|has|can afford|would want|in their)|are you|have you|you (?:mad|must)|mixing|mistaking|"
        r"divn(?:ae|ay|y)|don(?:ae|ay|y)|doesn(?:ae|ay|y)|shouldn(?:ae|ay|y)|wisn(?:ae|ay|y)|cudn(?:ae|ay|y)|widn(?:ae|ay|y)|isn(?:ae|ay|y)|wasn(?:ae|ay|y)|didn(?:ae|ay|y)|cann(?:ae|ay|y)|couldn(?:ae|ay|y)|wouldn(?:ae|ay|y)|willn(?:ae|ay|y)|haven(?:ae|ay|y)|hasn(?:ae|ay|y)|hadn(?:ae|ay|y)|aren(?:ae|ay|y)|"
        r"dinna|didna|canna|wasna|isna|dunna|winna|wouldna|couldna|hasna|havena|"
        r"ne'er|nary|nowt|naw|nay|hell|isnae|wasnae|didnae|donae|cannae|couldnae|willnae|wouldnae|havenae|hasnae|"
        r"arenae|wisnae|havnae|dinnae|cannnae|not?|nope|nah|never|cannot|nor|neither|none|nobody|nothing|nowhere|"
        r"hardly|barely|scarcely|den(?:y|ie[sd]|ying)|refused?s?|yet to|zero|doubt|without|lack(?:s|ed|ing)?|wish|"
        r"if i (?:were|was)|do i look|except|but|fail(?:ed|s)?|non|instead|rather|far|anything|"
        r"pretend(?:s|ed|ing)?|who (?:says|said|told)|false|lies?|wrong|untrue|nonsense|"
        r"mist(?:ake|aken|aking|ook)|confus(?:e|ed|ing)|rumou?rs?|myth|misunderstanding|joke|gossip|fiction|"
        r"rubbish|impossible|kidding|please|as if|if only|used to|almost|nearly|think again|lying|liars?|had i|"
        r"were i|why|ceased?|stopped|gave up|quit|me|wait|scratch that|correction|sorry|or rather|dont|didnt|"
        r"doesnt|isnt|wasnt|wont|cant|aint|arent|havent|hasnt|hadnt|couldnt|wouldnt|shouldnt|werent|"
        r"how (?:could|can|would) i"
    ),
    far=(
        r"was a (?:lie|joke|fib)|all (?:a )?(?:lie|lies|joke|made up)|messing|winding|fibbing|bluffing|muddl\w+|mix\w*|confus\w+|thinking|having you|getting|fooled|had you|got you|"
        r"april|forget|ignore|disregard|pretend|erase|delete|am i|did i|do i|listen|second|reflection|come to|now (?:that )?i think|misremember|"
        r"lied|fibbed|slip|oops|wait|sorry|actually|make|it's (?:a|all)|it was|this is|that is|"
        r"wrong|give over|get|behave|do me|you what|on your|leave it|come off|i wish|dream on|chance|says who|spare|hard|or am i|hold on|hang on|joke|lie|"
        r"no|nope|nay|not|never (?:say|said|claim|told|tell|wr[io]te)|n't (?:say|said|claim|told|tell|wr[io]te)|"
        r"not (?:say|said|claim|told|tell|wr[io]te)|wait no|either|maybe|lies?|untrue|nonsense|rubbish|mistaken|"
        r"perhaps|might be|may be|could be|i'd|i (?:would|could|might|should)|ask(?:ed|ing)?|wonder|kidding|"
        r"joking|teasing|pulling|lied|psych|gotcha|scratch|strike|take (?:that|it)|misspoke|"
        r"made (?:it|that|this|up)|made|true|mean|make that|or rather|tell a lie|foot|arse|yeah|dreams|fat chance|"
        r"pull the|beyond|out of my|hardly|last thing|anyone|dead body|papers?|press|shak(?:es|ing)|shook|oh no|"
        r"you wish|nuh|hell|ne'er|nary|nowt|naw|isnae|wasnae|didnae|donae|cannae|couldnae|willnae|wouldnae|"
        r"havenae|hasnae|arenae|wisnae|havnae|dinnae|cannnae|way"
    ),
    topical=(
        r"fear(?:ed)?|mind(?:ed)?|least|last|used|got|grew|grown|gotten|over|nothing|little|leaves?|without|appeal|point|fuss|attraction|use|keep|touch|feed|give|"
        r"pass|skip|steer|stay|run|puts?|sends?|drives?|too|overrated|over-rated|dull|tedious|pointless|rank|rotten|foul|minging|chore|bore|fan|fed|bored|done|time|"
        r"sold|pawned|donated|binned|scrapped|gave|given|threw|thrown|traded|handed|signed|packed|put|rid|parted|lost|gambled|returned|dropped|jacked|chucked|walked|"
        r"fired|sacked|broke|outgrew|gone|stolen|nicked|pinched|repossessed|behind|dead|history|thing|days|years|phase|career|period|till|until|failed|flunked|"
        r"bombed|botched|tried|had|gave it|fell|friend|speak|talk|my|"
        r"used to|formerly|once|in the past|ago|back then|was|former|retired|one-?time|ex|gave up|given up|quit|"
        r"left|stopped|want(?:s|ed)?|hop(?:e|ing|ed)|plan\w*|going|aim|aspire|dream\w*|training|studying|learning|"
        r"wish|meant|will|gonna|hate[sd]?|detest|loathe|despise|dislike|abhor|can't|sick|allergic|avoid|tired|"
        r"disgust\w*|revolt\w*|gross|vile|yuck\w*|awful|horrible|nasty|makes? me|turns?|bores? me|boring|ew+|eew+|"
        r"bleh|ugh|who|what|confus\w+|mist\w+|call me|died|gone|ran away|passed away|was my"
    ),
)
"""Whole words; n't, 'll and a question mark, which are none, are added where they are compiled."""


def words(*hints: str) -> str:
    """An expression for whole words, each of which begins with a letter: the search for them skips between those."""
    by_letter: dict[str, list[str]] = {}
    for word in alternatives("|".join(hints)):
        by_letter.setdefault(word[0], []).append(word[1:])
    found = [rf"{letter}(?<!\w{letter})(?:{'|'.join(rest)})\b" for letter, rest in by_letter.items()]
    return "|".join([r"\?", "n't", "'ll", *found])
