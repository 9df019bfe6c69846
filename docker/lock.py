"""Writes what the images install, every file by its hash: ``pip install uv && python docker/lock.py``.

- requirements.txt: everything but torch and what torch alone needs
- requirements-cuda.txt: those, as the package index has them for Linux (x86_64)

Versions are those of constraints.txt. requirements-cpu.txt holds one wheel of PyTorch's own index and is edited by hand
when torch's version changes: that index is asked for nothing else.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

DOCKER = Path(__file__).resolve().parent
CUDA = re.compile(r"torch|triton|nvidia-.*|cuda-.*")
"""Packages that only the image for GPUs installs from the package index."""
BUILD = "setuptools>=77\n"
"""What installs the checkout itself (pyproject.toml, build-system)."""
HEAD = "# Written by docker/lock.py for Python 3.11 on Linux (x86_64); do not edit.\n"


def main() -> None:
    """Ask uv for the versions and hashes, and deal them to the two files."""
    options = [
        "--quiet",
        "--no-config",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--no-emit-package=raiden",
    ]
    platform = ["--python-version=3.11", "--python-platform=x86_64-manylinux_2_28"]
    command = [sys.executable, "-m", "uv", "pip", "compile", *options, *platform, "-c", "constraints.txt"]
    done = subprocess.run(
        [*command, "pyproject.toml", "-"], cwd=DOCKER.parent, input=BUILD, stdout=subprocess.PIPE, text=True, check=True
    )
    entries = re.split(r"\n(?=\S)", done.stdout.strip())
    cuda = [entry for entry in entries if CUDA.fullmatch(entry.split("==")[0])]
    rest = [entry for entry in entries if entry not in cuda]
    for name, lines in (("requirements.txt", rest), ("requirements-cuda.txt", cuda)):
        (DOCKER / name).write_text(HEAD + "\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
