"""What a configuration holds is repeated in many places: values that are secrets are refused, and not repeated even then."""

from typing import Any

import pytest

from raiden_core.config.loading import config_of
from raiden_core.errors import ConfigError

KEY = "sk-7f3a91-canary"


def endpoint(**values: str) -> dict[str, Any]:
    return {"teacher": {"kind": "llm", "endpoints": {"teacher": values}}}


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (endpoint(url=f"http://user:{KEY}@127.0.0.1:3/v1"), r"teacher\.endpoints\.teacher\.url: .*environment"),
        (endpoint(url=f"https://{KEY}@host/v1"), r"teacher\.endpoints\.teacher\.url: .*environment"),
        (endpoint(api_key_env=KEY), r"teacher\.endpoints\.teacher\.api_key_env: .*name the variable"),
        (endpoint(api_key=KEY), r"teacher\.endpoints\.teacher\.api_key: unknown key"),
        ({"storage": {"url": f"s3://ID:{KEY}@bucket/raiden"}}, r"storage\.url: .*environment"),
        ({"runner": {"kind": "ray", "address": f"ray://u:{KEY}@head:1"}}, r"runner\.address: .*environment"),
    ],
)
def test_a_secret_is_refused_and_its_value_not_repeated(tree: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        config_of(tree)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    "tree",
    [
        endpoint(url="http://127.0.0.1:30000/v1", api_key_env="TEACHER_API_KEY"),
        {"storage": {"url": "s3://bucket/somebody@home/raiden"}},
        {"storage": {"url": "/mnt/somebody@home/raiden"}},
        {"storage": {"url": "s3://bucket/raiden"}, "runner": {"kind": "ray", "address": "ray://head:10001"}},
        {"runner": {"kind": "ray", "address": "auto"}},
    ],
)
def test_addresses_and_names_without_secrets_are_taken(tree: dict[str, Any]) -> None:
    assert config_of(tree)
