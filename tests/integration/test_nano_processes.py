"""The nano student's tokenizer does not depend on the process that makes it."""

import subprocess
import sys
from pathlib import Path

import pytest

from raiden_core.samples import Sample, write_samples

pytestmark = pytest.mark.integration


def test_the_tokenizer_is_the_same_in_every_process(tmp_path: Path, composed_samples: list[Sample]) -> None:
    write_samples(tmp_path / "samples.jsonl", composed_samples)
    code = (
        "import sys, hashlib, pathlib\n"
        "from raiden_core.config.sections.training import NanoConfig\n"
        "from raiden_core.samples import read_samples\n"
        "from raiden_core.training.nano import build_tokenizer\n"
        "made = build_tokenizer(read_samples(pathlib.Path(sys.argv[1])), NanoConfig(vocab_size=700))\n"
        "print(hashlib.sha256(made.backend_tokenizer.to_str().encode()).hexdigest())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "samples.jsonl")]
    digests = {subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(digests) == 1
