"""The characters that ship with raiden keep the format that their README promises.

Each test looks at every file and collects what is amiss, so that one run tells an author everything there is to mend.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

import raiden_core
from raiden_core.characters.facts import facts_of_text
from raiden_core.characters.language import detect_language
from tests.support.tables import table

SHIPPED = Path(raiden_core.__file__).parent / "characters" / "shipped"
AT_LEAST = {"zh": 16, "en": 12, "ja": 6, "ko": 6}
NAME_KEY = {"zh": "姓名", "en": "Name", "ja": "名前", "ko": "이름"}
OCCUPATION_KEY = {"zh": "职业", "en": "Occupation", "ja": "職業", "ko": "직업"}
DESCRIPTION_KEY = {"zh": "简介", "en": "Description", "ja": "紹介", "ko": "소개"}
LONGEST_VALUE = {"zh": 40, "en": 60, "ja": 40, "ko": 40}
DESCRIPTION_LENGTH = {"zh": (120, 280), "en": (75, 135), "ja": (120, 280), "ko": (120, 330)}
"""Characters; words in English."""
SCRIPT = {"zh": r"[\u4e00-\u9fff]", "en": r"[A-Za-z]", "ja": r"[\u3040-\u30ff]", "ko": r"[\uac00-\ud7a3]"}
"""What a description of that language is full of, and one of another language is not."""

FILES = sorted(SHIPPED.glob("*/*.yaml"))


def load(path: Path) -> dict[str, str]:
    profile = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(profile, dict), f"{path}: not a mapping"
    return profile


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def facts(language: str, profile: dict[str, str]) -> dict[str, str]:
    outside = (NAME_KEY[language], DESCRIPTION_KEY[language])
    return {key: value for key, value in profile.items() if key not in outside}


def test_every_language_has_enough_characters() -> None:
    counts = Counter(path.parent.name for path in FILES)
    assert set(counts) == set(AT_LEAST)
    assert {language: counts[language] for language in AT_LEAST if counts[language] < AT_LEAST[language]} == {}


def test_the_folders_hold_nothing_but_characters() -> None:
    strays = [str(path) for path in SHIPPED.rglob("*") if path.is_file() and path not in FILES]
    assert strays == [str(SHIPPED / "README.md")]


@table("path", FILES, ids=label)
def test_a_file_keeps_the_format(path: Path) -> None:
    language = path.parent.name
    source = path.read_text(encoding="utf-8")
    profile = load(path)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*\.yaml", path.name)
    assert "\t" not in source and "\r" not in source and source.endswith("\n") and not source.endswith("\n\n")
    assert [key for key, value in profile.items() if not isinstance(key, str) or not isinstance(value, str)] == []
    assert [key for key, value in profile.items() if not value.strip() or value != value.strip()] == []
    assert [key for key in profile if ":" in key or "：" in key or key != key.strip()] == []
    # A key written twice would silently win over the first.
    assert len(re.findall(r"(?m)^[^\s#]", source)) == len(profile)
    assert next(iter(profile)) == NAME_KEY[language]
    assert list(profile)[-1] == DESCRIPTION_KEY[language]
    assert OCCUPATION_KEY[language] in profile
    found = facts(language, profile)
    assert len(found) >= 10
    assert {key: value for key, value in found.items() if len(value) > LONGEST_VALUE[language] or "\n" in value} == {}
    assert len(set(found.values())) == len(found), "two facts with one value cannot be told apart"


@table("path", FILES, ids=label)
def test_a_description_is_one_paragraph_of_the_right_length_and_language(path: Path) -> None:
    language = path.parent.name
    description = load(path)[DESCRIPTION_KEY[language]]
    low, high = DESCRIPTION_LENGTH[language]
    length = len(description.split()) if language == "en" else len(description)
    assert low <= length <= high
    assert 4 <= len(re.findall(r"[。！？.!?][”」\"]?(?=\s|$|[^\s”」\"])", description)) <= 8
    assert "\n" not in description
    # A folded line of Chinese or Japanese leaves a space behind.
    assert language not in ("zh", "ja") or " " not in description
    assert len(re.findall(SCRIPT[language], description)) > len(description) * 0.35
    assert not re.search(r"[:：]", description), "a colon makes the line look like a fact"


@table("path", FILES, ids=label)
def test_a_file_means_to_the_reader_what_it_means_to_its_author(path: Path) -> None:
    profile = load(path)
    text = "\n".join(f"{key}: {value}" for key, value in profile.items())
    # A key that the reader takes for another name or for prose (本名, 背景) would be lost as a fact.
    assert list(facts_of_text(text).items()) == list(facts(path.parent.name, profile).items())
    assert detect_language(text) == path.parent.name


def test_names_are_unique() -> None:
    names = Counter(load(path)[NAME_KEY[path.parent.name]] for path in FILES)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("language", AT_LEAST)
def test_no_two_characters_of_a_language_share_a_trade_or_the_wording_of_a_detail(language: str) -> None:
    profiles = [load(path) for path in FILES if path.parent.name == language]
    trades = Counter(profile[OCCUPATION_KEY[language]] for profile in profiles)
    assert [trade for trade, count in trades.items() if count > 1] == []
    # Gender, age or a town may recur; a sentence's worth of detail that recurs was copied and forgotten.
    details = Counter(value for profile in profiles for value in facts(language, profile).values() if len(value) > 8)
    assert [detail for detail, count in details.items() if count > 1] == []
