"""``raiden export DIR --to ollama``: the GGUF file with a Modelfile: exact template, stops, system text.

Written as https://github.com/ollama/ollama/blob/main/docs/modelfile.md says: instructions a line each, long texts between
three double quotes, the template in Go's language with ``.Messages``. There is no way to write three double quotes inside
such a text, so texts that hold them are refused: a card could end its own system text and write instructions.
"""

from __future__ import annotations

import json
from pathlib import Path

from raiden_core.errors import DataError
from raiden_core.export.gguf import Exported
from raiden_core.export.hub import add_to_card
from raiden_core.export.turns import ELSE, TurnForm, turn_form
from raiden_core.models.folder import load_tokenizer
from raiden_core.report.take_home import ollama_name
from raiden_core.training.checks import context_of

MODELFILE = "Modelfile"
MOST_CONTEXT = 8192
"""Tokens that are asked for at most: the cache of a longer context takes more memory than many models."""
QUOTES = '"""'


def to_ollama(exported: Exported, system: str | None, temperature: float, out: Path) -> None:
    """Write the Modelfile beside the first of a run's exported files, and the one command into the card.

    Raises:
        DataError: the template or the system text cannot be written so.
    """
    model, file = exported.texts.model, exported.files[0].file.name
    tokenizer = load_tokenizer(model)
    context = min(MOST_CONTEXT, context_of(str(model), tokenizer))
    form = turn_form(tokenizer)
    text = modelfile(file, form, system=system, context=context, temperature=temperature, where=model)
    (out / MODELFILE).write_text(text, "utf-8")
    name = ollama_name(exported.texts.config.name)
    turn = (
        "The system text of the Modelfile is one character, written as in training."
        if system is not None
        else "Give each chat its system text: the instructions, the profile and the format, as in training."
    )
    words = (
        f"## In Ollama\n\n`ollama create {name} -f {MODELFILE} && ollama run {name}`\n\n{turn} Ollama was not run here."
    )
    add_to_card(out, words)


def modelfile(file: str, form: TurnForm, *, system: str | None, context: int, temperature: float, where: Path) -> str:
    """The text of a Modelfile.

    Args:
        file: name of the GGUF file beside it.
        form: of the model's chat template.
        system: text of the system turn, as training wrote it; None: whoever chats gives it.
        context: tokens of prompt and reply; Ollama's own default cuts profiles off.
        temperature: of the replies.
        where: for messages.

    Raises:
        DataError: the template or the system text cannot be written so.
    """
    if system is not None and QUOTES in system:
        raise DataError(
            f"{where}: the system text holds three double quotes, which a Modelfile cannot; change the character"
        )
    lines = [
        f"FROM ./{file}",
        f"TEMPLATE {QUOTES}{go_template(form, where)}{QUOTES}",
        *(f"PARAMETER stop {json.dumps(stop, ensure_ascii=False)}" for stop in form.stops),
        f"PARAMETER num_ctx {context}",
        f"PARAMETER temperature {temperature:g}",
    ]
    if system is not None:
        lines.append(f"SYSTEM {QUOTES}{system}{QUOTES}")
    return "\n".join(lines) + "\n"


def go_template(form: TurnForm, where: Path) -> str:
    """The template in Go's language: each turn of ``.Messages`` between its texts, then what opens the reply.

    Raises:
        DataError: a text of the template holds what means something in Go's language.
    """
    texts = [form.opening]
    for around in (form.system, form.user, form.assistant):
        texts += [around.before, around.after]
    if any("{{" in text or "}}" in text or QUOTES in text for text in texts):
        raise DataError(f"{where}: its chat template writes braces or quotes that Ollama's own language uses; {ELSE}")
    turns = [
        f'{{{{ {"if" if place == 0 else "else if"} eq .Role "{role}" }}}}{around.before}{{{{ .Content }}}}{around.after}'
        for place, (role, around) in enumerate(
            (("system", form.system), ("user", form.user), ("assistant", form.assistant))
        )
    ]
    return f"{{{{ range .Messages }}}}{''.join(turns)}{{{{ end }}}}{{{{ end }}}}{form.opening}"
