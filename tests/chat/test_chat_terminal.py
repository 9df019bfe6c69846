"""The conversation: what is shown, what is kept, and what a hostile reply can do to a terminal (nothing)."""

import json
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from raiden_core.characters import Character
from raiden_core.chat.characters import find_character, find_characters
from raiden_core.chat.conversation import Conversation
from raiden_core.chat.stream import Splitter
from raiden_core.chat.terminal import Terminal, converse
from raiden_core.errors import DataError, StageError, UsageError
from raiden_core.models.places import model_folder
from raiden_core.prompts import build_prompt
from raiden_core.samples import Sample, Turn
from raiden_core.text.plain import one_line, printable
from tests.support.tables import table

ANN = Character("Ann", "en", {"Name": "Ann", "Home": "Leeds"}, {"Home": "Leeds"}, "Home: Leeds", "test")


class Scripted:
    """Says its completions one after the other, cut into pieces; remembers what it was asked."""

    def __init__(self, *completions: str, size: int = 3, prefilled_think: bool = False) -> None:
        self.completions = list(completions)
        self.size = size
        self.prefilled_think = prefilled_think
        self.asked: list[list[dict[str, str]]] = []

    def stream(self, messages: Sequence[dict[str, str]]) -> Generator[str]:
        self.asked.append(list(messages))
        text = self.completions.pop(0)
        if text in ("interrupt", "die"):
            yield "<answer>half"
            raise KeyboardInterrupt if text == "interrupt" else StageError("the server\nis gone")
        for start in range(0, len(text), self.size):
            yield text[start : start + self.size]


def _talk(
    lines: Sequence[str], *talkers: Scripted, interactive: bool = False, **options: bool
) -> tuple[str, Conversation]:
    conversation = Conversation(ANN)
    left = list(lines)
    written: list[str] = []
    terminal = Terminal(lambda: left.pop(0) if left else None, written.append, interactive)
    named = dict(zip(("base", "trained") if len(talkers) > 1 else ("trained",), talkers, strict=True))
    converse(conversation, named, terminal, **options)
    return "".join(written), conversation


@table("size", [1, 2, 5, 100])
@table(
    ("completion", "prefilled", "reasoning", "reply"),
    [
        ("<think>why</think><answer>yes</answer>", False, "why", "yes"),
        ("<think>a < b</think>\n<answer>x <b> y</answer> tail", False, "a < b", "\nx <b> y"),
        ("no tags at all", False, "", "no tags at all"),
        ("why</think><answer>yes</answer>", True, "why", "yes"),
        ("<THINK>why</THINK>yes", False, "why", "yes"),
        ("<think>never closed <answer>no</answer>", False, "never closed no", ""),
        ("<answer>never closed <thin", False, "", "never closed <thin"),
    ],
)
def test_reasoning_and_reply_are_told_apart_however_the_chunks_cut(
    completion: str, prefilled: bool, reasoning: str, reply: str, size: int
) -> None:
    splitter = Splitter(prefilled)
    pieces = [p for start in range(0, len(completion), size) for p in splitter.feed(completion[start : start + size])]
    pieces += splitter.finish()
    assert "".join(text for kind, text in pieces if kind == "reasoning") == reasoning
    assert "".join(text for kind, text in pieces if kind == "reply") == reply


def test_a_reply_comes_out_as_soon_as_it_is_certain() -> None:
    splitter = Splitter()
    assert list(splitter.feed("<answer>Hel")) == [("reply", "Hel")]
    assert list(splitter.feed("lo <")) == [("reply", "lo ")], "a sign that may begin a tag waits"
    assert list(splitter.feed("3")) == [("reply", "<3")]


def test_reasoning_is_hidden_unless_asked_for() -> None:
    completion = "<think>secret plan</think><answer>From Leeds.</answer>"
    text, _ = _talk(["hi"], Scripted(completion))
    assert text == "Ann: From Leeds.\n\n"
    text, _ = _talk(["hi"], Scripted(completion), reasoning=True)
    assert text == "Ann: secret plan\nFrom Leeds.\n\n"
    text, _ = _talk(["/reasoning", "hi"], Scripted(completion))
    assert "secret plan" in text


def test_history_is_kept_and_forgotten_and_prompts_are_those_of_training() -> None:
    talker = Scripted("<think>x</think><answer>One.</answer>", "<answer>Two.</answer>", "<answer>Three.</answer>")
    _talk(["first", "  ", "second", "/reset", "//third"], talker)
    history = (Turn(role="user", content="first"), Turn(role="assistant", content="One."))

    def prompt(question: str, turns: tuple[Turn, ...] = ()) -> list[dict[str, str]]:
        return build_prompt(
            Sample(
                character_name="Ann", character_profile=dict(ANN.profile), conversation_history=turns,
                question=question, answer="", keywords=(), language="en",
            )
        )  # fmt: skip

    assert talker.asked == [prompt("first"), prompt("second", history), prompt("/third")]


def test_base_and_trained_answer_side_by_side_with_histories_of_their_own() -> None:
    base, trained = Scripted("<answer>b1</answer>", "b2"), Scripted("<answer>t1</answer>", "<answer>t2</answer>")
    text, conversation = _talk(["q1", "q2"], base, trained)
    assert text.index("Ann (base): b1") < text.index("Ann (trained): t1") < text.index("b2") < text.index("t2")
    assert [turn["content"] for turn in base.asked[1]][1:] == ["q1", "b1", "q2"]
    assert [turn["content"] for turn in trained.asked[1]][1:] == ["q1", "t1", "q2"]
    assert conversation.exchanges[1].answers == {"base": "b2", "trained": "t2"}


def test_control_characters_of_a_reply_a_name_or_a_profile_do_not_reach_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\rover\x9b31m\u202edlrow\u2028x\x00"
    character = Character(f"A{evil}", "en", {"Name": f"A{evil}", "Home": evil}, {}, "", "test")
    conversation = Conversation(character)
    written: list[str] = []
    lines = iter(["hi", "/profile", "/" + evil, None])
    talker = Scripted(f"<think>{evil}</think><answer>{evil}</answer>")
    converse(conversation, {"m": talker}, Terminal(lambda: next(lines), written.append, True), reasoning=True)
    text = "".join(written)
    assert not set(text) & set("\x1b\x07\r\x9b\u202e\u2028\x00") and "owned" in text and "no such command" in text
    assert talker.asked[0][0]["content"].count(evil) >= 1, "the model sees the profile as it is"


def test_printable_keeps_what_people_write() -> None:
    for text in ("你好\u3000世界", "café\u00a0!", "👩\u200d🚀 ok", "a\tb\nc", "한국어", "e\u0301"):
        assert printable(text) == text
    assert one_line("a\nb\tc\x1b") == "a b c\ufffd"


def test_a_stopped_reply_is_not_kept_and_the_conversation_goes_on() -> None:
    talker = Scripted("interrupt", "<answer>Again.</answer>")
    text, conversation = _talk(["one", "two"], talker)
    assert "stopped" in text and [one.user for one in conversation.exchanges] == ["two"]
    assert len(talker.asked[1]) == 2, "the stopped question is not in the history"


def test_an_error_is_said_to_a_person_and_ends_a_pipe() -> None:
    text, conversation = _talk(["one", "two"], Scripted("die", "<answer>Fine.</answer>"), interactive=True)
    assert "error: the server is gone" in text and "Fine." in text and len(conversation.exchanges) == 1
    with pytest.raises(StageError):
        _talk(["one"], Scripted("die"))


def test_the_end_of_the_input_ctrl_c_and_quit_end_cleanly() -> None:
    for lines in ([], ["/quit", "never said"], ["/exit"]):
        assert _talk(lines, Scripted())[0] == ""

    def interrupted() -> str:
        raise KeyboardInterrupt

    converse(Conversation(ANN), {"m": Scripted()}, Terminal(interrupted, lambda text: None))


def test_a_reply_without_answer_text_is_said_and_leaves_no_empty_turn() -> None:
    talker = Scripted("<think>only thoughts", "<answer>Yes.</answer>")
    text, _ = _talk(["one", "two"], talker)
    assert "no answer text" in text
    assert [turn["role"] for turn in talker.asked[1]] == ["system", "user"]


def test_a_conversation_is_saved_once(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    talker = Scripted("<think>x</think><answer>One.</answer>")
    text, _ = _talk(["first", f"/save {path}", f"/save {path}", "/save", "/save /nowhere/x"], talker, interactive=True)
    saved = json.loads(path.read_text())
    assert saved["character_name"] == "Ann" and saved["exchanges"][0]["user"] == "first"
    assert saved["exchanges"][0]["answers"] == {"trained": "One."}
    assert saved["exchanges"][0]["completions"]["trained"].startswith("<think>")
    assert "exists already" in text and "name a file" in text and "cannot be written" in text


def _people(folder: Path) -> Path:
    path = folder / "people.jsonl"
    rows = [
        {"name": name, "description": f"{name} lives in {town}."} for name, town in (("Ann", "York"), ("Anna", "Bath"))
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_characters_are_found_by_file_and_by_shipped_name(tmp_path: Path) -> None:
    assert find_character("Beryl Stannard").name == "Beryl Stannard"
    assert find_character("beryl").name == "Beryl Stannard", "a part that fits one is enough"
    assert find_character(str(_people(tmp_path)), "ann").name == "Ann", "a whole name goes before a part"
    assert find_character(str(_people(tmp_path)), "Anna").name == "Anna"


@pytest.mark.parametrize(
    ("wanted", "name", "words"),
    [
        ("Beryl Stanard", None, "did you mean Beryl Stannard"),
        ("zzzzqqq", None, "no such name among the shipped characters"),
        ("shipped:en", None, "holds 13 characters; choose with --name"),
        ("nowhere/x.yaml", None, "no such file"),
        ("nowhere.yaml", None, "no such file"),
        ("shipped:en", "zzzzqqq", "--name zzzzqqq: no such name"),
    ],
)
def test_a_character_that_is_not_there_is_named(wanted: str, name: str | None, words: str) -> None:
    with pytest.raises((DataError, UsageError), match=words):
        find_character(wanted, name)


def test_several_characters_are_found_under_names_of_their_own(tmp_path: Path) -> None:
    people = _people(tmp_path)
    assert list(find_characters(str(people))) == ["Ann", "Anna"]
    assert list(find_characters(str(people), ("anna", "Anna"))) == ["Anna"]
    assert list(find_characters("beryl")) == ["Beryl Stannard"]
    people.write_text(people.read_text().replace("Anna", "Ann"))
    assert list(find_characters(str(people))) == ["Ann", "Ann (2)"]
    for wanted, picks, words in (
        ("beryl", ("Ann",), "--pick: chooses among the characters of a file"),
        (str(people), ("Zed",), "--pick Zed: no such name"),
        ("nowhere/x.yaml", (), "no such file"),
    ):
        with pytest.raises((DataError, UsageError), match=words):
            find_characters(wanted, picks)


def test_files_without_a_character_or_a_name_say_so(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(DataError, match="empty"):
        find_character(str(tmp_path / "empty.txt"))
    with pytest.raises(UsageError, match="2 characters"):
        find_character(str(_people(tmp_path)))


def test_a_stage_folder_stands_for_the_model_in_it(tmp_path: Path) -> None:
    (tmp_path / "train/model").mkdir(parents=True)
    (tmp_path / "train/model/config.json").write_text("{}")
    assert model_folder(str(tmp_path / "train")) == tmp_path / "train/model"
    assert model_folder(str(tmp_path / "train/model")) == tmp_path / "train/model"
    with pytest.raises(DataError, match="no such model folder"):
        model_folder(str(tmp_path / "nothing"))
