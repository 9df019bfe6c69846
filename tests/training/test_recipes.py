"""The recipes: every field is one of the installed TRL's or accelerate's, and every batch holds whole groups."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Mapping
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml

from raiden_core.config import Config
from raiden_core.config.loading import load_config
from raiden_core.stages.progress import silent
from raiden_core.training.arguments import ColdStartArguments, GrpoArguments, parse_script
from raiden_core.training.checks import Machine
from raiden_core.training.cold_start import cold_start_stage
from raiden_core.training.grpo import train_stage
from raiden_core.training.launch.accelerate import Runner
from raiden_core.training.settings import ColdStartSettings, TrainSettings
from raiden_core.training.stage import student_input
from tests.support.tables import table

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
SMALL = ("smollm2", "qwen-coder-zh")
"""Recipes of models that packages hold: tests/integration/test_real_model.py runs them."""
RECIPES = sorted(
    path.stem
    for path in CONFIGS.glob("*.yaml")
    if not path.stem.startswith(("quickstart", "boundaries", "openr1_config", *SMALL))
)
ACCELERATE = sorted(path.name for path in (CONFIGS / "accelerate").glob("*.yaml"))
SHARDED = {"fsdp2-8.yaml", "fsdp2-2nodes.yaml", "zero3-8.yaml"}
"""Accelerate files under which no GPU has a whole model to roll out with."""
REWRITTEN = {"report_to": [], "lora_target_modules": "all-linear"}
"""Fields that TRL and transformers write otherwise than they read them -> what stands there then."""
SCREEN = 70
"""Lines."""


class JobTaken(Exception):
    """Raised in place of launching."""


def recipe(name: str) -> Config:
    return load_config(CONFIGS / f"{name}.yaml")


def accelerate_file(config: Config) -> Any:
    from accelerate.commands.config import load_config_from_file

    assert config.grpo.launch.accelerate is not None
    return load_config_from_file(str(ROOT / config.grpo.launch.accelerate))


def taken_job(config: Config, stage: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The flat job that a stage would launch."""
    taken: dict[str, Any] = {}

    def take(self: object, job: Mapping[str, Any]) -> None:
        taken.update(job)
        raise JobTaken

    monkeypatch.setattr(Runner, "run", take)
    inputs = {"train": out / "train.json", "validation": out / "validation.json"}
    with pytest.raises(JobTaken):
        if stage == "grpo":
            train_stage(TrainSettings.of(config), inputs | {"base": student_input(config.student)}, out, silent)
        else:
            cold_start_stage(
                ColdStartSettings.of(config), inputs | {"student": student_input(config.student)}, out, silent
            )
    return taken


def test_there_are_recipes_for_all_that_was_promised() -> None:
    files = {name: str(recipe(name).grpo.launch.accelerate) for name in RECIPES}
    for size in ("7b", "14b"):
        mine = {Path(file).name for name, file in files.items() if name.startswith(f"qwen{size}-")}
        assert {"ddp8.yaml", "fsdp2-8.yaml", "zero2-8.yaml", "zero3-8.yaml"} <= mine
    assert {"gpu1.yaml", "fsdp2-2nodes.yaml"} <= {Path(file).name for file in files.values()}
    modes = {recipe(name).grpo.job_fields().get("vllm_mode") for name in RECIPES}
    assert {"colocate", "server"} <= modes
    assert recipe("glm46-qwen7b").teacher.kind == "llm"


@table("name", RECIPES)
def test_a_recipe_fits_a_screen_and_says_what_it_needs(name: str) -> None:
    text = (CONFIGS / f"{name}.yaml").read_text("utf-8")
    head = text[: text.index("\nname:")]
    assert all(line.startswith("#") for line in head.splitlines())
    assert len(text.splitlines()) <= SCREEN
    config = recipe(name)
    assert config.name == name
    for words in (
        "Needs:",
        "GPU",
        "GB disk" if "2nodes" not in name else "GB\n# free",
        "xtras",
        "Only parsed, never run",
    ):
        assert words in head, words
    assert f"raiden run configs/{name}.yaml" in head
    file = accelerate_file(config)
    extras = set(re.findall(r"[a-z]+", (re.findall(r"'\.\[(.*?)\]'", head) or [""])[0]))
    assert ("vllm" in extras) == bool(config.grpo.job_fields().get("use_vllm"))
    assert ("deepspeed" in extras) == (file.distributed_type.value == "DEEPSPEED")


@pytest.mark.parametrize("name", RECIPES)
def test_trl_takes_every_field_of_a_recipe(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Down to the objects that the trainer gets; only the device is the CPU's, and the job's processes are not there."""
    from trl import GRPOConfig, ModelConfig, SFTConfig

    # vLLM and DeepSpeed are of the machine with GPUs.
    monkeypatch.setattr("raiden_core.training.checks.find_spec", lambda name: name)
    config = recipe(name)
    stages: list[tuple[str, tuple[type, type, type]]] = [("grpo", (GrpoArguments, GRPOConfig, ModelConfig))]
    if config.cold_start.enabled:
        stages.append(("cold_start", (ColdStartArguments, SFTConfig, ModelConfig)))
    for stage, kinds in stages:
        job = taken_job(config, stage, tmp_path, monkeypatch)
        path = tmp_path / "job.yaml"
        path.write_text(yaml.safe_dump({**job, "output_dir": str(tmp_path)}), "utf-8")
        processes = accelerate_file(config).num_processes
        monkeypatch.setattr(Machine, "here", classmethod(lambda cls, n=processes: cls(8, True, n, min(n, 8))))
        parsed = parse_script(kinds, [str(path), "--use_cpu"])
        for key, value in job.items():
            owner = next(one for one in parsed if hasattr(one, key))
            got = getattr(owner, key)
            assert getattr(got, "value", got) == REWRITTEN.get(key, value), key
            check_type(owner, key, value)


def check_type(owner: Any, key: str, value: Any) -> None:
    """A dataclass stores whatever it gets, so a value is checked against its field's annotation."""
    from pydantic import ConfigDict, TypeAdapter

    hint = get_type_hints(type(owner))[key]
    TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(value)


@table("name", RECIPES)
def test_batches_hold_whole_groups_and_processes_are_those_of_the_launch(name: str) -> None:
    config = recipe(name)
    file, grpo = accelerate_file(config), config.grpo
    fields = grpo.job_fields()
    processes = grpo.launch.num_processes
    assert processes is not None and (processes == file.num_processes or (processes == 6 and "server" in name))
    completions = grpo.per_device_train_batch_size * grpo.gradient_accumulation_steps * processes
    assert completions % grpo.num_generations == 0
    said = re.search(r"# (\d+) x (\d+) x (\d+) = (\d+) completions", (CONFIGS / f"{name}.yaml").read_text("utf-8"))
    assert said is not None
    assert [int(part) for part in said.groups()] == [
        grpo.per_device_train_batch_size, grpo.gradient_accumulation_steps, processes, completions,
    ]  # fmt: skip
    assert processes % fields.get("vllm_tensor_parallel_size", 1) == 0
    assert file.mixed_precision == "bf16" and fields["bf16"] is True
    if fields.get("vllm_mode") == "colocate":
        assert grpo.max_prompt_length is not None
        assert grpo.max_prompt_length + grpo.max_completion_length <= fields["vllm_max_model_length"]
    assert grpo.launch.accelerate is not None
    sharded = grpo.launch.accelerate.name in SHARDED
    assert not sharded or (fields.get("use_vllm") and grpo.lora_r is None), (
        "sharded weights: roll out with vLLM, no LoRA"
    )


@pytest.mark.parametrize("name", ACCELERATE)
def test_accelerate_takes_every_field_of_its_files(name: str) -> None:
    """Its own loader knows the keys; those of a plugin are options of its launcher, or they would go unread."""
    from accelerate.commands.config import load_config_from_file
    from accelerate.commands.launch import launch_command_parser

    path = CONFIGS / "accelerate" / name
    loaded = load_config_from_file(str(path))
    assert loaded.num_processes % loaded.num_machines == 0
    options = {action.dest for action in launch_command_parser()._actions}
    for section in (loaded.fsdp_config, loaded.deepspeed_config):
        assert set(section) <= options, name
    command = ["--config_file", str(path), "-m", "raiden_core.training.grpo", "job.yaml"]
    arguments = launch_command_parser().parse_args(command)
    assert (arguments.module, arguments.training_script) == (True, "raiden_core.training.grpo")


def test_the_vllm_command_is_the_one_that_trl_would_run() -> None:
    from trl.scripts.vllm_serve import ScriptArguments, build_command

    text = (CONFIGS / "qwen7b-vllm-server.yaml").read_text("utf-8")
    written = re.search(r"^#\s+(CUDA_VISIBLE_DEVICES=6,7 .*?)\n# then", text, re.M | re.S)
    assert written is not None
    words = shlex.split(re.sub(r"\\\n#", "", written[1]))
    serve = words.index("serve")
    assert words[:serve] == ["CUDA_VISIBLE_DEVICES=6,7", "VLLM_SERVER_DEV_MODE=1", "vllm"]
    config = recipe("qwen7b-vllm-server")
    arguments = ScriptArguments(model=config.student.model, host="127.0.0.1", port=8000, tensor_parallel_size=2)
    arguments.max_model_len = 4096
    trls = build_command(arguments)
    trls = trls[trls.index("serve") :]
    ours = dict(zip(words[serve + 2 :: 2], words[serve + 3 :: 2], strict=True))
    theirs = dict(zip(trls[2::2], trls[3::2], strict=True))
    assert words[serve + 1] == trls[1]
    # What TRL demands, and where the server is; the rest of TRL's command are vLLM's own defaults.
    assert ours.items() <= theirs.items()
    assert {"--weight-transfer-config", "--logprobs-mode", "--max-logprobs"} <= set(ours)
    assert config.grpo.job_fields()["vllm_server_base_url"] == f"http://{ours['--host']}:{ours['--port']}"


def test_the_teacher_that_raiden_starts_is_the_one_that_it_asks() -> None:
    teacher = recipe("glm46-qwen7b").teacher
    assert teacher.launch is not None
    command = list(teacher.launch.command)
    said = {flag: value for flag, value in pairwise(command) if flag.startswith("--")}
    endpoint = teacher.endpoints[teacher.answerer]
    assert endpoint.url == f"http://{said['--host']}:{said['--port']}/v1"
    assert endpoint.model == said["--served-model-name"]


@pytest.mark.parametrize("name", SMALL)
def test_a_recipe_of_a_small_model_names_the_file_that_is_fetched(name: str) -> None:
    from benchmarks.small_models import MODELS, SMALL_MODELS

    config = recipe(name)
    assert config.name == name
    fetched = {str((MODELS / one.file).relative_to(ROOT)): one.sha256 for one in SMALL_MODELS.values()}
    assert fetched[config.student.model] == config.student.gguf.sha256


def test_extras_fit_those_of_the_installed_trl() -> None:
    from packaging.requirements import Requirement

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    trls = [Requirement(line) for line in metadata.requires("trl") or []]
    for extra, versions in (("vllm", ("0.22.0", "0.22.1")), ("deepspeed", ("0.18.6", "0.19.8"))):
        ours = next(one for one in map(Requirement, extras[extra]) if one.name == extra)
        theirs = next(one for one in trls if one.name == extra and one.marker and one.marker.evaluate({"extra": extra}))
        for version in versions:
            assert version in ours.specifier and version in theirs.specifier
        for version in ("0.18.5", "0.21.0", "0.23.0", "0.31.1"):
            assert version not in ours.specifier or version in theirs.specifier


def test_the_page_lists_every_recipe_and_every_accelerate_file() -> None:
    page = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `configs/")}
    assert set(rows) == {f"configs/{path.name}" for path in CONFIGS.glob("*.yaml")}
    for name in RECIPES:
        assert "only parsed" in rows[f"configs/{name}.yaml"]
    assert [name for name in ACCELERATE if f"`{name}`" not in page] == []
