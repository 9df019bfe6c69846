"""Hints: without one of these nothing is negated in a language.

They stand apart from the rules, so that a text without any is done with before the rules are even loaded. A negator
added to a language's rules needs its hint here.
"""

CHINESE = "|".join("不没未非无别勿莫休否谁假谣谎骗误拒岂冒错讹瞎哪怎若") + (
    "|[?~唔冇何鬼汉袂毋弗甭咋呸吗恨辞卸退]|以为|要[是么]|以前|从前|曾|过去|早年|当年|原[先来本]|小时候|本来|讨厌|厌恶|反感|受不了|恶心|难吃|"
    "[想要]当|想做|想成|梦想|立志|打算|长大|可能|也许|或许|大概|想吐|反胃|头疼|八竿子|差[得远]|口误|更正|收回|其实是|应该是|开玩笑|逗你|"
    "吓|算什么|小菜|小意思|谁|要是|如果|装成|什么|难道|何曾|算了|差一?点|险些|得了|免了|拉倒|饶了|少来|才怪|胡说|编的|乱说|就好|多好|拜托"
)
JAPANESE = "|".join("ずぬ違违嘘誤误無无非不間间冗") + (
    "|[?~]|な[いくかしきけっりるれらん]|平気|へっちゃら|大丈夫|慣れ|惯れ|怖|嫌|苦手|勘弁|勘辨|遠慮|远虑|下手|からっきし|さっぱり|好き|"
    "もし|だったら|どちらか|どっち|どれか|やめ|辞め|引退|以前|昔|かつて|元|目指|志望|どころ|もんか|ものか|ござ|あらず|ね[えぇ]|"
    "噂|新聞|新闻|首を|訂正|订正|もとい|忘れ|かもしれ|だろ|でしょ|人[違违]|ませ|まい|らん|かん|わん|まん|じゃ|ちが|ちゃ|うそ|まさか|い[いや]?え|いや|ううん|ノー|とんでも|"
    "誰が|谁が|何が|だれが|どこが|よかった|良かった|いいのに|デマ|でたらめ|駄目|だめ|ダメ|へん"
)
KOREAN = "|".join("않없못몰싫척잖뇨안") + (
    "|[?~몬질별꽝끊만]|아[니닌닐닙님녜]|아이[다라데네고]|아[녀냐]|턱도|착각|오[해보]|"
    "관[두뒀둔]|때려치|은퇴|전직|예전|옛날|한때|과거|전에|될 |되[고려는]|농담|장난|뻥|"
    "수도|중에? |중 |면 |줄 |개뿔|얼어|웬|어찌|어떻게|괜찮|까짓|고까이|따위|끄떡|겁|좋아|누구|고개|정정|취소|아차|글쎄|혐오|극혐|"
    "지 ?[마말]|말[고도]|모[르른릅]|거짓|틀[렸린려]|그만|그럴|그런|면 좋|무슨|누가|커녕|알[았고]|대신|왜|"
    "당치|천만|전혀|절대|설마|어[림디]|뭐가|오해"
)
"""Regular expressions; every negating expression holds a match. Each alternative begins with a letter of its own, so
that the search for them skips from candidate to candidate."""

ENGLISH = (
    r"[?~]|n't|\b(?:not?|nope|nah|never|cannot|nor|neither|none|nobody|nothing|nowhere|hardly|barely|scarcely|"
    r"den(?:y|ie[sd]|ying)|refused?s?|yet to|zero|doubt|without|lack(?:s|ed|ing)?|wish|if i (?:were|was)|"
    r"do i look|except|but|"
    r"fail(?:ed|s)?|non|instead|rather|far|anything|pretend(?:s|ed|ing)?|who (?:says|said|told)|false|lies?|wrong|"
    r"untrue|nonsense|mist(?:ake|aken|aking|ook)|confus(?:e|ed|ing)|rumou?rs?|myth|misunderstanding|joke|gossip|fiction|rubbish|impossible|kidding|"
    r"please|as if|if only|used to|almost|nearly|think again|lying|liars?|had i|were i|why|ceased?|stopped|gave up|quit|"
    r"me|wait|scratch that|correction|sorry|or rather|"
    r"ne'er|nary|nowt|naw|nay|hell|hate[sd]?|detest|loathe|despise|dislike|abhor|disgust\w*|vile|gross|yuck|e+w+|ugh|awful|"
    r"horrible|nasty|boring|sick|avoid|either|maybe|perhaps|might|may|i'd|would|could|should|ask(?:ed|ing)?|wonder|if i|"
    r"formerly|once|former|retired|ex-|given up|was|now|these days|want(?:s|ed)?|hop(?:e|ed|ing)|plan\w*|dream\w*|"
    r"training|studying|going to|will|gonna|i'll|kidding|joking|lied|psych|foot|mean|silly|scratch|oops|head|forget|"
    r"idea|made|pull the|arse|sure|who|beats|dunno|laugh|love|like|over|fine|harmless|easy|ago|last thing|anyone|beyond|"
    r"(?:is|was|did|do|can|could|will|would|have|has|are|wis|hav)nae|"
    r"(?:do|did|does|is|"
    r"was|wo|ca|ai|are|have|has|had|could|would|should|were)nt|wont|cant|aint|"
    r"how (?:could|can|would) i)\b"
)
"""Words, as a regular expression."""
