#!/usr/bin/env bash
# OpenCC 1.4.2: some conversions lose the text that follows U+0000, others keep it.
#
# Expected: `convert` takes a Python string and gives one back; U+0000 is a character like another, is in no dictionary,
# and characters that no dictionary lists stay as they are.
# Seen: s2t, t2s and tw2t, which have one step, keep U+0000 and convert what follows. s2tw, s2hk, tw2s and hk2s chain
# two steps, and with them the sentence after U+0000 is gone. Nothing is raised.
# Why it matters: text taken out of PDF files and old databases has a U+0000 now and then, and most people want the forms
# of Taiwan or Hong Kong, not plain Traditional ones. A check with s2t shows nothing; a corpus converted with s2tw is
# shorter than it was. raiden asks OpenCC once for single characters, from t2s and jp2t, and never hands it a text.
#
# Output seen:
#   s2t: '我住在臺北\x00今天天氣很好'
#   t2s: '我住在台北\x00今天天气很好'
#   tw2t: '我住在台北\x00今天天气很好'
#   s2tw: '我住在臺北'
#   s2hk: '我住在台北'
#   tw2s: '我住在台北'
#   hk2s: '我住在台北'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "opencc==1.4.2"
cat >"$folder/try.py" <<'PYTHON'
import opencc

for name in ["s2t", "t2s", "tw2t", "s2tw", "s2hk", "tw2s", "hk2s"]:
    print(f"{name}: {opencc.OpenCC(name).convert('我住在台北' + chr(0) + '今天天气很好')!r}")
PYTHON
seen=$(PYTHONUTF8=1 "$folder/venv/bin/python" "$folder/try.py")
expected="s2t: '我住在臺北\\x00今天天氣很好'
t2s: '我住在台北\\x00今天天气很好'
tw2t: '我住在台北\\x00今天天气很好'
s2tw: '我住在臺北'
s2hk: '我住在台北'
tw2s: '我住在台北'
hk2s: '我住在台北'"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; was:\n%s\n' "$expected"; exit 1; }
