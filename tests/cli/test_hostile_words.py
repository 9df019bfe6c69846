"""What strangers wrote reaches a terminal as text: no message moves the cursor or turns its line around."""

import json
from pathlib import Path

import pytest

from raiden_core.cli.group import COMMANDS, build, run

EVIL = "\x1b[2Jx\u202etxt.\u2028z\x9b"
CONTROLS = set("\x1b\u202e\u2028\x9b")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["profiles", "{evil}.yaml"], 1),
        (["split", "{evil}.json", "--out", "{here}/out"], 1),
        (["plan", "{here}/config.yaml"], 2),
        (["doctor", "{here}/config.yaml"], 2),
        (["generate", "--set", f"a{EVIL}=1", "--output-file", "{here}/x.json"], 2),
        (["score", "{here}/rows.jsonl"], 1),
        (["profiles", "{here}/names.json"], 0),
        (["compare", "{evil}"], 1),
        ([EVIL], 2),
    ],
    ids=["profiles", "split", "plan", "doctor", "generate", "score", "names", "compare", "command"],
)
def test_a_message_holds_no_control_character(
    arguments: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.yaml").write_text(f'"{EVIL.encode("unicode_escape").decode()}": 1\n')
    (tmp_path / "rows.jsonl").write_text(json.dumps({"completion": "x", "keywords": [EVIL], "validator": {EVIL: 1}}))
    (tmp_path / "names.json").write_text(json.dumps([{"name": f"Ann {EVIL}", "home": EVIL}, {EVIL: []}]))
    given = [one.format(evil=tmp_path / EVIL, here=tmp_path) for one in arguments]
    assert run(build(COMMANDS, ""), given) == code
    said = capsys.readouterr()
    assert (said.err + said.out).strip() and not CONTROLS & set(said.err + said.out)
