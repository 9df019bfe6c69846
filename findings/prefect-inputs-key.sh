#!/usr/bin/env bash
# prefect 3.9.1: the cache policy INPUTS takes a tuple for a list and the key 7 for the key "7".
#
# Expected: the documentation of caching says that INPUTS makes the key of the values that a task is called with, so
# that calls share a result where their inputs are the same. In Python (1, 2) != [1, 2] and {7: "Ann"} != {"7": "Ann"}.
# Seen: both pairs have one key, since values are hashed as JSON text where they can be written as such, and JSON knows
# neither tuples nor keys that are numbers. 7 and "7" on their own are told apart, and so are lists in another order. A
# task `table.get(7, "nobody")` with this policy, called with {"7": "Ann"} and then with {7: "Ann"}, says "nobody" twice;
# the other way round it says "Ann" twice. DEFAULT, which contains INPUTS, does so within a run.
# Why it matters: tables by id have numbers for keys when they are built and text once they have been through a JSON
# file. Which of the two came first decides what all later calls are told, in other runs too where results are kept, and
# every run is green. raiden's stages have keys of their own (tasks/stage.py).
#
# Output seen:
#   [1, 2] and (1, 2): one key
#   {'7': 'Ann'} and {7: 'Ann'}: one key
#   {'true': 'Ann'} and {True: 'Ann'}: one key
#   7 and '7': two keys
#   [1, 2] and [2, 1]: two keys
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile "prefect==3.9.1"
cat >"$folder/try.py" <<'PYTHON'
from prefect.cache_policies import INPUTS


def key(value):
    return INPUTS.compute_key(task_ctx=None, inputs={"value": value}, flow_parameters={})


for one, other in [
    ([1, 2], (1, 2)),
    ({"7": "Ann"}, {7: "Ann"}),
    ({"true": "Ann"}, {True: "Ann"}),
    (7, "7"),
    ([1, 2], [2, 1]),
]:
    print(f"{one!r} and {other!r}: {'one key' if key(one) == key(other) else 'two keys'}")
PYTHON
seen=$(cd "$folder" && PREFECT_HOME="$folder/home" DO_NOT_TRACK=1 "$folder/venv/bin/python" "$folder/try.py")
expected="[1, 2] and (1, 2): one key
{'7': 'Ann'} and {7: 'Ann'}: one key
{'true': 'Ann'} and {True: 'Ann'}: one key
7 and '7': two keys
[1, 2] and [2, 1]: two keys"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; was:\n%s\n' "$expected"; exit 1; }
