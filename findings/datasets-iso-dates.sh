#!/usr/bin/env bash
# datasets 5.2.0: a JSON text column whose every value looks like an ISO date is loaded as timestamps.
#
# Expected: a JSON string is a string. The documentation of `load_dataset("json", …)` says that types are inferred from
# the file, and JSON has no dates.
# Seen: with ["1987-05-03", "1990-01-31"] the column becomes timestamp[s] and its values datetime objects; one further
# value that is no date turns the same column back into strings.
# Why it matters: a keyword or a reference answer is a date now and then. In a small file all of them may be, and then
# string comparison, tokenizers and rewards meet datetime objects. The type depends on which rows are in the file, so a
# filtered or split data set can change type without a change of its rows. raiden's exports state the columns' types.
#
# Output seen:
#   dates only: timestamp[s] datetime
#   dates and a town: string str
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "datasets==5.2.0"
cat >"$folder/try.py" <<'PYTHON'
import json
import sys
from pathlib import Path

import datasets

datasets.disable_progress_bars()
folder = Path(sys.argv[1])


def load(name, values):
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps({"answer": value}) + "\n" for value in values))
    table = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(folder / "cache"))
    return f"{table.features['answer'].dtype} {type(table[0]['answer']).__name__}"


dates = ["1987-05-03", "1990-01-31"]
print("dates only:", load("dates", dates))
print("dates and a town:", load("mixed", [*dates, "Leeds"]))
PYTHON
seen=$(HF_HOME="$folder/home" HF_HUB_OFFLINE=1 "$folder/venv/bin/python" "$folder/try.py" "$folder")
expected="dates only: timestamp[s] datetime
dates and a town: string str"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; was:\n%s\n' "$expected"; exit 1; }
