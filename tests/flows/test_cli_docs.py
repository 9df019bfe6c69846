"""The page of commands says what the commands say."""

from pathlib import Path

from flows.cli import COMMANDS
from flows.cli_docs import cli_markdown

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == cli_markdown(), "run: python -m flows.cli_docs > docs/cli.md"


def test_every_command_has_its_section_and_its_options() -> None:
    text = cli_markdown()
    assert [line.removeprefix("## raiden ") for line in text.splitlines() if line.startswith("## ")] == list(COMMANDS)
    assert "| `--set KEY=VALUE` |" in text and "| `--delete` |" in text
