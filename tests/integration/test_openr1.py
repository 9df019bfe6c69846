"""The OpenR1 guide's job, run to its end with its own data format: one process, two, its evaluation and its adapter.

The commands are those of docs/from-openr1.md, with options after them that make the model tiny and the device a CPU.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "from-openr1.md"
REQUIRED = ("character_name", "character_profile", "question", "answer", "keywords")
SMALL = [
    "--model_name_or_path",
    "tiny",
    "--use_cpu",
    "true",
    "--bf16",
    "false",
    "--dtype",
    "float32",
    "--gradient_checkpointing",
    "false",
    "--max_steps",
    "2",
    "--max_completion_length",
    "8",
    "--logging_steps",
    "1",
    "--eval_steps",
    "2",
    "--save_steps",
    "2",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with configs/, a tiny model and data in the guide's format: its five required fields and no more."""
    from raiden_core.characters.compose import compose
    from raiden_core.config.sections.training import NanoConfig
    from raiden_core.generation import generate
    from raiden_core.generation.offline.teacher import OfflineTeacher
    from raiden_core.rewards import Scorer
    from raiden_core.stages.progress import silent
    from raiden_core.training.nano import build_nano

    folder = tmp_path_factory.mktemp("openr1")
    shutil.copytree(ROOT / "configs", folder / "configs")
    made = generate(
        compose(8, facts=(3, 4), seed=1),
        teacher=OfflineTeacher(1),
        samples_per_character=3,
        include_cm=False,
        cm_share=0,
        seed=1,
        scorer=Scorer(),
        progress=silent,
    )
    build_nano(folder / "tiny", made.samples, NanoConfig(vocab_size=700, hidden_size=32, layers=1, heads=2), 1)
    rows = [{key: sample.model_dump(mode="json")[key] for key in REQUIRED} for sample in made.samples]
    (folder / "data" / "training").mkdir(parents=True)
    for name, part in (("train", rows[:-4]), ("validation", rows[-4:])):
        path = folder / "data" / "training" / f"{name}.json"
        path.write_text(json.dumps(part, ensure_ascii=False), "utf-8")
    return folder


def commands(start: str) -> list[list[str]]:
    """The commands of the page's bash snippets that start so."""
    text = "\n".join(re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)).replace("\\\n", "")
    found = [line.split() for line in text.splitlines() if line.startswith(start)]
    assert found, start
    return found


def call(place: Path, *words: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "TRL_EXPERIMENTAL_SILENCE": "1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(words, env=environment, cwd=place, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def metrics(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text("utf-8").splitlines()]


def test_the_job_runs_in_one_process_with_overrides_and_its_model_is_evaluated(place: Path) -> None:
    (command,) = commands("python -m raiden_core.training.grpo")
    assert command[:4] == ["python", "-m", "raiden_core.training.grpo", "configs/openr1_config.yaml"]
    # Without warm-up, so that the learning rate of the page's option shows at the first step.
    call(place, sys.executable, *command[1:], *SMALL, "--warmup_steps", "0", "--lr_scheduler_type", "constant")
    out = place / "outputs_openr1"
    steps = [row for row in metrics(out) if "reward" in row]
    assert [row["step"] for row in steps] == [1, 2]
    assert steps[0]["learning_rate"] == 1e-5
    assert all(
        row["reward"] == pytest.approx(
            0.7 * row["rewards/accuracy_reward/mean"] + 0.3 * row["rewards/format_reward/mean"]
        )
        for row in steps
    )  # fmt: skip
    assert any("eval_reward" in row for row in metrics(out))
    assert (out / "model" / "config.json").is_file()
    log = (out / "training.log").read_text("utf-8")
    assert "grpo 1/2 " in log and f"finished at step 2: {Path('./outputs_openr1/model')}" in log

    (evaluate,) = commands("raiden evaluate")
    small = ["--set", "evaluation.max_new_tokens=8"]
    call(place, sys.executable, "-m", "flows.cli", *evaluate[1:], *small)
    results = json.loads((place / "results" / "results.json").read_text("utf-8"))
    assert results["trained"]["all"]["n"] == 4


def test_the_job_runs_in_two_processes(place: Path) -> None:
    (command,) = commands("accelerate launch")
    assert command[-3:] == ["-m", "raiden_core.training.grpo", "configs/openr1_config.yaml"]
    words = [word.replace("ddp8.yaml", "cpu2.yaml") for word in command[2:]]
    extra = ["--output_dir", "two", "--eval_strategy", "no", "--num_samples_per_prompt", "2"]
    call(place, sys.executable, "-m", "accelerate.commands.launch", *words, *SMALL, *extra)
    summary = json.loads((place / "two" / "training.json").read_text("utf-8"))
    assert (summary["processes"], summary["steps"]) == (2, 2)
    assert [row["step"] for row in metrics(place / "two") if "reward" in row] == [1, 2]
    assert (place / "two" / "training.log").read_text("utf-8").count("grpo 1/2 ") == 1


def test_the_adapters_snippet_trains(place: Path) -> None:
    texts = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    (text,) = [one for one in texts if "GRPOTrainer(" in one]
    small = (
        "use_cpu=True, bf16=False, max_steps=1, max_completion_length=8, report_to=[], gradient_checkpointing=False, "
    )
    text = text.replace("Qwen/Qwen2.5-7B-Instruct", "tiny").replace("GRPOConfig(", f"GRPOConfig({small}")
    text += "\nimport json\nprint(json.dumps(sorted({key for row in trainer.state.log_history for key in row})))\n"
    keys = json.loads(call(place, sys.executable, "-c", text).splitlines()[-1])
    assert "train_loss" in keys
