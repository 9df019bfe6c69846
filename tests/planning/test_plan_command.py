"""``raiden plan``: exit codes, JSON, one-line errors, both kinds of configuration."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest

from raiden_core.cli import group as cli
from raiden_core.errors import UsageError
from raiden_core.planning import plan as planning
from raiden_core.planning.gpus import known_as, parse_gpus
from tests.support.tables import table

ROOT = Path(__file__).parent.parent.parent
QUICKSTART = str(ROOT / "configs" / "quickstart.yaml")
SEVEN = [
    "--set",
    "grpo.max_prompt_length=null",
    "--set",
    "student.model=Qwen/Qwen2.5-7B-Instruct",
    "--set",
    "grpo.use_cpu=false",
    "--set",
    "cold_start.enabled=false",
]


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> click.Command:
    monkeypatch.setattr("raiden_core.planning.shapes._cached_config", lambda model, revision: None)
    monkeypatch.setattr(planning, "detect_gpus", lambda: None)
    return cli.build(cli.COMMANDS, "raiden")


def planned(root: click.Command, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = cli.run(root, ["plan", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "configs").glob("quickstart*.yaml")))
def test_the_quickstart_fits_this_machine(root: click.Command, capsys: pytest.CaptureFixture[str], file: str) -> None:
    code, plan = planned(root, capsys, str(ROOT / "configs" / file))
    assert code == 0 and plan["fits"] is True
    stages = plan["stages"]
    assert isinstance(stages, list) and [stage["stage"] for stage in stages] == ["cold start", "grpo"]
    grpo = stages[1]
    assert grpo["time"]["steps"] == 200 and grpo["time"]["completions"] == 200 * 64
    assert grpo["peak"] == max(grpo["totals"].values())
    for moment, total in grpo["totals"].items():
        assert total == sum(part[moment] for part in grpo["memory"].values())


def test_what_does_not_fit_exits_1_and_says_by_how_much(
    root: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.run(root, ["plan", QUICKSTART, *SEVEN, "--gpus", "4090"])
    shown = " ".join(capsys.readouterr().out.split())
    assert code == 1
    assert "✗ does not fit" in shown and "more than one 4090 has" in shown and "not even 1" in shown


def test_a_larger_micro_batch_is_named_with_the_accumulation_that_it_needs(
    root: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = str(ROOT / "configs" / "qwen7b-ddp-lora.yaml")
    assert cli.run(root, ["plan", recipe, "--gpus", "8xH100"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "fits with 8 steps accumulated: " in shown and "32 x 1 step has the same effective batch" in shown
    assert "(1,900 of 2,000 composed characters, 100 held out, x 8 samples at most)" in shown


def test_without_a_gpu_it_says_which_would_do(root: click.Command, capsys: pytest.CaptureFixture[str]) -> None:
    code, plan = planned(
        root, capsys, QUICKSTART, *SEVEN, "--set", "grpo.lora_r=8", "--set", "grpo.per_device_train_batch_size=8"
    )
    (grpo,) = plan["stages"]
    assert code == 0 and grpo["fits"] is None and "H200" in grpo["fits_on"] and "4090" not in grpo["fits_on"]
    assert any("--gpus 8xH200" in note for note in plan["notes"])


def test_a_gpu_without_any_room_left_is_not_recommended(
    root: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = str(ROOT / "configs" / "openr1_config.yaml")
    _, plan = planned(root, capsys, flat)
    (grpo,) = plan["stages"]
    a100 = parse_gpus("A100").memory
    assert 0.95 * a100 < grpo["peak"] < a100, "this test is about a model that just fits an A100"
    assert "A100" not in grpo["fits_on"] and "H20" in grpo["fits_on"]
    assert cli.run(root, ["plan", flat, "--gpus", "A100"]) == 0
    assert "✓ fits, but hardly" in capsys.readouterr().out


def test_the_page_says_what_14b_takes_by_the_guides_file(
    root: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    rows = re.findall(r"^  \| `(\w+-?\d*\.yaml)`(?:, `--use_peft true`)? \| ([\d.]+) GiB \|", page, re.M)
    assert len(rows) == 5
    for name, stated in rows:
        adapter = ["--set", f"use_peft={'true' if stated == rows[1][1] else 'false'}"]
        model = ["--set", "model_name_or_path=Qwen/Qwen2.5-14B-Instruct"]
        launch = ["--accelerate", str(ROOT / "configs" / "accelerate" / name), "--gpus", "8xH200"]
        code, plan = planned(root, capsys, str(ROOT / "configs" / "openr1_config.yaml"), *launch, *model, *adapter)
        peak = plan["stages"][0]["peak"] / 2**30
        assert f"{peak:.1f}" == stated, name
        assert code == (peak > 140)
        assert any("anew for each token" in note for note in plan["notes"]) == name.startswith("fsdp"), name


def test_more_processes_than_gpus_do_not_fit(root: click.Command, capsys: pytest.CaptureFixture[str]) -> None:
    launch = ["--accelerate", str(ROOT / "configs" / "accelerate" / "ddp8.yaml")]
    code, plan = planned(root, capsys, QUICKSTART, *SEVEN, *launch, "--gpus", "4xH200")
    assert code == 1 and "8 processes, but only 4" in plan["stages"][0]["problem"]


def test_the_guides_flat_file_is_read_as_it_is(
    root: click.Command, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    flat = tmp_path / "openr1.yaml"
    flat.write_text(
        "train_data_path: none.json\nmodel_name_or_path: Qwen/Qwen2.5-7B-Instruct\nnum_samples_per_prompt: 4\n"
        "kl_penalty: 0.1\nper_device_train_batch_size: 4\ngradient_accumulation_steps: 2\nbf16: true\n"
        "dtype: bfloat16\naccuracy_weight: 0.7\nformat_weight: 0.3\nlearning_rate: 3e-6\nwarmup_steps: 100\n",
        "utf-8",
    )
    launch = ["--accelerate", str(ROOT / "configs" / "accelerate" / "ddp8.yaml"), "--gpus", "8xH200"]
    code, plan = planned(root, capsys, str(flat), *launch)
    (grpo,) = plan["stages"]
    assert code == 0 and grpo["processes"] == 8 and grpo["effective_batch"] == 64
    assert grpo["memory"]["weights"]["loss"] == 2 * 7_615_616_512
    assert any("steps and time are unknown" in note for note in plan["notes"])
    more = [
        "--set",
        "num_samples_per_prompt=2",
        "--set",
        "learning_rate=1e-5",
        "--set",
        "model_name_or_path=Qwen/Qwen2.5-0.5B-Instruct",
    ]
    code, plan = planned(root, capsys, str(flat), *launch, *more)
    assert code == 0 and plan["stages"][0]["memory"]["weights"]["loss"] < 10**9
    assert cli.run(root, ["plan", str(flat), "--set", "beta=0", "--set", "kl_penalty=0"]) == 2
    assert "kl_penalty and beta are the same setting" in capsys.readouterr().err


def test_data_gives_lengths_and_counts(root: click.Command, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = [
        {
            "character_name": "A",
            "character_profile": {"text": "x" * size},
            "question": "q",
            "answer": "a",
            "keywords": ["a"],
            "language": "en",
        }
        for size in (380, 3800)
    ]
    data = tmp_path / "train.json"
    data.write_text(json.dumps(rows), "utf-8")
    _, plan = planned(root, capsys, QUICKSTART, "--data", str(data))
    assert plan["samples"]["samples"] == 2
    assert plan["prompt_tokens"]["longest"] == pytest.approx(1000 + 60, abs=30)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["none.yaml"], "none.yaml: no such file"),
        ([QUICKSTART, "--gpus", "8"], "--gpus 8: first how many, then which: 8xH200"),
        ([QUICKSTART, "--gpus", "H100x4"], "--gpus H100x4: first how many, then which: 4xH100"),
        ([QUICKSTART, "--gpus", "3080"], "--gpus 3080: no 3080 in the table"),
        ([QUICKSTART, "--gpus", "8xH2000"], "--gpus 8xH2000: no H2000 in the table"),
        ([QUICKSTART, "--set", "student.model=x/unknown"], "student.model: x/unknown: neither a folder"),
        ([QUICKSTART, "--accelerate", "none.yaml"], "none.yaml: no such file"),
        ([QUICKSTART, "--set", "grpo.optim=unheard"], "grpo.optim: unheard"),
    ],
)
def test_wrong_input_is_one_line(
    root: click.Command, capsys: pytest.CaptureFixture[str], argv: list[str], words: str
) -> None:
    assert cli.run(root, ["plan", *argv]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("error: ") and captured.err.count("\n") == 1
    assert words in captured.err


@pytest.mark.parametrize("language", ["en", "zh"])
def test_characters_give_lengths_before_there_is_data(
    root: click.Command, capsys: pytest.CaptureFixture[str], tmp_path: Path, language: str
) -> None:
    config = tmp_path / "c.yaml"
    composed = f"{{count: 60, language: {language}, facts: [4, 8]}}"
    config.write_text(
        "student: {model: Qwen/Qwen2.5-7B-Instruct}\ncold_start: {questions_per_sequence: 4, use_cpu: true, bf16: false}\n"
        f"grpo: {{use_cpu: true, bf16: false}}\ncharacters: {{composed: {composed}}}\n"
    )
    data = str(tmp_path / "all.json")
    assert cli.run(root, ["generate", "--config", str(config), "--output-file", data]) == 0
    capsys.readouterr()
    _, drafted = planned(root, capsys, str(config))
    _, measured = planned(root, capsys, str(config), "--data", data)
    assert "drafts of up to 24 characters" in drafted["prompt_tokens"]["source"]
    for key, share in (("mean", 0.15), ("completion", 0.15), ("longest", 0.3)):
        assert drafted["prompt_tokens"][key] == pytest.approx(measured["prompt_tokens"][key], rel=share), key
    assert drafted["prompt_tokens"]["longest"] >= measured["prompt_tokens"]["longest"]
    first, second = drafted["stages"]
    # A sequence: a prompt, four references with their reasoning, three further questions.
    tokens = drafted["prompt_tokens"]
    length = tokens["mean"] + 4 * tokens["completion"] + 3 * 20
    assert first["time"]["tokens"] == first["time"]["steps"] * first["effective_batch"] * length
    # GRPO reads a group's prompt once.
    steps, batch = second["time"]["steps"], second["effective_batch"]
    assert second["time"]["tokens"] == steps * batch * (tokens["mean"] / 4 + tokens["completion"])


def test_every_named_gpu_is_in_the_table_with_sensible_figures() -> None:
    for name in ("H200", "H100", "A100", "4090"):
        devices = parse_gpus(name)
        assert 20 * 2**30 < devices.memory < 200 * 2**30 and devices.tflops > 50 and devices.bandwidth > 500


def test_too_few_samples_for_a_step_are_said_and_exit_1(
    root: click.Command, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sample = {"character_name": "林", "character_profile": {}, "question": "?", "answer": "林", "keywords": ["林"]}
    data = tmp_path / "train.json"
    for count, code in ((7, 1), (8, 0)):
        data.write_text(json.dumps([sample] * count), "utf-8")
        shape = ["--set", "grpo.per_device_train_batch_size=16", "--set", "grpo.gradient_accumulation_steps=2"]
        groups = ["--set", "grpo.num_generations=4", "--data", str(data)]
        exited, plan = planned(root, capsys, QUICKSTART, *shape, *groups)
        assert (exited, plan["fits"]) == (code, not code)
        assert (plan["too_few"] or "").startswith(
            "grpo: 7 usable samples, but a generation batch takes 8" if code else ""
        )
    data.write_text(json.dumps([sample]), "utf-8")
    cli.run(root, ["plan", QUICKSTART, "--data", str(data)])
    assert "✗ grpo: 1 usable sample, but" in " ".join(capsys.readouterr().out.split())


@table(
    ("written", "name", "count"),
    [
        ("8xA100-80GB", "A100", 8),
        ("A100 80G SXM", "A100", 1),
        ("2 x NVIDIA A100-SXM4-80GB", "A100", 2),
        ("A100-SXM4-40GB", "A100-40", 1),
        ("a100 40gb", "A100-40", 1),
        ("A100-PCIE-40GB", "A100-40", 1),
        ("NVIDIA H100 80GB HBM3", "H100", 1),
        ("H100 PCIe", "H100-PCIE", 1),
        ("4xH100-SXM5", "H100", 4),
        ("H100 NVL", "H100-NVL", 1),
        ("NVIDIA H200", "H200", 1),
        ("H200-141GB", "H200", 1),
        ("NVIDIA H20", "H20", 1),
        ("MI300X", "MI300X", 1),
        ("8 x AMD Instinct MI300X", "MI300X", 8),
        ("MI325X", "MI325X", 1),
        ("MI250X", "MI250X", 1),
        ("RTX 4090", "4090", 1),
        ("rtx4090", "4090", 1),
        ("NVIDIA GeForce RTX 3090", "3090", 1),
        ("2xRTX-5090", "5090", 2),
        ("L40S", "L40S", 1),
        ("NVIDIA L40S 48GB", "L40S", 1),
        ("L40", "L40", 1),
        ("L4", "L4", 1),
        ("A10G", "A10G", 1),
        ("NVIDIA RTX A6000", "A6000", 1),
        ("RTX 6000 Ada", "RTX6000ADA", 1),
        ("8×B200", "B200", 8),
    ],
)
def test_gpus_by_the_names_that_people_and_drivers_give_them(written: str, name: str, count: int) -> None:
    found = parse_gpus(written)
    assert (found.name, found.count) == (name, count)
    if count == 1:
        assert known_as(written) == name


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("A100-96GB", "the A100 of the table has 80 or 40 GB"),
        ("H100-40GB", "the H100 of the table has 80 or 94 GB"),
        ("8xH2000", "no H2000 in the table"),
        ("H200x8", "8xH200"),
        ("some GPU", "no some GPU in the table"),
    ],
)
def test_gpus_that_are_not_known_are_refused_with_what_is(written: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_gpus(written)


def test_more_processes_than_gpus_are_said_as_that(root: click.Command, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = str(ROOT / "configs" / "qwen14b-2nodes.yaml")
    assert cli.run(root, ["plan", recipe, "--gpus", "8xH200"]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "it needs 16 GPUs" in shown and "no micro-batch fits" not in shown
    assert cli.run(root, ["plan", recipe, "--gpus", "16xH200"]) == 0


def test_quantized_weights_take_the_room_that_they_have(
    root: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = [*SEVEN, "--set", "grpo.lora_r=8", "--set", "grpo.dtype=bfloat16", "--gpus", "4090"]

    def weights(*more: str) -> float:
        _, plan = planned(root, capsys, QUICKSTART, *adapter, *more)
        return float(plan["stages"][0]["memory"]["weights"]["loss"]) / 2**30

    dense, four, eight = (
        weights(),
        weights("--set", "grpo.load_in_4bit=true"),
        weights("--set", "grpo.load_in_8bit=true"),
    )
    # 7.6B parameters, of which 1.1B are embeddings in bf16.
    assert (dense, four, eight) == pytest.approx((14.3, 5.5, 8.6), abs=0.3)
