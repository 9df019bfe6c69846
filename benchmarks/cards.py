"""Cards as the chat programs' own libraries read them, and as raiden does: field by field, and how fast.

    python -m benchmarks.cards                    # 300 cards compared, 1,000 timed; needs npm and a package registry
    python -m benchmarks.cards --cards 300 --timed 1000 --rounds 3

Installs `aichar` (PyPI), `@risuai/ccardlib` and `character-card-utils` (npm) into a temporary folder, none of which raiden
depends on, composes cards of V1, V2 and V3, and lets each library read those that it can. A field counts as read alike when
raiden's `Card` or profile holds the library's value, macros resolved and decorators taken off as the V3 specification says.
Processes are timed in turn, by the CPU time of reading alone (each says its own) and of the whole process.
Writes benchmarks/results/cards.json with the hardware.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "cards.json"
ROOT = Path(__file__).parents[1]
APART = {
    "creator_notes": "for whoever uses the card, no part of a prompt",
    "creator_notes_multilingual": "as creator_notes",
    "tags": "bookkeeping",
    "creator": "bookkeeping",
    "character_version": "bookkeeping",
    "extensions": "settings of one program",
    "assets": "pictures and sounds",
    "source": "bookkeeping",
    "creation_date": "bookkeeping",
    "modification_date": "bookkeeping",
    "character_book.name": "the specification bars it from prompts",
    "character_book.description": "the specification bars it from prompts",
    "character_book.extensions": "settings of one program",
    "entry.extensions": "settings of one program",
    "entry.id": "bookkeeping",
}
"""Fields that a library reads and raiden leaves out on purpose, and why."""

NODE = """
const fs = require('fs'), path = require('path');
const [,, name, folder, out] = process.argv;
const { CCardLib } = require('@risuai/ccardlib');
const utils = require('character-card-utils');
const read = {
  ccardlib: (card) => CCardLib.character.convert(card, { to: 'v3' }),
  utils: (card) => utils.parseToV2(card),
}[name];
const started = process.cpuUsage();
const found = {};
for (const file of fs.readdirSync(folder)) {
  if (!file.endsWith('.json') || (name === 'utils' && file.includes('v3'))) continue;
  found[file] = read(JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))).data;
}
const used = process.cpuUsage(started);
if (out) fs.writeFileSync(out, JSON.stringify(found));
console.log(JSON.stringify({ files: Object.keys(found).length, cpu: (used.user + used.system) / 1e6 }));
"""
AICHAR = """
import json, sys, time, pathlib
import aichar
folder, suffix, out = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else ''
load = aichar.load_character_json_file if suffix == '.json' else aichar.load_character_card_file
names = ('name', 'summary', 'personality', 'scenario', 'greeting_message', 'example_messages')
started, found = time.process_time(), {}
for path in sorted(folder.glob('*' + suffix)):
    if suffix == '.png' or 'v1' in path.name:
        card = load(str(path))
        found[path.name] = {name: getattr(card, name) for name in names}
used = time.process_time() - started
if out: pathlib.Path(out).write_text(json.dumps(found))
print(json.dumps({'files': len(found), 'cpu': used}))
"""
RAIDEN = """
import json, sys, time
from raiden_core.characters import read_characters
started = time.process_time()
result = read_characters([sys.argv[1] + '/*' + sys.argv[2]])
used = time.process_time() - started
print(json.dumps({'files': len(result.characters), 'cpu': used}))
"""


WORDS = (
    "harbour",
    "lantern",
    "copper",
    "orchard",
    "violin",
    "winter",
    "stone",
    "letter",
    "bridge",
    "garden",
    "market",
    "ledger",
)


def compose(number: int) -> tuple[str, dict[str, Any]]:
    """A card and its version."""
    rng = random.Random(f"card:{number}")
    words = WORDS

    def text(length: int) -> str:
        return " ".join(rng.choices(words, k=length)).capitalize() + "."

    name = f"{rng.choice(['Ilse', 'Orla', '林晚', '早川', '서윤'])} {rng.choice(['Brandt', 'Quill', 'Marsh'])} {number}"
    v1 = {
        "name": name,
        "description": f"{{{{char}}}} keeps a {rng.choice(words)}. {text(rng.randrange(20, 200))}\nAge: {rng.randrange(18, 80)}",
        "personality": text(6),
        "scenario": f"{{{{user}}}} meets {{{{char}}}} at the {rng.choice(words)}. {text(10)}",
        "first_mes": f"*{text(5)}* Good evening, {{{{user}}}}.",
        "mes_example": "".join(
            f"<START>\n{{{{user}}}}: {text(5)}\n{{{{char}}}}: {text(9)}\n" for _ in range(rng.randrange(3))
        ),
    }
    version = ("v1", "v2", "v3")[number % 3]
    if version == "v1":
        return version, v1
    book = {
        "name": "Lore", "description": "notes", "scan_depth": rng.randrange(1, 9), "token_budget": rng.randrange(100, 900),
        "recursive_scanning": rng.random() < 0.5, "extensions": {},
        "entries": [_entry(rng, text, version, place) for place in range(rng.randrange(12))],
    }  # fmt: skip
    data: dict[str, Any] = {
        **v1, "creator_notes": text(8), "system_prompt": f"{{{{original}}}} {text(6)}", "post_history_instructions": text(5),
        "alternate_greetings": [text(9) for _ in range(rng.randrange(4))], "character_book": book, "tags": ["one", "two"],
        "creator": "nobody", "character_version": "1.0", "extensions": {"depth": 4},
    }  # fmt: skip
    if version == "v3":
        data |= {"group_only_greetings": [text(5)], "nickname": name.split()[0], "source": ["https://example.org/1"],
                 "creation_date": 1_700_000_000, "modification_date": 0, "creator_notes_multilingual": {"de": "x"},
                 "assets": [{"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}]}  # fmt: skip
    return version, {"spec": f"chara_card_{version}", "spec_version": f"{version[1]}.0", "data": data}


def _entry(rng: random.Random, text: Callable[[int], str], version: str, place: int) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "keys": [text(1).rstrip("."), "{{char}}'s key"], "content": text(20), "extensions": {}, "enabled": rng.random() < 0.9,
        "insertion_order": rng.randrange(100), "case_sensitive": rng.random() < 0.3, "name": f"Entry {place}",
        "priority": rng.randrange(9), "id": place, "comment": f"Entry {place}", "selective": rng.random() < 0.5,
        "secondary_keys": [text(1).rstrip(".")], "constant": rng.random() < 0.2,
        "position": rng.choice(["before_char", "after_char"]),
    }  # fmt: skip
    if version == "v3":
        entry |= {"use_regex": rng.random() < 0.2, "content": f"@@depth {place}\n@@unknown x\n{entry['content']}"}
    return entry


def png_of(card: dict[str, Any]) -> bytes:
    """The card in a picture of a usual size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    width, height = 256, 384
    pixels = zlib.compress(b"".join(b"\0" + random.Random(row).randbytes(width) for row in range(height)))
    payload = base64.b64encode(json.dumps(card).encode())
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"tEXt", b"chara\0" + payload) + (
        chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )  # fmt: skip


def write_cards(folder: Path, count: int, pictures: bool) -> None:
    """Cards as files, V1 and V2 also as pictures."""
    folder.mkdir()
    for number in range(count):
        version, card = compose(number)
        (folder / f"{number:05d}_{version}.json").write_text(json.dumps(card, ensure_ascii=False), "utf-8")
        if pictures and version != "v3":
            (folder / f"{number:05d}_{version}.png").write_bytes(png_of(card))


def install(folder: Path) -> None:
    """The three libraries, into a folder of their own."""
    (folder / "package.json").write_text('{"private": true}', "utf-8")
    packages = ["@risuai/ccardlib", "character-card-utils"]
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", *packages], cwd=folder, check=True)
    command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "python"), "aichar"]
    subprocess.run(command, check=True)
    (folder / "read.cjs").write_text(NODE, "utf-8")


def commands(libraries: Path, cards: Path) -> dict[str, list[str]]:
    """Who reads what, as a command line that says CPU seconds."""
    return {
        "raiden json": [sys.executable, "-c", RAIDEN, str(cards), ".json"],
        "ccardlib json": ["node", str(libraries / "read.cjs"), "ccardlib", str(cards)],
        "character-card-utils json (V1, V2)": ["node", str(libraries / "read.cjs"), "utils", str(cards)],
        "aichar json (V1)": [sys.executable, "-c", AICHAR, str(cards), ".json"],
        "raiden png": [sys.executable, "-c", RAIDEN, str(cards), ".png"],
        "aichar png": [sys.executable, "-c", AICHAR, str(cards), ".png"],
    }


def run(command: list[str], libraries: Path) -> dict[str, float]:
    """What a process says of its reading, and its CPU seconds altogether."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{libraries / 'python'}", "PYTHONWARNINGS": "ignore"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=libraries, env=environment, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = json.loads(done.stdout.splitlines()[-1])
    return {"files": said["files"], "reading": round(said["cpu"], 3), "process": round(whole, 3)}


def compare(libraries: Path, cards: Path) -> dict[str, Any]:
    """How many fields of each library raiden reads alike, which it leaves out on purpose, and the others."""
    found: dict[str, Any] = {}
    for name, suffix in (("ccardlib", ".json"), ("utils", ".json"), ("aichar", ".json"), ("aichar", ".png")):
        out = libraries / "out.json"
        command = (
            [sys.executable, "-c", AICHAR, str(cards), suffix, str(out)]
            if name == "aichar"
            else ["node", str(libraries / "read.cjs"), name, str(cards), str(out)]
        )
        run(command, libraries)
        alike, apart, unread, different = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        for file, theirs in json.loads(out.read_text("utf-8")).items():
            for field, value, ours in pairs(theirs, cards / file):
                if field in APART:
                    apart[field] += 1
                else:
                    (alike if value == ours else unread if value in ("", []) else different)[field] += 1
        found[f"{name} {suffix}"] = {
            "alike": dict(alike),
            "left out on purpose": dict(apart),
            "different": dict(different),
        }
    return found


def pairs(theirs: dict[str, Any], path: Path) -> list[tuple[str, Any, Any]]:
    """Each field of a library's card, its value after macros, and what raiden has."""
    from raiden_core.cards.decorators import split_decorators
    from raiden_core.cards.macros import resolve
    from raiden_core.characters import read_characters
    from raiden_core.characters.card_parts import example_turns

    (character,) = read_characters([path]).characters
    card, name = character.card, character.name
    assert card is not None
    char = theirs.get("nickname") or name

    def said(value: Any) -> Any:
        if isinstance(value, list):
            return [said(item) for item in value]
        return resolve(value, char, character.language, name or "").strip() if isinstance(value, str) else value

    examples = [[turn.model_dump() for turn in turns] for turns in card.examples]
    known: dict[str, Any] = {
        "name": name, "nickname": char, "description": card.description, "summary": card.description,
        "personality": card.personality, "scenario": card.scenario, "first_mes": card.greetings[0],
        "greeting_message": card.greetings[0], "system_prompt": card.system_prompt,
        "alternate_greetings": list(card.greetings[1:]),
        "post_history_instructions": card.post_history_instructions, "group_only_greetings": list(card.group_only_greetings),
    }  # fmt: skip
    rows: list[tuple[str, Any, Any]] = []
    for field, value in theirs.items():
        if field in ("mes_example", "example_messages"):
            told = [
                [{"role": one.role, "content": said(one.content)} for one in turns]
                for turns in example_turns(value, char)
            ]
            rows.append((field, told, examples))
        elif field == "character_book" and value:
            rows += [
                (f"character_book.{key}", value[key], getattr(card.lorebook, key, None))
                for key in value
                if key != "entries"
            ]
            filled = [entry for entry in value["entries"] if entry["content"]]
            for entry, ours in zip(filled, card.lorebook.entries, strict=True):
                shown = {**ours.model_dump(), "comment": ours.name}
                for key, content in entry.items():
                    wanted = split_decorators(content)[1] if key == "content" else content
                    own = shown.get(key)
                    rows.append((f"entry.{key}", said(wanted), list(own) if isinstance(own, tuple) else own))
        elif value is not None or field in known:
            rows.append((field, said(value), known.get(field)))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cards", type=int, default=300)
    parser.add_argument("--timed", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    from raiden_core.report.hardware import describe_hardware

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        libraries, cards, timed = folder / "libraries", folder / "cards", folder / "timed"
        libraries.mkdir()
        install(libraries)
        write_cards(cards, options.cards, pictures=True)
        compared = compare(libraries, cards)
        write_cards(timed, options.timed, pictures=True)
        seconds: dict[str, dict[str, float]] = {}
        for _ in range(options.rounds):
            for who, command in commands(libraries, timed).items():
                one = run(command, libraries)
                best = seconds.setdefault(who, one)
                seconds[who] = {key: min(best[key], one[key]) for key in one}
    result = {
        "cards": options.cards, "left_out_on_purpose": APART, "compared": compared,
        "cpu_seconds": seconds, "rounds": options.rounds, "hardware": describe_hardware(),
    }  # fmt: skip
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", "utf-8")
    sys.stdout.write(json.dumps({"compared": compared, "cpu_seconds": seconds}, ensure_ascii=False, indent=1) + "\n")
    return int(any(one["different"] for one in compared.values()))


if __name__ == "__main__":
    sys.exit(main())
