"""What fields are called, in the files of four languages: which one is the name, which ones are prose, which are
not about the character at all.

Keys are compared by `fold_key`, so that ``Character Name``, ``character_name`` and ``characterName`` are one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from raiden_core.characters.rows import Value

_MARKS = re.compile(r"[\s_\-*#【】\[\]「」\ufeff]+")


@lru_cache(maxsize=4096)
def fold_key(key: str) -> str:
    """A key without case, spaces, underscores, hyphens and marks around it."""
    return _MARKS.sub("", key).casefold()


def folded(words: str) -> frozenset[str]:
    """The names of a list ``a|b|c``, as `fold_key` compares them."""
    return frozenset(fold_key(word) for word in words.split("|"))


NAME_KEYS = folded(
    "name|character name|char name|bot name|name text|role name|full name|display name|persona name|npc name"
    "|npc|title name"
    "|姓名|名字|名称|名稱|角色名|角色名称|角色名稱|角色姓名|人物名|人物姓名|人物名称|全名|真名|本名|中文名|角色名字"
    "|名前|お名前|氏名|キャラ名|キャラクター名|フルネーム|なまえ|人物名"
    "|이름|성명|성함|캐릭터 이름|캐릭터명|캐릭터 명|본명|캐릭터이름|인물명|인물 이름"
)
"""Fields that hold the name, wherever they stand."""
WEAK_NAME_KEYS = folded(
    "character|role|char|bot|title|label|id name|角色|人物|キャラクター|キャラ|役名|캐릭터|인물|등장인물"
)
"""Fields that hold the name of a record which has none of `NAME_KEYS`, and a short text here."""

TEXT_KEYS = folded(
    "profile text|character profile|profile|context|bot info|npc setting|npc profile|npc description"
    "|bot description|char description"
    "|bot profile|bot persona|char profile|role profile|role description|role info|role setting|character info"
    "|character setting|persona text|char persona|persona|system role|人物设定|角色设定|人设"
)
"""Fields of a record that hold the whole profile; the record's other fields are then about the record."""

DESCRIPTION_KEYS = (
    folded(
        "description|detailed description|introduction|intro|background|background story|backstory|bio"
        "|biography|about"
        "|about me|summary|story|history|details|detail|overview|character description|long description"
        "|persona description"
        "|short description|setting|character setting|experience|experiences|self introduction|text|content"
        "|简介|簡介|详细描述|詳細描述|描述|介绍|介紹|人物介绍|人物介紹|人物简介|角色简介|角色介绍|角色描述"
        "|人物描述|背景|背景故事|人物背景|个人简介"
        "|個人簡介|人物经历|人物經歷|经历|經歷|生平|故事|设定|設定|详细介绍|詳細介紹|自我介绍|自我介紹|人物小传"
        "|说明|說明|个人经历|内容"
        "|説明|詳細説明|紹介|自己紹介|人物紹介|プロフィール|概要|経歴|生い立ち|略歴|詳細|背景設定|キャラクター説明"
        "|설명|상세 설명|자세한 설명|상세설명|소개|자기소개|인물 소개|인물소개|캐릭터 설명|캐릭터 소개"
        "|배경|배경 이야기|배경 스토리|프로필|개요|경력 소개|내용|상세"
    )
    | TEXT_KEYS
)
"""Fields that hold prose: shown in prompts, never a fact of their own."""
CLOSING_KEYS = folded("detailed description|详细描述|詳細描述|詳細説明|상세 설명|자세한 설명")
"""Fields of the four-field form that run to the end of the text, whatever looks like a field inside."""

SPEECH_KEYS = folded(
    "first mes|first message|greeting|char greeting|bot greeting|greetings|alternative greetings|first chat"
    "|opening|sample chat|sample dialogue"
    "|sample dialogues|message examples|post examples|bot definitions|definition|definitions"
    "|example conversation|example conversations|start message"
    "|default message|welcome message|conversation starters|suggested replies|opening line|jailbreak"
    "|nsfw prompt|author note|authors note|alternate greetings|group only greetings|opening message"
    "|opening questions|mes example|example dialogue|example dialogs|example dialogues|example messages"
    "|dialogue examples"
    "|system prompt|post history instructions|creator notes|creator notes multilingual|character book|scenario notes"
    "|开场白|開場白|问候语|对话示例|示例对话|例句|台词示例|系统提示词"
    "|挨拶|最初のメッセージ|会話例|システムプロンプト|인사말|첫 메시지|대화 예시|시스템 프롬프트"
)
"""Fields of a card or record that are for the chat program: kept apart in ``Character.extras``."""
LANGUAGE_KEYS = folded("language|lang|locale|语言代码")
BOOKKEEPING_KEYS = (
    folded(
        "id|uid|uuid|_id|index|idx|row|source|source id|source url|url|link|license|licence|avatar|image"
        "|image url|icon|img"
        "|tags|tag|creator|author|created|created at|updated at|creation date|modification date|create date|version"
        "|character version|spec|spec version|extensions|assets|fields|metadata|talkativeness|fav|chat"
        "|user name|user info|user profile|user persona|user description|translation|translation en"
        "|translation zh|translations|json data|data|examples|schema version|identifier|homepage"
        "|knowledge count|plugin count|token usage"
    )
    - NAME_KEYS
)
"""Fields about the record rather than the character: left out."""

NOT_FACTS = folded(
    "note|notes|important|attention|special attention|warning|example|examples|user|assistant|system|you|q|a|question"
    "|answer|input|output|rule|rules|task|tip|tips|hint|suggestion|format|http|https|ps|p.s."
    "|注意|特别注意|特別注意|注意事项|备注|備註|例如|示例|例子|比如|用户|助手|规则|任务|提示|建议|提案|问|答"
    "|输入|输出|要求|格式"
    "|特に注意|備考|例|ユーザー|アシスタント|ルール|質問|回答|入力|出力|注|制約"
    "|주의|참고|특별 주의|특별히 주의할 점|예|예시|예시 질문|사용자|어시스턴트|규칙|질문|답변|입력|출력|제안"
    "|제의|제약"
)
"""Keys of lines that instruct or quote: they look like fields and say nothing about the character."""

META_KEYS = folded(
    "scenario|world scenario|role play|roleplay|rp|setting|world|world setting|worldview|lore|genre|plot|first message"
    "|greeting|example dialogue|sample dialogue|dialogue examples"
    "|prompt|instruction|instructions|constraints|guidelines|workflow|output format|response format"
    "|initialization|tags|tag|category|categories"
    "|user|{{user}}|your role|user role|user name|author|creator|credits|source|copyright|license|version"
    "|updates|changelog|tokens"
    "|场景|情景|世界观|世界设定|故事背景|剧情|开场白|对话示例|示例对话|标签|分类|作者|来源|版本|用户角色"
    "|用户设定|输出要求|回复要求"
    "|シナリオ|世界観|舞台設定|場面|状況設定|第一声|タグ|作者|出典|バージョン|ユーザー設定"
    "|시나리오|세계관|배경 설정|상황|첫 메시지|태그|작성자|제작자|출처|버전|사용자 설정"
)
"""Keys of lines about the scene, the user, the card or its author: kept in the profile, no fact about the character."""

_META = NOT_FACTS | META_KEYS | SPEECH_KEYS

FACT_KEYS = folded(
    "age|gender|sex|birthday|birth date|date of birth|birthplace|place of birth|hometown|nationality|occupation"
    "|job|profession"
    "|species|race|height|weight|residence|alias|aliases|nickname|family|hobby|hobbies|likes|dislikes|weapon"
    "|education|zodiac"
    "|性别|性別|年龄|年齡|职业|職業|出生日期|生日|籍贯|故乡|故鄉|家乡|国籍|國籍|身高|体重|居住地|住址|别名|别称"
    "|爱好|愛好|喜欢|讨厌|学历|星座|身份|种族|武器"
    "|年齢|誕生日|生年月日|出身|出身地|国籍|身長|体重|住所|趣味|好きなもの|嫌いなもの|学歴|種族|あだ名|家族|好物"
    "|성별|나이|연령|직업|생일|생년월일|출생지|고향|국적|키|몸무게|거주지|별명|취미|좋아하는 것|싫어하는 것"
    "|학력|종족|가족"
)
"""Keys that name a fact wherever they stand."""

GENERIC_TITLES = folded(
    "characters|character|roles|cast|profiles|personas|npcs|角色|人物|角色列表|人物列表|人物设定|角色设定"
    "|登場人物|キャラクター|"
    "キャラクター一覧|등장인물|캐릭터|캐릭터 목록"
)
"""Headings of a whole document rather than of one character."""

SECTION_TITLES = folded(
    "personality|appearance|looks|skills|abilities|relationships|likes|dislikes|goals|goal|role|constraints"
    "|workflow|rules"
    "|facts|basic information|basics|info|information|family|friends|hobbies|habits|speech|speaking style"
    "|traits|quotes|world"
    "|job|occupation|notes|initialization|output format|tone|style|strengths|weaknesses|capabilities|guidelines"
    "|性格|外貌|外观|能力|技能|关系|人物关系|人际关系|爱好|目标|限制|约束|规则|基本信息|基本資料|家庭|习惯"
    "|说话风格|语录|经典语录|世界观|职业|特点|工作流程|初始化"
    "|外見|スキル|人間関係|趣味|制約|ルール|基本情報|家族|口調|世界観|職業|特徴|ガイドライン|役割"
    "|성격|외모|능력|기술|관계|인간관계|취미|목표|제약|규칙|기본 정보|가족|말투|세계관|직업|특징|역할|가이드라인"
)
"""Headings inside one character's document."""


def is_name_key(key: str) -> bool:
    """Whether a field of this name holds the character's name."""
    return fold_key(key) in NAME_KEYS


def is_meta_key(key: str) -> bool:
    """Whether a field of this name instructs, or speaks of the scene, the card or the chat: never asked about."""
    return fold_key(key) in _META


def is_description_key(key: str) -> bool:
    """Whether a field of this name holds prose."""
    return fold_key(key) in DESCRIPTION_KEYS


def find(record: Mapping[str, Value], keys: frozenset[str]) -> str | None:
    """The first key of the record that is one of ``keys``; None where there is none."""
    return next((key for key in record if fold_key(key) in keys), None)
