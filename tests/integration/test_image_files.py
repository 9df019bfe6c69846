"""What the Dockerfile copies is enough to run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

DOCKER = Path(__file__).parents[2] / "docker"


def test_what_is_copied_into_the_image_is_enough_to_deploy_and_to_read_characters(tmp_path: Path) -> None:
    lines = re.findall(r"^COPY (.+) (\S+)$", (DOCKER / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    for sources, target in lines:
        for source in sources.split():
            here, there = DOCKER.parent / source, tmp_path / target
            if here.is_dir():
                shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(here, there)
    code = (
        "import sys, yaml, flows.pipeline\n"
        "from pathlib import Path\n"
        # From here, not from the checkout that is installed where the tests run.
        "for name in ('flows', 'tasks', 'raiden_core'):\n"
        "    assert Path(sys.modules[name].__file__).is_relative_to(Path.cwd()), name\n"
        "for one in yaml.safe_load(Path('prefect.yaml').read_text())['deployments']:\n"
        "    assert Path(one['entrypoint'].partition(':')[0]).is_file()\n"
        "    assert Path(one['parameters']['config']).is_file()\n"
        "from raiden_core.cli.group import build, run, COMMANDS\n"
        "raise SystemExit(run(build(COMMANDS, ''), ['profiles', 'shipped:ko']))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
