"""Settings are read strictly: what would be lost, or would explode, is refused with its line."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
import yaml

from raiden_core.characters.word_lists import parse_word_lists
from raiden_core.config.loading import apply_override, parse_config
from raiden_core.config.sections.training import LaunchConfig
from raiden_core.errors import ConfigError, DataError
from raiden_core.planning.sharding import read_sharding
from raiden_core.text.strict_yaml import MAX_VALUES, YamlFault, load_strict
from raiden_core.training.arguments import read_flat

PLAIN = {
    "mapping": "a: 1\nb: [x, {c: 2.5}]\nd: 2024-02-03\n",
    "merged": "base: &base {a: 1, b: 2}\nother: {<<: *base, b: 3}\n",
    "alias used twice": "a: &a [1, 2]\nb: *a\nc: *a\n",
    "the same key in two mappings": "a: {x: 1}\nb: {x: 1}\n",
    "scalar": "true\n",
    "nothing": "# nothing\n",
}
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN.keys())
def test_plain_yaml_is_read_as_pyyaml_reads_it(text: str) -> None:
    assert load_strict(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "lines 1 and 3: 'a' stands twice; keep one"),
        ('x:\n  a: 1\n  "a": 2\n', "lines 2 and 3: 'a' stands twice"),
        ("- a: 1\n- b: {c: 1, c: 2}\n", "lines 2 and 2: 'c' stands twice"),
        ("a: [1\nb: 2", "broken YAML at line 2"),
        ("a: 2024-13-45", "broken YAML: "),
        ("a: !!python/name:os.system x", "broken YAML at line 1"),
        ("a: &a {b: *a}", "line 1: an alias that contains itself"),
        ("{a: " * 90, "nested "),
        ("---\na: 1\n---\nb: 2\n", "broken YAML at line"),
        ("- x\n" * (MAX_VALUES + 1), "more than 100,000 values"),
    ],
)
def test_what_would_be_lost_or_explode_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(YamlFault) as caught:
        load_strict(text)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_what_aliases_stand_for_is_counted_before_anything_is_built() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(YamlFault, match="its aliases stand for more than 100,000 values"):
            load_strict(BOMB)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_every_file_of_settings_is_read_by_it(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    text = "use_cpu: true\nuse_cpu: false\n"
    path.write_text(text, encoding="utf-8")
    launch = LaunchConfig(accelerate=path)
    for read in (lambda: parse_config(text), lambda: read_flat(path), lambda: read_sharding(launch)):
        with pytest.raises(ConfigError, match="lines 1 and 2: 'use_cpu' stands twice"):
            read()
    with pytest.raises(ConfigError, match="not valid YAML"):
        apply_override({}, "grpo={beta: 0, beta: 1}")
    with pytest.raises(DataError, match="lines 1 and 2: 'use_cpu' stands twice"):
        parse_word_lists(text, "lists.yaml")
