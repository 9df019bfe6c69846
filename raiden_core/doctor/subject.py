"""`Subject`: the configuration that is looked at, with what several checks need, made once and when first asked for."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from raiden_core.config import Config
from raiden_core.errors import ConfigError, DataError, RaidenError
from raiden_core.models.templates import complete_template
from raiden_core.planning.drafts import CHARACTERS, drafted_samples
from raiden_core.rewards import Scorer
from raiden_core.rewards.configured import evaluation_scorer
from raiden_core.rewards.gold import read_verified
from raiden_core.samples import Sample
from raiden_core.stages.layout import SPLIT, TRAIN_FILE
from raiden_core.training.flat import FlatFiles
from raiden_core.training.stage import student_input

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Samples:
    """Samples to try things on, and where they are from."""

    samples: tuple[Sample, ...]
    source: str
    failures: tuple[str, ...] = ()
    """A line for each sample of the file that cannot be used."""


class Subject:
    """A configuration under examination."""

    def __init__(self, config: Config, data: Path | None = None, flat: FlatFiles | None = None) -> None:
        self.config = config
        self.flat = flat
        """What a training script's own file names; None for raiden's kind of configuration."""
        self._data = data

    @functools.cached_property
    def data(self) -> Path | None:
        """The file of training samples: the one named, or the newest that a run has split."""
        if self._data is not None:
            return self._data
        if self.flat is not None:
            return self.flat.train
        found = list(self.config.output_dir.glob(f"{SPLIT}-*/{TRAIN_FILE}"))
        return max(found, key=lambda path: path.stat().st_mtime) if found else None

    @property
    def counted(self) -> Path | None:
        """The file of samples that a plan can count: memory and disk are told without one too."""
        return self.data if self.data is not None and self.data.is_file() else None

    @functools.cached_property
    def scorer(self) -> Scorer:
        """The reward as the configuration wants it."""
        return evaluation_scorer(self.config)

    @functools.cached_property
    def samples(self) -> Samples:
        """Samples of the data file; where there is none, a few that the offline teacher makes of the characters.

        Raises:
            DataError: the file cannot be read.
        """
        if self.data is not None:
            samples, failures = read_verified(self.data, self.scorer)
            return Samples(tuple(samples), str(self.data), tuple(failures))
        if self.flat is not None:
            raise DataError("train_data_path: not set")
        return Samples(
            tuple(drafted_samples(self.config, self.scorer)), f"offline teacher, up to {CHARACTERS} characters"
        )

    @functools.cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The student's tokenizer, with no network; for the nano student one is trained on the samples at hand.

        Raises:
            ConfigError: it is not there or cannot be read.
        """
        if self.config.student.is_nano:
            from raiden_core.training.nano import build_tokenizer

            if not self.samples.samples:
                raise ConfigError("student.model: no samples to make the nano tokenizer of")
            return build_tokenizer(self.samples.samples, self.config.student.nano, self.config.prompt.layout)
        from transformers import AutoTokenizer

        model = str(student_input(self.config.student))
        try:
            tokenizer = AutoTokenizer.from_pretrained(
                model,
                padding_side="left",
                local_files_only=True,
                trust_remote_code=False,
                revision=self.config.student_revision or "main",
            )
        except (OSError, ValueError, KeyError) as error:  # missing files, broken JSON, an unknown class
            if not Path(model).is_dir():
                raise ConfigError(f"the tokenizer of {model} is not in the Hub cache") from None
            first = " ".join(str(error).split())[:200]
            raise ConfigError(f"student.model: {model}: no tokenizer can be loaded here: {first}") from None
        complete_template(tokenizer, model)
        return tokenizer

    def missing_tokenizer(self) -> str | None:
        """Why checks that need tokenizer and samples cannot be done; None where they can."""
        try:
            if not self.samples.samples:
                return "no samples to try it on; generate some and name them with --data"
            _ = self.tokenizer
        except RaidenError as error:
            return str(error)
        return None
