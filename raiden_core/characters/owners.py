"""Whose fact it is: the words for other people and for animals under which a profile tells about them.

``father: {occupation: blacksmith}``, a section ``### 父亲`` or a line ``Pet:`` with further fields below it speak of
somebody else. Such fields keep their path (``father: occupation``) and are never the character's own. Under a name that
merely groups fields (``basic information``, ``外貌``) they are the character's.
"""

from __future__ import annotations

import re
from functools import lru_cache

from raiden_core.characters.keys import fold_key, folded

PATH = ": "
"""What stands between the parts of a nested field's name, in a profile and in prompts."""
MARK = "\x1f"
"""The same inside texts on their way to fields, where a colon would end the name."""

_OTHERS = folded(
    "father|mother|dad|mum|mom|daddy|mama|papa|parent|parents|stepfather|stepmother|foster father|foster mother"
    "|brother|sister|brothers|sisters|sibling|siblings|twin|twins|twin brother|twin sister|half brother|half sister"
    "|son|sons|daughter|daughters|child|children|kid|kids|grandfather|grandmother|grandpa|grandma|grandparents"
    "|grandson|granddaughter|grandchild|grandchildren|uncle|aunt|cousin|cousins|nephew|niece|husband|wife|spouse"
    "|partner|ex|ex wife|ex husband|fiance|fiancé|fiancee|fiancée|girlfriend|boyfriend|lover|love interest|crush"
    "|in laws|father in law|mother in law|brother in law|sister in law|son in law|daughter in law|guardian"
    "|godfather|godmother|relative|relatives|ancestor|ancestors|friend|friends|best friend|best friends"
    "|close friend|childhood friend|roommate|neighbor|neighbour|classmate|colleague|colleagues|coworker|boss"
    "|employer|employee|subordinate|assistant|servant|butler|maid|master|mentor|teacher|tutor|student|students"
    "|apprentice|pupil|disciple|rival|rivals|enemy|enemies|nemesis|ally|allies|companion|companions|sidekick"
    "|teammate|teammates|team|idol|hero|acquaintance|acquaintances|patient|client|customer|pet|pets|cat|dog|horse"
    "|bird|parrot|puppy|kitten|pony|mount|familiar|animal companion|animal|animals|user|author|creator|player|love"
    "|late wife|late husband|late father|late mother|old friend|older brother|older sister|elder brother"
    "|elder sister|younger brother|younger sister|little brother|little sister|big brother|big sister|eldest son"
    "|eldest daughter|other characters|side characters|supporting characters|npcs|父亲|母亲|爸爸|妈妈|父|母|爹|娘"
    "|父母|双亲|养父|养母|继父|继母|哥哥|弟弟|姐姐|妹妹|兄长|大哥|二哥|大姐|二姐|小妹|小弟|兄弟|姐妹|兄弟姐妹"
    "|双胞胎|儿子|女儿|孩子|子女|长子|次子|长女|次女|爷爷|奶奶|祖父|祖母|外公|外婆|姥姥|姥爷|孙子|孙女|叔叔|伯伯"
    "|伯父|舅舅|姑姑|姑妈|阿姨|姨妈|婶婶|表哥|表弟|表姐|表妹|堂哥|堂弟|堂姐|堂妹|侄子|侄女|丈夫|妻子|老公|老婆|配偶"
    "|伴侣|爱人|恋人|男友|女友|男朋友|女朋友|未婚夫|未婚妻|前夫|前妻|前任|心上人|暗恋对象|公公|婆婆|岳父|岳母|女婿"
    "|儿媳|亲戚|亲属|祖先|朋友|好友|挚友|闺蜜|死党|青梅竹马|发小|室友|邻居|同学|同桌|同事|上司|老板|下属|部下|助手"
    "|仆人|管家|丫鬟|侍女|主人|师父|师傅|师尊|师兄|师弟|师姐|师妹|老师|导师|恩师|学生|徒弟|弟子|对手|宿敌|敌人|仇人"
    "|盟友|同伴|伙伴|搭档|队友|偶像|恩人|病人|客户|宠物|爱宠|猫|狗|马|鸟|鹦鹉|坐骑|灵宠|用户|作者|其他角色|其他人物"
    "|配角|父親|母親|媽媽|妹妹|兒子|女兒|愛人|戀人|寵物|師父|お父さん|お母さん|両親|兄|弟|姉|妹|お兄さん|お姉さん"
    "|兄弟|姉妹|兄弟姉妹|双子|息子|娘|子供|子ども|祖父|祖母|祖父母|おじいさん|おばあさん|孫|叔父|叔母|伯父|伯母"
    "|従兄弟|従姉妹|いとこ|甥|姪|夫|妻|旦那|配偶者|婚約者|恋人|彼氏|彼女|元夫|元妻|義父|義母|義兄|義妹|親戚|先祖"
    "|友人|友達|親友|幼なじみ|幼馴染|仲間|同僚|上司|部下|助手|召使い|執事|主人|師匠|先生|恩師|生徒|弟子|ライバル"
    "|宿敵|敵|味方|相棒|ペット|飼い猫|飼い犬|愛犬|愛猫|愛馬|猫|犬|ユーザー|他の登場人物|登場人物|아버지|어머니|아빠"
    "|엄마|부모|부모님|양부|양모|계부|계모|형|누나|오빠|언니|동생|남동생|여동생|형제|자매|쌍둥이|아들|딸|자녀|아이"
    "|아이들|할아버지|할머니|외할아버지|외할머니|손자|손녀|삼촌|이모|고모|사촌|조카|남편|아내|배우자|애인|연인"
    "|약혼자|남자친구|여자친구|전남편|전처|시아버지|시어머니|장인|장모|친척|조상|친구|절친|단짝|소꿉친구|동료"
    "|룸메이트|이웃|상사|부하|조수|하인|집사|주인|스승|선생님|은사|제자|학생|라이벌|숙적|적|동맹|파트너|반려동물"
    "|애완동물|반려견|반려묘|고양이|강아지|개|말|사용자|다른 인물|등장인물"
)
_RELATIONS = folded(
    "family|relationships|relationship|relations|relatives|connections|social circle|family members"
    "|family and friends|social relations|family background|important people|people|friends and family|household"
    "|家庭|家人|家族|亲人|家庭成员|关系|人物关系|人际关系|社会关系|家庭背景|家庭关系|社交关系|關係|人際關係"
    "|家族構成|関係|人間関係|交友関係|家族関係|対人関係|가족|가족 관계|가족 구성|관계|인간관계|대인 관계|인물 관계"
)
"""Names of groups in which the others stand."""
_GROUPS = folded(
    "basic information|basic info|basics|basic|general|general information|information|info|facts|fact sheet"
    "|details|detail|attributes|attribute|traits|trait|personal|personal information|personal info|personal details"
    "|profile|character profile|character|identity|demographics|stats|data|fields|properties|appearance|looks"
    "|physical|physical appearance|physical description|physical traits|body|preferences|tastes|personality|persona"
    "|character sheet|background|biography|bio|life|lifestyle|habits|skills and abilities|about|about me|overview"
    "|summary|misc|miscellaneous|other|others|additional information|trivia|core|meta|config|card|description"
    "|基本信息|基本資料|基本资料|基础信息|基本设定|基本情况|个人信息|个人资料|人物信息|角色信息|角色资料|人物资料"
    "|人物设定|角色设定|人设|信息|资料|属性|档案|详细信息|详细资料|外貌|外观|外形|外貌特征|外貌描写|形象|生理特征"
    "|身体特征|性格|性格特点|背景|背景信息|喜好|偏好|兴趣爱好|生活|生活习惯|能力|其他|其它|补充|补充信息|设定|特征"
    "|特点|身份|身份信息|基本情報|基礎情報|プロフィール|個人情報|キャラクター情報|キャラクター設定|人物情報|情報"
    "|外見|容姿|見た目|身体的特徴|性格|嗜好|好み|生活|その他|補足|設定|特徴|詳細|背景|기본 정보|기본정보|프로필"
    "|개인 정보|인물 정보|캐릭터 정보|정보|외모|외형|외양|신체|성격|취향|생활|기타|설정|특징|상세|상세 정보|배경"
)
"""Names that group fields of the character itself."""
_FAVOURITES = {
    **dict.fromkeys(("favorites", "favourites", "favorite", "favourite", "favoritethings", "favouritethings"), "favourite {}"),
    **dict.fromkeys(("最爱", "最喜欢", "最喜欢的", "最爱的"), "最喜欢的{}"),
    **dict.fromkeys(("好きなもの", "好き", "お気に入り"), "好きな{}"),
    **dict.fromkeys(("좋아하는것", "좋아하는"), "좋아하는 {}"),
}  # fmt: skip
_POSSESSIVE = re.compile(
    r"^(?:[\w{}]{1,40}(?:'s|’s)|his|her|their|my|the|your|its|a|an|他的|她的|它的|我的|私の|彼の|彼女の|그의|그녀의|나의|내)\s*(?=\S{2})",
    re.IGNORECASE,
)
_AFTER = re.compile(r"\s*[(（\[【:：—–-].*$|(?<=[^\d])\s*(?:#?\d{1,2}|[①-⑳一二三])$")


@lru_cache(maxsize=8192)
def is_other(key: str) -> bool:
    """Whether a heading or a field's name means somebody else: ``Father``, ``her father (late)``, ``宠物1``, ``姉``."""
    plain = key.strip().strip("*_`【】[]「」<># ")
    bare = _AFTER.sub("", plain) or plain
    bare = _POSSESSIVE.sub("", bare)
    return fold_key(bare) in _OTHERS


@lru_cache(maxsize=4096)
def is_relations(key: str) -> bool:
    """Whether a heading or a field's name means the family or the people around the character."""
    return fold_key(_AFTER.sub("", key.strip())) in _RELATIONS


@lru_cache(maxsize=4096)
def is_group(key: str) -> bool:
    """Whether a name groups fields of the character itself."""
    return fold_key(key) in _GROUPS


def joined(path: tuple[str, ...], key: str) -> str:
    """The name of a nested field: groups leave no trace, favourites become a name of their own, others their path."""
    parts: list[str] = []
    for part in path:
        if is_group(part):
            continue
        # The family is where its members stand; each of them begins a path of its own.
        if parts and is_relations(parts[-1]):
            parts.pop()
        parts.append(part)
    if len(parts) == 1 and fold_key(parts[0]) in _FAVOURITES:
        return _FAVOURITES[fold_key(parts[0])].format(key)
    if parts and is_relations(parts[-1]) and is_other(key):
        parts.pop()
    return PATH.join([*parts, key])


def about(key: str) -> str | None:
    """Of whom or what a field speaks: None for the character itself, else its path without the last part."""
    owner, separator, _ = key.rpartition(PATH)
    return owner if separator else None
