"""Versions of what raiden stands on, and combinations that are known not to work."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from packaging.specifiers import SpecifierSet

from raiden_core.config import Config
from raiden_core.doctor.check import Check, bad, ok
from raiden_core.doctor.subject import Subject
from raiden_core.errors import ConfigError
from raiden_core.stages.versions import installed_versions
from raiden_core.training.checks import check_packages

NAME = "versions"
NEEDED = {
    "accelerate": ">=1.15",
    "datasets": ">=5.2",
    "openai": ">=3.54",
    "pandas": ">=3.0",
    "peft": ">=0.21",
    "prefect": ">=3.8.8,<3.10",
    "torch": ">=2.10",
    "transformers": ">=5.20",
    "trl": ">=1.16,<2",
}
"""What raiden is built on, as pyproject.toml has it."""


@dataclass(frozen=True)
class Clash:
    """Packages that do not work together."""

    packages: dict[str, str]
    """Name -> versions; all of them must match."""
    why: str
    advice: str


CLASHES = (
    Clash(
        {"fastapi": ">=0.155", "prefect": "<3.10"},
        "Prefect's server passes arguments that this fastapi refuses",
        "pip install 'fastapi<0.155'",
    ),
    Clash(
        {"sglang": ">=0", "trl": ">=1"},
        "sglang pins openai, transformers and torch to versions of its own",
        "give sglang an environment or image of its own and reach it by URL",
    ),
    Clash({"vllm": ">0.31", "trl": "<1.17"}, "TRL 1.16 knows vllm up to 0.31", "pip install 'vllm<=0.31'"),
)


def check_versions(subject: Subject) -> Check:
    """Whether packages are there in versions that work, alone and together."""
    problems, advice = [], []
    for package, wanted in {**NEEDED, **_asked_for(subject.config)}.items():
        found = _version(package)
        if found is None:
            problems.append(f"{package} is not installed")
            advice.append(f"pip install {_installable(package, wanted)}")
        elif not _matches(found, wanted):
            problems.append(f"{package} {found}")
            advice.append(f"pip install '{package}{wanted}'")
    for name, section in (("grpo", subject.config.grpo), ("cold_start", subject.config.cold_start)):
        extra = {
            key: value for key, value in (section.model_extra or {}).items() if key not in ("use_vllm", "report_to")
        }
        try:
            check_packages(extra, name)
        except ConfigError as error:
            problem, _, fix = str(error).partition("; ")
            problems.append(problem)
            advice.append(fix)
    for clash in CLASHES:
        found_here = {package: _version(package) for package in clash.packages}
        if all(found and _matches(found, clash.packages[package]) for package, found in found_here.items()):
            names = " with ".join(f"{package} {found}" for package, found in found_here.items())
            problems.append(f"{names}: {clash.why}")
            advice.append(clash.advice)
    if problems:
        return bad(NAME, "; ".join(problems), "; ".join(advice))
    shown = installed_versions()
    return ok(NAME, ", ".join(f"{name} {shown[name]}" for name in ("python", *NEEDED) if name in shown))


def _asked_for(config: Config) -> dict[str, str]:
    """Packages that only some configurations need."""
    needed = {}
    grpo = config.grpo.model_extra or {}
    if grpo.get("use_vllm"):
        needed["vllm"] = ">=0.22,<=0.31"
    reporters = {
        "wandb": "wandb",
        "tensorboard": "tensorboard",
        "trackio": "trackio",
        "mlflow": "mlflow",
        "swanlab": "swanlab",
    }
    wanted = grpo.get("report_to", [])
    for name in [wanted] if isinstance(wanted, str) else wanted:
        if name in reporters:
            needed[reporters[name]] = ">=0"
    for launch in (config.grpo.launch, config.cold_start.launch):
        if launch.accelerate is not None and launch.accelerate.is_file():
            text = launch.accelerate.read_text("utf-8", errors="replace")
            if "DEEPSPEED" in text.upper().split("DISTRIBUTED_TYPE:")[-1].split("\n")[0]:
                needed["deepspeed"] = ">=0"
    return needed


def _installable(package: str, wanted: str) -> str:
    # Later versions of vllm ask for a fastapi that Prefect's server refuses; the extra knows.
    if package == "vllm":
        return "-e '.[vllm]'"
    return package if wanted == ">=0" else f"'{package}{wanted}'"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _matches(found: str, wanted: str) -> bool:
    return SpecifierSet(wanted).contains(found, prereleases=True)
