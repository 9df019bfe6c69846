"""Encodings are told from the bytes: byte order marks, UTF-8, and the legacy encodings of four languages."""

import json
from pathlib import Path

import pytest

from raiden_core.characters import read_characters
from raiden_core.characters.encoding import decode
from raiden_core.characters.rows import Unreadable
from tests.support.tables import table

SIMPLIFIED = (
    "姓名：林晚秋\n性别：女\n职业：中学历史老师\n简介：她在长沙长大，大学毕业后回到母校教书，周末常去江边写生。"
)
TRADITIONAL = (
    "姓名：林晚秋\n性別：女\n職業：中學歷史老師\n簡介：她在臺北長大，大學畢業後回到母校教書，週末常去河邊寫生。"
)
JAPANESE = "名前：水野さくら\n性別：女性\n職業：パン職人\n紹介：港町で小さなパン屋を営んでいる。朝は四時に起きる。"
JAPANESE_SHORT = "名前：田中\n職業：医者です"
KOREAN = "이름: 김하늘\n성별: 여자\n직업: 등대지기\n소개: 섬에서 혼자 살며 매일 밤 등대를 켠다."
WESTERN = (
    "Name: Zoë Müller\nJob: café owner\nIntroduction: A “brave” and naïve señora – she can’t stop singing; it costs 5€."
)
CASES = [
    (text, encoding)
    for text, encodings in (
        (SIMPLIFIED, ("utf-8", "utf-8-sig", "gbk", "gb18030", "gb2312", "utf-16", "utf-16-le", "utf-16-be", "utf-32")),
        (TRADITIONAL, ("utf-8", "big5", "gb18030", "utf-16-le")),
        (JAPANESE, ("utf-8", "cp932", "shift_jis", "euc_jp", "utf-16", "utf-16-be")),
        (JAPANESE_SHORT, ("cp932",)),
        (KOREAN, ("utf-8", "cp949", "euc_kr", "utf-16-le")),
        (WESTERN, ("utf-8", "cp1252", "utf-16")),
    )
    for encoding in encodings
]


@table(("text", "encoding"), CASES)
@table("times", [1, 800])
def test_text_comes_back_as_it_was_written(text: str, encoding: str, times: int) -> None:
    """Also where the file is far longer than the sample that is looked at, and the sample ends amid a character."""
    written = "\n".join([text] * times)
    assert decode(written.encode(encoding)) == written


def test_ascii_first_and_the_telling_bytes_far_behind() -> None:
    text = "Name: plain\n" * 20_000 + SIMPLIFIED
    assert decode(text.encode("gbk")) == text


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 4, "not a text file"),
        (SIMPLIFIED.encode("utf-16")[:-1], "does not fit"),
        (b"\xef\xbb\xbfabc\xff", "byte 3"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, word: str) -> None:
    with pytest.raises(Unreadable, match=word):
        decode(data)


@table("encoding", ["gbk", "utf-16", "utf-8-sig", "utf-16-le"])
@table("suffix", [".jsonl", ".json", ".csv", ".yaml", ".txt"])
def test_every_text_format_in_other_encodings(tmp_path: Path, suffix: str, encoding: str) -> None:
    record = {"姓名": "林晚秋", "职业": "中学历史老师", "简介": "她在长沙长大，回到母校教书。"}
    text = {
        ".jsonl": json.dumps(record, ensure_ascii=False) + "\n",
        ".json": json.dumps([record], ensure_ascii=False),
        ".csv": ",".join(record) + "\r\n" + ",".join(record.values()) + "\r\n",
        ".yaml": "\n".join(f"{key}: {value}" for key, value in record.items()),
        ".txt": "\r\n".join(f"{key}：{value}" for key, value in record.items()),
    }[suffix]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(text.encode(encoding))
    result = read_characters([path])
    assert [(c.name, c.facts) for c in result.characters] == [("林晚秋", {"职业": "中学历史老师"})], result.refused
