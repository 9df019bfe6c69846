"""``raiden export DIR --to koboldcpp``: the GGUF file with a settings file that KoboldCpp starts from.

A ``.kcpps`` file is a JSON object of KoboldCpp's own command-line options (github.com/LostRuins/koboldcpp, koboldcpp.py,
``load_config_cli``); its ``chatcompletionsadapter`` may hold the adapter itself: the texts around turns (kcpp_adapters/ there).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from raiden_core.export.gguf import Exported
from raiden_core.export.hub import add_to_card
from raiden_core.export.ollama import MOST_CONTEXT
from raiden_core.export.turns import TurnForm, turn_form
from raiden_core.models.folder import load_tokenizer
from raiden_core.report.take_home import file_name
from raiden_core.training.checks import context_of

CONTEXTS = (256, 512, 1024, 2048, 3072, 4096, 6144, MOST_CONTEXT)
"""Context sizes that KoboldCpp's window offers."""


def to_koboldcpp(exported: Exported, out: Path) -> str:
    """Write the settings file beside the first of a run's exported files, and the one command into the card.

    Returns:
        The file's name.

    Raises:
        DataError: the chat template is no sequence of turns.
    """
    model, file = exported.texts.model, exported.files[0].file.name
    tokenizer = load_tokenizer(model)
    name = f"{file_name(exported.texts.config.name)}.kcpps"
    content = settings(file, turn_form(tokenizer), context_of(str(model), tokenizer))
    (out / name).write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
    words = (
        f"## In KoboldCpp\n\n`koboldcpp --config {name}`, in this folder. Programs that use its chat completions get the "
        "turns as in training. Its own page (KoboldAI Lite) and text completions build prompts themselves: for SillyTavern "
        "take the presets of `raiden export --to sillytavern`. Replies hold `<think>` and `<answer>`. KoboldCpp was not run "
        "here."
    )
    add_to_card(out, words)
    return name


def settings(file: str, form: TurnForm, context: int) -> dict[str, Any]:
    """The settings.

    Args:
        file: name of the GGUF file beside it.
        form: of the model's chat template.
        context: tokens that the model takes.
    """
    adapter = {
        "system_start": form.system.before,
        "system_end": form.system.after,
        "user_start": form.user.before,
        "user_end": form.user.after,
        "assistant_start": form.assistant.before,
        "assistant_end": form.assistant.after,
    }
    if form.opening != form.assistant.before:
        adapter["assistant_gen"] = form.opening
    fitting = [size for size in CONTEXTS if size <= context]
    return {
        "model_param": file,
        "contextsize": fitting[-1] if fitting else CONTEXTS[0],
        "chatcompletionsadapter": adapter,
    }
