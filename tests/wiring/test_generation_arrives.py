"""Settings of generation and of the split on their way: characters, the offline teacher, the way to a teacher's models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raiden_core.config import Config
from raiden_core.dataset.split import SplitSettings
from raiden_core.generation import stage
from raiden_core.generation.made import Generated
from raiden_core.generation.mining import session
from raiden_core.generation.mining.session import Group
from raiden_core.generation.settings import GenerateSettings
from raiden_core.stages.progress import silent
from tasks import split
from tests.support.config_tree import WITH, configured, off_default, value_of
from tests.support.places import BUDGET, CHARACTERS, MINING, OFFLINE, SPLIT, keys_at

OFFLINE_BASE: dict[str, Any] = {"characters": {"composed": {"count": 4}}}
NOTHING = Generated((), (), {}, {"characters": {"read": 0, "skipped": 0}, "teacher": "none"})
Seen = dict[str, Any]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What is read and composed instead of being read and composed."""
    seen: Seen = {"paths": []}

    def read_characters(paths: Sequence[str]) -> Any:
        seen["paths"].append(tuple(paths))
        return SimpleNamespace(characters=(), refused=())

    def compose(count: int, **how: Any) -> list[Any]:
        seen["composed"] = {"count": count, **how}
        return []

    monkeypatch.setattr(stage, "read_characters", read_characters)
    monkeypatch.setattr(stage, "compose", compose)
    return seen


@pytest.mark.parametrize("key", keys_at(CHARACTERS))
def test_the_characters_are_those_that_are_named(key: str, read: Seen) -> None:
    config = configured({key: off_default(key)}, OFFLINE_BASE | {"seed": 11})
    groups, _ = stage.read_groups(GenerateSettings.of(config))
    composed = config.characters.composed
    assert read["composed"] == {
        "count": composed.count,
        "language": composed.language,
        "facts": composed.facts,
        "seed": 11,
    }
    only = config.characters.evaluation_only
    assert read["paths"] == [paths for paths in (config.characters.paths, *only.values()) if paths]
    assert [group.trained_on for group in groups] == [True, *[False] * len(only)]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What the offline generator and the filter against evaluation files are told."""
    seen: Seen = {"evaluation": []}

    def generate(characters: Any, **how: Any) -> Generated:
        seen.update(how)
        return NOTHING

    def drop_overlaps(samples: Any, evaluation: Any, *, similarity: float) -> tuple[list[Any], list[Any]]:
        seen["similarity"] = similarity
        return [], []

    def read_evaluation(path: Path) -> list[Any]:
        seen["evaluation"].append(str(path))
        return []

    monkeypatch.setattr(stage, "generate", generate)
    monkeypatch.setattr(stage, "drop_overlaps", drop_overlaps)
    monkeypatch.setattr(stage, "read_evaluation", read_evaluation)
    monkeypatch.setattr(stage, "OfflineTeacher", lambda seed: seen.update(teacher_seed=seed))
    return seen


@pytest.mark.parametrize("key", [*keys_at(OFFLINE), "seed"])
def test_the_offline_generator_is_told(key: str, offline: Seen, read: Seen) -> None:
    file = off_default("generation.decontaminate")
    values = {"characters.evaluation_only": {"row": ["x"]}, "generation.decontaminate": file, key: off_default(key)}
    config = configured(values, OFFLINE_BASE)
    settings, generation = GenerateSettings.of(config), config.generation
    trained_on, evaluated = stage.read_groups(settings)[0]
    assert (trained_on.limit, evaluated.limit) == (
        generation.samples_per_character,
        generation.evaluation_only_samples or generation.samples_per_character,
    )
    stage.make_samples(settings, [trained_on], silent)
    assert offline["samples_per_character"] == generation.samples_per_character
    assert (offline["include_cm"], offline["cm_share"]) == (generation.include_cm, generation.cm_share)
    assert offline["boundaries"] == generation.boundaries.share
    assert offline["similarity"] == generation.max_similarity
    assert offline["evaluation"] == list(generation.decontaminate) == file
    assert offline["seed"] == offline["teacher_seed"] == config.seed
    assert offline["scorer"] == settings.scorer


def test_another_seed_gives_other_words() -> None:
    def questions(seed: int) -> list[str]:
        config = configured({"seed": seed, "characters.paths": ["shipped:zh"], "characters.composed.count": 0}, {})
        settings = GenerateSettings.of(config)
        groups, _ = stage.read_groups(settings)
        return [sample.question for sample in stage.make_samples(settings, groups, silent)[0].samples]

    assert questions(1) == questions(1) != questions(2)


@pytest.fixture
def mined(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What a session with a teacher would start, connect to, read and mine."""
    seen: Seen = {"clients": [], "budgets": [], "seeds": None, "mined": []}

    @contextmanager
    def launched(server: Any, endpoint: Any, *rest: Any) -> Iterator[None]:
        seen["launch"], seen["reached"] = server, endpoint
        yield

    @asynccontextmanager
    async def client(
        endpoints: Any, folder: Path, as_is: bool = False, ended: Any = None, budget: Any = None
    ) -> AsyncIterator[Any]:
        seen["clients"].append((endpoints, folder.name, as_is))
        seen["budgets"].append(budget)
        yield SimpleNamespace(line=str, usage=lambda: SimpleNamespace(line=str, to_json=dict))

    async def mine(characters: Any, **how: Any) -> Generated:
        seen["mined"].append(how)
        return NOTHING

    def read_seeds(paths: Sequence[str], characters: Any) -> Any:
        seen["seeds"] = tuple(paths)
        return SimpleNamespace(characters={}, refused=())

    for name, stub in (("launched", launched), ("Client", client), ("mine", mine), ("read_seeds", read_seeds)):
        monkeypatch.setattr(session, name, stub)
    return seen


def mine_as(config: Config, out: Path) -> None:
    """The samples of nobody, for training and for evaluation, by the teacher that is named."""
    settings = GenerateSettings.of(config.model_copy(update={"output_dir": out}))
    groups = [session.training_group(settings, []), Group([], 3, trained_on=False)]
    stage.make_samples(settings, groups, silent)


STUDENT = {
    "teacher.student": "endpoint",
    "teacher.student_answers": "answers",
    "teacher.student_max_tokens": "max_tokens",
    "teacher.pass_rate": "pass_rate",
}


@pytest.mark.parametrize("key", keys_at(MINING))
def test_the_way_to_the_teachers_models(key: str, mined: Seen, offline: Seen, tmp_path: Path) -> None:
    config = configured({key: off_default(key), "system_prompt": "Be {name}.", "prompt.layout": "risu", "seed": 11})
    said = value_of(config, key)
    mine_as(config, tmp_path)
    if key == "teacher.kind":
        assert not mined["mined"] and offline["teacher_seed"] == 11, "the offline teacher asks nobody"
        return
    teacher = config.teacher
    first, second = mined["mined"]
    (endpoints, store, as_is), (learners, apart, learner_as_is) = mined["clients"]
    name = key.removeprefix("teacher.")
    if name.startswith("launch."):
        assert value_of(mined["launch"], name.removeprefix("launch.")) == said
    elif name.startswith("endpoints.teacher."):
        assert value_of(endpoints["teacher"], name.removeprefix("endpoints.teacher.")) == said
    elif key in STUDENT:
        assert getattr(first["student"], STUDENT[key]) == said
    elif key == "teacher.seeds":
        assert mined["seeds"] == said
    else:
        assert value_of(first["teacher"], name) == said
    # Whoever is asked, and only they, are reached by this session's client; the student's replies are kept apart.
    asked = {teacher.answerer, *teacher.second_answerers, teacher.judge or teacher.answerer}
    assert set(endpoints) == asked and set(learners) == {teacher.student}
    assert store != apart and (as_is, learner_as_is) == (False, True)
    assert mined["reached"] == teacher.endpoints[teacher.answerer]
    assert first["student"].layout == "risu"
    assert first["student"].instructions == "Be {name}." and second["student"] is None
    assert first["seed"] == second["seed"] == 11


@pytest.mark.parametrize("key", keys_at(BUDGET))
def test_the_teacher_and_nobody_else_has_the_budget(key: str, mined: Seen, tmp_path: Path) -> None:
    config = configured({**WITH.get(key, {}), key: off_default(key)})
    mine_as(config, tmp_path)
    assert mined["budgets"] == [config.teacher.budget, None]
    assert value_of(config, key) == getattr(mined["budgets"][0], key.rpartition(".")[2]) is not None


@pytest.mark.parametrize("key", keys_at(OFFLINE))
def test_mining_is_told_what_the_offline_generator_is_told(key: str, mined: Seen, tmp_path: Path) -> None:
    config = configured({key: off_default(key)})
    mine_as(config, tmp_path)
    first, second = (how["generation"] for how in mined["mined"])
    assert first == config.generation
    assert second == config.generation.model_copy(update={"samples_per_character": 3, "decontaminate": ()})


@pytest.mark.parametrize("key", [*keys_at(SPLIT), "seed"])
def test_the_split_is_told(key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Any] = []

    def split_file(*given: Any) -> dict[str, Any]:
        seen.extend(given)
        return {}

    monkeypatch.setattr("raiden_core.dataset.split.split_file", split_file)
    config = configured({key: off_default(key)})
    split.work(SplitSettings.of(config), {"samples": tmp_path / "samples.jsonl"}, tmp_path, silent, print)
    assert seen == [tmp_path / "samples.jsonl", config.split, config.seed, tmp_path]
