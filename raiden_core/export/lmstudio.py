"""``raiden export DIR --to lmstudio``: the GGUF file with a preset for LM Studio.

A preset is a JSON object with an ``identifier``, a ``name`` and ``operation.fields``, a list of keys and values. Keys and the
shapes of values are those of github.com/lmstudio-ai/lmstudio-js, packages/lms-kv-config/src/schema.ts. The chat template
is in the GGUF file, from which LM Studio reads it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from raiden_core.export.gguf import Exported
from raiden_core.export.hub import add_to_card
from raiden_core.export.turns import turn_form
from raiden_core.models.folder import load_tokenizer
from raiden_core.report.take_home import file_name


def to_lmstudio(exported: Exported, system: str | None, temperature: float, out: Path) -> str:
    """Write the preset beside a run's exported files, and the commands into the card.

    Returns:
        The file's name.

    Raises:
        DataError: the chat template is no sequence of turns.
    """
    name = file_name(exported.texts.config.name)
    stops = turn_form(load_tokenizer(exported.texts.model)).stops
    content = preset(name, stops, system=system, temperature=temperature)
    file = f"{name}.preset.json"
    (out / file).write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
    turn = (
        "The system prompt of the preset is one character, written as in training."
        if system is not None
        else "Give each chat its system prompt: the instructions, the profile and the format, as in training."
    )
    words = (
        f"## In LM Studio\n\n`lms import {exported.files[0].file.name}`, then import `{file}` in the list of presets and "
        f"choose it. {turn} Reasoning between `<think>` and `</think>` is folded away; the tags of `<answer>` stay. "
        "LM Studio was not run here."
    )
    add_to_card(out, words)
    return file


def preset(name: str, stops: tuple[str, ...], *, system: str | None, temperature: float) -> dict[str, Any]:
    """The preset.

    Args:
        name: shown in LM Studio; a part of file names.
        stops: texts at which a reply has ended.
        system: text of the system turn, as training wrote it; None: whoever chats gives it.
        temperature: of the replies.
    """
    fields: dict[str, Any] = {
        "temperature": temperature,
        "topKSampling": 0,
        "topPSampling": {"checked": False, "value": 1},
        "minPSampling": {"checked": True, "value": 0.05},
        "repeatPenalty": {"checked": False, "value": 1},
        "stopStrings": list(stops),
        "reasoning.parsing": {"enabled": True, "startString": "<think>", "endString": "</think>"},
    }
    if system is not None:
        fields["systemPrompt"] = system
    return {
        "identifier": f"@local:{name.lower()}",
        "name": name,
        "changed": False,
        "operation": {"fields": [{"key": f"llm.prediction.{key}", "value": value} for key, value in fields.items()]},
        "load": {"fields": []},
    }
