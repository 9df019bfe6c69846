#!/usr/bin/env bash
# PyYAML 6.0.4: its C loaders stop at about a thousand levels of nesting, its Python loaders do not stop at all.
#
# Expected: `yaml.parse` gives events one by one and builds nothing, so that depth costs it nothing; and CSafeLoader and
# SafeLoader, which are documented as the same loader twice, take the same files. With 6.0.3 both were so.
# Seen: with 6.0.4 CSafeLoader refuses the 1,001st level of flow style and the 1,000th of block style with
# an error, "exceeded maximum nesting depth". SafeLoader reads 1,500 levels of either as before.
# Why it matters: a program that counts levels by events, to refuse deep files in its own words before anything recursive
# sees them, is told of broken YAML instead, because the C parser reads ahead. And a file that one machine reads is an
# error on another, which has the same version of PyYAML without the C extension. raiden's reader says "nested too
# deeply" either way.
#
# Output seen:
#   CSafeLoader flow 1000: read
#   CSafeLoader flow 1001: exceeded maximum nesting depth
#   CSafeLoader block 999: read
#   CSafeLoader block 1000: exceeded maximum nesting depth
#   SafeLoader flow 1500: read
#   SafeLoader block 1500: read
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pyyaml==6.0.4"
cat >"$folder/try.py" <<'PYTHON'
import yaml


def flow(depth):
    return "[" * depth + "]" * depth


def block(depth):
    return "".join(" " * level + "-\n" for level in range(depth))


def parsed(loader, style, depth):
    try:
        for _ in yaml.parse(style(depth), Loader=loader):
            pass
    except yaml.MarkedYAMLError as error:
        words = " ".join(f"{error.context} {error.problem}".split())
        return "exceeded maximum nesting depth" if "exceeded maximum nesting depth" in words else words
    return "read"


for loader, style, depth in [
    (yaml.CSafeLoader, flow, 1000),
    (yaml.CSafeLoader, flow, 1001),
    (yaml.CSafeLoader, block, 999),
    (yaml.CSafeLoader, block, 1000),
    (yaml.SafeLoader, flow, 1500),
    (yaml.SafeLoader, block, 1500),
]:
    print(f"{loader.__name__} {style.__name__} {depth}: {parsed(loader, style, depth)}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/try.py")
expected="CSafeLoader flow 1000: read
CSafeLoader flow 1001: exceeded maximum nesting depth
CSafeLoader block 999: read
CSafeLoader block 1000: exceeded maximum nesting depth
SafeLoader flow 1500: read
SafeLoader block 1500: read"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; was:\n%s\n' "$expected"; exit 1; }
