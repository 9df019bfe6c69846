"""The data contract: files go out and come back the same, and errors name row and field."""

import json
from pathlib import Path

import pytest

from raiden_core.errors import DataError
from raiden_core.samples import (
    _LATER,
    Sample,
    Validator,
    _loads,
    parse_sample,
    read_samples,
    sample_id,
    table_row,
    write_samples,
)
from raiden_core.text.dates import dates_as_text
from tests.support.tables import table

GUIDE = {
    "character_name": "林晓",
    "character_profile": {"Name": "林晓", "Age": "三十", "Home": "长沙"},
    "question": "你住在哪里？",
    "answer": "我住在长沙。",
    "keywords": ["长沙"],
}
FULL = GUIDE | {
    "conversation_history": [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "你好！\n“嗨”"}],
    "dimension": "CM",
    "question_type": "where",
    "validation_method": "multi_term_parsing",
    "validator": {"all_of": [["长沙", "星城"]], "none_of": ["株洲"], "min_groups": 1},
    "difficulty": "hard",
    "reasoning": "想",
    "language": "zh",
    "metadata": {"z": 1, "a": {"b": [1, 2.5, None, True]}},
}


def samples() -> list[Sample]:
    other = {"character_name": "Ann", "character_profile": {"Job": "baker", "Name": "Ann"}, "language": "en"}
    return [Sample.model_validate(row) for row in (GUIDE, FULL, GUIDE | other)]


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet"])
def test_samples_come_back_as_they_were(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"samples{suffix}"
    write_samples(path, samples())
    back = read_samples(path)
    assert back == samples()
    assert [list(one.character_profile) for one in back] == [list(one.character_profile) for one in samples()]
    assert [one.id for one in back] == [sample_id(one) for one in samples()]


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet"])
def test_samples_without_any_history_come_back_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"samples{suffix}"
    write_samples(path, samples()[:1])
    assert read_samples(path) == samples()[:1]


def test_an_id_is_what_it_was_for_everybody() -> None:
    # The digits are fixed: files and results elsewhere are joined by them.
    assert Sample.model_validate(GUIDE).id == "cebbeb48056d52e1"
    assert Sample.model_validate(FULL).id != Sample.model_validate(GUIDE).id


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"answer": "x", "keywords": ["y"], "reasoning": "z", "difficulty": "easy", "metadata": {"a": 1}}, True),
        ({"character_profile": json.dumps(GUIDE["character_profile"])}, True),
        ({"question": "你住在哪里"}, False),
        ({"character_name": "林"}, False),
        ({"character_profile": {"Name": "林晓", "Age": "三十", "Home": "武汉"}}, False),
        ({"conversation_history": [{"role": "user", "content": ""}]}, False),
    ],
)
def test_an_id_depends_on_name_profile_history_and_question_alone(change: dict[str, object], same: bool) -> None:
    assert (Sample.model_validate(GUIDE | change).id == Sample.model_validate(GUIDE).id) is same


def test_an_id_that_is_given_is_kept() -> None:
    assert Sample.model_validate(GUIDE | {"id": "q-1"}).id == "q-1"


def test_none_means_absent() -> None:
    nothing = dict.fromkeys(
        ["id", "conversation_history", "dimension", "validator", "difficulty", "reasoning", "language", "metadata"]
    )
    assert Sample.model_validate(GUIDE | nothing) == Sample.model_validate(GUIDE)


def test_objects_may_be_json_strings() -> None:
    strings = {key: json.dumps(FULL[key]) for key in ("character_profile", "validator", "metadata")}
    assert Sample.model_validate(FULL | strings) == Sample.model_validate(FULL)


def test_a_table_row_holds_free_keys_as_strings_in_their_order() -> None:
    row = table_row(Sample.model_validate(FULL))
    assert list(json.loads(row["character_profile"])) == ["Name", "Age", "Home"]
    assert json.loads(row["metadata"]) == FULL["metadata"]
    assert json.loads(row["validator"])["none_of"] == ["株洲"]
    assert table_row(Sample.model_validate(GUIDE))["validator"] is None


def test_unknown_fields_of_other_tools_are_ignored() -> None:
    assert Sample.model_validate(GUIDE | {"source_file": "x"}) == Sample.model_validate(GUIDE)


@table(
    ("change", "field"),
    [
        ({"question": None}, "question"),
        ({"question": ""}, "question"),
        ({"keywords": "长沙"}, "keywords"),
        ({"keywords": [1]}, "keywords.0"),
        ({"character_profile": "{broken"}, "character_profile"),
        ({"character_profile": "[1]"}, "character_profile"),
        ({"dimension": "XX"}, "dimension"),
        ({"conversation_history": [{"role": "bard", "content": "x"}]}, "conversation_history.0.role"),
        ({"validator": {"all_of": []}}, "validator.all_of"),
        ({"validator": {"all_of": [["a"], []]}}, "validator.all_of"),
        ({"validator": {"all_of": [["a"]], "min_groups": 2}}, "validator"),
        ({"validator": {"all_of": [["a"]], "any_of": []}}, "validator.any_of"),
    ],
)
def test_a_row_that_is_no_sample_is_named_with_its_field(tmp_path: Path, change: dict[str, object], field: str) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(json.dumps(GUIDE) + "\n\n" + json.dumps(GUIDE | change) + "\n", "utf-8")
    with pytest.raises(DataError) as caught:
        read_samples(path)
    assert str(caught.value).startswith(f"{path}: line 3: {field}: ")
    assert "\n" not in str(caught.value)


@table(
    ("name", "content", "words"),
    [
        ("a.json", b'{"question": 1}', "not a JSON array"),
        ("a.json", b'[\n{"a": 1},\n{"a" 2}]', "broken JSON at line 3, column 6"),
        ("a.json", b"[1]", "row 1: row: "),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.jsonl", b'{"a": \n', "line 1: broken JSON"),
        ("a.jsonl", b"\xff\xfe", "not UTF-8 at byte 0"),
        ("a.parquet", b"nothing of the kind", "not a readable Parquet file"),
        ("a.csv", b"a,b", "unknown kind of file"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_samples(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lines.json", "{0}\n{1}\n"),
        ("array.jsonl", "[{0}, {1}]"),
        ("array_lines.jsonl", "[\n{0},\n{1}\n]\n"),
        ("pretty.jsonl", "{2}\n{3}\n"),
        ("pretty.json", "{2}\n{3}\n"),
        ("pretty_array.jsonl", "[{2},\n{3}]"),
    ],
)
def test_samples_in_the_other_containers(tmp_path: Path, name: str, content: str) -> None:
    rows = [GUIDE, GUIDE | {"question": "Where?"}]
    text = content.format(*(json.dumps(row) for row in rows), *(json.dumps(row, indent=2) for row in rows))
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_samples(tmp_path / name) == [Sample.model_validate(row) for row in rows]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"keywords": "Beijing"}, "keywords: must be a list"),
        ({"character_profile": 3}, "character_profile: must be an object"),
        ({"question": ["x"]}, "question: must be a text"),
        ({"question": ""}, "question: must not be empty"),
        ({"answer": None}, "answer: is missing"),
    ],
)
def test_reasons_are_in_words_of_the_file(change: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse_sample(GUIDE | change, "a.json: row 1")


def test_a_missing_file_and_a_wrong_row_of_parquet_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_samples(tmp_path / "none.json")
    import pandas as pd

    path = tmp_path / "rows.parquet"
    row = table_row(Sample.model_validate(GUIDE))
    pd.DataFrame([row, row | {"dimension": "XX"}]).to_parquet(path)
    with pytest.raises(DataError, match="row 2: dimension"):
        read_samples(path)


def test_an_unknown_suffix_leaves_what_is_there_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("precious")
    with pytest.raises(DataError, match="unknown kind"):
        write_samples(path, samples())
    assert path.read_text() == "precious"


def test_a_validator_is_closed_and_frozen() -> None:
    validator = Validator.model_validate({"all_of": [["a"]]})
    with pytest.raises(ValueError, match="frozen"):
        validator.min_groups = 3


def test_dates_in_parquet_are_read_as_text(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    import pandas as pd

    path = tmp_path / "rows.parquet"
    row = {"character_name": "林", "character_profile": "{}", "question": "生日？", "answer": datetime(1990, 5, 17)}
    pd.DataFrame([{**row, "keywords": [datetime(1990, 5, 17), datetime(1990, 5, 17, 8, 30)]}]).to_parquet(path)
    read = read_samples(path)[0]
    assert (read.answer, list(read.keywords)) == ("1990-05-17", ["1990-05-17", "1990-05-17 08:30:00"])
    assert dates_as_text({"at": [datetime(2020, 1, 2, tzinfo=UTC)]}) == {"at": ["2020-01-02 00:00:00+00:00"]}


def test_a_validators_later_fields_are_written_where_they_differ_from_their_defaults() -> None:
    plain = {"all_of": [["x"]], "none_of": [], "min_groups": None}
    assert Validator.model_validate(plain).model_dump(mode="json") == plain
    later = {name: field.default for name, field in Validator.model_fields.items() if name not in plain}
    assert later == _LATER
    said = {
        "aside": [["y"]],
        "aside_limit": 3,
        "polarity": "denied",
        "about": "fear",
        "denied": [["z"]],
        "abstains": True,
    }
    assert Validator.model_validate(plain | said).model_dump(mode="json") == {**plain, **said}


@pytest.mark.parametrize(
    "text",
    ["1e400", "-0", "NaN", "-Infinity", "123456789012345678901234567890", r'"\ud800"', '"a\tb"', '{"a":1,"a":2}', "[1,]",
     "01", "-0.0", "1.", '"\x7f"', "nan", '{"a":1e-400}', "9007199254740993.0", r'"\ud83d\ude00"', '{"a":1} x', "",
     r'["\x"]', "[" * 3000 + "]" * 3000],
)  # fmt: skip
def test_json_is_read_as_pythons_own_reader_does(text: str) -> None:
    """The fast reader must neither take more, nor take anything otherwise."""
    try:
        wanted = repr(json.loads(text))
    except (ValueError, RecursionError):
        with pytest.raises(DataError, match="here: broken JSON"):
            _loads(text, "here")
    else:
        assert repr(_loads(text, "here")) == wanted
