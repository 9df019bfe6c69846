"""What the training scripts read beside TRL's own arguments, and how they read a flat YAML file.

``python -m raiden_core.training.grpo job.yaml --learning_rate 1e-5`` works like TRL's scripts: keys of the file are
defaults, the command line goes before them. The OpenR1 guide's names are read in such flat files and flags only.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn

from raiden_core.config.fates import HONOURED
from raiden_core.config.loading import numbers_from_text, refuse_secrets
from raiden_core.config.sections.prompt import PromptConfig
from raiden_core.config.sections.training import ColdStartConfig, GrpoConfig, ProbeConfig
from raiden_core.config.trl_fields import check_types, refused, suggestion, trainer_fields
from raiden_core.errors import ConfigError
from raiden_core.prompts import LAYOUTS, Layout
from raiden_core.rewards import Scorer
from raiden_core.rewards.listed.chosen import Chosen, default_rewards, parse_entries
from raiden_core.text.strict_yaml import YamlFault, load_strict
from raiden_core.training.checks import Machine, check_job

ALIASES = {
    "num_samples_per_prompt": "num_generations",
    "kl_penalty": "beta",
    "torch_dtype": "dtype",
}
"""Names of the OpenR1 guide, and those that TRL's fields had before -> TRL's."""

_SCORER, _GRPO, _COLD_START, _PROBE, _PROMPT = Scorer(), GrpoConfig(), ColdStartConfig(), ProbeConfig(), PromptConfig()
"""Where defaults come from: none is written a second time."""


@dataclass
class DataArguments:
    """Data and prompt: shared by both scripts."""

    train_data_path: str = field(default="", metadata={"help": "train.json (or .jsonl, .parquet)"})
    system_prompt: str | None = field(default=None, metadata={"help": "replaces the default instructions"})
    prompt_layout: str = field(default=_PROMPT.layout, metadata={"help": f"of the system turn: {', '.join(LAYOUTS)}"})
    prefilled_think: bool = field(
        default=_SCORER.prefilled_think, metadata={"help": "the chat template opens <think> itself"}
    )
    min_length_bound: int = field(default=_SCORER.min_length_bound, metadata={"help": "answers up to this are short"})
    length_ratio: float = field(default=_SCORER.length_ratio, metadata={"help": "longest answer / reference"})

    @property
    def layout(self) -> Layout:
        """Of the prompts.

        Raises:
            ConfigError: there is no such layout.
        """
        for layout in LAYOUTS:
            if layout == self.prompt_layout:
                return layout
        raise ConfigError(f"prompt_layout: {self.prompt_layout!r} is none of {', '.join(LAYOUTS)}")

    @property
    def scorer(self) -> Scorer:
        """The reward with the settings of this script, which have the scorer's own names."""
        return Scorer(**{one.name: getattr(self, one.name) for one in fields(Scorer) if hasattr(self, one.name)})


@dataclass
class GrpoArguments(DataArguments):
    """What GRPO needs beside ``GRPOConfig`` and ``ModelConfig``."""

    eval_data_path: str | None = field(default=None, metadata={"help": "validation.json, scored during training"})
    accuracy_weight: float = field(default=_SCORER.accuracy_weight, metadata={"help": "weight of the accuracy reward"})
    format_weight: float = field(default=_SCORER.format_weight, metadata={"help": "weight of the format reward"})
    partial_credit: bool = field(
        default=_SCORER.partial_credit, metadata={"help": "share of groups matched instead of 1 or 0"}
    )
    rewards: str | None = field(
        default=None, metadata={"help": "a list of rewards and gates (docs/rewards.md), as YAML or JSON"}
    )
    permute_rewards: bool = field(
        default=_GRPO.permute_rewards, metadata={"help": "control: shuffle rewards within the batch"}
    )
    longest_first: bool | None = field(
        default=_GRPO.longest_first, metadata={"help": "longest prompts in the first batch; default: on GPUs"}
    )
    shared_prefix: str = field(
        default=_GRPO.shared_prefix, metadata={"help": "compute a group's prompt once", "choices": ["auto", "off"]}
    )
    curriculum: str = field(
        default=_GRPO.curriculum,
        metadata={"help": "draw prompts by the student's pass rate", "choices": ["off", "pass_rate"]},
    )
    curriculum_answers: int = field(
        default=_GRPO.curriculum_answers, metadata={"help": "answers to each prompt that measure its pass rate"}
    )
    eval_questions: int = field(
        default=0, metadata={"help": "evaluate on so many questions about held-back training characters instead"}
    )
    patience: int = field(default=_GRPO.patience, metadata={"help": "logged steps without any signal"})
    max_prompt_length: int | None = field(
        default=_GRPO.max_prompt_length, metadata={"help": "drop samples with longer prompts"}
    )

    @property
    def chosen(self) -> Chosen:
        """The list of rewards; without one, accuracy and format by their weights.

        Raises:
            ConfigError: it is no such list, or names a function that is not there.
        """
        if self.rewards is None:
            return default_rewards(self.accuracy_weight, self.format_weight)
        return parse_entries(listed_entries(self.rewards, "job"), "job")


@dataclass
class ColdStartArguments(DataArguments):
    """What the cold start needs beside ``SFTConfig`` and ``ModelConfig``."""

    nano: str | None = field(default=None, metadata={"help": "JSON: shape of the nano student, if that is the model"})
    questions_per_sequence: int = field(
        default=_COLD_START.questions_per_sequence, metadata={"help": "questions about a character in one sequence"}
    )
    shortest_first: bool = field(
        default=_COLD_START.shortest_first, metadata={"help": "first epoch from few facts to many"}
    )
    probe_stop_at: float | None = field(default=_PROBE.stop_at, metadata={"help": "accuracy that is enough"})
    probe_ceiling: float = field(default=_PROBE.ceiling, metadata={"help": "accuracy that must not be passed"})
    probe_questions: int = field(default=_PROBE.questions, metadata={"help": "questions a probe"})
    probe_first: int = field(default=_PROBE.first, metadata={"help": "step of the first probe"})
    probe_every: int = field(default=_PROBE.every, metadata={"help": "steps between probes"})
    probe_max_new_tokens: int = field(default=96, metadata={"help": "longest answer to a probe's question"})


def scorer_fields(scorer: Scorer, arguments: type[DataArguments]) -> dict[str, Any]:
    """The scorer's settings that a script reads, for its flat job."""
    named = {one.name for one in fields(arguments)}
    return {name: value for name, value in asdict(scorer).items() if name in named}


def parse_script(dataclass_types: Sequence[type], argv: Sequence[str]) -> tuple[Any, ...]:
    """Instances of ``dataclass_types`` from ``FILE.yaml [--key value …]`` (or ``--config FILE.yaml``).

    Raises:
        ConfigError: the file is missing or broken, a key is unknown, or an alias stands beside its native key.
        SystemExit: ``--help`` was asked for, and given.
    """
    from trl import TrlParser

    flags = _native_flags(argv)
    if {"-h", "--help"} & set(flags):
        parser = TrlParser(list(dataclass_types), usage="FILE.yaml [--key value …]; FILE.yaml takes the same keys")
        parser.print_help()
        raise SystemExit(0)
    if flags and not flags[0].startswith("-"):
        path = Path(flags.pop(0))
    elif "--config" in flags[:-1]:
        at = flags.index("--config")
        path = Path(flags[at + 1])
        del flags[at : at + 2]
    else:
        raise ConfigError(
            "no configuration: give a YAML file as the first argument (e.g. configs/openr1_config.yaml), then options, "
            "which go before it"
        )
    values = read_flat(path)
    native = {one.name for kind in dataclass_types for one in fields(kind)}
    known = sorted(native | {alias for alias, name in ALIASES.items() if name in native})
    # Unfinished names would be taken for whatever field begins like them.
    parser = TrlParser(list(dataclass_types), allow_abbrev=False)

    def refuse(message: str) -> NoReturn:
        raise ConfigError(f"{path}: {' '.join(message.split())}")

    parser.error = refuse  # instead of printing all the options there are, and exiting
    check_short_forms(values, str(path))
    unknown = parser.set_defaults_with_config(**values)
    if unknown:
        name = unknown[0].removeprefix("--")
        raise ConfigError(f"{path}: {name}: unknown key{suggestion(name, known)}")
    job, strange = parser.parse_known_args(flags)
    if strange:
        name = strange[0].removeprefix("--").partition("=")[0]
        raise ConfigError(f"{strange[0]}: unknown option{suggestion(name.replace('-', '_'), known)}")
    _check_choices(parser, job, str(path))
    trainer = trainer_of(dataclass_types)
    if trainer is not None:
        given = {**values, **{name: getattr(job, name) for name in _named(flags) if hasattr(job, name)}}
        check_given(trainer, given, str(path))
    check_job(vars(job), Machine.here(), str(path))
    try:
        parsed: tuple[Any, ...] = parser.parse_args_into_dataclasses(args=flags)
    except (ValueError, TypeError, ImportError, argparse.ArgumentError) as error:
        refuse(str(error))
    return parsed


def listed_entries(given: object, where: str) -> object:
    """The entries of a list of rewards that a flat file holds as it is, and a flag as YAML or JSON.

    Raises:
        ConfigError: the flag's text is no YAML.
    """
    if not isinstance(given, str):
        return given
    try:
        return load_strict(given)
    except YamlFault as error:
        raise ConfigError(f"{where}: rewards: {error}") from None


def check_short_forms(values: Mapping[str, Any], where: str) -> None:
    """Refuse a flat file that weighs accuracy or format beside a list of rewards.

    Raises:
        ConfigError: both stand there.
    """
    for name in ("accuracy", "format"):
        if values.get("rewards") is not None and values.get(f"{name}_weight") is not None:
            raise ConfigError(f"{where}: {name}_weight: the short form of an entry of rewards; keep one of the two")


def trainer_of(dataclass_types: Sequence[type]) -> str | None:
    """The name of TRL's trainer configuration among the classes that a script reads."""
    return next((kind.__name__ for kind in dataclass_types if kind.__name__ in HONOURED), None)


def check_given(trainer: str, given: Mapping[str, Any], where: str) -> None:
    """Refuse what a flat job says of a trainer or a model and cannot have.

    Args:
        trainer: ``GRPOConfig`` or ``SFTConfig``.
        given: what was written, by native names; names of neither class are none of its business.
        where: the file, for the message.

    Raises:
        ConfigError: the first field that has a wrong simple type, or cannot be honoured.
    """
    theirs = {**trainer_fields("ModelConfig"), **trainer_fields(trainer)}
    given = {name: value for name, value in given.items() if name in theirs}
    try:
        check_types(trainer, given)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None
    if reason := refused(trainer, given):
        raise ConfigError(f"{where}: {reason}")


def _check_choices(parser: argparse.ArgumentParser, job: argparse.Namespace, where: str) -> None:
    """Refuse values that are none of a field's choices: the parser checks those of the command line only."""
    for action in parser._actions:
        value = getattr(job, action.dest, None)
        if action.choices and isinstance(value, str) and value not in set(map(str, action.choices)):
            near = suggestion(value, [str(one) for one in action.choices])
            allowed = ", ".join(str(one) for one in action.choices)
            raise ConfigError(f"{where}: {action.dest}: {value!r} is none of {allowed}{near}")


def _named(flags: Sequence[str]) -> list[str]:
    """The fields that a command line names; ``--no_x`` switches x off."""
    names = [one.removeprefix("--").partition("=")[0].replace("-", "_") for one in flags if one.startswith("--")]
    return [*names, *(name.removeprefix("no_") for name in names if name.startswith("no_"))]


def read_flat(path: Path) -> dict[str, Any]:
    """The keys of a flat YAML file, aliases replaced by native names.

    Raises:
        ConfigError: the file is missing or broken, or an alias stands together with its native key.
    """
    try:
        values = load_strict(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    except YamlFault as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: the file must hold a mapping of keys")
    refuse_secrets(values, str(path))
    return dict(numbers_from_text(native_names(values, str(path))))


def native_names(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values with aliases replaced by native names.

    Raises:
        ConfigError: an alias stands together with its native key.
    """
    named = dict(values)
    for alias, native in ALIASES.items():
        if alias in named:
            if native in named:
                raise ConfigError(f"{where}: {alias} and {native} are the same setting; keep one")
            named[native] = named.pop(alias)
    return named


def _native_flags(argv: Sequence[str]) -> list[str]:
    flags: list[str] = []
    said: dict[str, str] = {}
    for argument in argv:
        written, equals, value = argument.partition("=")
        name = written.removeprefix("--").replace("-", "_")
        native = ALIASES.get(name, name)
        if written.startswith("--") and native in ALIASES.values():
            if said.setdefault(native, name) != name:
                raise ConfigError(f"--{said[native]} and --{name} are the same setting; keep one")
            argument = f"--{native}{equals}{value}"
        flags.append(argument)
    return flags
