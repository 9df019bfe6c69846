"""``raiden export DIR --to sillytavern``: presets under which SillyTavern sends what the model was trained on.

Instruct template (the texts around turns, from the model's own chat template), context template (its default story string with
the output format as last line), system prompt, reasoning block, a regex that takes ``<answer>`` away, and a sampler. The keys
are those of the presets that SillyTavern ships (github.com/SillyTavern/SillyTavern, default/content/presets).
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from raiden_core.errors import DataError
from raiden_core.export.hub import RunTexts
from raiden_core.export.turns import ELSE, TurnForm, turn_form
from raiden_core.models.folder import load_tokenizer
from raiden_core.prompts import FORMATS, INSTRUCTIONS
from raiden_core.samples import read_samples
from raiden_core.stages.layout import VALIDATION_FILE

STORY = (
    "{{#if system}}{{system}}\n{{/if}}{{#if wiBefore}}{{wiBefore}}\n{{/if}}{{#if description}}{{description}}\n{{/if}}"
    "{{#if personality}}{{char}}'s personality: {{personality}}\n{{/if}}{{#if scenario}}Scenario: {{scenario}}\n{{/if}}"
    "{{#if wiAfter}}{{wiAfter}}\n{{/if}}"
)
"""SillyTavern's default story string, as `prompt.layout: sillytavern` follows it; the format comes after it."""
AI_OUTPUT = 2
"""SillyTavern's number of the place where a regex works on replies."""
README = "README.md"


def to_sillytavern(texts: RunTexts, temperature: float, out: Path) -> list[str]:
    """Write the presets of a run's model.

    Args:
        texts: the run.
        temperature: of the sampler.
        out: the folder to write into; it exists.

    Returns:
        Names of the files.

    Raises:
        DataError: the chat template is no sequence of turns, or uses braces that SillyTavern reads as macros.
    """
    form = turn_form(load_tokenizer(texts.model))
    languages = Counter(sample.language for sample in read_samples(texts.split / VALIDATION_FILE))
    language = languages.most_common(1)[0][0] if languages else "en"
    name, config = f"raiden {texts.config.name}", texts.config
    instructions = config.system_prompt or INSTRUCTIONS.get(language, INSTRUCTIONS["en"])
    files: dict[str, Any] = {
        "instruct.json": instruct(name, form, texts.model),
        "context.json": context(name, FORMATS.get(language, FORMATS["en"])),
        "sysprompt.json": {"name": name, "content": instructions.replace("{name}", "{{char}}")},
        "reasoning.json": {"name": name, "prefix": "<think>", "suffix": "</think>", "separator": "\n"},
        "regex-answer.json": regex(name),
        "sampler.json": {"temp": temperature, "top_p": 1, "top_k": 0, "min_p": 0.05, "rep_pen": 1},
    }
    for file, content in files.items():
        (out / file).write_text(json.dumps(content, ensure_ascii=False, indent=4) + "\n", "utf-8")
    (out / README).write_text(_readme(config.prompt.layout, prefilled=config.prefilled_think), "utf-8")
    return [*files, README]


def instruct(name: str, form: TurnForm, where: Path) -> dict[str, Any]:
    """The instruct template.

    Raises:
        DataError: a text around a turn holds braces, which SillyTavern would take for a macro.
    """
    around = (form.system, form.user, form.assistant)
    if any("{{" in text for one in around for text in (one.before, one.after)):
        raise DataError(f"{where}: its chat template writes braces that SillyTavern reads as macros; {ELSE}")
    return {
        "name": name,
        "input_sequence": form.user.before,
        "input_suffix": form.user.after,
        "output_sequence": form.assistant.before,
        "output_suffix": form.assistant.after,
        "last_output_sequence": form.opening if form.opening != form.assistant.before else "",
        "first_output_sequence": "",
        "first_input_sequence": "",
        "last_input_sequence": "",
        "system_sequence": form.system.before,
        "system_suffix": form.system.after,
        "last_system_sequence": "",
        "story_string_prefix": form.system.before,
        "story_string_suffix": form.system.after,
        "stop_sequence": form.stops[0],
        "sequences_as_stop_strings": True,
        "system_same_as_user": False,
        "user_alignment_message": "",
        "activation_regex": "",
        "names_behavior": "none",
        "skip_examples": False,
        "wrap": False,
        "macro": True,
    }


def context(name: str, form: str) -> dict[str, Any]:
    """The context template; ``form`` is the line that asks for the output format."""
    return {
        "name": name,
        "story_string": STORY + form,
        "example_separator": "***",
        "chat_start": "",
        "use_stop_strings": False,
        "names_as_stop_strings": False,
        "always_force_name2": False,
        "trim_sentences": False,
        "single_line": False,
    }


def regex(name: str) -> dict[str, Any]:
    """Takes the tags of the answer out of what is shown and of what is sent back."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "raiden/answer")),
        "scriptName": f"{name}: answer without tags",
        "findRegex": "/<\\/?answer>/gi",
        "replaceString": "",
        "trimStrings": [],
        "placement": [AI_OUTPUT],
        "disabled": False,
        "markdownOnly": False,
        "promptOnly": False,
        "runOnEdit": True,
        "substituteRegex": 0,
        "minDepth": None,
        "maxDepth": None,
    }


def _readme(layout: str, *, prefilled: bool) -> str:
    lines = [
        "# In SillyTavern",
        "",
        "1. Serve the GGUF: `llama-server -m FILE.gguf`, KoboldCpp or LM Studio; connect with *Text Completion*.",
        "2. *AI Response Formatting* (the A): import `context.json`, `instruct.json`, `sysprompt.json`; switch Instruct Mode on.",
        "3. In the same panel, *Reasoning*: import `reasoning.json` and switch *Auto-Parse* on: thoughts fold away.",
        "4. *Extensions*, *Regex*: import `regex-answer.json`: replies lose their `<answer>` tags.",
        "5. *AI Response Configuration* (the sliders): import `sampler.json`.",
        "",
        f"The model was trained with `prompt.layout: {layout}`."
        + (
            ""
            if layout == "sillytavern"
            else " Its profiles were lines such as `Age: 24`; write the description of a character in that form, or train with "
            "`prompt.layout: sillytavern`, which is what this story string sends."
        ),
    ]
    if prefilled:
        lines.append("The template opens `<think>` itself: it stands in the last assistant prefix.")
    lines += ["", "Written after the presets that SillyTavern ships; SillyTavern itself was not run here.", ""]
    return "\n".join(lines)
