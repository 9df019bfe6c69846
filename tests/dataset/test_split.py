"""Splitting by character: disjoint, stratified, seeded, and stable."""

import json
from pathlib import Path

import pytest

from raiden_core.config.sections.data import SplitConfig
from raiden_core.dataset.split import Split, check_disjoint, dataset_stats, split, split_file, write_split
from raiden_core.errors import ConfigError, DataError
from raiden_core.samples import Sample, character_id, read_samples, write_samples


def sample(name: str, number: int = 0, **fields: object) -> Sample:
    profile = {"姓名": name, "职业": f"工作{name}"}
    return Sample.model_validate(
        {
            "character_name": name,
            "character_profile": profile,
            "question": f"问{number}？",
            "answer": "答",
            "keywords": ["答"],
        }
        | fields
    )


def people(count: int, prefix: str = "", per: int = 3, **fields: object) -> list[Sample]:
    return [sample(f"{prefix}{index}", number, **fields) for index in range(count) for number in range(per)]


def names(samples: tuple[Sample, ...]) -> set[str]:
    return {one.character_name for one in samples}


def test_characters_are_never_divided_and_none_is_lost() -> None:
    samples = people(40)
    result = split(samples, validation_share=0.25, validation_characters=None, seed=0)
    assert len(names(result.validation)) == 10
    assert not names(result.train) & names(result.validation)
    assert sorted(one.id for one in (*result.train, *result.validation)) == sorted(one.id for one in samples)


def test_a_name_with_another_profile_is_another_character() -> None:
    one, other = sample("甲"), sample("甲", character_profile={"姓名": "甲", "职业": "画家"})
    assert character_id(one) != character_id(other)
    check_disjoint([one], [other])


def test_the_order_of_fields_does_not_matter() -> None:
    one, other = sample("甲"), sample("甲", 1, character_profile={"职业": "工作甲", "姓名": "甲"})
    with pytest.raises(DataError, match="甲"):
        check_disjoint([one], [other])


def test_languages_collections_and_dimensions_keep_their_share() -> None:
    samples = [
        *people(60, "z", metadata={"source": "composed"}),
        *people(20, "s", metadata={"source": "shipped"}),
        *people(40, "e", language="en", metadata={"source": "shipped"}),
        *people(20, "c", dimension="CM", metadata={"source": "composed"}),
    ]
    result = split(samples, validation_share=0.1, validation_characters=None, seed=3)
    held_out = names(result.validation)
    assert [sum(name.startswith(prefix) for name in held_out) for prefix in "zsec"] == [6, 2, 4, 2]


def test_small_strata_are_represented_where_there_is_room() -> None:
    samples = [*people(90, "z"), *people(6, "j", language="ja"), *people(4, "k", language="ko")]
    result = split(samples, validation_share=None, validation_characters=5, seed=0)
    assert {one.language for one in result.validation} == {"zh", "ja", "ko"}
    assert len(names(result.validation)) == 5


def test_characters_with_a_file_each_are_one_collection() -> None:
    samples = [
        sample(f"{index}", language="en" if index % 2 else "ja", metadata={"source": f"{index}.yaml"})
        for index in range(20)
    ]
    chosen = [
        names(split(samples, validation_share=0.2, validation_characters=None, seed=seed).validation)
        for seed in range(3)
    ]
    for held_out in chosen:
        assert sum(int(name) % 2 for name in held_out) == 2
    assert len({frozenset(held_out) for held_out in chosen}) > 1


def test_the_choice_depends_on_the_seed_and_not_on_the_order() -> None:
    samples = people(40)

    def chosen(rows: list[Sample], seed: int) -> set[str]:
        return names(split(rows, validation_share=0.2, validation_characters=None, seed=seed).validation)

    assert chosen(samples, 0) == chosen(samples[::-1], 0)
    assert chosen(samples, 0) != chosen(samples, 1)
    # With one character more, nearly all others stay where they were.
    assert len(chosen(samples, 0) - chosen([*samples, sample("新")], 0)) <= 1


@pytest.mark.parametrize(
    ("share", "number", "count", "error", "words"),
    [
        (None, None, 10, ConfigError, "either"),
        (0.1, 2, 10, ConfigError, "either"),
        (0.0, None, 10, ConfigError, "validation_share"),
        (1.0, None, 10, ConfigError, "validation_share"),
        (None, 0, 10, ConfigError, "validation_characters"),
        (None, 10, 10, DataError, "leaves none"),
        (0.5, None, 1, DataError, "cannot be split"),
    ],
)
def test_what_cannot_be_split_says_why(
    share: float | None, number: int | None, count: int, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        split(people(count), validation_share=share, validation_characters=number, seed=0)


@pytest.mark.parametrize(("share", "expected"), [(0.01, 1), (0.99, 3), (0.5, 2)])
def test_both_sides_get_somebody(share: float, expected: int) -> None:
    result = split(people(4), validation_share=share, validation_characters=None, seed=0)
    assert len(names(result.validation)) == expected


def test_write_split_leaves_three_files(tmp_path: Path) -> None:
    result = split(people(10, metadata={"source": "composed"}), validation_share=None, validation_characters=3, seed=0)
    stats = write_split(result, tmp_path / "data")
    assert tuple(read_samples(tmp_path / "data" / "train.json")) == result.train
    assert tuple(read_samples(tmp_path / "data" / "validation.json")) == result.validation
    assert json.loads((tmp_path / "data" / "dataset_stats.json").read_text("utf-8")) == stats
    assert stats["validation"]["characters"] == 3
    assert stats["train"]["samples"] == 21
    assert stats["train"]["source"] == {"composed": 21}
    assert stats["characters_on_both_sides"] == 0


def test_a_leak_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    leaking = Split(train=(sample("甲"), sample("乙")), validation=(sample("甲", 1),))
    with pytest.raises(DataError, match="1 characters are both"):
        write_split(leaking, tmp_path / "data")
    assert not (tmp_path / "data").exists()
    assert dataset_stats(leaking.train, leaking.validation)["characters_on_both_sides"] == 1


def talk(text: str) -> tuple[dict[str, str], ...]:
    return ({"role": "user", "content": text}, {"role": "assistant", "content": "好的。"})


def test_a_conversation_that_validation_asks_about_is_not_trained_on(tmp_path: Path) -> None:
    memories = [
        sample(
            f"{index}", 9, dimension="CM", conversation_history=talk("我养了一只猫。" if index % 2 else f"第{index}次")
        )
        for index in range(12)
    ]
    # Whoever greets everybody alike gives nothing away: such a history is no conversation to remember.
    greeted = [sample(f"{index}", 1, conversation_history=talk("你好！")) for index in range(12)]
    samples = [*memories, *greeted]
    result = split(samples, validation_share=0.25, validation_characters=None, seed=0)
    heard = {one.conversation_history for one in result.validation if one.dimension == "CM"}
    assert any("猫" in turn.content for turns in heard for turn in turns), "the case is there"
    assert not heard & {one.conversation_history for one in result.train}
    assert sum(one.dimension == "SBK" for one in result.train) == 9, "a shared greeting costs nothing"
    assert result.left_out == len(samples) - len(result.train) - len(result.validation) > 0

    whole = tmp_path / "samples.jsonl"
    write_samples(whole, samples)
    stats = split_file(whole, SplitConfig(validation_share=0.25), 0, tmp_path / "parts")
    assert tuple(read_samples(tmp_path / "parts" / "train.json")) == result.train
    assert tuple(read_samples(tmp_path / "parts" / "validation.json")) == result.validation
    assert stats["left_out_of_training"] == result.left_out
    assert stats == write_split(result, tmp_path / "again")


def test_known_keywords_are_counted() -> None:
    train, validation = (
        [sample("甲", keywords=["厨师"])],
        [sample("乙", keywords=["厨师"]), sample("丙", keywords=["木匠"])],
    )
    assert dataset_stats(train, validation)["validation_keywords_seen_in_training"] == 0.5
