"""Ten turns with a card, as a chat program plays them: the prompts are training's, reasoning is hidden, no tag is seen.

fast-tavern, a library that builds SillyTavern's prompts, is given the card and the presets of ``raiden export --to
sillytavern``. llama.cpp serves a GGUF of one layer that says one fixed completion to everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from raiden_core.chat.characters import find_character
from raiden_core.chat.conversation import prompt_of
from raiden_core.cli.export import export
from raiden_core.models.folder import render
from raiden_core.models.gguf.packing import pack
from raiden_core.models.llama_cpp import LlamaServer, is_installed, running
from raiden_core.samples import Turn, write_samples
from tests.export.test_hub import _run
from tests.integration.test_serve_command import served
from tests.support.gguf_files import byte_tokenizer
from tests.support.tiny_models import TAGS, teach_chain, tiny_model

tavern = pytest.importorskip("fast_tavern", reason="prompts are built by fast-tavern: pip install 'raiden[dev]'")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not is_installed(), reason="llama.cpp is not here: pip install 'raiden[llamacpp]'"),
]

SCAN_DEPTH = 4
CONTEXT = 8192
CHAIN = ["<think>", "h", "m", "</think>", "<answer>", "A", "y", "e", "!", "</answer>", "<|im_end|>"]
SAID = [
    "Good evening. Who are you?",
    "Do you know the old mill?",
    "Who lives there?",
    "And the lighthouse, is it far?",
    "What do you eat on Sundays?",
    "Is it cold in winter?",
    "Tell me of the MILL again.",
    "Do you sing?",
    "Are you fond of the sea?",
    "Good night.",
]
ENTRIES = {"mill": "The old mill burned down in 1911.", "lighthouse": "The lighthouse stands two miles to the north."}
CARD = {
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {
        "name": "Ada",
        "description": "Name: Ada\nAge: 36\nOccupation: keeper of the inn",
        "personality": "dry, kind",
        "scenario": "The inn by the sea, at night.",
        "first_mes": "Come in, the door is open.",
        "mes_example": "",
        "system_prompt": "",
        "post_history_instructions": "",
        "creator_notes": "",
        "creator": "",
        "character_version": "",
        "alternate_greetings": [],
        "group_only_greetings": [],
        "tags": [],
        "extensions": {},
        "character_book": {
            "scan_depth": SCAN_DEPTH,
            "extensions": {},
            "entries": [
                {
                    "keys": [key],
                    "content": content,
                    "enabled": True,
                    "insertion_order": number,
                    "position": "after_char" if key == "mill" else "before_char",
                    "use_regex": False,
                    "constant": False,
                    "extensions": {},
                }
                for number, (key, content) in enumerate(ENTRIES.items())
            ],
        },
    },
}
SLOTS = {
    "worldInfoBefore": "",
    "charDescription": "{{description}}",
    "charPersonality": "{{char}}'s personality: {{personality}}",
    "scenario": "Scenario: {{scenario}}",
    "worldInfoAfter": "",
}
"""SillyTavern's parts of the system turn after the main prompt, in its order, as its default story string words them."""


def parrot(folder: Path) -> Path:
    """A model that says the chain to everything, whose tokenizer llama.cpp knows."""
    tokenizer = byte_tokenizer(rule="smollm")
    tokenizer.add_tokens(TAGS)
    tokenizer.model_max_length = CONTEXT
    model = tiny_model(len(tokenizer), CONTEXT)
    chain = tokenizer.convert_tokens_to_ids(["Ċ", *CHAIN])
    assert isinstance(chain, list)
    teach_chain(model, chain)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "ada.json"
    path.write_text(json.dumps(CARD), "utf-8")
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run of the parrot, trained with SillyTavern's layout."""
    made = _run(tmp_path, "name: ada\nstudent: {model: me/m}\nprompt: {layout: sillytavern}\n")
    parrot(tmp_path / "train/model")
    write_samples(tmp_path / "split/validation.json", [])
    return made


class Play:
    """A chat program: SillyTavern's prompts by fast-tavern, and the presets that were exported for it."""

    def __init__(self, presets: Path) -> None:
        said = {path.stem: json.loads(path.read_text("utf-8")) for path in presets.glob("*.json")}
        self.reasoning = said["reasoning"]
        # For display and for prompts alike: SillyTavern applies such a script to the message itself, the library by view.
        assert not said["regex-answer"]["markdownOnly"] and not said["regex-answer"]["promptOnly"]
        self.regex = said["regex-answer"] | {"view": ["user", "model"]}
        closing = said["context"]["story_string"].rpartition("{{/if}}")[2].strip().removesuffix("{{trim}}").strip()
        parts = {"main": said["sysprompt"]["content"], **SLOTS, "format": closing, "chatHistory": ""}
        self.preset = {
            "prompts": [
                {"identifier": name, "name": name, "role": "system", "content": text} for name, text in parts.items()
            ],
            "prompt_order": [{"identifier": name, "enabled": True} for name in parts],
        }
        self.history = [{"role": "assistant", "content": CARD["data"]["first_mes"]}]

    def built(self, view: str = "model") -> list[dict[str, str]]:
        """What is sent; system turns that follow each other are one, as SillyTavern squashes them."""
        data: Any = CARD["data"]
        made = tavern.build_prompt_from_silly_tavern(
            preset=self.preset,
            character=CARD,
            globals={"regexScripts": [self.regex]},
            history=self.history,
            view=view,
            output_format="openai",
            macros={"user": "User", **{name: data[name] for name in ("description", "personality", "scenario")}},
            options={"recentHistoryForWorldbook": SCAN_DEPTH, "recursionLimit": 0},
        )
        squashed: list[dict[str, str]] = []
        for turn in made["stages"]["output"]["afterPostRegex"]:
            if squashed and turn["role"] == squashed[-1]["role"] == "system":
                squashed[-1]["content"] += "\n" * bool(turn["content"]) + turn["content"]
            elif turn["content"]:
                squashed.append({"role": turn["role"], "content": turn["content"]})
        return squashed

    def take(self, reply: str) -> str:
        """Keep a reply: SillyTavern folds away what stands between the reasoning's prefix and suffix."""
        before, after = (re.escape(self.reasoning[name]) for name in ("prefix", "suffix"))
        found = re.match(rf"\s*{before}(.*?){after}", reply, re.DOTALL)
        assert found, reply
        self.history.append({"role": "assistant", "content": reply[found.end() :].strip()})
        return found[1]


def test_ten_turns_of_a_chat_program_are_training_s_prompts(run: Path, card: Path, tmp_path: Path) -> None:
    presets = tmp_path / "presets"
    done = CliRunner().invoke(export, [str(presets), "--to", "sillytavern", "--run", str(run)])
    assert done.exit_code == 0, done.output
    model = tmp_path / "train/model"
    file = pack(model, tmp_path / "ada.gguf", "f16", "ada").file
    with running(file, context=CONTEXT, log=tmp_path / "llama.log", threads=1) as server:
        _play(Play(presets), server, card, model)


def _play(play: Play, server: LlamaServer, card: Path, model: Path) -> None:
    from raiden_core.models.folder import load_tokenizer

    ada, tokenizer = find_character(str(card)), load_tokenizer(model)
    shown: list[Sequence[str]] = []
    for said in SAID:
        history = [Turn.model_validate(turn) for turn in _plain(play)]
        play.history.append({"role": "user", "content": said})
        sent, trained = play.built(), prompt_of(ada, history, said, None, "sillytavern")
        assert sent == trained
        assert server.prompt(sent) == render(tokenizer, [trained], model)[0]
        shown.append([key for key, content in ENTRIES.items() if content in sent[0]["content"]])
        reply = server.reply(sent, 40)
        assert reply.text == "<think>hm</think><answer>Aye!</answer>" and reply.finished
        assert play.take(reply.text) == "hm"
        assert play.built("user")[-1] == {"role": "assistant", "content": "Aye!"}
    assert len(shown) == 10
    # The last four messages are searched: an entry is there while its word is, in whatever letters it was said.
    mill, light = ["mill"], ["lighthouse"]
    assert shown == [[], mill, mill, light, light, [], mill, mill, [], []]


def _plain(play: Play) -> list[dict[str, str]]:
    """The conversation as the model may see it: no tag is in it."""
    return [turn for turn in play.built() if turn["role"] != "system"]


def test_ten_turns_through_raiden_serve(run: Path, card: Path, tmp_path: Path) -> None:
    file = pack(tmp_path / "train/model", tmp_path / "ada.gguf", "f16", "ada").file
    people = tmp_path / "people.jsonl"
    people.write_text(json.dumps(CARD) + "\n", "utf-8")
    history = [{"role": "assistant", "content": "Come in, the door is open."}]
    with served(run, "--model", str(file), "--reasoning", "field") as (client, _):
        for said in SAID:
            history.append({"role": "user", "content": said})
            asked: Any = {"model": "Ada", "messages": history, "temperature": 0, "max_tokens": 40}
            choice = client.chat.completions.create(**asked).choices[0]
            assert (choice.message.content, choice.finish_reason) == ("Aye!", "stop")
            assert choice.message.model_extra == {"reasoning_content": "hm"}
            history.append({"role": "assistant", "content": str(choice.message.content)})
    assert len(history) == 21
