"""What the parameters' form shows, what deployments say, and what a run is called. No server."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
import yaml
from prefect.utilities.callables import parameter_schema

from flows import pipeline
from flows.pipeline import raiden, run_name
from raiden_core.config.loading import config_of, parse_config
from raiden_core.errors import ConfigError
from raiden_core.stages.layout import STAGES

ROOT = Path(__file__).parents[2]
DEPLOYMENTS: dict[str, dict[str, Any]] = {
    one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
}


def schema() -> dict[str, Any]:
    return parameter_schema(raiden).model_dump()


def test_each_parameter_has_a_type_and_a_description() -> None:
    properties = schema()["properties"]
    assert list(properties) == ["config", "overrides", "until", "refresh"]
    for name, field in properties.items():
        assert len(field["description"]) > 15, name
    assert {one.get("type") for one in properties["config"]["anyOf"]} == {"string", "object"}
    assert properties["until"]["enum"] == list(STAGES)
    assert properties["overrides"]["anyOf"][0]["items"]["type"] == "string"


def test_there_is_a_deployment_for_the_whole_and_one_for_each_stage() -> None:
    assert list(DEPLOYMENTS) == ["full-pipeline", *STAGES]
    for name, one in DEPLOYMENTS.items():
        jsonschema.validate(one["parameters"], schema())
        assert one["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}, name
        assert "raiden" in one["tags"], name
        assert not any(schedule["active"] for schedule in one.get("schedules", [])), "schedules are off by default"
        if name != "full-pipeline":
            assert (one["parameters"]["until"], one["parameters"]["refresh"]) == (name, [name])
            assert ("gpu" in one["tags"]) == (name in ("cold-start", "train", "evaluate"))


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"config": "configs/quickstart.yaml", "until": "report"}, "quickstart: report, "),
        ({"config": "configs/quickstart.yaml", "until": "train", "refresh": ["train"]}, "quickstart: train, "),
        ({"config": "/a/b.c.yaml", "until": "report", "refresh": ["split", "train"]}, "b.c: report with split, train"),
        ({"config": {"name": "mine"}, "until": "split"}, "mine: split, "),
        ({"config": {}}, "inline: report, "),
        ({}, "quickstart: report, "),
    ],
)
def test_a_run_is_called_by_configuration_work_and_time(
    monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any], name: str
) -> None:
    monkeypatch.setattr(pipeline, "flow_run", SimpleNamespace(parameters=parameters))
    assert run_name().startswith(name)
    assert run_name()[-8:].count(":") == 2, "the time is at its end"


def test_a_configuration_given_as_an_object_is_the_same_as_its_text() -> None:
    tree = {"name": "x", "grpo": {"max_steps": 3}}
    inline = config_of(tree, ["grpo.max_steps=5"], where="config")
    assert inline == parse_config("name: x\ngrpo: {max_steps: 5}\n")
    assert tree == {"name": "x", "grpo": {"max_steps": 3}}, "what was given stays as it was"
    with pytest.raises(ConfigError, match=r"config: nme: unknown key.*name"):
        config_of({"nme": "x"}, where="config")
