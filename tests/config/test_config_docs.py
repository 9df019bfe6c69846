"""docs/configuration.md says what the configuration's models say, and the models say something of every key."""

import re
from pathlib import Path

from raiden_core.config import Config
from raiden_core.config.docs import config_markdown

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def rows(markdown: str) -> dict[str, list[str]]:
    """Full key -> the other cells of its row."""
    found: dict[str, list[str]] = {}
    prefix = ""
    for line in markdown.splitlines():
        if line.startswith("## "):
            name = line.removeprefix("## ")
            prefix = f"{name.strip('`')}." if name.startswith("`") else ""
        elif line.startswith("| `"):
            key, *cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found[prefix + key.strip("`")] = cells
    return found


def leaves(tree: dict[str, object], prefix: str = "") -> set[str]:
    """Dotted names of all values in a configuration; an empty mapping is a value."""
    names: set[str] = set()
    for key, value in tree.items():
        names |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {prefix + key}
    return names


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == config_markdown(), (
        "run: python -m raiden_core.config.docs > docs/configuration.md"
    )


def test_every_key_has_one_full_row() -> None:
    table = rows(config_markdown())
    # The one endpoint that is there by default stands for all names; a section that is null by default has rows too.
    null = ("teacher.launch.", "evaluation.judge.", "rewards.<n>.")
    documented = {key.replace(".<name>.", ".teacher.") for key in table if not key.startswith(null)}
    assert documented == leaves(Config().model_dump(mode="json"))
    assert not [key for key, cells in table.items() if len(cells) != 3 or not all(cells)]


def test_type_range_and_default_are_the_models() -> None:
    table = rows(config_markdown())
    expected = {
        "seed": ("integer, ≥ 0, ≤ 4294967295", "`7`"),
        "output_dir": ("path", '`"runs"`'),
        "system_prompt": ("text or null", "`null`"),
        "teacher.kind": ("`offline` or `llm`", '`"offline"`'),
        "teacher.endpoints.<name>.attempts": ("integer, ≥ 1", "`6`"),
        "teacher.launch": ("section or null", "`null`"),
        "teacher.launch.command": ("list of text", "`required`"),
        "characters.paths": ("list of text", "`[]`"),
        "characters.composed.facts": ("[integer, integer]", "`[3, 8]`"),
        "characters.evaluation_only": ("text -> list of text", "`{}`"),
        "generation.include_cm": ("true or false", "`true`"),
        "split.validation_share": ("number or null, > 0, < 1", "`0.1`"),
        "grpo.top_p": ("number, > 0, ≤ 1", "`1.0`"),
        "grpo.num_generations": ("integer, ≥ 2", "`4`"),
    }
    assert {key: tuple(table[key][:2]) for key in expected} == expected
