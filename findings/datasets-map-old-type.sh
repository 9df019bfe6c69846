#!/usr/bin/env bash
# datasets 5.2.0: `Dataset.map` turns new values of a column back into the column's old type, also at the price of them.
#
# Expected: a function that returns {"id": "00007"} leaves "00007" in the column. `map` tries by default to keep the types
# of columns, says its documentation, with int32 for int32 as the example: the same values, in the width they had.
# Seen: padded numbers in a column of integers are read as numbers again and the zeros are gone; one row of other text
# in the same batch, and all of them stay text. A grade of 0.4 in a column of booleans becomes True, and so does a count.
# The same function over the same rows as a stream, `to_iterable_dataset().map`, keeps what it returned.
# Why it matters: padding ids so that they sort, and replacing right or wrong by a share, are ordinary steps. After the
# second every reward is True, the mean is 1, and nothing was raised. A test with a stream, or with one id that is no
# number, does not show it. raiden makes its tables from finished rows and maps none.
#
# Output seen:
#   padded: [7, 42]
#   padded, one unknown: ['00007', 'unknown']
#   padded, as a stream: ['00007', '00042']
#   graded: [True, True]
#   graded, as a stream: [0.4, 0.4]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "datasets==5.2.0"
cat >"$folder/try.py" <<'PYTHON'
import datasets

datasets.disable_progress_bars()
ids = datasets.Dataset.from_dict({"id": [7, 42]})
verdicts = datasets.Dataset.from_dict({"reward": [True, False]})


def padded(row):
    return {"id": f"{row['id']:05d}"}


def padded_or_unknown(row):
    return padded(row) if row["id"] == 7 else {"id": "unknown"}


def graded(row):
    return {"reward": 0.4}


print("padded:", ids.map(padded).to_dict()["id"])
print("padded, one unknown:", ids.map(padded_or_unknown).to_dict()["id"])
print("padded, as a stream:", [row["id"] for row in ids.to_iterable_dataset().map(padded)])
print("graded:", verdicts.map(graded).to_dict()["reward"])
print("graded, as a stream:", [row["reward"] for row in verdicts.to_iterable_dataset().map(graded)])
PYTHON
seen=$(HF_HOME="$folder/home" HF_HUB_OFFLINE=1 "$folder/venv/bin/python" "$folder/try.py")
expected="padded: [7, 42]
padded, one unknown: ['00007', 'unknown']
padded, as a stream: ['00007', '00042']
graded: [True, True]
graded, as a stream: [0.4, 0.4]"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; was:\n%s\n' "$expected"; exit 1; }
