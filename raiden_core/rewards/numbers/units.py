"""Units: words before which a numeral is a number, and which a blank may part from it."""

from __future__ import annotations

import re

from raiden_core.rewards.folding import SPACELESS


def alternatives(words: str) -> str:
    """A regex alternation of blank-separated words, longest first."""
    return "|".join(map(re.escape, sorted(set(words.split()), key=lambda word: (-len(word), word))))


# Spelled as folding leaves them.
HAN_UNITS = alternatives(
    "岁 才 年 月 日 号 天 周年 周 星期 礼拜 个 只 名 位 人 口 本 次 回 遍 元 块 毛 角 分 秒 点 时 小时 钟 刻 "
    "米 里 公里 公斤 斤 克 吨 升 度 层 楼 级 届 班 章 页 条 张 把 支 根 颗 粒 朵 棵 头 匹 台 辆 架 座 家 间 套 双 "
    "对 副 件 枚 幅 首 部 篇 句 字 笔 代 世 倍 折 成 割 户 所 场 门 面 道 片 段 杯 瓶 碗 盘 袋 箱 盒 包 束 排 队 "
    "组 群 种 类 员 期 卷 集 辈 夜 晚 厘米 毫米 平方 英里 英尺 美元 日元 韩元 % 圆 円 钱 つ 册 阶 羽 轩 足 着 "
    "番 ヶ か月 ヵ カ月 ケ月 キロ メートル センチ グラム ドル 话 通 丁目 步 泊 艘 尾 目 "
    "学期 学年 年级 世纪 幕 站 路 船 车 顿 串 栋 扇 盏 滴 项 阵 股 男 女 兄 弟 姐 妹 "
    "周岁 公分 公尺 公厘 千克 毫克 毛钱 块钱 人民币 英镑 欧元 韩元 にん ひき びき ぴき インチ フィート "
    "マイル トン ポンド ミリ パーセント ウォン ユーロ 磅 英寸"
)
KOREAN_UNITS = (
    "살|세기|세|명|개월|개|번째|번|년|월|일|시간|시|분|초|원|마리|권|병|잔|대|층|호|학년|반|주일|주|달|인|킬로|미터|"
    "센티|그램|도|퍼센트|프로|가지|송이|그루|벌|켤레|채|척|자루|장|통|줄|쪽|페이지|회|차|위|등|점|남매|형제|자매|식구|"
    "사람|곳|군데|해|평|리|째|남|녀|조각|그릇|끼|편|달러|엔|위안"
)
LATIN_UNITS = (
    "years?|yrs?|months?|weeks?|days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|kgs?|g|mg|km|m|cm|mm|ml|l|mph|ft|in|"
    "lbs?|oz|am|pm|o'clock|yo|met(?:er|re)s?|kilomet(?:er|re)s?|miles?|feet|foot|inch(?:es)?|dollars?|euros?|pounds?|"
    "yen|yuan|won|people|persons?|times|percent|degrees?|k|usd|rmb|gb|mb|hz|fps|px"
)
WORD = f"[^\\W_{SPACELESS}]"
"""A letter or digit of a script that sets words apart."""

HAN_UNIT = re.compile(HAN_UNITS)
KOREAN_UNIT = re.compile(f"( ?)({KOREAN_UNITS})")
SUFFIX = re.compile(f"st|nd|rd|th|{LATIN_UNITS}")
"""What may be glued to digits without making them a word, as in 17th and 5km."""
UNIT_AFTER = re.compile(f" ?(?:{HAN_UNITS}|{KOREAN_UNITS}|(?:{LATIN_UNITS})(?!{WORD}))")
"""A unit, with the blank that may stand before it."""
