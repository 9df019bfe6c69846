"""A few generated samples and a nano tokenizer, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from raiden_core.characters.compose import compose
from raiden_core.config.sections.training import NanoConfig
from raiden_core.generation import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample
from raiden_core.stages.progress import silent

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


@pytest.fixture(scope="session")
def composed_samples() -> list[Sample]:
    generated = generate(
        compose(60, facts=(4, 8), seed=1),
        teacher=OfflineTeacher(1),
        samples_per_character=5,
        include_cm=True,
        cm_share=0.25,
        seed=1,
        scorer=Scorer(),
        progress=silent,
    )
    return list(generated.samples)


@pytest.fixture(scope="session")
def nano_tokenizer(composed_samples: list[Sample]) -> PreTrainedTokenizerFast:
    from raiden_core.training.nano import build_tokenizer

    return build_tokenizer(composed_samples, NanoConfig(vocab_size=1000))
