"""The samples and the nano tokenizer of the tests of training."""

from tests.training.conftest import composed_samples, nano_tokenizer

__all__ = ["composed_samples", "nano_tokenizer"]
