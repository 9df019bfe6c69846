"""Hints: without one of these nothing is negated in a language.

They stand apart from the rules, so that a text without any is done with before the rules are even loaded. A negator
added to a language's rules needs its hint here.
"""

CHINESE = "|".join("不没未非无别勿莫休否谁假谣谎骗误拒岂冒错讹瞎哪怎若") + (
    "|以为|要是|如果|装成|什么|难道|何曾|算了|差一?点|险些|得了|免了|拉倒|饶了|少来|才怪|胡说|编的|乱说|就好|多好|拜托"
)
JAPANESE = "|".join("ずぬ違违嘘誤误無无非不間间冗") + (
    "|な[いくかしきけ]|ませ|まい|らん|かん|わん|まん|じゃ|ちが|ちゃ|うそ|まさか|い[いや]?え|いや|ううん|ノー|とんでも|"
    "誰が|谁が|何が|だれが|どこが|よかった|良かった|いいのに|デマ|でたらめ|駄目|だめ|ダメ|へん"
)
KOREAN = "|".join("않없못몰싫척잖뇨안") + (
    "|아[니닌닐닙님녜]|지 ?[마말]|말[고도]|모[르른릅]|거짓|틀[렸린려]|그만|그럴|그런|면 좋|무슨|누가|커녕|알[았고]|대신|왜|"
    "당치|천만|전혀|절대|설마|어[림디]|뭐가|오해"
)
"""Regular expressions; every negating expression holds a match. Each alternative begins with a letter of its own, so
that the search for them skips from candidate to candidate."""

ENGLISH = (
    r"n't|\b(?:not?|nope|nah|never|cannot|nor|neither|none|nobody|nothing|nowhere|hardly|barely|scarcely|"
    r"den(?:y|ie[sd]|ying)|refused?s?|yet to|zero|doubt|without|lack(?:s|ed|ing)?|wish|if i (?:were|was)|"
    r"do i look|except|but|"
    r"fail(?:ed|s)?|non|instead|rather|far|anything|pretend(?:s|ed|ing)?|who (?:says|said|told)|false|lies?|wrong|"
    r"untrue|nonsense|mist(?:ake|aken|aking|ook)|confus(?:e|ed|ing)|rumou?rs?|myth|misunderstanding|joke|gossip|fiction|rubbish|impossible|kidding|"
    r"please|as if|if only|used to|almost|nearly|think again|lying|liars?|had i|were i|why|ceased?|stopped|gave up|quit|"
    r"me|wait|scratch that|correction|sorry|or rather|"
    r"(?:do|did|does|is|"
    r"was|wo|ca|ai|are|have|has|had|could|would|should|were)nt|wont|cant|aint|"
    r"how (?:could|can|would) i)\b"
)
"""Words, as a regular expression."""
