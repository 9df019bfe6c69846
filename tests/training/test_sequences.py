"""Cold-start sequences: loss on completions only, and the text that the model will meet when it is asked."""

from collections import Counter
from typing import Any

import pytest

from raiden_core.errors import ConfigError
from raiden_core.prompts import build_completion, build_prompt
from raiden_core.samples import Sample
from raiden_core.training.sequences import IGNORED, Sequences, build_sequences


def build(samples: list[Sample], tokenizer: Any, **how: Any) -> Sequences:
    settings: dict[str, Any] = {
        "epochs": 1,
        "questions_per_sequence": 4,
        "max_length": 4096,
        "shortest_first": False,
        "instructions": None,
        "prefilled_think": False,
        "seed": 3,
    }
    return build_sequences(samples, tokenizer, **settings | how)


def person(name: str, questions: int, history: bool = False, **fields: object) -> list[Sample]:
    row = {
        "character_name": name,
        "character_profile": {"姓名": name, "家乡": "长沙", "职业": "医生"},
        "answer": "我是医生。",
        "keywords": ["医生"],
        "reasoning": "资料里写着。",
    }
    rows = [row | {"question": f"{name}，第{number}个问题？"} | fields for number in range(questions)]
    if history:
        turns = [{"role": "user", "content": "早。"}, {"role": "assistant", "content": "早！"}]
        rows[0]["conversation_history"] = turns
    return [Sample.model_validate(one) for one in rows]


def learned(row: dict[str, list[int]], tokenizer: Any) -> list[str]:
    """The stretches of a row that bear loss, as text."""
    stretches: list[list[int]] = [[]]
    for token, label in zip(row["input_ids"], row["labels"], strict=True):
        if label == IGNORED:
            stretches.append([])
        else:
            assert label == token
            stretches[-1].append(token)
    return [tokenizer.decode(one) for one in stretches if one]


def test_loss_stands_on_completions_and_their_end_only(composed_samples: list[Sample], nano_tokenizer: Any) -> None:
    rows = build(composed_samples, nano_tokenizer).rows
    completions = [text for row in rows for text in learned(row, nano_tokenizer)]
    expected = [build_completion(one) + nano_tokenizer.eos_token for one in composed_samples]
    assert Counter(completions) == Counter(expected), "every sample once an epoch"


def test_a_dense_sequence_is_the_rendering_of_the_whole_chat(
    composed_samples: list[Sample], nano_tokenizer: Any
) -> None:
    by_question = {build_prompt(one)[-1]["content"] + one.character_name: one for one in composed_samples}
    rows = build(composed_samples, nano_tokenizer).rows
    dense = 0
    for row in rows:
        text = nano_tokenizer.decode(row["input_ids"])
        completions = learned(row, nano_tokenizer)
        dense += len(completions) > 1
        opener = next(
            one for one in by_question.values() if text.startswith(rendered(nano_tokenizer, build_prompt(one)))
        )
        chat = build_prompt(opener)
        for completion in completions:
            if chat[-1]["role"] == "assistant":
                question = text.split(rendered(nano_tokenizer, chat, False))[1]
                question = question.removeprefix("<|user|>").split(nano_tokenizer.eos_token)[0]
                chat.append({"role": "user", "content": question})
            chat.append({"role": "assistant", "content": completion.removesuffix(nano_tokenizer.eos_token)})
        whole = rendered(nano_tokenizer, chat, False)
        assert text == whole
        assert row["input_ids"] == nano_tokenizer(whole, add_special_tokens=False)["input_ids"]
    assert dense > 40


def rendered(tokenizer: Any, chat: list[dict[str, str]], asks: bool = True) -> str:
    return str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=asks))


def test_sequences_hold_one_character_and_at_most_so_many_questions(nano_tokenizer: Any) -> None:
    samples = [*person("甲甲", 7), *person("乙乙", 2)]
    rows = build(samples, nano_tokenizer, questions_per_sequence=3).rows
    sizes = [len(learned(row, nano_tokenizer)) for row in rows]
    assert sum(sizes) == 9 and max(sizes) == 3 and len(sizes) < 6
    for row in rows:
        text = nano_tokenizer.decode(row["input_ids"])
        assert ("甲甲" in text) != ("乙乙" in text)
    single = build(samples, nano_tokenizer, questions_per_sequence=1).rows
    assert [len(learned(row, nano_tokenizer)) for row in single] == [1] * 9


def test_a_conversation_only_opens_a_sequence(nano_tokenizer: Any) -> None:
    samples = person("甲甲", 6, history=True)
    texts = [nano_tokenizer.decode(row["input_ids"]) for row in build(samples, nano_tokenizer).rows]
    with_history = [text for text in texts if "早！" in text]
    assert len(with_history) == 1 < len(texts)
    assert with_history[0].index("早！") < with_history[0].index("问题？")


def test_too_long_samples_are_dropped_and_counted_once(nano_tokenizer: Any) -> None:
    short, long = person("甲甲", 3), person("乙乙", 2, answer="医生" * 400)
    result = build([*short, *long], nano_tokenizer, max_length=400, epochs=3)
    assert result.too_long == 2
    assert all("乙乙" not in nano_tokenizer.decode(row["input_ids"]) for row in result.rows)
    assert all(len(row["input_ids"]) <= 400 for row in result.rows)


@pytest.mark.parametrize("seed", range(4))
def test_after_an_opener_that_is_too_long_the_next_question_opens(nano_tokenizer: Any, seed: int) -> None:
    samples = person("甲甲", 4, history=True)
    samples[0] = samples[0].model_copy(update={"answer": "医生" * 400})
    result = build(samples, nano_tokenizer, max_length=400, seed=seed)
    assert result.too_long == 1
    for row in result.rows:
        assert nano_tokenizer.decode(row["input_ids"]).startswith("<|system|>"), "no question without its profile"


def test_samples_with_the_same_id_keep_their_own_text(nano_tokenizer: Any) -> None:
    samples = person("甲甲", 1, id="q") + person("乙乙", 1, id="q")
    texts = [nano_tokenizer.decode(row["input_ids"]) for row in build(samples, nano_tokenizer).rows]
    assert sorted("甲甲" in text for text in texts) == [False, True]


@pytest.mark.parametrize(("epochs", "rows"), [(1, 8), (2, 16), (0.5, 4), (1.25, 10)])
def test_epochs_may_be_fractions(nano_tokenizer: Any, epochs: float, rows: int) -> None:
    samples = [one for number in range(8) for one in person(f"人{number}", 1)]
    assert len(build(samples, nano_tokenizer, epochs=epochs).rows) == rows


def test_epochs_differ_and_seeds_decide(composed_samples: list[Sample], nano_tokenizer: Any) -> None:
    rows = build(composed_samples, nano_tokenizer, epochs=2).rows
    half = len(rows) // 2
    assert rows[:half] != rows[half:]
    assert rows == build(composed_samples, nano_tokenizer, epochs=2).rows
    assert rows != build(composed_samples, nano_tokenizer, epochs=2, seed=4).rows


def test_shortest_first_sorts_the_first_epoch_only(nano_tokenizer: Any) -> None:
    samples = []
    for number in range(12):
        profile = {"姓名": f"人{number}"} | {f"键{field}": "值" for field in range(number)}
        samples += person(f"人{number}", 1, character_profile=profile)
    rows = build(samples, nano_tokenizer, epochs=2, shortest_first=True).rows
    fields = [nano_tokenizer.decode(row["input_ids"]).count("键") for row in rows]
    assert fields[:12] == list(range(12)) and fields[12:] != list(range(12))


TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|><think>{% endif %}"
)


def test_where_the_template_opens_the_reasoning_it_stands_there_once(nano_tokenizer: Any) -> None:
    usual = nano_tokenizer.chat_template
    nano_tokenizer.chat_template = TEMPLATE
    try:
        rows = build(person("甲甲", 3), nano_tokenizer, prefilled_think=True).rows
    finally:
        nano_tokenizer.chat_template = usual
    (row,) = rows
    text = nano_tokenizer.decode(row["input_ids"])
    assert text.count("<|assistant|><think>资料里写着。</think>") == 3 and "<think><think>" not in text
    assert all(not one.startswith("<think>") for one in learned(row, nano_tokenizer))


def test_a_template_that_rewrites_earlier_turns_is_refused_for_dense_sequences(nano_tokenizer: Any) -> None:
    usual = nano_tokenizer.chat_template
    nano_tokenizer.chat_template = TEMPLATE.replace("{{ m['content'] }}", "{{ m['content'].split('</think>')[-1] }}")
    try:
        with pytest.raises(ConfigError, match=r"cold_start.questions_per_sequence.*set it to 1"):
            build(person("甲甲", 3), nano_tokenizer)
        assert build(person("甲甲", 3), nano_tokenizer, questions_per_sequence=1).rows
    finally:
        nano_tokenizer.chat_template = usual


def test_an_end_that_is_not_the_templates_is_named_for_dense_sequences(nano_tokenizer: Any) -> None:
    usual = nano_tokenizer.eos_token
    nano_tokenizer.eos_token = nano_tokenizer.pad_token  # as a converted tokenizer had it
    try:
        with pytest.raises(ConfigError, match=r"ends a turn with .*not with the tokenizer's eos_token") as told:
            build(person("甲甲", 3), nano_tokenizer)
        assert repr(nano_tokenizer.pad_token) in str(told.value)
    finally:
        nano_tokenizer.eos_token = usual
