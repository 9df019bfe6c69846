"""The work-pool template for Kubernetes, as far as it can be checked without a cluster."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from prefect.utilities.templating import apply_values

ROOT = Path(__file__).parents[1]
TEMPLATE: dict[str, Any] = json.loads((ROOT / "docker/kubernetes/base-job-template.json").read_text("utf-8"))
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text("utf-8")
FROM_THE_WORKER = {"name": "run", "command": "prefect flow-run execute", "service_account_name": "raiden"}
"""Values that have no default: the worker, or a user, gives them."""


def manifest(**values: Any) -> dict[str, Any]:
    """The job that Prefect makes of the template's defaults and some values."""
    defaults = {name: one["default"] for name, one in TEMPLATE["variables"]["properties"].items()}
    filled = apply_values(TEMPLATE["job_configuration"], {**defaults, **FROM_THE_WORKER, **values})
    made: dict[str, Any] = filled["job_manifest"]
    return made


def test_each_variable_is_used_explained_and_has_a_default_of_its_type() -> None:
    properties = TEMPLATE["variables"]["properties"]
    used = set(re.findall(r"\{\{ (\w+) \}\}", json.dumps(TEMPLATE["job_configuration"])))
    assert used == set(properties)
    for name, one in properties.items():
        assert one["title"] and len(one["description"]) > 15, name
        jsonschema.validate(one["default"], one)


def test_the_job_has_what_prefects_kubernetes_worker_demands() -> None:
    """`_get_base_job_manifest` of prefect-kubernetes 0.8: a template without these is refused when a run starts."""
    made = manifest()
    assert (made["apiVersion"], made["kind"]) == ("batch/v1", "Job")
    pod = made["spec"]["template"]["spec"]
    assert (pod["parallelism"], pod["completions"], pod["restartPolicy"]) == (1, 1, "Never")
    assert [one["name"] for one in pod["containers"]] == ["prefect-job"]
    assert "{{" not in json.dumps(made), "something was left unfilled"


def test_pods_work_where_the_image_expects_it_and_as_its_user() -> None:
    pod = manifest()["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert f"WORKDIR {container['workingDir']}\n" in DOCKERFILE
    assert f"USER {pod['securityContext']['runAsUser']}\n" in DOCKERFILE
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert mounts.keys() == {one["name"] for one in pod["volumes"]}
    # The image's `runs` is a link to that folder, and a fresh claim is empty: mounted one level higher it would dangle.
    assert f"ln -s {mounts['runs']} runs" in DOCKERFILE
    # A worker hands its own PREFECT_HOME to its jobs, where there is no such folder.
    home = TEMPLATE["variables"]["properties"]["env"]["default"]["PREFECT_HOME"]
    assert f"PREFECT_HOME={home}" in DOCKERFILE


@pytest.mark.parametrize("gpus", [0, 8])
def test_gpus_memory_image_and_claim_are_settings(gpus: int) -> None:
    pod = manifest(gpus=gpus, memory="64Gi", image="registry/raiden:cuda", runs_claim="disk")["spec"]["template"][
        "spec"
    ]
    (container,) = pod["containers"]
    assert container["image"] == "registry/raiden:cuda"
    assert container["resources"]["limits"] == {"memory": "64Gi", "nvidia.com/gpu": gpus}
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "disk"}


def test_the_deployments_variables_are_known_to_it() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    for one in deployments:
        assert one["work_pool"]["job_variables"].keys() <= TEMPLATE["variables"]["properties"].keys(), one["name"]
