#!/usr/bin/env bash
# openpyxl 3.1.5: in read-only mode a worksheet ends where its <dimension> element says, whatever rows follow.
#
# Expected: `load_workbook(path, read_only=True)` yields the rows that the sheet holds, as the ordinary mode does; the
# dimension is optional in SpreadsheetML (ECMA-376, 18.3.1.35) and only says what a reader may expect.
# Seen: a sheet of three rows and two columns whose dimension is stated as A1 has one row of one cell in read-only mode
# and all of them in the ordinary mode. `reset_dimensions()` before reading brings them back. No warning is given.
# Why it matters: programs that write sheets as a stream state A1, since they do not know the size yet. Characters in
# such a file would be lost without a word. raiden resets the dimension before it reads.
#
# Output seen:
#   ordinary: [('name', 'town'), ('Ann', 'Leeds'), ('Ben', 'York')]
#   read-only: [('name',)]
#   read-only after reset_dimensions(): [('name', 'town'), ('Ann', 'Leeds'), ('Ben', 'York')]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "openpyxl==3.1.5"
cat >"$folder/try.py" <<'PYTHON'
import re
import sys
import zipfile
from pathlib import Path

import openpyxl

folder = Path(sys.argv[1])
book = openpyxl.Workbook()
for row in [("name", "town"), ("Ann", "Leeds"), ("Ben", "York")]:
    book.active.append(row)
book.save(folder / "honest.xlsx")
with zipfile.ZipFile(folder / "honest.xlsx") as old, zipfile.ZipFile(folder / "stated.xlsx", "w") as new:
    for item in old.infolist():
        content = old.read(item)
        if item.filename == "xl/worksheets/sheet1.xml":
            content, changed = re.subn(rb'<dimension ref="[^"]+"', b'<dimension ref="A1"', content)
            assert changed == 1
        new.writestr(item, content)


def rows(read_only, reset=False):
    sheet = openpyxl.load_workbook(folder / "stated.xlsx", read_only=read_only).active
    if reset:
        sheet.reset_dimensions()
    return list(sheet.iter_rows(values_only=True))


print("ordinary:", rows(False))
print("read-only:", rows(True))
print("read-only after reset_dimensions():", rows(True, reset=True))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/try.py" "$folder")
expected="ordinary: [('name', 'town'), ('Ann', 'Leeds'), ('Ben', 'York')]
read-only: [('name',)]
read-only after reset_dimensions(): [('name', 'town'), ('Ann', 'Leeds'), ('Ben', 'York')]"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; was:\n%s\n' "$expected"; exit 1; }
