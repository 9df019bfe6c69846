"""Exports opened by the libraries that they are for, each in an environment of its own: the same completions, the same scores.

Installing a library takes a minute or two and needs the package index; where that fails the test is skipped and says why.
``RAIDEN_LIBRARIES`` names a folder in which the environments are kept for the next time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from raiden_core.cli.export import export
from raiden_core.config.loading import load_config
from raiden_core.rewards.configured import training_scorer
from raiden_core.rewards.gold import read_verified
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.layout import TRAIN_FILE, VALIDATION_FILE

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
GATED = "rewards:\n  - {use: accuracy, weight: 0.7}\n  - {use: format, weight: 0.3}\n  - {use: one_voice, gate: true}\n"
INSTALL_SECONDS = 600


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the environments lie."""
    kept = os.environ.get("RAIDEN_LIBRARIES")
    return Path(kept) if kept else tmp_path_factory.mktemp("libraries")


def python_with(libraries: Path, package: str) -> Path:
    """A Python in which a library is installed; what raiden needs comes from this environment, behind the library's own."""
    folder = libraries / f"venv-{package}"
    python = folder / "bin" / "python"
    if not python.is_file():
        venv.create(folder, with_pip=True, symlinks=True)
        site = next((folder / "lib").glob("python*/site-packages"))
        (site / "raiden_fallback.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    if subprocess.run([python, "-m", "pip", "show", "-q", package], capture_output=True).returncode:
        command = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", package]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.skip(f"{package} was not installed within {INSTALL_SECONDS} s: this export is NOT tested here")
        if done.returncode:
            pytest.skip(
                f"{package} cannot be installed, so this export is NOT tested here: {done.stderr.strip()[-300:]}"
            )
    return python


@pytest.fixture
def material(composed_samples: list[Sample], tmp_path: Path) -> Path:
    """A split, and a configuration with a gate."""
    write_samples(tmp_path / TRAIN_FILE, composed_samples[:8])
    write_samples(tmp_path / VALIDATION_FILE, composed_samples[8:14])
    (tmp_path / "config.yaml").write_text(GATED)
    return tmp_path


def exported(material: Path, to: str) -> Path:
    out = material / "out"
    arguments = [str(out), "--to", to, "--data", str(material), "--config", str(material / "config.yaml")]
    done = CliRunner().invoke(export, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return out


def completions_of(sample: Sample) -> list[str]:
    return [
        f"<think>?</think><answer>{sample.answer}</answer>",
        sample.answer,
        f"<think>?</think><answer>{sample.answer}\n用户：为什么？</answer>",
        "<think>?</think><answer>不知道。</answer>",
        "",
    ]


def wanted(material: Path, file: str) -> list[list[dict[str, Any]]]:
    """By sample and completion, what our own scorer and the gate say."""
    scorer = training_scorer(load_config(material / "config.yaml"))
    samples, _ = read_verified(material / file, scorer)
    table = []
    for sample in samples:
        row = []
        for text in completions_of(sample):
            score, voice = scorer.score(sample, text), float("用户：" not in text)
            values: dict[str, Any] = {"accuracy": score.accuracy, "format": score.format, "one_voice": voice}
            row.append({"score": pytest.approx(score.total * voice), **values})
        table.append(row)
    return table


def said(python: Path, script: str, *arguments: object) -> Any:
    """What a script prints as its last line, run by another environment's Python."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    command = [str(python), "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


INSPECT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from inspect_ai import eval
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from task import raiden_role_play
table = json.loads(sys.argv[2])
found = [[] for _ in table]
for place in range(len(table[0])):
    outputs = [ModelOutput.from_content("mockllm/model", row[place]) for row in table]
    for output in outputs:
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)  # or a tokenizer is downloaded
    model = get_model("mockllm/model", custom_outputs=outputs)
    (log,) = eval(raiden_role_play(), model=model, log_dir=sys.argv[3], display="none", max_samples=1, max_connections=1)
    assert log.status == "success", log.error
    for row, sample in enumerate(log.samples):
        found[row].append(sample.scores["earned"].value)
print(json.dumps(found))
"""
VERIFIERS = """
import asyncio, json, sys
sys.path.insert(0, sys.argv[1])
import verifiers.v1 as vf
from verifiers.v1.utils.loaders import taskset_config_type
taskset = vf.load_taskset(taskset_config_type("raiden-role-play")(id="raiden-role-play", split="test"))
table = json.loads(sys.argv[2])

def trace_of(task, text):
    data, parent, nodes = task.data, None, []
    messages = [vf.SystemMessage(content=data.system_prompt), *data.prompt, vf.AssistantMessage(content=text)]
    for place, message in enumerate(messages):
        nodes.append(vf.MessageNode(parent=parent, message=message, sampled=place == len(messages) - 1))
        parent = place
    seen = vf.TraceTask(type=type(task).__name__, data=data)
    return vf.Trace.model_construct(task=seen, nodes=nodes, rewards={}, metrics={}, root_reply=None)

async def main():
    found = []
    for task, texts in zip(taskset, table, strict=True):
        assert task.data.prompt[-1].content == task.data.sample["question"]
        line = []
        for text in texts:
            trace = trace_of(task, text)
            await task.score(trace)
            line.append({"score": trace.rewards["total"].value, **trace.metrics})
        found.append(line)
    print(json.dumps(found))

asyncio.run(main())
"""
LM_EVAL = """
import json, sys
from lm_eval.tasks import TaskManager, get_task_dict
task = get_task_dict(["raiden_role_play"], TaskManager(include_path=sys.argv[1], include_defaults=False))["raiden_role_play"]
table = json.loads(sys.argv[2])
docs = list(task.test_docs())
assert all(task.doc_to_text(doc).endswith(doc["question"]) for doc in docs)
found = [[task.process_results(doc, [text]) for text in row] for doc, row in zip(docs, table, strict=True)]
print(json.dumps(found))
"""
EASYR1 = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pyarrow import parquet
from raiden_reward import compute_score
rows = parquet.read_table(sys.argv[1] + "/test.parquet").to_pylist()
table = json.loads(sys.argv[2])
found = []
for row, texts in zip(rows, table, strict=True):
    given = [{"response": text, "response_length": 1, "ground_truth": row["answer"]} for text in texts]
    found.append([{"score": one.pop("overall"), **one} for one in compute_score(given)])
print(json.dumps(found))
"""


def asked(material: Path) -> list[list[str]]:
    samples, _ = read_verified(material / VALIDATION_FILE, training_scorer(load_config(material / "config.yaml")))
    return [completions_of(sample) for sample in samples]


@pytest.mark.parametrize(
    ("to", "package", "script"),
    [("verifiers", "verifiers", VERIFIERS), ("inspect", "inspect-ai", INSPECT), ("lm-eval", "lm-eval", LM_EVAL)],
)
def test_a_library_opens_the_export_and_scores_like_the_scorer(
    to: str, package: str, script: str, material: Path, libraries: Path, tmp_path: Path
) -> None:
    python = python_with(libraries, package)
    found = said(python, script, exported(material, to), json.dumps(asked(material)), tmp_path / "logs")
    assert found == wanted(material, VALIDATION_FILE)


def test_easyr1s_reward_scores_like_the_scorer(material: Path) -> None:
    """EasyR1 is in no package index: its reward interface is called as its documents say, and not by itself."""
    found = said(Path(sys.executable), EASYR1, exported(material, "easyr1"), json.dumps(asked(material)))
    assert found == wanted(material, VALIDATION_FILE)
