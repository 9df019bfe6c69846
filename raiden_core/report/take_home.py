"""How to run a trained model in the programs where people play: the commands of one run, for its report and its model card.

    for program in programs(Place("runs/evaluate-0123", "runs/train-0123/model", "mine", nano=False, language="en")): …

Paths are relative to the folder in which the output folder lies: a report may be sent to anybody.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHARACTERS = {"en": "Beryl Stannard", "zh": "阿依达娜", "ja": "河合あずさ", "ko": "배금순"}
"""A shipped character for each language, whom the commands let speak."""
QUANT = "q8_0"
SERVED = "http://127.0.0.1:8080/v1"


@dataclass(frozen=True)
class Place:
    """A run's model."""

    run: str
    """What `--run` takes."""
    model: str
    """Its folder."""
    name: str
    """Of the run."""
    nano: bool
    """Whether it is the nano student."""
    language: str
    """Of most of its data."""


@dataclass(frozen=True)
class Program:
    """A program, and what to type for it."""

    name: str
    commands: tuple[str, ...]
    note: str = ""


def programs(place: Place) -> list[Program]:
    """The programs in which a run's model runs, the usual ones first."""
    run, model, name = shlex.quote(place.run), shlex.quote(place.model), file_name(place.name)
    speaker = f'--character "{CHARACTERS.get(place.language, CHARACTERS["en"])}"'
    serve = Program(
        "raiden serve",
        (f"raiden serve --run {run} {speaker}",),
        f"For all programs that speak OpenAI's API: {SERVED}, a model for each character.",
    )
    chat = Program("raiden chat", (f"raiden chat --model {model} {speaker} --web",), "On a page of this machine.")
    if place.nano:
        tavern = Program(
            "SillyTavern",
            serve.commands,
            f"Connect by Chat Completion to a custom OpenAI-compatible source at {SERVED}. raiden puts profile and format "
            "into the prompt, removes the tags and hides the reasoning.",
        )
        return [chat, serve, tavern]
    file = f"{name}-{QUANT}.gguf"

    def exported(to: str, more: str = f" --quant {QUANT}") -> str:
        return f"raiden export home-{to} --to {to} --run {run}{more}"

    ollama = ollama_name(place.name)
    one = f" --quant {QUANT} {speaker}"
    return [
        Program(
            "llama.cpp",
            (exported("gguf"), f"llama-server -m home-gguf/{file} --jinja"),
            "With the extra llamacpp installed, the file must first answer questions as the trained model does.",
        ),
        Program(
            "Ollama",
            (
                exported("ollama", one),
                f"cd home-ollama && ollama create {ollama} -f Modelfile && ollama run {ollama}",
            ),
        ),
        Program(
            "LM Studio",
            (exported("lmstudio", one), f"lms import home-lmstudio/{file}"),
            f"Then import home-lmstudio/{name}.preset.json as a preset.",
        ),
        Program("KoboldCpp", (exported("koboldcpp"), f"cd home-koboldcpp && koboldcpp --config {name}.kcpps")),
        Program(
            "SillyTavern",
            (exported("sillytavern", ""),),
            "Its README says where to import the presets; connect to llama-server or KoboldCpp by Text Completion.",
        ),
        chat,
        serve,
    ]


def introduction(place: Place) -> str:
    """What to know before the commands."""
    where = "Run the commands in the folder that holds the output folder"
    if place.nano:
        return (
            f"{where}. The nano student has no GGUF file, because its tokenizer cuts at the keys and values of its own data and "
            "llama.cpp has no rule for that; so llama.cpp, Ollama, LM Studio and KoboldCpp cannot run it. Train a pretrained "
            "student for those."
        )
    return (
        f"{where}; name a card or a file with your characters after --character. An export says in one line if a model's "
        "architecture, tokenizer or template cannot be written in that form."
    )


def beside(folder: Path) -> str:
    """A stage's folder, seen from where the output folder lies."""
    return f"{folder.parent.name}/{folder.name}"


def main_language(split: Mapping[str, object]) -> str:
    """The language of most training samples, from the statistics of the split."""
    side = split.get("train")
    counts = side.get("language") if isinstance(side, Mapping) else None
    return max(counts, key=counts.__getitem__) if isinstance(counts, Mapping) and counts else "en"


def file_name(name: str) -> str:
    """A run's name as a part of file names."""
    return re.sub(r"[^\w-]+", "-", name).strip("-") or "model"


def ollama_name(name: str) -> str:
    """A run's name as Ollama takes it: ASCII alone, at most 80 letters."""
    return file_name(re.sub(r"[^\w-]+", "-", name, flags=re.ASCII)).lower()[:80]
