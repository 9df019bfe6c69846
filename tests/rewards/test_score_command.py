"""``raiden score``: one line in, one line out, whatever the line holds."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from raiden_core.cli.score import score
from tests.support.tables import table

GOOD = {
    "id": "a",
    "keywords": ["长沙"],
    "answer": "我家在长沙。",
    "completion": "<think>想</think><answer>长沙。</answer>",
}


def run(path: Path | str, *options: str, text: bytes | None = None) -> Result:
    return CliRunner().invoke(score, [str(path), *options], input=text)


def lines(*rows: object) -> bytes:
    return b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows)


def test_every_line_that_is_not_blank_gets_one_in_order(tmp_path: Path) -> None:
    path = tmp_path / "completions.jsonl"
    path.write_bytes(
        lines(GOOD, b"\n  \n", {**GOOD, "id": "b", "completion": "我不住长沙"}, {**GOOD, "id": 3, "completion": None})
    )
    result = run(path)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert "长沙" in result.stdout
    escaped = run(path, "--ascii").stdout
    assert escaped.isascii() and [json.loads(line) for line in escaped.splitlines()] == rows
    assert rows[0] == {"id": "a", "accuracy": 1.0, "format": 1.0, "total": 1.0, "matched": ["长沙"], "why": "right"}
    assert [(row["id"], row["accuracy"], row["format"]) for row in rows] == [("a", 1, 1), ("b", 0, 0), (3, 0, 0)]
    assert result.stderr == ""


@table(
    ("line", "reason"),
    [
        (b"{broken\n", "broken JSON"),
        (b"\xff\xfe\n", "not UTF-8"),
        (b"[1]\n", "not a JSON object"),
        (b'{"keywords": ["x"]}\n', "completion is missing"),
        (b'{"keywords": [], "completion": "x"}\n', "no keywords"),
        (b'{"completion": "x"}\n', "keywords is missing"),
        (b'{"validator": {"all_of": []}, "completion": "x"}\n', "empty"),
        (b'{"keywords": "x", "completion": "x"}\n', "not a list"),
        (b'{"id": NaN, "keywords": ["x"], "completion": "x"}\n', "NaN is no JSON"),
        (b"[" * 100_000 + b"\n", "broken JSON"),
        (b'{"keywords": ["x"], "completion": "x", "n": ' + b"1" * 5000 + b"}\n", "broken JSON"),
    ],
)
def test_a_line_that_cannot_be_scored_gets_zeros_and_the_exit_code_1(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "completions.jsonl"
    path.write_bytes(lines(GOOD, line, GOOD))
    result = run(path)
    assert result.exit_code == 1
    rows = [json.loads(row) for row in result.stdout.splitlines()]
    assert [row["total"] for row in rows] == [1.0, 0.0, 1.0]
    assert reason in rows[1]["why"]
    assert f"{path}: line 2: " in result.stderr


def test_a_line_that_is_not_utf_8_keeps_its_id() -> None:
    result = run("-", text=b'{"id": "q7", "keywords": ["x"], "completion": "x \xff"}\n')
    assert result.exit_code == 1
    row = json.loads(result.stdout)
    assert (row["id"], row["total"], "not UTF-8 at byte" in row["why"]) == ("q7", 0.0, True)


@pytest.mark.parametrize("completion", [None, 7, True, {}, [], ["x"], [{"role": "assistant", "content": None}]])
def test_a_completion_that_is_no_text_is_scored_0_with_a_reason(completion: object) -> None:
    result = run("-", text=lines({**GOOD, "completion": completion}))
    assert (result.exit_code, result.stderr) == (0, "")
    row = json.loads(result.stdout)
    assert (row["id"], row["accuracy"], row["format"], row["total"], row["matched"]) == ("a", 0.0, 0.0, 0.0, [])
    assert "no text" in row["why"]


def test_a_null_reference_is_none() -> None:
    assert run("-", text=lines({**GOOD, "answer": None})).stderr == ""


def test_a_reference_that_fails_is_reported_and_its_score_stands(tmp_path: Path) -> None:
    path = tmp_path / "completions.jsonl"
    path.write_bytes(lines({**GOOD, "answer": "我家在北京。"}))
    result = run(path)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["total"] == 1.0
    assert f"{path}: line 1: answer: the reference fails" in result.stderr


def test_standard_input_settings_and_a_byte_order_mark() -> None:
    bare = {**GOOD, "completion": "想</think><answer>长沙。</answer>"}
    result = run("-", "--prefilled-think", "--accuracy-weight", "1", text=b"\xef\xbb\xbf" + lines(bare))
    assert json.loads(result.stdout)["total"] == pytest.approx(1.3)
    two = {"validator": {"all_of": [["长沙"], ["医生"]]}, "completion": "长沙"}
    assert json.loads(run("-", "--partial-credit", text=lines(two)).stdout)["accuracy"] == 0.5
    assert (
        json.loads(run("-", "--min-length-bound", "1", text=lines({**GOOD, "answer": None})).stdout)["accuracy"] == 0.0
    )


def test_summary_prints_a_table_instead(tmp_path: Path) -> None:
    path = tmp_path / "completions.jsonl"
    path.write_bytes(lines(GOOD, {**GOOD, "completion": "?"}))
    result = run(path, "--summary")
    assert result.exit_code == 0
    assert "mean accuracy" in result.stdout and "0.5000" in result.stdout and "{" not in result.stdout


def test_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    assert run(tmp_path / "none.jsonl").exit_code == 2
