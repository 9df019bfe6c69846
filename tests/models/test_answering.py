"""Answers of local folders: the same in any batch, cut at the end of the turn, tags kept, never asked twice."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raiden_core.errors import DataError
from raiden_core.models import folder as model_folder
from raiden_core.models import local_model
from raiden_core.models.answering import Reply
from raiden_core.models.folder import model_digest
from raiden_core.models.local_model import LocalModel

REPLY = ["<think>", "h", "m", "</think>", "<answer>", "长沙", "</answer>", "<|im_end|>", "z"]
QUESTIONS = [
    "Who are you?",
    "Where do you live, and for how long have you lived there by now?",
    "你好",
    "Why?",
    "x" * 90,
]


def _prompt(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "You are Ann."}, {"role": "user", "content": question}]


PROMPTS = [_prompt(question) for question in QUESTIONS]


def test_tags_survive_and_the_reply_ends_at_the_end_of_the_turn(parrot: Callable[..., Path], tmp_path: Path) -> None:
    model = LocalModel(parrot("parrot", REPLY), max_new_tokens=12)
    replies = model.answer(PROMPTS, store=tmp_path / "answers.jsonl")
    assert replies == [Reply("<think>hm</think><answer>长沙</answer>", 7, True)] * len(PROMPTS)


def test_a_reply_that_is_cut_off_says_so(parrot: Callable[..., Path], tmp_path: Path) -> None:
    model = LocalModel(parrot("parrot", REPLY), max_new_tokens=4)
    assert model.answer(PROMPTS[:1], store=tmp_path / "a.jsonl") == [Reply("<think>hm</think>", 4, False)]


def test_batches_change_no_reply_and_the_folders_sampling_settings_are_not_used(
    random_model: Path, tmp_path: Path
) -> None:
    alone = LocalModel(random_model, 10, batch_size=1).answer(PROMPTS, store=tmp_path / "alone.jsonl")
    together = LocalModel(random_model, 10, batch_size=4).answer(PROMPTS, store=tmp_path / "together.jsonl")
    assert alone == together
    assert len({reply.text for reply in alone}) > 1, (
        "the model must listen to its prompt for this test to mean anything"
    )


def test_a_batch_goes_on_without_the_replies_that_have_ended(
    random_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import Qwen3ForCausalLM

    # Every eighth token ends a turn, so that replies end at places that depend on their prompts.
    (random_model / "generation_config.json").write_text(json.dumps({"eos_token_id": list(range(0, 256, 8))}))
    prompts = [_prompt(f"{'and ' * number}what is {number * 7}?") for number in range(12)]
    alone = LocalModel(random_model, 24, batch_size=1).answer(prompts, store=tmp_path / "alone.jsonl")
    sizes: list[int] = []
    original = Qwen3ForCausalLM.forward

    def counted(self: Any, *args: Any, **more: Any) -> Any:
        sizes.append(len(more["input_ids"]))
        return original(self, *args, **more)

    monkeypatch.setattr(Qwen3ForCausalLM, "forward", counted)
    together = LocalModel(random_model, 24, batch_size=12).answer(prompts, store=tmp_path / "together.jsonl")
    assert together == alone
    assert len({reply.tokens for reply in alone}) > 3 and {reply.finished for reply in alone} == {True, False}
    assert sizes[0] == 12 and sizes[-1] < 4 and sorted(sizes, reverse=True) == sizes
    assert len(sizes) == 24


def test_the_first_tokens_are_the_plain_argmax(random_model: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(random_model)
    model = AutoModelForCausalLM.from_pretrained(random_model)
    ids = tokenizer.apply_chat_template(PROMPTS[1], add_generation_prompt=True)["input_ids"]
    start = len(ids)
    with torch.inference_mode():
        for _ in range(8):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    expected = tokenizer.decode(ids[start:], skip_special_tokens=False)
    assert LocalModel(random_model, 8).answer(PROMPTS, store=tmp_path / "a.jsonl")[1].text == expected


def test_a_killed_run_goes_on_without_asking_again(
    random_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "answers.jsonl"
    model = LocalModel(random_model, 6, batch_size=2)
    whole = model.answer(PROMPTS, store=tmp_path / "whole.jsonl")

    def killed(done: int, total: int, note: str = "") -> None:
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.answer(PROMPTS, store=store, progress=killed)
    with store.open("a") as file:
        file.write('{"key": "cut')  # as a kill in the middle of a write leaves it
    asked: list[int] = []
    original = local_model._reply

    def counted(*args: Any) -> Any:
        asked.append(len(args[3]))
        return original(*args)

    monkeypatch.setattr(local_model, "_reply", counted)
    seen: list[tuple[int, int]] = []
    assert model.answer(PROMPTS, store=store, progress=lambda done, total, note="": seen.append((done, total))) == whole
    assert sum(asked) == 3
    assert seen[0] == (2, 5) and seen[-1] == (5, 5)
    asked.clear()
    assert model.answer(PROMPTS, store=store) == whole
    assert asked == []


def test_a_store_of_other_weights_or_settings_is_not_believed(parrot: Callable[..., Path], tmp_path: Path) -> None:
    store = tmp_path / "answers.jsonl"
    first, second = parrot("one", REPLY), parrot("two", ["y", "<|im_end|>"])
    assert model_digest(first) != model_digest(second)
    assert LocalModel(first, 12).answer(PROMPTS[:1], store=store)[0].text.endswith("</answer>")
    assert LocalModel(second, 12).answer(PROMPTS[:1], store=store)[0].text == "y"
    assert LocalModel(first, 2).answer(PROMPTS[:1], store=store)[0].tokens == 2


def test_digest_of_a_big_file_sees_a_change_of_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_folder, "SAMPLED_BYTES", 16)
    monkeypatch.setattr(model_folder, "SAMPLED_PIECES", 4)
    (tmp_path / "model.safetensors").write_bytes(bytes(1000))
    before = model_digest(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(bytes(990) + b"changed it")
    assert model_digest(tmp_path) != before


def test_a_prompt_that_several_samples_share_is_asked_once(random_model: Path, tmp_path: Path) -> None:
    store = tmp_path / "answers.jsonl"
    replies = LocalModel(random_model, 4).answer([PROMPTS[0], PROMPTS[1], PROMPTS[0]], store=store)
    assert replies[0] == replies[2] and len(store.read_text().splitlines()) == 2


def test_a_prompt_longer_than_the_context_is_a_reply_with_a_reason(parrot: Callable[..., Path], tmp_path: Path) -> None:
    model = LocalModel(parrot("short", REPLY, context=120), max_new_tokens=12)
    replies = model.answer([_prompt("?"), _prompt("x" * 200)], store=tmp_path / "a.jsonl")
    assert replies[0].finished and replies[0].note == ""
    assert replies[1].text == "" and "context of 120" in replies[1].note


def test_batches_obey_both_limits() -> None:
    tokens = [(str(length), [0] * length) for length in (100_000, 60_000, 900, 800, 700)]
    sizes = [len(batch) for batch in local_model._batches(tokens, 2, 100, 131_072, 0.0)]
    assert sizes == [1, 2, 2]


def test_prompts_that_are_much_shorter_start_a_batch_of_their_own_once_there_are_enough() -> None:
    tokens = [(str(number), [0] * length) for number, length in enumerate([500] * 20 + [490] * 4 + [100] * 10)]
    assert [len(batch) for batch in local_model._batches(tokens, 64, 100, 131_072, 0.7)] == [24, 10]
    assert [len(batch) for batch in local_model._batches(tokens[15:], 64, 100, 131_072, 0.7)] == [16, 3]
    assert [len(batch) for batch in local_model._batches(tokens, 64, 100, 131_072, 0.0)] == [34]


def _without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _broken_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"no weights")


def _without_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


def _broken_template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ raise_exception('no system turn') }}")


def _without_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_without_weights, r"no \.safetensors"),
        (_broken_weights, "model cannot be loaded"),
        (_without_template, "no chat template"),
        (_broken_template, "refuses a prompt: no system turn"),
        (_without_tokenizer, "tokenizer cannot be loaded"),
    ],
)
def test_an_unusable_folder_is_named(
    harm: Callable[[Path], None], words: str, random_model: Path, tmp_path: Path
) -> None:
    harm(random_model)
    with pytest.raises(DataError, match=words) as error:
        LocalModel(random_model, 4).answer(PROMPTS[:1], store=tmp_path / "a.jsonl")
    assert str(random_model) in str(error.value) and "\n" not in str(error.value)


def test_a_missing_folder_and_a_broken_store_are_named(random_model: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such model folder"):
        LocalModel(tmp_path / "nowhere").answer(PROMPTS, store=tmp_path / "a.jsonl")
    store = tmp_path / "store.jsonl"
    store.write_text(json.dumps({"key": "k", "text": "t", "tokens": 1, "finished": True}) + '\n["no reply"]\n')
    with pytest.raises(DataError, match="line 2 is no stored reply"):
        LocalModel(random_model, 4).answer(PROMPTS, store=store)


def test_draws_are_sampled_each_for_itself_and_the_greedy_reply_stays(random_model: Path, tmp_path: Path) -> None:
    model = LocalModel(random_model, 12, temperature=3.0)
    greedy = model.answer(PROMPTS[:1], store=tmp_path / "greedy.jsonl")[0]
    replies = model.answer([PROMPTS[0]] * 4, store=tmp_path / "all.jsonl", draws=[0, 1, 2, 3])
    assert replies[0] == greedy
    assert len({reply.text for reply in replies}) == 4
    assert model.answer([PROMPTS[0]] * 4, store=tmp_path / "again.jsonl", draws=[0, 1, 2, 3]) == replies
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 4
