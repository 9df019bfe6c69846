"""What KoboldCpp and LM Studio are given: their own keys, the model's own turns, and nothing that a name could break."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.export.gguf import Exported
from raiden_core.export.hub import run_texts
from raiden_core.export.koboldcpp import settings, to_koboldcpp
from raiden_core.export.lmstudio import preset, to_lmstudio
from raiden_core.export.turns import Around, TurnForm
from raiden_core.models.gguf.packing import Packed
from tests.export.test_hub import _run
from tests.support.gguf_files import byte_tokenizer

FORM = TurnForm(Around("<s>", "</s>"), Around("<u>", "</u>"), Around("<a>", "</a>"), "<a>", ("</a>",))


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    run = _run(tmp_path, "name: 'my/model \"x\"'\nstudent: {model: me/m}\n")
    model = tmp_path / "train/model"
    byte_tokenizer().save_pretrained(model)
    (model / "config.json").write_text(json.dumps({"model_type": "llama", "max_position_embeddings": 5000}), "utf-8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/README.md").write_text("card\n", "utf-8")
    packed = Packed(tmp_path / "out/my-model-x-f16.gguf", "f16", 1, "smollm")
    return Exported((packed,), (), run_texts(run))


def rendered(adapter: dict[str, str], chat: list[dict[str, str]]) -> str:
    """What KoboldCpp makes of a chat by an adapter."""
    turns = [adapter[turn["role"] + "_start"] + turn["content"] + adapter[turn["role"] + "_end"] for turn in chat]
    return "".join(turns) + adapter.get("assistant_gen", adapter["assistant_start"])


def test_koboldcpp_writes_the_turns_of_training(exported: Exported, tmp_path: Path) -> None:
    name = to_koboldcpp(exported, tmp_path / "out")
    assert name == "my-model-x.kcpps"
    said: dict[str, Any] = json.loads((tmp_path / "out" / name).read_text("utf-8"))
    assert said["model_param"] == "my-model-x-f16.gguf" and said["contextsize"] == 512, (
        "the tokenizer's length is the least"
    )
    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]
    chat.append({"role": "user", "content": "v"})
    wanted = byte_tokenizer().apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert rendered(said["chatcompletionsadapter"], chat) == wanted
    assert "`koboldcpp --config my-model-x.kcpps`" in (tmp_path / "out/README.md").read_text("utf-8")


@pytest.mark.parametrize(("context", "asked"), [(100, 256), (512, 512), (5000, 4096), (131072, 8192)])
def test_koboldcpps_context_is_one_that_it_offers(context: int, asked: int) -> None:
    assert settings("m.gguf", FORM, context)["contextsize"] == asked


def test_an_opening_of_its_own_is_told_apart_from_earlier_turns() -> None:
    assert "assistant_gen" not in settings("m.gguf", FORM, 512)["chatcompletionsadapter"]
    opened = TurnForm(FORM.system, FORM.user, FORM.assistant, "<a><think>", FORM.stops)
    adapter = settings("m.gguf", opened, 512)["chatcompletionsadapter"]
    assert (adapter["assistant_start"], adapter["assistant_gen"]) == ("<a>", "<a><think>")


def test_lm_studio_gets_a_preset_of_its_own_keys(exported: Exported, tmp_path: Path) -> None:
    system = 'You are "Ada".\n{{user}}: </think> 雪'
    name = to_lmstudio(exported, system, 0.7, tmp_path / "out")
    assert name == "my-model-x.preset.json"
    said: dict[str, Any] = json.loads((tmp_path / "out" / name).read_text("utf-8"))
    assert (said["identifier"], said["name"]) == ("@local:my-model-x", "my-model-x")
    fields = {field["key"].removeprefix("llm.prediction."): field["value"] for field in said["operation"]["fields"]}
    assert (
        fields["systemPrompt"] == system and fields["temperature"] == 0.7 and fields["stopStrings"][0] == "<|im_end|>"
    )
    assert fields["reasoning.parsing"] == {"enabled": True, "startString": "<think>", "endString": "</think>"}
    for sampler in ("topPSampling", "minPSampling", "repeatPenalty"):
        assert set(fields[sampler]) == {"checked", "value"}, "a number with a check mark, in LM Studio's schema"
    assert "`lms import my-model-x-f16.gguf`" in (tmp_path / "out/README.md").read_text("utf-8")


def test_without_a_character_the_preset_has_no_system_prompt() -> None:
    keys = [field["key"] for field in preset("m", (), system=None, temperature=0)["operation"]["fields"]]
    assert "llm.prediction.systemPrompt" not in keys
