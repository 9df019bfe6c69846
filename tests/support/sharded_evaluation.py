"""The evaluate stage over a few samples that a model behind a server answers, as sharded tests of it run it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.evaluation.settings import EvaluateSettings
from raiden_core.evaluation.stage import evaluate_stage
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.progress import silent

HOMES = ["长沙", "大理", "厦门", "苏州", "成都"]


def reply(chat: Mapping[str, Any]) -> str:
    """The first home that the profile names; a model of another name has never heard of 厦门."""
    known = [home for home in HOMES if chat["model"] == "m" or home != "厦门"]
    home = next((home for home in known if home in chat["messages"][0]["content"]), "北京")
    return f"<think>想想</think><answer>我的家乡是{home}。</answer>"


def samples(homes: list[str]) -> list[Sample]:
    return [
        Sample(
            character_name=f"人{home}",
            character_profile={"Name": f"人{home}", "家乡": home},
            question=question,
            answer=f"我的家乡是{home}。",
            keywords=(home,),
            language="zh",
        )
        for home in homes
        for question in ("你的家乡在哪里？", "你是哪里人？")
    ]


def files(folder: Path) -> tuple[Path, dict[str, Path]]:
    folder.mkdir(exist_ok=True)
    write_samples(folder / "validation.json", samples(HOMES[:4]))
    write_samples(folder / "other.jsonl", samples(HOMES[3:]))
    return folder / "validation.json", {"other": folder / "other.jsonl"}


def configure(url: str, models: Mapping[str, Path] | None = None) -> tuple[Config, Mapping[str, Path | str]]:
    evaluation = {
        "max_new_tokens": 8 if models else 64,
        "samples": 0 if models else 2,
        "served": {"thinking": "default"},
    }
    config = Config.model_validate({"evaluation": evaluation})
    return config, models or {"base": f"{url}#m", "trained": f"{url}#m"}


def evaluated(config: Config, models: Mapping[str, Path | str], folder: Path, out: Path) -> tuple[str, str]:
    out.mkdir(exist_ok=True)
    validation, extra = files(folder)
    evaluate_stage(EvaluateSettings.of(config), models, validation, extra, validation, out, silent)
    return (out / "results.json").read_text("utf-8"), (out / "predictions.jsonl").read_text("utf-8")
