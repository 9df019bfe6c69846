"""Words that say nothing: as a value they are no fact, as a keyword they stand in any answer."""

from __future__ import annotations

_GENERIC_WORDS = """
是 否 有 无 無 没有 未知 不详 不明 保密 暂无 不限 其他 略 同上 秘密 普通 一般 正常 的 了 人 事 物
yes no none n/a na n.a unknown secret various other others normal average tbd nothing someone something any all null nil
は い はい いいえ なし 無し あり 特になし その他 있음 없음 없다 있다 미상 모름 비밀 기타 보통 예 아니오 네 - — / ? …
"""


GENERIC = frozenset(_GENERIC_WORDS.split())
"""Values that say nothing, or that stand in any answer."""
