"""The commands that a report and a model card give are ones that the programs take, for this run, whatever it is called."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from raiden_core.chat.characters import find_character
from raiden_core.cli.chat import chat
from raiden_core.cli.export import export
from raiden_core.cli.serve import serve
from raiden_core.report import build_report
from raiden_core.report.take_home import CHARACTERS, Place, file_name, main_language, ollama_name, programs
from tests.support.synthetic import make_inputs
from tests.support.tables import table

PLACE = Place("runs/evaluate-0123", "runs/train-4567/model", "mine", nano=False, language="zh")
HOSTILE = Place(
    "my runs/$(touch x)`; rm -rf ~", "my runs/train-1/model", '</pre>"`$(x)\n# {{char}}', nano=False, language="xx"
)
COMMANDS = {"export": export, "serve": serve, "chat": chat}


def raidens(place: Place) -> list[list[str]]:
    """The words of all commands of raiden's own."""
    lines = [line for program in programs(place) for line in program.commands]
    return [shlex.split(line)[1:] for line in lines if line.startswith("raiden ")]


@pytest.mark.parametrize("place", [PLACE, HOSTILE, Place("r/e", "r/t/model", "n", nano=True, language="ja")])
def test_raidens_own_commands_are_ones_that_it_takes(place: Place) -> None:
    assert raidens(place)
    for command, *given in raidens(place):
        context = COMMANDS[command].make_context(command, list(given))
        named = context.params.get("run") or Path(context.params["model"])
        assert named == Path(place.model if command == "chat" else place.run)


def test_other_programs_are_told_what_the_exports_write() -> None:
    told = {program.name: program.commands for program in programs(PLACE)}
    assert list(told) == ["llama.cpp", "Ollama", "LM Studio", "KoboldCpp", "SillyTavern", "raiden chat", "raiden serve"]
    assert told["llama.cpp"][1] == "llama-server -m home-gguf/mine-q8_0.gguf --jinja"
    assert told["Ollama"][1] == "cd home-ollama && ollama create mine -f Modelfile && ollama run mine"
    assert told["LM Studio"][1] == "lms import home-lmstudio/mine-q8_0.gguf"
    assert told["KoboldCpp"][1] == "cd home-koboldcpp && koboldcpp --config mine.kcpps"
    assert re.fullmatch(r"[\w-]+", file_name(HOSTILE.name))


def test_nano_is_promised_nothing_that_it_cannot_do() -> None:
    told = programs(Place("r/e", "r/t/model", "n", nano=True, language="en"))
    assert [program.name for program in told] == ["raiden chat", "raiden serve", "SillyTavern"]
    assert not [line for program in told for line in program.commands if "gguf" in line or "export" in line]


def test_who_speaks_is_a_shipped_character_of_the_language() -> None:
    for language, name in CHARACTERS.items():
        assert find_character(name).language == language
    assert main_language({"train": {"language": {"en": 2, "ko": 5}}}) == "ko" and main_language({}) == "en"


def test_it_is_the_last_section_of_the_page(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, False)
    build_report(**inputs, home=HOSTILE)
    page = Path(inputs["out"]).read_text("utf-8")
    assert re.findall(r'<section id="(\w+)"', page)[-1] == "home" and '<a href="#home">' in page
    assert "my runs/$(touch x)`; rm -rf ~" in page.partition('<section id="home">')[2] and "</pre>&#34;" not in page
    build_report(**inputs)
    assert 'id="home"' not in Path(inputs["out"]).read_text("utf-8")


@table(
    ("name", "told"),
    [("Mine 2", "mine-2"), ("小说 Qwen", "qwen"), ("阿依达娜", "model"), ("a" * 100, "a" * 80)],
)
def test_ollama_takes_names_of_ascii_letters(name: str, told: str) -> None:
    assert ollama_name(name) == told
    ollama = next(one for one in programs(replace(PLACE, name=name)) if one.name == "Ollama")
    assert f"ollama create {told} -f" in ollama.commands[1]
