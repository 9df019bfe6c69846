"""Hints: without one of these nothing is negated in a language.

They stand apart from the rules, so that a text without any is done with before the rules are even loaded. A negator
added to a language's rules needs its hint here.
"""

CHINESE = "以要如若什不没未非无别勿莫休否谁假谣谎骗误难怎哪拒岂冒装错胡编传乱瞎何算希差险得免拉饶少才"
JAPANESE = "なんずぬじ違违嘘まいう誤误間间無无非不デ冗よ良誰谁めメ駄"
KOREAN = "아않없못안말마만모몰거틀싫잖무누커알척좋대왜당천그어"
"""Letters, of which every negating expression holds one."""

ENGLISH = (
    r"n't|\b(?:not?|nope|nah|never|cannot|nor|neither|none|nobody|nothing|nowhere|hardly|barely|scarcely|"
    r"den(?:y|ie[sd]|ying)|refused?s?|yet to|zero|doubt|without|lack(?:s|ed|ing)?|wish|if i (?:were|was)|"
    r"do i look|except|but|"
    r"fail(?:ed|s)?|non|instead|rather|far|anything|pretend(?:s|ed|ing)?|who (?:says|said|told)|false|lies?|wrong|"
    r"untrue|nonsense|mist(?:ake|aken|aking|ook)|confus(?:e|ed|ing)|rumou?rs?|myth|misunderstanding|joke|gossip|fiction|rubbish|impossible|kidding|"
    r"please|as if|if only|used to|almost|nearly|think again|lying|liars?|had i|were i|why|ceased?|stopped|gave up|quit|me|wait|scratch that|correction|sorry|or rather|"
    r"(?:do|did|does|is|"
    r"was|wo|ca|ai|are|have|has|had|could|would|should|were)nt|wont|cant|aint|"
    r"how (?:could|can|would) i)\b"
)
"""Words, as a regular expression."""
