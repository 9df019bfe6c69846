"""Near-duplicates within the data and overlap with evaluation files: what goes, what must stay."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from raiden_core.characters.compose import compose
from raiden_core.errors import DataError
from raiden_core.generation.offline.generate import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.generation.quality import dedup, filters
from raiden_core.generation.quality.dedup import (
    EvaluationItem,
    clean,
    drop_near_duplicates,
    drop_overlaps,
    read_evaluation,
)
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample, Turn
from tests.support.tables import table

LONG = "请问您小时候和家人一起住在哪一座城市里呢"


def sample(
    question: str,
    keywords: tuple[str, ...] = ("长沙",),
    name: str = "林晚秋",
    talk: tuple[str, ...] = (),
    city: str = "",
) -> Sample:
    history = tuple(
        Turn(role="user" if place % 2 == 0 else "assistant", content=text) for place, text in enumerate(talk)
    )
    return Sample(
        character_name=name,
        character_profile={"Name": name, "City": city},
        question=question,
        answer="我在长沙长大。",
        keywords=keywords,
        conversation_history=history,
        dimension="CM" if talk else "SBK",
    )


def item(
    question: str, name: str | None = None, history: tuple[str, ...] = (), keywords: tuple[str, ...] = ()
) -> EvaluationItem:
    return EvaluationItem("file: row 1", question, name, history, keywords)


@table(
    ("first", "second", "reason"),
    [
        (sample(LONG + "？"), sample(LONG + "啊？"), filters.NEAR_DUPLICATE),
        (sample(LONG), sample("請問您小時候和家人一起住在哪一座城市裡呢？！"), filters.NEAR_DUPLICATE),
        (sample("Where did you grow up, doctor?"), sample("where did you grow up doctor"), filters.NEAR_DUPLICATE),
        (sample(LONG), sample(LONG, keywords=("岳阳",)), filters.DUPLICATE),
        (sample(LONG, keywords=()), sample(LONG + "啊", keywords=()), filters.NEAR_DUPLICATE),
        (sample(LONG, keywords=("长沙", "医院")), sample(LONG + "啊", keywords=("医院",)), filters.NEAR_DUPLICATE),
        (sample(LONG), sample(LONG + "啊", keywords=("岳阳",)), None),
        (sample(LONG), sample(LONG, name="顾长庚"), None),
        (sample(LONG), sample(LONG, city="长沙"), None),
        (sample("你在哪里长大？"), sample("你的故乡是什么地方？"), None),
        (sample("我养了什么？", talk=("我养了一只猫。", "真好。")),
         sample("我养了什么？", talk=("我种了三棵树。", "好。")), None),
        (
            sample("我养了什么？", talk=("我刚刚养了一只很可爱的小橘猫。", "真好呀。")),
            sample("我养了什么？", talk=("我刚刚养了一只很可爱的小橘猫！", "真好呀~")),
            filters.NEAR_DUPLICATE,
        ),
    ],
)  # fmt: skip
def test_what_repeats_an_earlier_sample(first: Sample, second: Sample, reason: str | None) -> None:
    kept, dropped = drop_near_duplicates([first, second])
    assert [one.reason for one in dropped] == ([reason] if reason else [])
    assert kept[0] is first
    assert len(kept) + len(dropped) == 2
    if reason:
        assert dropped[0].sample is second
        assert dropped[0].like == first.id


def test_a_large_group_finds_its_repeats_and_nothing_else() -> None:
    """With many texts in one group MinHash chooses who is compared; none may be missed that is nearly the same."""
    rng = random.Random(1)
    originals = [sample("".join(rng.choices("abcdefgh ", k=60))) for _ in range(300)]
    repeats = [one.model_copy(update={"question": one.question + "xy?", "id": f"repeat {one.id}"}) for one in originals]
    kept, dropped = drop_near_duplicates([*originals, *repeats])
    assert kept == originals
    assert {one.sample.id for one in dropped} == {one.id for one in repeats}


def test_the_threshold_is_the_exact_jaccard_similarity() -> None:
    pair = [sample("abcdefghij"), sample("abcdefghijkl")]  # 8 of 10 3-grams
    assert len(drop_near_duplicates(pair, similarity=0.8)[1]) == 1
    assert len(drop_near_duplicates(pair, similarity=0.81)[1]) == 0
    assert drop_near_duplicates(pair, similarity=0.8)[1][0].similarity == 0.8


@table(
    ("one", "evaluated", "overlaps"),
    [
        (sample(LONG), item(LONG + "？", name="林晚秋"), True),
        (sample(LONG), item(LONG, name="林晚秋", keywords=("岳阳",)), True),
        (sample(LONG), item(LONG), True),
        (sample(LONG), item(LONG, name="顾长庚"), False),
        (sample(LONG), item(LONG, name="林晚秋", history=("你好。",)), True),
        (sample("我养了什么？", talk=("我养了一只猫。",)),
         item("我养了什么？", name="林晚秋", history=("我种了三棵树。",)), False),
        (sample("我养了什么？", ("猫",), talk=("我养了一只猫。",)),
         item("我养了什么？", name="顾长庚", history=("我养了一只猫！",), keywords=("猫",)), True),
        (sample("我养了什么？", ("猫",), talk=("我养了一只猫。",)),
         item("我养了什么？", name="顾长庚", history=("我养了一只猫！",)), True),
        (sample("我养了什么？", ("猫",), talk=("我养了一只猫。",)),
         item("我养了什么？", history=("我养了一只猫！",), keywords=("狗",)), False),
        (sample(LONG, talk=("你好。",)), item(LONG, name="林晚秋"), True),
    ],
)  # fmt: skip
def test_what_overlaps_an_evaluation_set(one: Sample, evaluated: EvaluationItem, overlaps: bool) -> None:
    kept, dropped = drop_overlaps([one], [evaluated])
    assert (len(kept), len(dropped)) == ((0, 1) if overlaps else (1, 0))
    if overlaps:
        assert dropped[0].reason == dedup.OVERLAP
        assert dropped[0].like == "file: row 1"


def test_evaluation_files_of_several_kinds_are_read(tmp_path: Path) -> None:
    rows = [
        {"name": "Ilse", "question": "Where do you work?", "reference": "At the harbour."},
        {"question": "Q", "keywords": ["a"], "conversation_history": [{"role": "user", "content": "H"}]},
        {
            "character_name": "Ilse",
            "messages": [
                {"role": "system", "content": "Be Ilse."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hi"},
                {"role": "user", "content": "And now?"},
            ],
        },
        {"conversations": None, "conversation": [{"from": "human", "value": "Who?"}]},
    ]
    file = tmp_path / "evaluation.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert [(one.name, one.question, one.history, one.keywords) for one in read_evaluation(file)] == [
        ("Ilse", "Where do you work?", (), ()),
        (None, "Q", ("H",), ("a",)),
        ("Ilse", "Hello", (), ()),
        ("Ilse", "And now?", ("Hello", "Hi"), ()),
        (None, "Who?", (), ()),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "holds no rows"), ('{"text": "x"}\n', "line 1: neither a `question`"), ("[1]\n", "line 1: not an object")],
)
def test_an_evaluation_file_that_asks_nothing_is_refused(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "evaluation.jsonl"
    file.write_text(content, "utf-8")
    with pytest.raises(DataError, match=says):
        read_evaluation(file)


def test_samples_of_the_offline_teacher_all_stay() -> None:
    """Its questions are templates, asked of every character and of many facts in nearly the same words."""
    characters = compose(60, language="zh", facts=(4, 8), seed=7)
    generated = generate(
        characters,
        teacher=OfflineTeacher(7),
        samples_per_character=None,
        include_cm=True,
        cm_share=0.4,
        seed=7,
        scorer=Scorer(),
    )
    kept, dropped = clean(generated.samples, max_similarity=dedup.SIMILARITY, decontaminate=())
    assert len(generated.samples) > 400
    assert (kept, dropped) == (list(generated.samples), [])


def test_cleaning_takes_out_what_the_evaluation_file_holds(tmp_path: Path) -> None:
    ours = [sample(LONG), sample("您后来又在哪所学校里教过书？", ("岳麓",))]
    file = tmp_path / "evaluation.jsonl"
    file.write_text(json.dumps({"name": "林晚秋", "question": LONG}) + "\n", "utf-8")
    kept, dropped = clean([*ours, ours[0]], max_similarity=0.8, decontaminate=[str(file)])
    assert kept == [ours[1]]
    assert dedup.counts(dropped) == {filters.DUPLICATE: 1, dedup.OVERLAP: 1}
    assert list(dedup.evaluation_digests([str(file)])) == [f"decontaminate {file}"]
