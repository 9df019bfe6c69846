"""A folder that is ready for the Hugging Face Hub: the trained model of a run, its model card, its data card.

    assemble(Path("runs/runs/20260101-120000-000-mine"), Path("out"))
    push(Path("out"), "me/my-character-model")

`assemble` touches no network. `push` is called by an explicit flag only; its token comes from the environment, and a
repository that it makes is private.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from raiden_core.config import Config
from raiden_core.config.loading import load_config, plain_config
from raiden_core.dataset.card import dataset_card
from raiden_core.errors import DataError, StageError, UsageError
from raiden_core.evaluation.results import read_results
from raiden_core.export.model_card import HUB_ID, model_card
from raiden_core.report.settings import run_notes
from raiden_core.report.take_home import Place, beside, main_language
from raiden_core.report.tree import mask_secrets
from raiden_core.stages.folder import MANIFEST, STATS
from raiden_core.stages.layout import COLD_START, CONFIG_FILE, EVALUATE, GENERATE, MODEL, RESULTS_FILE, SPLIT, TRAIN
from raiden_core.stages.runs import RunRecord, read_run

CARD, DATA_CARD, CONFIG = "README.md", "DATA.md", "raiden.yaml"
TOKEN = "HF_TOKEN"
STAGES = (GENERATE, SPLIT, TRAIN, EVALUATE)
"""Those whose results are told."""


def assemble(run: Path, out: Path, dataset: str | None = None) -> dict[str, Any]:
    """Copy the trained model of a run into ``out`` and write its cards.

    Args:
        run: the run's folder, with run.json and config.yaml.
        out: the folder to write into; it exists.
        dataset: the data's id on the Hub, where it is there.

    Returns:
        The number of files and bytes of the model.

    Raises:
        DataError: the run has not come as far as an evaluation, or its folders are gone.
        ConfigError: its configuration is not what this version reads.
    """
    texts = run_texts(run, dataset)
    files = [path for path in sorted(texts.model.rglob("*")) if path.is_file()]
    for path in files:
        place = out / path.relative_to(texts.model)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    write_cards(texts, out)
    return {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}


def write_cards(texts: RunTexts, out: Path) -> None:
    """Write what is to be said of a run's model: README.md, DATA.md, raiden.yaml."""
    for name, text in ((CARD, texts.card), (DATA_CARD, texts.data_card), (CONFIG, texts.raiden_yaml)):
        (out / name).write_text(text, encoding="utf-8", errors="replace")


def add_to_card(out: Path, section: str) -> None:
    """Write one more section at the end of the model card in a folder."""
    with (out / CARD).open("a", encoding="utf-8") as card:
        card.write(f"\n{section}\n")


@dataclass(frozen=True)
class RunTexts:
    """A finished run's model, and what is to be said of it."""

    record: RunRecord
    train: Path
    """The folder of GRPO."""
    model: Path
    split: Path
    """The folder with train.json and validation.json."""
    config: Config
    card: str
    data_card: str
    raiden_yaml: str


def run_texts(run: Path, dataset: str | None = None, *, adapter: bool = False) -> RunTexts:
    """Read a finished run; with ``adapter`` the card is that of an adapter alone. Raises like `assemble`."""
    record = read_run(run)
    folders = _stage_folders(record)
    model = folders[TRAIN] / MODEL
    if not model.is_dir():
        raise DataError(f"{model}: is missing; train again")
    config = load_config(record.folder / CONFIG_FILE, ())
    plain: Any = json.loads(json.dumps(mask_secrets(plain_config(config)), default=str))
    split = _read(folders[SPLIT] / STATS)
    card = model_card(
        results=read_results(folders[EVALUATE] / RESULTS_FILE),
        config=plain,
        split=split,
        manifests={stage: _read(folders[stage] / MANIFEST) for stage in (TRAIN, EVALUATE)},
        notes=[*run_notes(config), *config.report.notes],
        place=_place(record, config, split),
        adapter=adapter or (model / "adapter_config.json").is_file(),
        cold_started=COLD_START in record.stages,
        dataset=dataset,
    )
    data_card = dataset_card(split, _read(folders[GENERATE] / STATS), f"Data of {config.name}")
    raiden_yaml = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False)
    return RunTexts(record, folders[TRAIN], model, folders[SPLIT], config, card, data_card, raiden_yaml)


def _place(record: RunRecord, config: Config, split: Mapping[str, Any]) -> Place:
    """The run's model, as commands name it."""
    here = record.folder.absolute()
    return Place(
        run=f"{here.parent.parent.name}/{beside(here)}",
        model=f"{beside(record.stages[TRAIN])}/{MODEL}",
        name=config.name,
        nano=config.student.is_nano,
        language=main_language(split),
    )


def push(folder: Path, repository: str) -> str:
    """Upload a folder to the Hub, into a repository that is made, private, where there is none.

    Returns:
        The address of the commit.

    Raises:
        UsageError: the name is no repository's, or there is no token in the environment.
        StageError: the Hub refused it or cannot be reached; the folder stays as it is.
    """
    token = check_push(repository)
    from httpx2 import HTTPError
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    hub = HfApi(token=token)
    try:
        hub.create_repo(repository, private=True, exist_ok=True)
        commit = hub.upload_folder(repo_id=repository, folder_path=folder, commit_message="Upload by raiden export")
    except (HfHubHTTPError, HTTPError, OSError) as error:
        reason = next(iter(str(error).replace(token, "•••").splitlines()), type(error).__name__)
        raise StageError(
            f"{repository}: the Hub did not take it ({reason}); {folder} is complete, so push it again with "
            f"`hf upload {repository} {folder}`"
        ) from None
    return str(commit.commit_url)


def check_push(repository: str) -> str:
    """The token to push with; asked before any work is done.

    Raises:
        UsageError: the name is no repository's, or there is no token in the environment.
    """
    if not HUB_ID.match(repository):
        raise UsageError(f"--push {repository}: a repository is named OWNER/NAME")
    token = os.environ.get(TOKEN)
    if not token:
        raise UsageError(f"--push needs a token that may write; set {TOKEN} in the environment")
    return token


def _stage_folders(record: RunRecord) -> Mapping[str, Path]:
    if missing := [stage for stage in STAGES if stage not in record.stages]:
        raise DataError(f"{record.folder}: the run has no {', '.join(missing)}; run it until report first")
    return {stage: record.stage(stage) for stage in STAGES}


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; give the folder of a finished run") from None
    except ValueError:
        raise DataError(f"{path}: broken JSON; run again") from None
    if not isinstance(value, dict):
        raise DataError(f"{path}: is not an object; run again")
    return value
