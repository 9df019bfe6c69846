"""Under the presets SillyTavern sends what training sent, for a card in its own layout."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from raiden_core.cards.card import Card
from raiden_core.cli.export import export
from raiden_core.errors import DataError, UsageError
from raiden_core.export.sillytavern import instruct
from raiden_core.export.turns import Around, turn_form
from raiden_core.prompts import CARD, build_prompt
from raiden_core.samples import Sample, write_samples
from tests.export.test_hub import _run
from tests.support.tiny_models import tiny_tokenizer

PARTS = {"description": "Name: Ada\nAge: 36", "personality": "dry", "scenario": "A library."}


def story(template: str, values: dict[str, str]) -> str:
    """What SillyTavern makes of the few macros of the story string: ``{{#if x}}…{{/if}}`` and ``{{x}}``."""
    shown = re.sub(
        r"\{\{#if (\w+)\}\}(.*?)\{\{/if\}\}",
        lambda found: found[2] if values.get(found[1]) else "",
        template,
        flags=re.S,
    )
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values.get(found[1], ""), shown)


@pytest.mark.parametrize("parts", [PARTS, {"description": PARTS["description"]}])
def test_sillytavern_sends_what_training_sent(tmp_path: Path, parts: dict[str, str]) -> None:
    run = _run(tmp_path, "name: 'my/model'\nstudent: {model: me/m}\nprompt: {layout: sillytavern}\n")
    tokenizer = tiny_tokenizer()
    tokenizer.save_pretrained(tmp_path / "train/model")
    sample = Sample.model_validate(
        {
            "character_name": "Ada",
            "character_profile": {"Name": "Ada", "Age": "36"},
            "question": "How old are you?",
            "answer": "I am 36.",
            "keywords": ["36"],
            "language": "en",
            "metadata": {CARD: Card.model_validate(parts).as_json()},
        }
    )
    write_samples(tmp_path / "split/validation.json", [sample])
    out = tmp_path / "out"
    done = CliRunner().invoke(export, [str(out), "--to", "sillytavern", "--run", str(run)])
    assert done.exit_code == 0, done.output
    names = ("instruct", "context", "sysprompt", "reasoning", "regex-answer", "sampler")
    said = {name: json.loads((out / f"{name}.json").read_text("utf-8")) for name in names}
    chat = build_prompt(sample, None, "sillytavern")
    system = story(said["sysprompt"]["content"], {"char": "Ada"})
    values = {"system": system, "char": "Ada", **parts}
    ours, form = said["instruct"], said["context"]["story_string"]
    sent = ours["story_string_prefix"] + story(form, values) + ours["story_string_suffix"]
    sent += ours["input_sequence"] + sample.question + ours["input_suffix"] + ours["output_sequence"]
    assert sent == tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    reply = "<think>I look.</think><answer>I am 36.</answer>"
    thought = said["reasoning"]
    assert reply.startswith(thought["prefix"])
    shown = reply.partition(thought["suffix"])[2]
    pattern, flags = re.fullmatch(r"/(.*)/(\w+)", said["regex-answer"]["findRegex"]).groups()
    assert flags == "gi" and re.sub(pattern, "", shown, flags=re.I) == "I am 36."
    assert "prompt.layout: sillytavern" in (out / "README.md").read_text("utf-8")


def test_braces_of_a_template_are_refused() -> None:
    form = turn_form(tiny_tokenizer())
    other = type(form)(form.system, Around("{{user}}: ", ""), form.assistant, form.opening, form.stops)
    with pytest.raises(DataError, match="reads as macros"):
        instruct("m", other, Path("m"))


def test_it_needs_a_run(tmp_path: Path) -> None:
    done = CliRunner().invoke(export, [str(tmp_path / "out"), "--to", "sillytavern"])
    assert isinstance(done.exception, UsageError) and "--to sillytavern needs --run" in str(done.exception)
