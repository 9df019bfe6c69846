"""The compose file and the Dockerfile, as far as they can be checked without an engine."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).parents[1] / "docker"
SECRETS = ("POSTGRES_PASSWORD", "PREFECT_AUTH", "HF_TOKEN", "WANDB_API_KEY", "TEACHER_API_KEY")
IMAGES = ("POSTGRES_IMAGE", "PREFECT_IMAGE", "SGLANG_IMAGE", "PYTHON_IMAGE")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
    found: dict[str, dict[str, Any]] = content["services"]
    return found


def test_every_image_is_pinned(services: dict[str, dict[str, Any]]) -> None:
    images = [str(service["image"]) for service in services.values()]
    images += re.findall(r"^ARG \w*IMAGE=(\S+)", (DOCKER / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    default = re.compile(r"\$\{\w+:-(.+)\}")
    for image in images:
        shown = found.group(1) if (found := default.fullmatch(image)) else image
        name, _, tag = shown.rpartition(":")
        assert name and tag and tag != "latest", image


def test_ports_are_published_on_loopback_only(services: dict[str, dict[str, Any]]) -> None:
    ports = [str(port) for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports), ports


def test_what_runs_for_long_has_a_health_check_and_comes_back(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if name != "deploy":  # it registers the deployments, and ends
            assert "healthcheck" in service, name
            assert service["restart"] == "unless-stopped", name


def test_secrets_come_from_the_environment_and_the_example_holds_none(services: dict[str, dict[str, Any]]) -> None:
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    for secret in SECRETS:
        assert re.search(rf"\$\{{{secret}[:}}]", text), secret
    lines = (DOCKER / "example.env").read_text("utf-8").splitlines()
    named = (*SECRETS, *IMAGES)
    assert sorted(line for line in lines if line and not line.startswith("#")) == sorted(f"{name}=" for name in named)


def compose() -> list[str] | None:
    """The command of a compose that is installed: Docker's plugin, or Debian's program."""
    if shutil.which("docker"):
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if plugin.returncode == 0:
            return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def test_compose_reads_the_file_and_wants_the_secrets(tmp_path: Path) -> None:
    command = compose()
    if command is None:
        pytest.skip("neither docker compose nor docker-compose is installed: the compose file is not validated")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    file = ["-f", str(DOCKER / "compose.yaml")]
    filled = tmp_path / "filled.env"
    filled.write_text("POSTGRES_PASSWORD=x/y@z\nPREFECT_AUTH=a:b\n", "utf-8")
    good = subprocess.run(
        [*command, *file, "--env-file", str(filled), "config"], capture_output=True, text=True, env=environment
    )
    assert good.returncode == 0, good.stderr
    # The password goes to Prefect as it is and not inside an address, where some of its letters would end it.
    database = yaml.safe_load(good.stdout)["services"]["server"]["environment"]
    assert database["PREFECT_SERVER_DATABASE_PASSWORD"] == "x/y@z"
    assert database["PREFECT_SERVER_DATABASE_HOST"] == "postgres"
    assert not [value for value in database.values() if "x/y@z" in str(value) and "://" in str(value)]
    example = ["--env-file", str(DOCKER / "example.env")]
    bad = subprocess.run([*command, *file, *example, "config"], capture_output=True, text=True, env=environment)
    assert bad.returncode != 0
    assert "POSTGRES_PASSWORD" in bad.stderr or "PREFECT_AUTH" in bad.stderr


def _pinned(file: Path) -> dict[str, str]:
    """Name -> version of each line, without what follows a ``+``."""
    found = re.findall(r"^([\w.\-]+)==([^\s+;]+)", file.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_images_install_the_versions_that_are_tested_each_by_its_hash(kind: str) -> None:
    files = [DOCKER / "requirements.txt", DOCKER / f"requirements-{kind}.txt"]
    listed = {name: version for file in files for name, version in _pinned(file).items()}
    tested = _pinned(DOCKER.parent / "constraints.txt")
    assert not {
        name: (version, tested[name]) for name, version in listed.items() if tested.get(name, version) != version
    }
    project = tomllib.loads((DOCKER.parent / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.split(r"[^\w-]", one)[0].lower().replace("_", "-") for one in project["dependencies"]}
    assert needed | {"setuptools"} <= set(listed), "run docker/lock.py"
    for file in files:
        entries = re.split(r"\n(?=[\w#])", file.read_text("utf-8").strip())
        without = [entry for entry in entries if "--hash=sha256:" not in entry and not entry.startswith("#")]
        assert len(entries) > 1 and not without
    recipe = (DOCKER / "Dockerfile").read_text("utf-8")
    installs = re.findall(r"pip install (.+)", recipe)
    assert len(installs) == 5 and all("--require-hashes" in one or "--no-index" in one for one in installs)


def test_hadolint_has_nothing_to_say() -> None:
    linter = shutil.which("hadolint")
    if linter is None:
        pytest.skip("hadolint is not installed: the Dockerfile is not linted")
    done = subprocess.run([linter, str(DOCKER / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
