"""``raiden profiles``: objects on standard output, problems on standard error, and an exit code."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from raiden_core.cli.profiles import profiles
from raiden_core.errors import DataError


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    rows = [
        {"name": "林晚秋", "description": "姓名: 林晚秋\n职业: 老师\n年龄: 34岁"},
        {"name": "[bold]Ann[/]\x1b[2J", "description": "Hello {{user}}, a doctor."},
        {"name": "林晚秋", "description": "另一个人。"},
        {"background": "Née à Lyon, elle est médecin et aime le thé."},
        {"x": 1},
    ]
    path = tmp_path / "cards.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_json_lines_and_problems(cards: Path) -> None:
    done = CliRunner().invoke(profiles, [str(cards), "--json"])
    assert done.exit_code == 0
    assert "林晚秋" in done.stdout
    escaped = CliRunner().invoke(profiles, [str(cards), "--json", "--ascii"]).stdout
    assert escaped.isascii() and list(map(json.loads, escaped.splitlines())) == [
        json.loads(line) for line in done.stdout.splitlines()
    ]
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    assert [o["row"] for o in objects] == [1, 2, 3, 4]
    assert objects[0] == {
        "name": "林晚秋",
        "language": "zh",
        "profile": {"姓名": "林晚秋", "职业": "老师", "年龄": "34岁"},
        "facts": [
            {"attribute": "职业", "value": "老师", "about": None},
            {"attribute": "年龄", "value": "34岁", "about": None},
        ],
        "text": "姓名: 林晚秋\n职业: 老师\n年龄: 34岁",
        "source": str(cards),
        "row": 1,
    }
    assert objects[1]["text"] == "Hello {{user}}, a doctor."
    assert objects[1]["profile"]["Description"] == "Hello the user, a doctor."
    assert objects[3]["name"] is None
    lines = done.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == ["refused", "warning", "warning", "warning"]
    assert f"{cards}: row 5: " in lines[0]


def test_the_table_shows_names_as_text(cards: Path) -> None:
    done = CliRunner().invoke(profiles, [str(cards)], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert "[bold]Ann[/]" in done.stdout, "markup in a name is no markup"
    assert "\x1b[2J" not in done.stdout
    assert "林晚秋 (2)" in done.stdout
    assert "4 read, 1 refused, 3 warnings" in done.stdout
    assert "row 5" in done.stdout


def test_nothing_read_is_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    for options in ([], ["--json"]):
        done = CliRunner().invoke(profiles, [str(tmp_path / "a.json"), *options])
        assert done.exit_code == 1
        assert "broken JSON" in done.output


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(profiles, [str(tmp_path / "none.json")])
    assert isinstance(done.exception, DataError)


def test_no_file_is_wrong_usage() -> None:
    assert CliRunner().invoke(profiles, []).exit_code == 2


def test_sentences_are_shown_where_they_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"name": "Ann", "description": "She works as a nurse. She hums."}), encoding="utf-8")
    done = CliRunner().invoke(profiles, [str(path), "--json", "--sentences"])
    (shown,) = map(json.loads, done.stdout.splitlines())
    assert shown["facts"] == [{"attribute": "Occupation", "value": "nurse", "about": None}]
    assert shown["sentences_left"] == ["She hums."]
    assert CliRunner().invoke(profiles, [str(path), "--sentences"]).exit_code == 2
