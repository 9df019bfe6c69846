"""The list of rewards: each is called once on gold and on empty completions, as training and evaluation will call it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import fmean

from raiden_core.doctor.check import Check, bad, none, ok
from raiden_core.doctor.subject import Subject
from raiden_core.errors import ConfigError, RaidenError
from raiden_core.prompts import Message, build_prompt
from raiden_core.rewards.listed.chosen import chosen_rewards, is_default
from raiden_core.rewards.listed.running import RewardRun
from raiden_core.rewards.listed.trial import Trial, check_trials, try_rewards
from raiden_core.samples import Sample

NAME = "list of rewards"


def check_list(subject: Subject) -> Check:
    """What every reward gives for gold and for empty completions, and how long it takes."""
    try:
        chosen = chosen_rewards(subject.config)
    except ConfigError as error:
        return bad(NAME, str(error), "correct what the message names")
    if is_default(chosen):
        weights = ", ".join(f"{one.name} {one.weight:g}" for one in chosen)
        return ok(NAME, f"{weights}; your own list goes under rewards")
    try:
        samples = subject.samples.samples
    except RaidenError as error:
        return none(NAME, f"no samples to try it on: {error}")
    if not samples:
        return none(NAME, "no samples to try it on; generate some and name them with --data")
    config = subject.config

    def prompt(sample: Sample) -> list[Message]:
        return build_prompt(sample, config.system_prompt, config.prompt.layout)

    try:
        with tempfile.TemporaryDirectory() as folder, RewardRun(chosen, Path(folder)) as run:
            trials = try_rewards(run, samples, subject.scorer, prompt)
        check_trials(trials)
    except RaidenError as error:
        return bad(NAME, str(error), "correct the function, or take it out of the list")
    return ok(NAME, "; ".join(_told(trial) for trial in trials))


def _told(trial: Trial) -> str:
    calls = len(trial.gold) + len(trial.empty)
    how = "gate" if trial.reward.gate else f"weight {trial.reward.weight:g}"
    return (
        f"{trial.reward.name} ({how}): gold {_mean(trial.gold)}, empty {_mean(trial.empty)}, "
        f"{1000 * trial.seconds / calls:.1f} ms a completion"
    )


def _mean(values: list[float | None]) -> str:
    said = [value for value in values if value is not None]
    silent = len(values) - len(said)
    told = f"{fmean(said):.2f}" if said else "nothing"
    return f"{told} ({silent} of {len(values)} say nothing)" if silent and said else told
