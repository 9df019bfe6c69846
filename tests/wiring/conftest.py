"""The samples and the nano tokenizer of the tests of training, and a student made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.training.conftest import composed_samples, nano_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = ["composed_samples", "nano_tokenizer", "small_nano"]


@pytest.fixture(scope="session")
def small_nano(tmp_path_factory: pytest.TempPathFactory, nano_tokenizer: PreTrainedTokenizerFast) -> Path:
    """A nano student of one small layer, with its tokenizer."""
    from raiden_core.config.sections.training import NanoConfig
    from raiden_core.training.nano import build_model

    folder = tmp_path_factory.mktemp("nano")
    shape = NanoConfig(vocab_size=1000, hidden_size=32, layers=1, heads=2)
    build_model(nano_tokenizer, shape).save_pretrained(folder)
    nano_tokenizer.save_pretrained(folder)
    return folder
