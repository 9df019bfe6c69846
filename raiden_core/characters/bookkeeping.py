"""Fields about the record rather than the character: ids, flags, file names, counters, scores and labels.

Programs write them beside what a person wrote. They are told by their names, by the way programs spell names
(``avatar_file_name``, ``voiceDisabled``), and by values that no person has (a UUID, ``x.webp``, ``true``).
"""

from __future__ import annotations

import re
from functools import lru_cache

from raiden_core.characters.attributes import is_known
from raiden_core.characters.keys import BOOKKEEPING_KEYS, FACT_KEYS, NAME_KEYS, fold_key, folded
from raiden_core.characters.rows import Value

_ANYWHERE = folded(
    "id|uid|uuid|guid|external id|internal id|user id|bot id|character id|char id|npc id|record id|row id|item id"
    "|owner id|index|idx|visibility|copyable|npc type|visual type|character type|entry type|record type|data type"
    "|file type|mime type|content type|bot type|file name|filename|file path|filepath|file size|avatar file name"
    "|avatar url|image url|img url|thumbnail|created at|updated at|created on|updated on|last updated|last modified"
    "|date added|date created|date modified|created|modified|updated|timestamp|create date|creation date"
    "|modification date|schema version|spec version|version number|upvotes|downvotes|votes|views|downloads"
    "|interactions|num interactions|message count|chat count|token count|word count|rating|score|scores"
    "|quality score|overall score|star rating|like count|likes count|favorite count|rank score|confidence"
    "|probability|logprob|gold|gold label|gold answer|ground truth|label id|predicted|prediction|predicted label"
    "|pred|pred label|model output|annotator|annotator id|annotation|annotation score|fold|dataset|dataset split"
    "|data source|nsfw|sfw|is nsfw|is public|is private|published|is active|active|enabled|disabled|deleted"
    "|archived|pinned|locked|verified|featured|is user|is human|img gen enabled|comments enabled|voice disabled"
    "|voice enabled|model provider|model name|model id|top p|max tokens|checksum|md5|sha1|sha256|hash|etag"
    "|lang code|tts|tts voice|voice id|sprite|sprites|avatar|icon|banner|wallpaper|background image|sort order"
    "|status code|http status|编号|序号|角色编号|人物编号|角色id|用户id|唯一标识|标识|标识符|是否公开|公开|可见性"
    "|是否可见|是否启用|启用|是否删除|创建时间|创建日期|更新时间|更新日期|修改时间|上传时间|文件名|文件路径"
    "|文件大小|图片|图片链接|头像|头像链接|头像文件|链接|网址|标签|版本|版本号|数据来源|评分|得分|分数|打分|点赞数"
    "|点赞|收藏数|浏览量|下载量|热度|对话数|消息数|字数|预测标签|预测|预测结果|标注|标注人|标注员|真实标签|正确答案"
    "|数据集|数据类型|角色类型|类型编号|语言代码|排序|优先级|审核状态|发布状态|識別子|キャラid|作成日|作成日時"
    "|更新日|更新日時|公開設定|公開範囲|公開状態|ファイル名|画像|画像url|アイコン|タグ|バージョン|評価点|スコア"
    "|いいね数|閲覧数|ダウンロード数|予測ラベル|正解ラベル|並び順|식별자|고유번호|캐릭터 id|생성일|생성일시"
    "|생성 시간|수정일|수정일시|업데이트|공개 여부|공개 범위|공개 상태|파일명|파일 이름|파일 경로|이미지|아이콘"
    "|아바타|태그|버전|평점|점수|좋아요 수|조회수|다운로드 수|예측 라벨|정답 라벨|정렬 순서"
)
"""Names that are bookkeeping in any file."""
_PROGRAM_WORDS = folded(
    "id|ids|uid|uuid|guid|url|urls|uri|href|path|file|filename|filepath|dir|hash|md5|sha|sha1|sha256|checksum|etag"
    "|enabled|disabled|visible|visibility|copyable|hidden|deleted|archived|published|pinned|locked|nsfw|sfw|upvotes"
    "|downvotes|votes|count|counts|num|number|total|rating|ratings|score|scores|timestamp|created|updated|modified"
    "|interactions|views|downloads|followers|tokens|version|versions|schema|spec|encoding|mime|config|configs"
    "|settings|options|params|parameters|provider|plugin|plugins|client|clients|endpoint|host|port|locale|culture"
    "|sprite|sprites|avatar|avatars|icon|icons|image|images|img|thumbnail|thumbnails|banner|wallpaper|tts"
    "|temperature|seed|extension|extensions|metadata|label|labels|gold|pred|predicted|prediction|predictions"
    "|confidence|logit|logits|logprob|prob|probability|split|fold|annotator|annotators|annotation|annotations|flag"
    "|flags|index|idx|sort|status|json|xml|html|css|markdown|template|templates|prompt|prompts|embedding|vector"
    "|embeddings|api|model|models|dataset|batch|job|queue|cache|debug|log|logs|raw|internal|deprecated|db|table|row"
    "|column"
)  # fmt: skip
"""Words that only a program puts into a field's name, where the name is spelled as an identifier."""
_FLAG_WORDS = folded("is|has|can|allow|allows|use|uses|enable|disable|show|hide|should|was|needs")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IDENTIFIER = re.compile(
    r"[A-Za-z][A-Za-z0-9]*(?:_+[A-Za-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]*)+|[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)+"
)
_VALUES = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?=\d*[a-fA-F])[0-9a-fA-F]{16,128}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?|1[5-9]\d{8}(?:\d{3})?(?:\.\d+)?"
    r"|[\w./\\ -]{1,80}\.(?:png|jpe?g|webp|gif|bmp|svg|json|jsonl|ya?ml|txt|csv|mp3|wav|ogg|mp4|zip"
    r"|charx|safetensors|gguf|html?|pdf)"
    r"|(?i:true|false)"
)
_KINDS = folded(
    "character|characters|char|npc|bot|boostyle|w++|wpp|sbf|attributes|text|plain|avatar|persona|chub|tavern|card"
    "|assistant|system|role|user|public|private|ok|success|draft|active"
)
"""Values by which programs say what kind of record this is."""
_LOCALE = re.compile("[a-z]{2}(?:[-_][A-Za-z]{2})?")
_RECORD_ONLY = folded("kind|type|object|class|status|visibility|state|result|culture|locale")


def is_bookkeeping(key: str, value: Value) -> bool:
    """Whether a field of a record (not of a text) is about the record."""
    named, says_kind, is_flag, known = _told_by_name(key)
    if named:
        return True
    if isinstance(value, str):
        text = value.strip()
        if says_kind and (text.casefold() in _KINDS or _LOCALE.fullmatch(text)):
            return True
        if is_flag and text.casefold() in ("0", "1", "true", "false"):
            return True
        return not known and is_program_value(text) and text.casefold() not in ("true", "false")
    return is_flag and (isinstance(value, bool) or value in (0, 1))


@lru_cache(maxsize=8192)
def _told_by_name(key: str) -> tuple[bool, bool, bool, bool]:
    """Whether a field is bookkeeping by its name, may say what kind of record this is, is a flag, or is known."""
    folded_key = fold_key(key)
    words = _words(key)
    flag = bool(words) and words[0] in _FLAG_WORDS and _IDENTIFIER.fullmatch(key.strip()) is not None
    named = is_bookkeeping_key(key) or folded_key in BOOKKEEPING_KEYS
    return named, folded_key in _RECORD_ONLY, flag, is_known(key)


@lru_cache(maxsize=8192)
def is_bookkeeping_key(key: str) -> bool:
    """Whether a field is never about the character, by its name alone."""
    folded = fold_key(key)
    if folded in FACT_KEYS or folded in NAME_KEYS:
        return False
    if folded in _ANYWHERE:
        return True
    if is_known(key) or not _IDENTIFIER.fullmatch(key.strip()):
        return False
    return any(word in _PROGRAM_WORDS for word in _words(key))


@lru_cache(maxsize=16384)
def is_program_value(value: str) -> bool:
    """Whether a value is one that programs write and nobody says: a UUID, a digest, a time stamp, a file name, ``true``."""
    return len(value) <= 128 and _VALUES.fullmatch(value) is not None


def _words(key: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(key)]
