#!/usr/bin/env bash
# pytest 9.2.0 with pytest-xdist 3.8.0: `--dist loadgroup` no longer keeps a group together.
#
# Expected: xdist's documentation says of `--dist loadgroup` that tests are grouped by the `xdist_group` mark, and that those
# of a group run in the same worker. With pytest 8.4.2 and the same xdist they do.
# Seen: with pytest 9.2.0 the tests of one group are dealt to both workers. xdist tells its scheduler of a group by
# setting the item's `_nodeid` to "file::test@group"; this pytest no longer reads that attribute, so the group's name reaches nobody.
# There is no warning and nothing fails, unless the tests rely on one worker.
# Why it matters: groups are used for tests that share something expensive or exclusive, such as a server. raiden's
# integration tests started such servers twice, and took minutes longer. They are dealt by a scheduler of ours
# (tests/support/dealing.py), which goes by files.
#
# Output seen:
#   pytest 8.4.2: 1 worker ran the 8 tests of the group
#   pytest 9.2.0: 2 workers ran the 8 tests of the group
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/test_group.py" <<'PYTHON'
import os
import pathlib
import time

import pytest

pytestmark = pytest.mark.xdist_group("server")


@pytest.mark.parametrize("number", range(8))
def test_of_the_group(number):
    time.sleep(0.5)  # so that the other worker is free in the meantime
    pathlib.Path(os.environ["SEEN"], str(number)).write_text(os.environ["PYTEST_XDIST_WORKER"])
PYTHON
seen=""
for version in 8.4.2 9.2.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "pytest==$version" "pytest-xdist==3.8.0"
    mkdir "$folder/workers-$version"
    (cd "$folder" && SEEN="$folder/workers-$version" "$version/bin/python" -m pytest -q -n 2 --dist loadgroup test_group.py >/dev/null)
    count=$(sort -u "$folder/workers-$version"/* | wc -l)
    tests=$(find "$folder/workers-$version" -type f | wc -l)
    plural=$([ "$count" = 1 ] || echo s)
    seen+="pytest $version: $count worker$plural ran the $tests tests of the group"$'\n'
done
wanted="pytest 8.4.2: 1 worker ran the 8 tests of the group
pytest 9.2.0: 2 workers ran the 8 tests of the group
"
printf '%s' "$seen"
[ "$seen" = "$wanted" ] || { echo "changed; this was seen before:"; printf '%s' "$wanted"; exit 1; }
