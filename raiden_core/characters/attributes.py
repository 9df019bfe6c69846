"""What fields about a person are called in each language: names by which a field is known wherever it stands.

They part several fields on one line, and they say which language a profile of bare numbers and names is in. Any other
name may be a field too; it is told from prose by where it stands (facts.py).
"""

from __future__ import annotations

from functools import lru_cache

from raiden_core.characters.keys import DESCRIPTION_KEYS, FACT_KEYS, NAME_KEYS, SECTION_TITLES, WEAK_NAME_KEYS, fold_key

_KEYS = {
    "zh": (
        "姓名|名字|名称|角色名|角色|全名|本名|真名|英文名|外文名|别名|别称|外号|绰号|昵称|小名|字号|称号|头衔"
        "|身份|职位|职务|性别|年龄|年纪|岁数|生日"
        "|出生日期|出生年月|出生地|家乡|故乡|老家|籍贯|出身地|来自|国籍|民族|种族|物种|居住地|现居地|现居|住址"
        "|住处|住所|所在地|所在城市|职业|工作"
        "|本职|行业|工作单位|工作地点|单位|公司|所属|所属组织|组织|门派|阵营|势力|部门|身高|体重|体型|身材|肤色"
        "|血型|星座|生肖|属相|人格类型"
        "|婚姻状况|感情状况|恋爱状态|学历|学校|母校|毕业院校|专业|爱好|兴趣|兴趣爱好|喜好|嗜好|喜欢|喜欢的东西"
        "|喜欢的事物|最爱|讨厌|讨厌的东西|不喜欢"
        "|不喜欢的东西|最怕的东西|害怕的东西|害怕|恐惧|喜欢的食物|最喜欢的食物|最爱的食物|爱吃的食物|喜欢的颜色"
        "|最喜欢的颜色|喜欢的饮料|特长|擅长|技能"
        "|能力|专长|本领|武功|武器|法宝|坐骑|装备|弱点|缺点|优点|性格|个性|性情|脾气|习惯|怪癖|口头禅|座右铭"
        "|信条|名言|宠物|好友|朋友|好朋友"
        "|最好的朋友|搭档|恋人|妻子|丈夫|配偶|父亲|母亲|家人|家庭|家庭成员|师父|老师|徒弟|偶像|对手|宿敌"
        "|随身物品|宝贝|收藏|外貌|外观|长相|相貌|衣着"
        "|服装|发色|发型|瞳色|眼睛|特征|特点|梦想|愿望|理想|目标|秘密|动机|信仰|语言|母语|年代|朝代|时代|简介"
        "|背景|背景故事|经历|人物介绍|说话风格|语气"
        "|性別|年齡|職業|愛好|家鄉|興趣|國籍|身份|專長|個性|體重|喜歡|討厭|口頭禪|學歷"
    ),
    "en": (
        "name|full name|real name|birth name|surname|first name|last name|middle name|alias|aliases|nickname"
        "|nicknames|also known as"
        "|aka|title|rank|position|role|age|gender|sex|pronouns|birthday|birthdate|date of birth|dob|born"
        "|birthplace|place of birth|hometown"
        "|home town|origin|from|homeland|nationality|citizenship|country|ethnicity|species|race|residence|home"
        "|address|location|lives in"
        "|current residence|occupation|job|profession|career|trade|employment|workplace|employer|company"
        "|works at|affiliation|organization"
        "|organisation|faction|guild|clan|height|weight|build|body|body type|complexion|skin|skin color"
        "|skin tone|blood type|zodiac"
        "|zodiac sign|star sign|mbti|personality type|marital status|relationship status|orientation|sexuality"
        "|education|degree|school"
        "|university|college|major|hobby|hobbies|interests|pastimes|likes|loves|dislikes|hates|fears|fear"
        "|pet peeves|favorite food"
        "|favorite color|favorite drink|favorite animal|favorite book|favorite song|favorite place"
        "|favorite thing|favourite food"
        "|favourite colour|favourite drink|favourite animal|favourite book|favourite song|favourite place"
        "|favourite thing|favourite number"
        "|favorite number|skills|skill|talents|talent|abilities|ability|powers|power|weapon|weapons|equipment"
        "|mount|vehicle|weakness"
        "|weaknesses|strengths|flaws|personality|traits|temperament|mind|habit|habits|quirk|quirks|catchphrase"
        "|motto|creed|pet|pets"
        "|friend|friends|best friend|partner|lover|spouse|wife|husband|father|mother|family|relatives|siblings"
        "|children|parents|mentor"
        "|apprentice|idol|rival|enemy|treasure|possessions|appearance|looks|clothing|clothes|outfit|attire|hair"
        "|hair color|hair colour|eyes"
        "|eye color|eye colour|features|distinguishing features|dream|dreams|goal|goals|ambition|wish|secret"
        "|motivation|religion|faith"
        "|language|languages|native language|era|description|background|backstory|bio|biography|history"
        "|introduction|summary|speech"
        "|speaking style|class|level|alignment|status|favorites|favourites|town|city"
    ),
    "ja": (
        "名前|氏名|お名前|フルネーム|本名|旧姓|別名|あだ名|愛称|通称|二つ名|異名|一人称|二人称|肩書き|肩書|役職"
        "|身分|立場|性別|年齢|誕生日|生年月日"
        "|生まれ|出生地|出身|出身地|故郷|地元|国籍|民族|種族|居住地|住所|住まい|現住所|自宅|職業|仕事|本業|職種"
        "|職場|勤務先|所属|会社|部活|部活動|学年"
        "|クラス|身長|体重|体格|体型|血液型|星座|結婚|恋人|趣味|特技|興味|好きなもの|好きなこと|嫌いなもの"
        "|苦手なもの|苦手|怖いもの|好きな食べ物"
        "|嫌いな食べ物|好物|好きな色|好きな飲み物|好きな動物|好きな本|好きな音楽|好きな場所|得意なこと|得意料理"
        "|能力|武器|道具|装備|弱点|短所|長所"
        "|欠点|性格|人柄|気質|癖|口癖|習慣|日課|座右の銘|信条|モットー|ペット|友人|友達|親友|幼なじみ|仲間|相棒"
        "|妻|夫|父|母|家族|家族構成|兄弟|姉妹|師匠|弟子"
        "|ライバル|宿敵|持ち物|宝物|外見|容姿|見た目|服装|髪型|髪色|髪の色|目の色|瞳の色|特徴|夢|目標|願い"
        "|将来の夢|秘密|動機|信仰|宗教|言語|母語|時代"
        "|学歴|学校|出身校|専攻|説明|背景|紹介|自己紹介|経歴|生い立ち|口調|話し方|乗り物|愛車"
    ),
    "ko": (
        "이름|성명|본명|별명|애칭|별칭|이명|호칭|직책|직위|신분|성별|나이|연령|생일|생년월일|출생지|고향|출신"
        "|출신지|국적|종족|인종|민족|거주지|사는 곳"
        "|주소|직업|하는 일|직장|회사|소속|조직|키|신장|몸무게|체중|체형|혈액형|별자리|성격 유형|결혼 여부|학력"
        "|학교|전공|취미|관심사|특기|좋아하는 것"
        "|싫어하는 것|무서워하는 것|좋아하는 음식|싫어하는 음식|좋아하는 색|좋아하는 색깔|좋아하는 동물"
        "|좋아하는 책|좋아하는 노래|능력|기술|재능|무기|장비"
        "|약점|장점|단점|성격|성향|습관|버릇|말버릇|입버릇|좌우명|신조|반려동물|애완동물|친구|절친|애인|연인"
        "|아내|남편|배우자|아버지|어머니|가족|형제|자매"
        "|스승|제자|라이벌|소지품|보물|외모|외형|옷차림|복장|머리|머리색|눈 색깔|특징|꿈|목표|소원|장래 희망"
        "|비밀|동기|종교|언어|모국어|말투|설명|소개"
        "|배경|자기소개"
    ),
}
BY_LANGUAGE = {language: frozenset(map(fold_key, names.split("|"))) for language, names in _KEYS.items()}
"""The folded names of each language; those that two languages share stand in both."""
_ANYWHERE = (
    frozenset().union(*BY_LANGUAGE.values())
    | FACT_KEYS
    | NAME_KEYS
    | WEAK_NAME_KEYS
    | DESCRIPTION_KEYS
    | {title for title in SECTION_TITLES if title.isascii()}
)
_TELLING = {
    language: names - frozenset().union(*(others for other, others in BY_LANGUAGE.items() if other != language))
    for language, names in BY_LANGUAGE.items()
}


@lru_cache(maxsize=8192)
def is_known(key: str) -> bool:
    """Whether a field about a person is called so in one of the four languages."""
    return fold_key(key) in _ANYWHERE


@lru_cache(maxsize=8192)
def language_of_key(key: str) -> str | None:
    """The one language in which a field is called so; None where it is none or more than one."""
    folded = fold_key(key)
    return next((language for language, names in _TELLING.items() if folded in names), None)
