"""`ChosenReward`: an entry of the list as a stage is given it, with all that its values depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import TypeAdapter, ValidationError

from raiden_core.config import Config
from raiden_core.config.sections.base import NEUTRAL, Section
from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.evaluation import Rubric
from raiden_core.config.sections.reward import BUILT_IN, FILE, JUDGE, RewardConfig, check_list, endpoint_of
from raiden_core.errors import ConfigError
from raiden_core.rewards.listed.catalogue import FUNCTIONS, LOGGED, VRAR
from raiden_core.rewards.listed.sources import check_call, source_of
from raiden_core.stages.digests import digest_code, module_file


class ChosenReward(Section):
    """A reward or a gate of a run.

    It counts in a stage's key by its code and arguments, and a judge by the name of its model; where a file lies does not
    count.
    """

    name: str
    """In results, and in logs unless it is one of `LOGGED`."""
    function: str
    """The built-in's name, or the function's."""
    place: Annotated[str, NEUTRAL]
    """``FILE.py:FUNCTION`` with an absolute path, or a dotted path."""
    source: str
    """Digest of its code; empty for accuracy and format, whose code is part of every stage that scores."""
    kind: Literal["built in", "own"]
    weight: float
    """0 for gates."""
    gate: bool
    arguments: dict[str, Any]
    endpoint: EndpointConfig | None
    rubrics: tuple[Rubric, ...]
    time_limit: Annotated[float, NEUTRAL]

    @property
    def logged(self) -> str:
        """Its name in a trainer's logs."""
        return LOGGED.get(self.name, self.name)

    @property
    def is_judge(self) -> bool:
        """Whether a served model gives it."""
        return self.kind == "built in" and self.function == JUDGE

    @property
    def is_vrar(self) -> bool:
        """Whether a `Scorer` computes it."""
        return self.kind == "built in" and self.function in VRAR

    def entry(self) -> dict[str, Any]:
        """The entry of a flat job that gives this again."""
        use = self.function if self.kind == "built in" else self.place
        one = RewardConfig(
            use=use,
            name=self.name,
            weight=None if self.gate else self.weight,
            gate=self.gate,
            arguments=self.arguments,
            endpoint=self.endpoint,
            rubric=self.rubrics or None,
            time_limit=self.time_limit,
        )
        return one.model_dump(mode="json", exclude_defaults=True)


Chosen = tuple[ChosenReward, ...]


def chosen_rewards(config: Config) -> Chosen:
    """The list of a configuration; without one, accuracy and format by their weights.

    Raises:
        ConfigError: a function is not there, or cannot be called as TRL would.
    """
    if config.rewards is None:
        return default_rewards(config.accuracy.weight, config.format.weight)
    return resolved(config.rewards, config.named_endpoints)


def default_rewards(accuracy: float, format: float) -> Chosen:
    """Accuracy and format."""
    return resolved([RewardConfig(use="accuracy", weight=accuracy), RewardConfig(use="format", weight=format)], {})


def is_default(chosen: Chosen) -> bool:
    """Whether a list is accuracy and format and nothing else, so that it can be said by their two weights."""
    return tuple(one.name for one in chosen) == VRAR and all(one.is_vrar and not one.gate for one in chosen)


def resolved(entries: Sequence[RewardConfig], endpoints: Mapping[str, EndpointConfig]) -> Chosen:
    """The rewards that entries name."""
    return tuple(_resolved(one, endpoint_of(one, endpoints, place)) for place, one in enumerate(entries))


def parse_entries(entries: object, where: str) -> Chosen:
    """The rewards of a flat file: entries as in the configuration, with endpoints written out.

    Raises:
        ConfigError: they are no such list.
    """
    try:
        parsed = TypeAdapter(tuple[RewardConfig, ...]).validate_python(entries)
        check_list(parsed, {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("rewards", *first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        mark = "." if first["type"] == "value_error" else ": "
        raise ConfigError(f"{where}: {place}{mark}{message}") from None
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None
    return resolved(parsed, {})


def weight_of(chosen: Chosen, function: str) -> float:
    """The weight of a built-in reward in a list; 0 where it is not there."""
    return sum(one.weight for one in chosen if one.kind == "built in" and one.function == function)


def _resolved(one: RewardConfig, endpoint: EndpointConfig | None) -> ChosenReward:
    built_in = one.use in BUILT_IN
    if built_in:
        place, function = FUNCTIONS[one.use], one.use
        source = "" if one.use in VRAR else digest_code(place.rpartition(".")[0])
        if one.arguments:
            _check_arguments(one, place)
    else:
        found = source_of(one.use, one.arguments)
        place = f"{found.file}:{found.function}" if FILE.fullmatch(one.use) else one.use
        function, source = found.function, found.digest
    rubrics = (one.rubric,) if isinstance(one.rubric, str) else (one.rubric or ())
    weight = 0.0 if one.gate else 1.0 if one.weight is None else one.weight
    return ChosenReward(
        name=one.label,
        function=function,
        place=place,
        source=source,
        kind="built in" if built_in else "own",
        weight=weight,
        gate=one.gate,
        arguments=one.arguments,
        endpoint=endpoint,
        rubrics=rubrics,
        time_limit=one.time_limit,
    )


def _check_arguments(one: RewardConfig, place: str) -> None:
    if one.use != JUDGE:
        module, _, function = place.rpartition(".")
        check_call(module_file(module), function, one.arguments, f"rewards: {one.use}")
        return
    from raiden_core.rewards.judged.reward import JudgeArguments

    try:
        JudgeArguments.model_validate(one.arguments)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"rewards: judge: arguments.{place}: {first['msg']}") from None
