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
    plain: str
    """Plain signs of a denial, by which the answer to an echo (医生？) or to what a question wants denied is read."""


CHINESE = Hints(
    near=(
        r"不|没|未|非|无|别|勿|莫|休|否|谁|假|谣|谎|骗|误|拒|岂|冒|错|讹|瞎|哪|怎|若|以为|要是|如果|装成|什么|"
        r"难道|何曾|算了|差一?点|险些|得了|免了|拉倒|饶了|少来|才怪|胡说|提|也配|冤枉|胡扯|扯|屁|拿走|拿开|端走|"
        r"饶|走开|早[就都已送卖丢扔没给退断戒]|已经|去年|前年|上个?月|前几年|昨天|前天|上辈子|四季|常|顿顿|八辈子|下辈子|天打|就是个|只是个|是个?老|小孩|你们|闲人|行家|"
        r"没门|几[年个]|多[年个]|两[年个]|三[年个]|十[年个]|敢|省省|编的|乱说|就好|多好|拜托|\?|唔|冇|鬼|袂|毋|弗|甭|咋|吗|何"
    ),
    far=(
        r"拿错|看错|念错|背错|走错|串错|骗到|唬到|吓到|坦白|招了|招认|承认|老实交代|说实话吧|"
        r"装的|扮的|演的|看把你|"
        r"不不*(?:是|对)?(?=[,.。!—~])|没说过|未说过|错[了啦]|骗|差得?远|唬|要么|就是|可能|也许|或许|大概|本来|"
        r"原[本来]|想知道|你是?问|您是?问|辞了|呸|口误|嘴瓢|更正|收回|其实是|应该是|是说|准确|开玩笑|说笑|逗你|"
        r"忽悠|耍|吹牛|才怪|不是真|八竿子|差[得远]|轮[不得]|或者?是|倘若|早知道|假[如使若]|要[是不]|鬼|摇|编|"
        r"说着玩|糟|该死|岔|串|等等|等一下|重来|纠正|那是|应该说|确切|严格|改口|嘴快|说漏|谢|与其|不如|比不|差远|"
        r"不及|恰|正相反|刚好相反|想多了|美|谈不|算不|称不|说不|够不|不敢当|没到|像|凭什么|干嘛|图什么|关我|何干|什么|啥|"
        r"没影|纯属|以上|没那|没这|哪[有来]|当初|当年|梦|扯|掰|蒙|段子|幻想|妄想|作废|是我|是俺|不对"
    ),
    topical=(
        r"那是|嫁|娶|抬举|高抬|折煞|恭维|埋汰|房价|房租|学费|那么贵|太贵|上班|办公|打工|干活|八字|气场|五行|体质|犯冲|相克|有仇|"
        r"你留|你自己|拿去|也许|说不定|离|话|口音|绕道|捂|捏着|抓|捉|过敏|养|"
        r"搬走|搬离|离开|他们|别人|人家|大伙|股|落灰|积灰|吃灰|生锈|压箱|当柴|劈|垫|好睡|催眠|助眠|伴奏|音乐|就是|只是|"
        r"不[干做当]了|以前|从前|曾|过去|早年|年轻时|当年|原先|小时候|以往|辞|卸|离[了任开职]|退[了休]|改行|干过|"
        r"做过|当过|想|要|梦想|立志|打算|希望|准备|将来|以后|长大|讨厌|憎恶|厌恶|痛恨|最恨|恨|反感|嫌弃|受不了|"
        r"惯|看不上|戒了|难吃|恶心|无聊|没意思|难喝|倒胃口|想吐|敬谢|过敏|反胃|头[疼大晕]|犯困|瞌睡|膈应|腻|齁|"
        r"烦|闹|糟心|罪|折磨|要命|吃不消|扛不住|别扭|难[受闻听看]|无感|没感觉|不敢恭维|没劲|提不起|不[来下上进]|"
        r"敬|退避|避之|绕|躲|碰|没动|喂|倒了|扔|退|谢绝|免|算了|拿|端|走开|离我|别|饶|放过|告辞|拜拜|达咩|不是我|"
        r"不合|不对|有[什啥]|哪|谁|懒得|没[空心耐那兴胃好]|图|怵|嫌|除了|留给|适合|是[老小年]|别人|更|还是|宁|偏|"
        r"反|比起|相比|较之|外行|门外汉|七窍|抹黑|叫我|以为|认成|当[成作]|另有|"
        r"爸|妈|爹|娘|父|母|哥|姐|弟|妹|爷|奶|公|婆|叔|舅|姑|姨|伯|媳|夫|妻|太|孙|友|伴|邻|对象|女儿|儿子|闺女|同[学桌事]|隔壁|徒弟|师|"
        r"老板|领导|房东|亲戚|搭档|人家|先生|才是|租|借|捡|偷|保管|送|卖|丢|弄|掉|典|赔|捐|输|摔|砸|没了|放生|"
        r"还了|烧|被|让|转|处理|坏|碎|报废|不[戴用带养买碰穿]|没[戴用带养买碰穿]|买|攒|眼馋|羡慕|寄|存放|托我|"
        r"路过|旅[游行]|玩过|出差|转车|中转|敢|断|停|歇|搁|荒|放弃|撂|封|收[山摊]|关|倒闭|黄了|散|取消|作罢|泡汤|"
        r"告吹|洗手|下岗|毕业|生疏|早|已经|如今|现在|不[再去练打写吃玩弹唱跑送学教住上摸动开看]|没|搬|调|跳槽|改|"
        r"计划|盼|从来"
    ),
    plain=(
        r"不|没|未|非|无(?!锡)|别|勿|莫|休|哪|怎|谁|要是|假|骗|才怪|下辈子|拉倒|免|算了|饶|扯|错|讨厌|恨|烦|戒|丢|卖|送|死|"
        r"抓|胡|鬼|冇|唔"
    ),
)
JAPANESE = Hints(
    near=(
        r"ず|ぬ|违|嘘|误|无|非|不|间|冗|な[いくかしきけ]|ませ|まい|らん|かん|わん|まん|じゃ|ちが|ちゃ|うそ|"
        r"まさか|い[いや]?え|いや|ううん|ノー|とんでも|谁が|何が|だれが|どこが|よかった|良かった|いいのに|デマ|"
        r"でたらめ|駄目|だめ|ダメ|へん|\?|ござ|あらず|でね|や[なし]|なー|たなー|むり|ムリ|ね[えぇ]|もんか|ものか|"
        r"どころ"
    ),
    far=(
        r"台本|台词|セリフ|原稿|カンペ|引っかかった|ひっかかった|骗された|だまされた|信じた|びっくりした|白状|もう少し|もうちょっと|すんで|"
        r"危うく|あやうく|"
        r"い[やえ]|违|じゃな[くか]|では?な[くか]|嘘|うそ|でたらめ|本当|事实|とは[言申]|もし|だったら|だったなら|"
        r"どちらか|どっち|どれか|なれたら|なりたかった|なりそこ|なり损|なりかけ|なるはず|なるつもり|であれば|"
        r"きっと|おそらく|たぶん|今ごろ|间违|勘违|灭相|笑わせ|片腹|へそ|柄じゃ|新闻|记事|噂|世间|ネット|看板|"
        r"なんて|なんちゃ|冗谈|取り消|订正|撤回|言い间违|もとい|というか|首を|全然|ちっとも|全く|真実|でまかせ|"
        r"出まかせ|作り话|かもしれ|より|と思|がち|それとも|あるいは|もしくは|ほど|とま?では|わけ|もんか|"
        r"るか[よっい]|てどう|てたま|あるまい|はず|なら、?[などと今]|ただの|単なる|たかが|あれ|ふざけ|马鹿|バカ|"
        r"やめて|むり|ムリ|无理|勘弁|あほ|寝言|お断|ごめん|三日|体验|一応|一应|ずじまい|见学|入門|入门|昨日|去年|"
        r"先[周月]|なー|梦|妄想|盛[りっ]|见栄|ちゃ[うい]|今月|今年|ねえ"
    ),
    topical=(
        r"私は|俺は|僕は|わしは|あたしは|わたしは|自分は|のほうは|の方は|"
        r"前の|先代|嫁|婿|呼ばれ|言われ|すぎ|过ぎ|足り|早い|弟子入り|就职|采用|志愿|应募|面接|断られ|家赁|物価|物价|値段|职场|勤め先|"
        r"仕事场|通勤先|"
        r"真似|まね|ふり|フリ|コスプレ|格好|弁|讹り|なまり|育ち|暮らし|见られ|くらいなら|ぐらいなら|暇|金が|余裕|时间|どこに|"
        r"代で|引っ越|越した|离れた|出た|たい|縁を切|缘を切|手を切|绝縁|绝缘|决别|おさらば|さよなら|距离|医者|止め|禁|みたいな|のような|っぽい|"
        r"みんな|皆|世间|埃|ほこり|押し入れ|锖|锈|藏入り|蔵入り|饰り|子守|bgm|音楽|音乐|ただの|"
        r"废业|任せ|素手|片手|今は|今じゃ|饲|虹|かな|かしら|っけ|だけ|だった|のは|"
        r"以前|昔|かつて|若い顷|元|もとは|前は|やめ|辞め|引退|廃业|なりたい|なるんだ|なる予定|なるため|なるのが|"
        r"なれたら|目指|めざ|志望|の卵|见习い|嫌|苦手|不得意|不得手|下手|からっきし|さっぱり|だめ|ダメ|駄目|"
        r"いや[だで]|受け付け|御免|ごめん|勘弁|远虑|まっぴら|吐き気|まずい|不味|ちょっと|あん?まり|いまいち|"
        r"イマイチ|微妙|さほど|そんなに|パス|却下|食伤|うんざり|げんなり|きらい|キライ|愿い下げ|避け|敬远|灭べ|"
        r"饱き|吐[きく]|气持|臭|兴味|ピン|刺さ|响|惹か|合わ|向い|ついて|良さ|结构|苦行|地狱|见たく|食べたく|"
        r"食わず|残|眠く|退屈|以外|どこが|好み|断然|やっぱり|本命|推し|一番|むかし|以来|最近|何年|长いこと|"
        r"とんと|めっきり|もう|まで|学生|子供|叠|たた|店じまい|闭め|足を|手を引|手が?放|抜け|転|转|鞍|挫折|谛め|"
        r"あきらめ|中退|ご无沙汰|三日|クビ|降り|离れ|克服|卒业|卖|捨|譲|让|失く|无く|なくし|坏|割|质|人手|盗|返|"
        r"処分|处分|寄付|寄赠|死|亡|逃げ|やっち|やっちゃ|あげ|燃え|焼け|烧け|取[らり]|没収|没收|手元|落と|いなく|"
        r"いつか|欲し|ほし|买え|憧れ|眺め|高岭|名乗|旅行|观光|出张|通りか|言え|呼べ|父|母|亲父|おやじ|お袋|"
        r"おふくろ|兄|姉|姊|弟|妹|祖|じい|ばい|じあ|ばあ|婆|爷|妻|嫁|家内|女房|カミ|夫|旦那|主人|亭主|息子|娘|孙|"
        r"叔|おじ|おば|いとこ|従|从|友|ダチ|同僚|先辈|后辈|同级|隣|邻|师匠|相棒|船长|店长|上司|大家|彼|あいつ|"
        r"他の人|别の人|よその|ルーム|借り|レンタル|谁|だれ|どなた|何|人违い|别人|间违"
    ),
    plain=(
        r"な[いかく]|ませ|ません|ん(?=[。、!?])|んな|ぬ|ず|ねえ|ねぇ|まさか|もんか|ものか|违|谁|嘘|うそ|无理|勘弁|嫌|いや|苦手|だめ|ダメ|"
        r"やめ|笑わせ|冗谈|何を|へそ|逃げ|臭|以来|昔|もう|別人|别人"
    ),
)
KOREAN = Hints(
    near=(
        r"출장|여행|관광|잠깐|잠시|한두 번|느니|있으면|안 [돼되됩된]|다들|사람들|남들|모두|흔히|보통|보다|보단|빼고|"
        r"제외하고|기엔|기에는|리[가는야]|냐고|냐구|라뇨|라니|다니|어디|어딨|절[!. ]?대|줄 [알아]|싶|미쳤|미친|농담|"
        r"장난|제정신|웃기|웃겨|돌았|땡|웩|윽|됐|사양|글쎄|언지|택도|은지|퉤|우엑|극혐|제발|그건|그거|같은|정도|쯤|"
        r"혼동|헷갈|헛갈|혀|"
        r"않|없|못|몰|싫|척|잖|뇨|안|아[니닌닐닙님녜]|지 ?[마말]|말[고도]|모[르른릅]|거짓|틀[렸린려]|그만|그럴|그런|"
        r"면 좋|무슨|누가|커녕|알[았고]|대신|왜|당치|천만|전혀|절대|"
        r"설마|어[림디]|뭐가|오해|\?|몬|아[이녀입임]|턱도|관[두뒀둔]|때려치|개뿔|어찌|어떻게|아냐"
    ),
    far=(
        r"대본|대사|원고|역할|순서|번지|속으셨|놀라셨|믿으셨|낚이셨|솔직히 말|사실대로|고백|실토|고는? ?싶|"
        r"거짓말|뻥|구라|속았|낚였|믿|헷갈|헛갈|실수|혼동|다시|로 [바변정할]|틀렸|잠[깐시]|맞다|그[건게] [제내우]|안 |"
        r"못 |리[가는야]|빼고|사양|딴|말을|"
        r"아니[다지구]|아니(?=[ ,.요])|아뇨|아냐|수도|중에? ?[하한]|만약|만일|다면|더라면|았으면|었으면|"
        r"내가 [^ ]{1,12}면 |제가 [^ ]{1,12}면 |되고 싶|될 ?뻔|"
        r"오[해보]|잘못|착각|웬|누가|신문|기사|소문|인터넷|농담|장난|뻥|헛소|사실|정정|취소|아차|말이 헛|고개|어림|"
        r"본 적|라고"
    ),
    topical=(
        r" 전 | 저는 | 난 | 나는 |저야 |나야 |"
        r"전 주인|예전 주인|이전|지난번|결혼|연애|과분|민망|부끄|창피|영광|되기|하기|당치|가당치|얼토당토|"
        r"보여|보이|보시|집값|월세|물가|학비|"
        r"비싸|직장|회사|일터|뿐|"
        r"소문|낭설|흉내|행세|코스프레|시늉|거리가|담을? ?쌓|무관|말고|뿐이|얼씬|근처|코빼기|발도|실은|"
        r"스승|사부|선생|옆방|시험|면접|공채|오디션|대에서|이사|떠난|나온|말려|말리|금지|맛이|냄새|다들|남들|먼지|장롱|창고|전당포|녹슬|"
        r"구석|자장가|그냥|음악|배경|"
        r"였[죠지]|었[죠지]|좋아하는 |잘하는 |옆집|윗집|아랫집|남의|주인집|"
        r"얘기|이야기|옛|왕년|지[났나난]|팔았|팔아|판 |처분|접[었은]|잃어|도둑|도난|버[렸린]|줬|기부|고물|중고|하늘나라|"
        r"무지개|죽었|돌아가|떠나|도망|나갔|세상|포기|손 ?[뗐뗀놨놓도이]|작심|잘렸|짤렸|쫓겨|폐업|문 닫|하차|없어졌|"
        r"사라졌|던|치를|이가 갈|좀 그|그닥|그다지|익숙|적응|귀[여엽]|다가? [말관그포때]|내년|다음 ?달|곧|보냈|려다|려고|려 했|"
        r"하다가|눈[도 ]|코웃음|간에|끄떡|떨|쫄|무서|두려|겁|따위|가지고|몸|하나도|지긋|질렸|질려|물렸|물려|신물|냄새|입[도에]|"
        r"쳐다|토 나|체질|취향|느끼|비[려린]|최악|재미없|지루|시시|관심|귀찮|너무|영 |하도|그자|그놈|그 ?사람|걔|그분|"
        r"도 아니|"
        r"아내|집사람|와이프|남편|신랑|형|누나|언니|오빠|동생|어머니|엄마|아버지|아빠|할머니|"
        r"할아버지|아들|딸|사촌|이모|삼촌|고모|친구|룸메|이웃|옆집|동료|사장님|상사|장모|장인|부모님|막내|조카|"
        r"손[자녀]|짝꿍|남친|여친|선배|후배|"
        r"전에|예전|옛날|한때|과거|그만|관[두뒀둔]|때려치|은퇴|전직|될 |되고|되려|되는|되기|지망|질색|혐오|별로|극혐|"
        r"꺼려|거북|입에|맛없|역겨|토할|끊|젬병|꽝|소질|서툴|진저리|누구|"
        r"누군|뭐|착각|오해"
    ),
    plain=(
        r"않|안 |못|없|아니|아닙|아냐|싫|몰|모르|누구|누가|느니|리가|꿈에|무슨|언제|어디|됐|그만|"
        r"거짓|농담|말도|미쳤|사양|예전|옛날|"
        r"끊|팔|막내|말지|말아|마세|마라|장난|헛소리|버렸|불편|지겹|질색"
    ),
)
ENGLISH = Hints(
    near=(
        r"gave|just|only|merely|assumes?|reckons?|try|more like|make (?:that|it)|opposed|prefer(?:red)?|over|"
        r"since when|what (?:would|use|do|need|business|good|ma[dk]es?)|would i|did i|do i|where did you get|"
        r"who (?:gave|needs?|wants?|has|can afford|would want|in their)|are you|have you|you (?:mad|must)|mixing|"
        r"mistaking|"
        r"divn(?:ae|ay|y)|don(?:ae|ay|y)|doesn(?:ae|ay|y)|shouldn(?:ae|ay|y)|wisn(?:ae|ay|y)|cudn(?:ae|ay|y)|"
        r"widn(?:ae|ay|y)|isn(?:ae|ay|y)|wasn(?:ae|ay|y)|didn(?:ae|ay|y)|cann(?:ae|ay|y)|couldn(?:ae|ay|y)|"
        r"wouldn(?:ae|ay|y)|willn(?:ae|ay|y)|haven(?:ae|ay|y)|hasn(?:ae|ay|y)|hadn(?:ae|ay|y)|aren(?:ae|ay|y)|"
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
        r"wrong|got ya|okay|ok|all right|alright|or so i|let me|"
        r"i wish|your face|who remembers|who knows|who can|take your pick|"
        r"was a (?:lie|joke|fib)|fib|all (?:a )?(?:lie|lies|joke|made up)|messing|winding|fibbing|bluffing|muddl\w+|"
        r"mix\w*|confus\w+|thinking|having you|getting|fooled|had you|got you|"
        r"april|forget|ignore|disregard|pretend|erase|delete|am i|did i|do i|listen|second|reflection|come to|"
        r"now (?:that )?i think|misremember|"
        r"lied|fibbed|slip|oops|wait|sorry|actually|make|it's (?:a|all)|it was|this is|that is|"
        r"wrong|give over|get|behave|do me|you what|on your|leave it|come off|i wish|dream on|chance|says who|spare|"
        r"hard|or am i|hold on|hang on|joke|lie|"
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
        r"married|dated|live next|call(?:ing)?|too|card|sign|papers?|badge|label|map|file|practically|"
        r"close to being|they|others|i live|"
        r"flunked|dropped|washed|about as|stretch|terrible|awful|lousy|rotten|hopeless|useless|poor|dreadful|"
        r"through|long way|good way|fair way|everyone|everybody|people|folks?|strangers|tell|told|"
        r"out of the question|says? no|said no|"
        r"sa(?:ys|id) (?:no ?one|nobody)|"
        r"applied|auditioned|trained|studied|signed|interviewed|ran|threw|kicked|drove|chased|booted|meaning|"
        r"planning|hoping|trying|parted|"
        r"split|broke|off|tastes?|poison|torture|punishment|misery|hell|waste|nuisance|slop|swill|muck|filth|"
        r"lasted|survived|sends?|puts?|"
        r"rocks?|lulls?|sings?|noise|weather|bugs?|cards|"
        r"in the family|in my family|plan|dream|idea|ambition|hung|hang|where|belong(?:s|ed)|swears|mad|crazy|"
        r"nuts|lives|raves|tried|for|breed|milk|raise|catch|hunt|"
        r"train|handle|wrestle|tame|stopped|more|we had|i had|"
        r"fear(?:ed)?|mind(?:ed)?|least|last|used|got|grew|grown|gotten|over|nothing|little|leaves?|without|appeal|"
        r"point|fuss|attraction|use|keep|touch|feed|give|"
        r"pass|skip|steer|stay|run|puts?|sends?|drives?|too|overrated|over-rated|dull|tedious|pointless|rank|rotten|"
        r"foul|minging|chore|bore|fan|fed|bored|done|time|"
        r"sold|pawned|donated|binned|scrapped|gave|given|threw|thrown|traded|handed|signed|packed|put|rid|"
        r"parted|lost|"
        r"gambled|returned|dropped|jacked|chucked|walked|"
        r"fired|sacked|broke|outgrew|gone|stolen|nicked|pinched|repossessed|behind|dead|history|thing|days|years|"
        r"phase|career|period|till|until|failed|flunked|"
        r"bombed|botched|tried|wanted|longed|fancied|outgr[eo]wn?|conquered|beat|shed|cured|cool|fine|happy|"
        r"comfortable|at ease|relaxed|at home|rather|sooner|take|grab|come|next|everyone|everybody|people|"
        r"they|folks?|"
        r"had|gave it|fell|friend|speak|talk|my|"
        r"used to|formerly|once|in the past|ago|back then|was|former|retired|one-?time|ex|gave up|given up|quit|"
        r"left|stopped|want(?:s|ed)?|hop(?:e|ing|ed)|plan\w*|going|aim|aspire|dream\w*|training|studying|learning|"
        r"wish|meant|will|gonna|hate[sd]?|detest|loathe|despise|dislike|abhor|can't|sick|allergic|avoid|tired|"
        r"disgust\w*|revolt\w*|gross|vile|yuck\w*|awful|horrible|nasty|makes? me|turns?|bores? me|boring|ew+|eew+|"
        r"bleh|ugh|who|what|confus\w+|mist\w+|call me|died|gone|ran away|passed away|was my"
    ),
    plain=(
        r"no|not|never|nobody|none|nothing|neither|nor|hardly|who|whose|why|dead|wrong|lies?|hate[sd]?|cannot|"
        r"sick|gross|yuck|please|as if|"
        r"before i'd|have to|ask my|instead|throws?|threw|wish|joking|kidding|sold|quit|gave|lost|died|"
        r"used to|nope|nah|without|refuse|rather|fear"
    ),
)
"""Whole words; n't, 'll and a question mark, which are none, are added where they are compiled."""


NO_WORDS = r"\?|n't|'ll"
"""What else is looked for in English."""


def words(*hints: str) -> str:
    """An expression for whole words, each of which begins with a letter: the search for them skips between those."""
    by_letter: dict[str, list[str]] = {}
    for word in alternatives("|".join(hints)):
        by_letter.setdefault(word[0], []).append(word[1:])
    found = [rf"{letter}(?<!\w{letter})(?:{'|'.join(rest)})\b" for letter, rest in by_letter.items()]
    return "|".join([NO_WORDS, *found])
