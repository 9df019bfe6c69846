"""Secrets and embedded images reach no profile, and the warning names their field, never the value."""

import json
from dataclasses import astuple
from pathlib import Path

import pytest

from raiden_core.characters import read_characters
from tests.support.tables import table

VALUE = "x9Secret77"
SECRETS: list[tuple[str, str]] = [
    ("api_key", VALUE),
    ("apiKey", VALUE),
    ("OPENAI_API_KEY", VALUE),
    ("discord token", VALUE),
    ("Password", VALUE),
    ("login_password", VALUE),
    ("client-secret", VALUE),
    ("密码", VALUE),
    ("API密钥", VALUE),
    ("パスワード", VALUE),
    ("APIキー", VALUE),
    ("비밀번호", VALUE),
    ("token", "abcd1234efgh5678"),
    ("notes", f"sk-{VALUE}"),
    ("notes", f"ghp_{VALUE}abcdef"),
    ("notes", "AKIA" + "IOSFODNN7EXAMPLE"),
    ("notes", f"Bearer {VALUE}abc"),
    ("notes", f"eyJhbGciOiJI.eyJzdWIi.{VALUE}"),
    ("notes", f"postgres://mara:{VALUE}@db.example/app"),
    ("notes", f"xoxb-123456-{VALUE}"),
    ("notes", f"hf_{VALUE}abc"),
]


@table(("key", "value"), SECRETS)
@table("form", ["json", "nested", "text", "csv", "card", "json in a description"])
def test_a_secret_is_left_out_everywhere(tmp_path: Path, key: str, value: str, form: str) -> None:
    lines = f"Name: Mara\nJob: baker\n{key}: {value}\nTown: Tarn\n"
    inner = json.dumps({"job": "baker", "town": "Tarn", key: value}, ensure_ascii=False)
    files = {
        "json": ("a.json", json.dumps({"name": "Mara", "job": "baker", key: value})),
        "nested": ("a.json", json.dumps({"name": "Mara", "job": "baker", "settings": {"secrets": {key: value}}})),
        "text": ("a.txt", lines),
        "csv": ("a.csv", f"name,job,{key}\nMara,baker,{value}\n"),
        "card": (
            "a.json",
            json.dumps(
                {
                    "spec": "chara_card_v2",
                    "data": {"name": "Mara", "description": lines, "system_prompt": f"{key}: {value}"},
                }
            ),
        ),
        "json in a description": ("a.json", json.dumps({"name": "Mara", "description": inner})),
    }
    name, content = files[form]
    (tmp_path / name).write_text(content, encoding="utf-8")
    result = read_characters([tmp_path / name])
    (mara,) = result.characters
    shown = json.dumps(astuple(mara), ensure_ascii=False) + " ".join(map(str, result.warnings))
    assert value not in shown
    assert value.split("_")[-1].split(".")[-1].split(" ")[-1] not in shown
    assert mara.facts.get("job", mara.facts.get("Job")) == "baker"
    assert any("secret" in warning.reason for warning in result.warnings)


@table(
    ("key", "value"),
    [
        ("secret", "She is the queen's daughter"),
        ("秘密", "会做饭"),
        ("token", "a brass coin"),
        ("key", "C major"),
        ("키", "170cm"),
        ("compass", "old"),
        ("hobby", "monkey-watching"),
        ("skills", "sk-ate boards"),
    ],
)
def test_a_character_may_have_a_secret(tmp_path: Path, key: str, value: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"name": "Mara", key: value, "age": "29"}), encoding="utf-8")
    result = read_characters([tmp_path / "a.json"])
    assert result.characters[0].profile[key] == value
    assert not [warning for warning in result.warnings if "secret" in warning.reason]


PIXELS = "iVBORw0KGgo" + "A" * 400
IMAGES = [
    f"![portrait](data:image/png;base64,{PIXELS})\nAge: 29\nJob: baker\n",
    f'<img src="data:image/png;base64,{PIXELS}"><br>Age: 29<br>Job: baker',
    f"Age: 29\nPortrait: data:image/png;base64,{PIXELS}\nJob: baker\n",
    f"Age: 29\nJob: baker\n{PIXELS}\n",
]


@pytest.mark.parametrize("text", IMAGES)
def test_an_embedded_image_is_left_out_with_a_warning(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"name": "Mara", "description": text}), encoding="utf-8")
    result = read_characters([tmp_path / "a.json"])
    (mara,) = result.characters
    assert "iVBOR" not in json.dumps(astuple(mara))
    assert (mara.language, mara.facts) == ("en", {"Age": "29", "Job": "baker"})
    assert [("description" in warning.reason, "image" in warning.reason) for warning in result.warnings] == [
        (True, True)
    ]
