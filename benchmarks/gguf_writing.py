"""What writing a model folder as GGUF costs beside a plain copy of its weights, in CPU time of one process.

    python -m benchmarks.gguf_writing models/SmolLM2-135M-Instruct.Q4_1.gguf      # or a model's folder

Both are done in turns, after each has been done once, so that imports and the page cache count for neither. Files are
written below the current folder and removed. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from raiden_core.config.sections.training import GgufConfig
from raiden_core.models.gguf import is_gguf
from raiden_core.models.gguf.packing import QUANTS, pack
from raiden_core.models.gguf.unpack import dense_folder

TURNS = 7


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this process, the kernel's work for it included."""
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a model's folder, or a GGUF file that is unpacked first")
    parser.add_argument("--quant", choices=QUANTS, default="f16")
    given = parser.parse_args()
    model = dense_folder(Path(given.model), GgufConfig()) if is_gguf(given.model) else Path(given.model)
    weights = sorted(model.glob("*.safetensors"))
    copies, packs = [], []
    with tempfile.TemporaryDirectory(dir=".") as place:
        target = Path(place) / "written"
        for turn in range(TURNS + 1):
            copied = cpu_seconds(lambda: [shutil.copyfile(file, target) for file in weights])
            target.unlink()
            packed = cpu_seconds(lambda: pack(model, target, given.quant, "model"))
            size = target.stat().st_size
            target.unlink()
            if turn:
                copies.append(copied)
                packs.append(packed)
    found = {
        "weights_mib": round(sum(file.stat().st_size for file in weights) / 2**20),
        "gguf_mib": round(size / 2**20),
        "copy_cpu_s": round(median(copies), 3),
        "pack_cpu_s": round(median(packs), 3),
        "ratio": round(median(packed / copied for packed, copied in zip(packs, copies, strict=True)), 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "turns": TURNS,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
