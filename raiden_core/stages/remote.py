"""Finished stages in shared storage: S3, any other store that fsspec reaches, or a second disk.

    remote = Remote("s3://bucket/raiden")
    remote.fetch("train", key, output_dir)     # True when a whole folder was there, and now is here
    remote.keep(output_dir / "train-0123456789ab")

A folder's manifest is written last, and read first: what has one is whole. Everything that comes back is compared with
the manifest's digests before it gets its final name. Credentials and endpoints are the storage library's business; for
S3 these are the usual ``AWS_*`` variables, ``AWS_ENDPOINT_URL`` for stores other than Amazon's.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from raiden_core.errors import ConfigError, StageError
from raiden_core.stages.folder import KEY_DIGITS, MANIFEST, damage, folder_number

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


@dataclass(frozen=True)
class Remote:
    """A URL below which stages' folders lie, named as in the output folder."""

    url: str

    def fetch(self, stage: str, key: str, output_dir: Path) -> bool:
        """Copy the newest whole folder of a key into ``output_dir``; False where there is none.

        Raises:
            ConnectionError: the storage cannot be reached.
            StageError: the storage refuses, or what lies there does not match its manifest.
            ConfigError: the URL is of a kind that nothing installed can read.
        """
        name = f"{stage}-{key[:KEY_DIGITS]}"
        with self._open() as (files, root):
            folders = sorted({found.rsplit("/", 2)[-2] for found in files.glob(f"{root}/{name}*/{MANIFEST}")})
            for folder in sorted(folders, key=lambda one: folder_number(Path(one)), reverse=True):
                manifest = json.loads(files.cat_file(f"{root}/{folder}/{MANIFEST}"))
                if manifest.get("key") == key:
                    self._copy(files, f"{root}/{folder}", manifest["outputs"], output_dir / folder)
                    return True
        return False

    def keep(self, folder: Path) -> None:
        """Copy a finished folder to the storage, unless it is there already.

        Raises:
            ConnectionError, StageError, ConfigError: as for `fetch`; the folder itself is untouched.
        """
        with self._open() as (files, root):
            there = f"{root}/{folder.name}"
            content = (folder / MANIFEST).read_bytes()
            if files.exists(f"{there}/{MANIFEST}") and files.cat_file(f"{there}/{MANIFEST}") == content:
                return
            for name in json.loads(content)["outputs"]:
                files.makedirs(f"{there}/{name}".rpartition("/")[0], exist_ok=True)
                files.put_file(str(folder / name), f"{there}/{name}")
            files.pipe_file(f"{there}/{MANIFEST}", content)

    def _copy(self, files: AbstractFileSystem, there: str, outputs: dict[str, str], target: Path) -> None:
        partial = target.with_name(f".{target.name}.fetched")
        shutil.rmtree(partial, ignore_errors=True)
        for name in (*outputs, MANIFEST):
            place = partial / name
            # A manifest from outside says where files go: none of them may leave the folder.
            if not place.resolve().is_relative_to(partial.resolve()):
                raise StageError(f"{self.url}: the manifest of {target.name} names a file outside its folder: {name}")
            place.parent.mkdir(parents=True, exist_ok=True)
            files.get_file(f"{there}/{name}", str(place))
        if problem := damage(partial):
            shutil.rmtree(partial)
            raise StageError(f"{self.url}: {target.name} does not match its manifest ({problem}); delete it there")
        partial.rename(target)

    @contextmanager
    def _open(self) -> Iterator[tuple[AbstractFileSystem, str]]:
        import fsspec

        try:
            files, root = fsspec.url_to_fs(self.url)
        except (ValueError, ImportError) as error:
            hint = "; pip install -e '.[s3]' in raiden's checkout" if self.url.startswith("s3:") else ""
            raise ConfigError(f"storage.url: {self.url}: {error}{hint}") from None
        files.invalidate_cache()
        try:
            yield files, root.rstrip("/")
        except (PermissionError, FileNotFoundError) as error:
            raise StageError(
                f"storage.url: {self.url}: {_words(error)}; check the bucket and the credentials"
            ) from None
        except OSError as error:
            raise ConnectionError(f"storage.url: {self.url}: {_words(error)}") from error
        except _s3_errors() as error:
            if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
                raise StageError(
                    f"storage.url: {self.url}: no credentials; set AWS_ACCESS_KEY_ID and its secret"
                ) from None
            raise ConnectionError(f"storage.url: {self.url}: {_words(error)}") from error


def _s3_errors() -> tuple[type[Exception], ...]:
    """botocore's own errors, which are no OSErrors, where it is installed."""
    if importlib.util.find_spec("botocore") is None:
        return ()
    from botocore.exceptions import BotoCoreError

    return (BotoCoreError,)


def _words(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
