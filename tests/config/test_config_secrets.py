"""What a configuration holds is repeated in many places: values that are secrets are refused, and not repeated even then."""

from pathlib import Path
from typing import Any

import pytest

from raiden_core.config.loading import config_of
from raiden_core.config.secrets import secret_place
from raiden_core.errors import ConfigError
from raiden_core.training.arguments import read_flat
from tests.support.config_tree import BASE, FREE, keys

KEY = "sk-7f3a91-canary"


WORD = "canary-without-figures"
"""A secret that only its place tells."""


def launch(*command: str) -> dict[str, Any]:
    return {"teacher": {"kind": "llm", "launch": {"command": list(command)}}}


def endpoint(**values: str) -> dict[str, Any]:
    return {"teacher": {"kind": "llm", "endpoints": {"teacher": values}}}


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (endpoint(url=f"http://user:{KEY}@127.0.0.1:3/v1"), r"teacher\.endpoints\.teacher\.url: .*environment"),
        (endpoint(url=f"https://{KEY}@host/v1"), r"teacher\.endpoints\.teacher\.url: .*environment"),
        (endpoint(api_key_env=KEY), r"teacher\.endpoints\.teacher\.api_key_env: .*name the variable"),
        (
            endpoint(api_key=KEY),
            r"teacher\.endpoints\.teacher\.api_key: .*name the environment variable .* api_key_env",
        ),
        (endpoint(url=f"https://host/v1?api_key={WORD}"), r"teacher\.endpoints\.teacher\.url: .*environment"),
        ({"grpo": {"hub_token": WORD}}, r"grpo\.hub_token: .*HF_TOKEN"),
        ({"cold_start": {"wandb_api_key": WORD}}, r"cold_start\.wandb_api_key: .*environment"),
        ({"grpo": {"model_init_kwargs": {"token": WORD}}}, r"grpo\.model_init_kwargs\.token: .*HF_TOKEN"),
        (launch("serve", "--api-key", WORD), r"teacher\.launch\.command\.2: .*\$API_KEY"),
        (launch("serve", f"--api-key={WORD}"), r"teacher\.launch\.command\.1: .*\$API_KEY"),
        (launch("env", f"HF_TOKEN={WORD}", "serve"), r"teacher\.launch\.command\.1: .*\$HF_TOKEN"),
        (launch("serve", f"Authorization: Bearer {KEY}"), r"teacher\.launch\.command\.1: .*environment"),
        ({"system_prompt": f"You are {{name}}. {KEY}"}, r"system_prompt: .*environment"),
        ({"storage": {"url": f"s3://ID:{KEY}@bucket/raiden"}}, r"storage\.url: .*environment"),
        ({"runner": {"kind": "ray", "address": f"ray://u:{KEY}@head:1"}}, r"runner\.address: .*environment"),
    ],
)
def test_a_secret_is_refused_and_its_value_not_repeated(tree: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        config_of(tree)
    assert KEY not in str(refused.value) and WORD not in str(refused.value)


@pytest.mark.parametrize(
    "tree",
    [
        endpoint(url="http://127.0.0.1:30000/v1", api_key_env="TEACHER_API_KEY"),
        {"storage": {"url": "s3://bucket/somebody@home/raiden"}},
        {"storage": {"url": "/mnt/somebody@home/raiden"}},
        {"storage": {"url": "s3://bucket/raiden"}, "runner": {"kind": "ray", "address": "ray://head:10001"}},
        {"runner": {"kind": "ray", "address": "auto"}},
        launch(
            "serve",
            "--api-key",
            "$TEACHER_API_KEY",
            "--max-total-tokens",
            "4096",
            "--tokenizer-path",
            "models/sk-learn",
        ),
        launch("serve", "--api-key=${TEACHER_API_KEY}"),
        {"system_prompt": "You are {name}. The key: speak of the token that opens the gate."},
    ],
)
def test_addresses_and_names_without_secrets_are_taken(tree: dict[str, Any]) -> None:
    assert config_of(tree)


STRINGS = sorted(key for key, value in {**keys(), **FREE}.items() if isinstance(value, str))


@pytest.mark.parametrize("key", STRINGS)
def test_a_key_pasted_into_any_field_of_text_is_refused_unseen(key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config_of(BASE, [f"{key}={KEY}"])
    assert KEY not in str(refused.value)


def test_words_of_a_tokenizer_are_no_secrets() -> None:
    assert secret_place({"eos_token": "<|im_end|>", "pad_token": "<pad>", "max_tokens": 12, "monkey": "bars"}) is None


def test_fields_of_text_are_found() -> None:
    assert {"name", "system_prompt", "student.model", "teacher.endpoints.teacher.model"} <= set(STRINGS)


@pytest.mark.parametrize("override", [f"a..b={KEY}", f"seed.x={KEY}", f"grpo={{{KEY}"])
def test_a_broken_override_does_not_repeat_its_value(override: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config_of({"seed": 1}, [override])
    assert KEY not in str(refused.value)


def test_the_training_scripts_own_file_is_held_to_the_same(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(f"model_name_or_path: m\nhub_token: {WORD}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"job\.yaml: hub_token: .*HF_TOKEN") as refused:
        read_flat(path)
    assert WORD not in str(refused.value)
