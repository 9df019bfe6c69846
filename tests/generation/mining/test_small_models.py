"""What makes the chain bearable for small models: bounded replies, lines, shared keywords, turns, voices, distractors."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from raiden_core.characters import read_characters
from raiden_core.generation.mining import reasons
from raiden_core.generation.mining import replies as shapes
from raiden_core.generation.mining.answers import Answers
from raiden_core.generation.mining.checks import check_text, check_voice, is_copied
from raiden_core.generation.mining.conversations import TURNS
from raiden_core.generation.mining.dropped import EXAMPLES, by_stage, in_words, lines_of
from raiden_core.generation.mining.facts import _with_evidence, supports
from raiden_core.generation.mining.facts import lines_of as profile_lines
from raiden_core.generation.mining.keywords import shared_terms
from raiden_core.generation.mining.kinds import is_of_the_kind
from raiden_core.generation.mining.prompts import compact, load_prompts
from raiden_core.generation.mining.questions import Asked
from raiden_core.generation.mining.reasons import Drop, Dropped
from raiden_core.generation.mining.same_kind import same_kind
from raiden_core.generation.offline.catalogue import LANGUAGES
from raiden_core.generation.quality import filters
from raiden_core.models.answering import Refused
from raiden_core.models.schemas import bounded, schema_of
from raiden_core.rewards import Scorer, contains_term, fold
from tests.generation.mining.test_mining import EN, ONE, TWO, UNSHARED, ZH, person, run, twist
from tests.support.scripted_teacher import ScriptedTeacher
from tests.support.tables import table

SHAPES = [shape for shape in vars(shapes).values() if isinstance(shape, type) and issubclass(shape, shapes._Shape)]


def parts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from parts(value)
    elif isinstance(node, list):
        for value in node:
            yield from parts(value)


@table("shape", SHAPES)
def test_every_list_and_every_string_of_a_schema_has_an_end(shape: Any) -> None:
    for part in parts(schema_of(shape)):
        assert part.get("type") != "array" or part["maxItems"] <= 64, part
        assert part.get("type") != "string" or "enum" in part or part["maxLength"] <= shapes.MAX_TEXT, part


def test_a_request_says_how_many_items_it_wants_and_leaves_the_schema_of_others_alone() -> None:
    teacher = ScriptedTeacher()
    assert run([person(TWO)], teacher, count=1).samples
    asked = {request.purpose.partition("/")[0]: request.schema or {} for request in teacher.requests}
    assert asked["facts"]["properties"]["facts"]["maxItems"] == 6, "two for each of two lines, and two"
    assert asked["questions"]["properties"]["questions"]["maxItems"] == 2
    assert asked["judge"]["properties"]["verdicts"]["maxItems"] <= 8
    assert schema_of(shapes.JudgeReply)["properties"]["verdicts"]["maxItems"] == shapes.MAX_LISTED
    assert bounded(schema_of(shapes.TellReply), {}) == schema_of(shapes.TellReply)


def test_a_text_that_fills_its_bound_was_cut_off() -> None:
    endless = ("我的家乡是长沙，" * 200)[: shapes.MAX_TEXT]
    made = run([person(ONE)], ScriptedTeacher(answer=twist(reasoning=endless)), count=1)
    assert made.dropped == {"no reply (answer): cut": made.dropped["no reply (answer): cut"]}


def test_profiles_are_numbered_line_by_line_and_prose_sentence_by_sentence() -> None:
    prose = "她在渡口长大，从小帮父亲撑船。" + "后来她到城里学戏，一学就是十年，吃了不少苦头，也认得了许多人。" * 2
    assert profile_lines(f"姓名：林晚\n---\n{prose}\n\n家乡：长沙") == (
        "姓名：林晚",
        "她在渡口长大，从小帮父亲撑船。",
        *["后来她到城里学戏，一学就是十年，吃了不少苦头，也认得了许多人。"] * 2,
        "家乡：长沙",
    )


@table(
    ("evidence", "value", "said"),
    [
        ("Trade: she repairs church clocks", "church clocks", True),
        ("Trade: she repairs church clocks", "Church-Clocks and repairs", False),
        ("Pets: a parrot and a tortoise", "tortoise, parrot", True),
        ("Pets: a parrot and a tortoise", "a parrot and a turtle", False),
        ("Has lived alone since 1998", "no pets", False),
        ("家鄉：長沙", "长沙", True),
        ("爱好：钓鱼，偶尔也下棋", "钓鱼、下棋", True),
        ("爱好：钓鱼", "长沙", False),
        ("Age: 19 years old", "19", True),
        ("Age: 19 years old", "is", False),
    ],
)
def test_evidence_must_say_the_value(evidence: str, value: str, said: bool) -> None:
    assert supports(evidence, value) is said


def test_facts_that_their_line_does_not_say_are_dropped_with_the_words() -> None:
    def wrong(data: Any, messages: Any, request: Any) -> Any:
        return {"facts": [{**data["facts"][0], "value": "北京"}, *data["facts"][1:]]}

    made = run([person(ZH)], ScriptedTeacher(facts=wrong), count=None)
    assert made.dropped[reasons.UNSUPPORTED] == 1
    assert made.stats["dropped_at"]["facts"][reasons.UNSUPPORTED]["examples"] == ["line 2, 家乡: 北京"]
    assert "家乡" not in {sample.metadata["attribute"] for sample in made.samples}


@table(
    ("line", "attribute", "value", "evidence"),
    [
        (2, "家乡", "长沙", "家乡：长沙"),
        (1, "家乡", "长沙", "家乡：长沙"),  # the only line that says so
        (1, "母校", "长沙一中", "母校：长沙一中"),
        (1, "乐器", "二胡", "乐器：二胡"),  # of two lines the one that names the attribute
        (1, "擅长", "二胡", None),  # of two lines neither does
        (1, "家乡", "北京", None),
        (9, "家乡", "长沙", None),
    ],
)
def test_a_value_with_a_wrong_number_belongs_to_the_only_line_that_says_it(
    line: int, attribute: str, value: str, evidence: str | None
) -> None:
    profile = {"姓名": "林晚", "家乡": "长沙", "母校": "长沙一中", "乐器": "二胡", "随身物品": "二胡"}
    profile = {**profile, "家乡": "长沙城"} if value == "长沙一中" else profile
    lines = profile_lines("\n".join(f"{key}：{text}" for key, text in profile.items()))
    fact = _with_evidence(shapes.FactReply(line=line, attribute=attribute, value=value), lines)
    found = fact.evidence if fact and supports(fact.evidence, value) else None
    assert found == evidence


TURTLE = "Pet: an alligator snapping turtle called Judge"


@table(
    ("language", "evidence", "hint", "question", "answers", "terms"),
    [
        (
            "en",
            TURTLE,
            "alligator snapping turtle",
            "Which animal do you keep?",
            ["An alligator snapping turtle."] * 2,
            1,
        ),
        # No answer says all of the value: the longest part that every one of them says is the keyword.
        (
            "en",
            TURTLE,
            "alligator snapping turtle called Judge",
            "Which animal?",
            ["A snapping turtle, Judge.", "My snapping turtle."],
            ("snapping turtle",),
        ),
        (
            "en",
            "pets: a parrot and a tortoise",
            "a parrot and a tortoise",
            "Your pets?",
            ["A parrot, a tortoise."] * 2,
            ("parrot", "tortoise"),
        ),
        (
            "en",
            "pets: a parrot and a tortoise",
            "a parrot and a tortoise",
            "Your pets?",
            ["A parrot, a tortoise.", "A parrot."],
            (),
        ),
        ("en", "home: Bristol", "Bristol", "Where is your home?", ["In Bristol.", "Not in Bristol."], ()),
        ("en", "home: Bristol", "Bristol", "How do you like Bristol?", ["Bristol is fine."] * 2, ()),
        ("zh", "家乡：湖南长沙城", "湖南长沙城", "你是哪里人？", ["我是长沙人。", "老家在长沙。"], ("长沙",)),
        ("zh", "家乡：长沙", "我是我", "你是哪里人？", ["我是长沙人。", "老家在长沙。"], ()),
    ],
)
def test_the_keyword_is_what_all_answers_share(
    language: str, evidence: str, hint: str, question: str, answers: list[str], terms: Any
) -> None:
    asked = Asked("SBK", question, "what", "easy", "x", evidence, hint, "questions/1")
    said = Answers(answers[0], "", tuple(answers[1:]))
    expected = (hint,) if terms == 1 else terms
    assert shared_terms(asked, said, evidence, language, Scorer()) == expected


def test_the_teacher_is_asked_for_keywords_only_where_the_answers_share_none() -> None:
    teacher = ScriptedTeacher()
    assert run([person(ZH)], teacher, count=4, share=0.5).samples
    assert "keywords" not in teacher.purposes() and teacher.purposes()["distractors"] >= 4
    teacher = ScriptedTeacher(**UNSHARED)
    made = run([person(ONE)], teacher, count=1)
    assert teacher.purposes()["keywords"] and not teacher.purposes()["distractors"]
    (examples,) = [row["examples"] for row in made.stats["dropped_at"]["samples"].values()]
    assert "长沙: 我一时想不起来。" in examples[0]


@table(
    ("term", "question", "evidence", "fits"),
    [
        ("Judge", "What animal do you keep?", TURTLE, False),
        ("Judge", "What is your turtle called?", TURTLE, True),
        ("turtle", "What animal do you keep?", TURTLE, True),
        ("Judge", "What animal do you keep?", "Pet: Judge, an alligator snapping turtle", False),
        ("Bristol", "Where do you live?", "home: Bristol", True),
        ("雪球", "你养了什么动物？", "养了一只叫雪球的猫", False),
        ("雪球", "你的猫叫什么？", "养了一只叫雪球的猫", True),
        ("猫", "你养了什么动物？", "养了一只叫雪球的猫", True),
        ("ポチ", "どんな動物を飼っていますか", "ポチという犬を飼っている", False),
        ("木匠", "你今年多大了？", "三十岁的木匠", False),
        ("三十岁", "你今年多大了？", "三十岁的木匠", True),
        ("clocks", "How old are you?", "Age: nineteen, repairs clocks", False),
        ("nineteen", "How old are you?", "Age: nineteen, repairs clocks", True),
    ],
)
def test_a_keyword_is_the_kind_of_thing_that_is_asked_for(term: str, question: str, evidence: str, fits: bool) -> None:
    assert is_of_the_kind(term, question, evidence) is fits


def test_a_keyword_of_another_kind_costs_the_sample() -> None:
    pets = {"姓名": "林晚", "宠物": "一只叫雪球的黑猫"}
    twists = {
        "facts": twist(facts=[{"line": 2, "attribute": "宠物", "value": "雪球"}]),
        "questions": lambda data, *_: {
            "questions": [{**one, "question": "你养了什么动物？"} for one in data["questions"]]
        },
        "answer": twist(answer="我养的是雪球。"),
        "keywords": twist(terms=[{"term": "雪球", "kind": "entity"}]),
    }
    made = run([person(pets)], ScriptedTeacher(**twists), count=1)
    assert not made.samples and made.dropped[reasons.WRONG_KIND]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_conversations_turn_by_turn(language: str) -> None:
    teacher = ScriptedTeacher()
    someone = person(ZH) if language == "zh" else person(EN, "en")
    made = run([someone], teacher, count=6, share=0.5, settings={"turn_by_turn": True})
    talks = [sample for sample in made.samples if sample.dimension == "CM"]
    assert len(talks) == 3 and "conversation" not in teacher.purposes()
    for talk in talks:
        assert len(talk.conversation_history) == TURNS[talk.difficulty]
        assert contains_term(talk.conversation_history[0].content, talk.keywords[0])
        assert talk.metadata["template"] == "tell/1"
    again = run([someone], ScriptedTeacher(), count=6, share=0.5, settings={"turn_by_turn": True})
    assert again.samples == made.samples


@table(
    ("twists", "reason"),
    [
        ({"tell": twist(detail="犀牛")}, reasons.DETAIL_MISSING),
        ({"say": lambda *_: Refused("length")}, "no reply (say): length"),
        ({"say_back": twist(said="林晚点了点头。")}, reasons.THIRD_PERSON),
        ({"say": twist(said="说起来，雪球、丹顶、螺号、竹筏、铜铃、柚子都好。")}, reasons.DETAIL_FRESH),
    ],
)
def test_what_goes_wrong_in_a_turn_costs_the_conversation(twists: dict[str, Any], reason: str) -> None:
    made = run([person(ONE)], ScriptedTeacher(**twists), count=2, share=1, settings={"turn_by_turn": True})
    assert not made.samples and made.dropped[reason] > 0, made.dropped
    assert reason in made.stats["dropped_at"]["conversations"]


@table("language", LANGUAGES)
def test_examples_are_sound_and_of_people_who_are_in_no_data(language: str) -> None:
    examples = load_prompts(language).examples
    assert {"facts", "questions", "answer", "distractors", "tell", "say", "say_back", "remember"} == set(examples)
    lines = examples["facts"].material["lines"].split("\n")
    name = lines[0].replace("：", ":").partition(":")[2].strip()
    shipped = read_characters(["shipped"]).characters
    assert name and all(name not in f"{one.name} {one.profile}" for one in shipped)
    for fact in examples["facts"].reply["facts"]:
        assert supports(lines[fact["line"] - 1].partition(". ")[2], fact["value"]), fact
    shapes_of: dict[str, type[BaseModel]] = {
        "facts": shapes.FactsReply,
        "questions": shapes.QuestionsReply,
        "answer": shapes.AnswerReply,
    }
    shapes_of |= {"distractors": shapes.DistractorsReply, "remember": shapes.RememberReply}
    shapes_of |= {"tell": shapes.TellReply, "say": shapes.SayReply, "say_back": shapes.SayReply}
    for task, example in examples.items():
        shapes_of[task].model_validate(example.reply)
    told = examples["tell"].reply
    assert contains_term(told["said"], told["detail"])
    check_voice(examples["say_back"].reply["said"], name, language)
    said = examples["answer"].reply
    for text in (said["reasoning"], said["answer"]):
        check_voice(text, name, language, thought=True)


def test_examples_are_earlier_turns_in_compact_json_and_nothing_is_said_of_the_shape() -> None:
    teacher = ScriptedTeacher()
    run([person(EN, "en")], teacher, count=1)
    (facts,) = [one for one in teacher.requests if one.purpose.startswith("facts")]
    assert [message["role"] for message in facts.messages] == ["system", "user", "assistant", "user"]
    example = facts.messages[2]["content"]
    assert compact(json.loads(example)) == example and '": ' not in example
    assert "Orla Finch" in facts.messages[1]["content"] and "Orla Finch" not in facts.messages[3]["content"]
    assert "without blanks" in facts.messages[0]["content"]


@table(
    ("text", "language", "thought", "passes"),
    [
        ("I live in Bristol.", "en", False, True),
        ("Ada Quill lives in Bristol.", "en", False, False),
        ("In Bristol, of course.", "en", True, True),
        ("Ada Quill would say it plainly; I do.", "en", True, True),
        ("The character is from Bristol.", "en", True, False),
        ("She is from Bristol.", "en", True, False),
        ("She is called Judge.", "en", False, True),
        ("我是长沙人。", "zh", False, True),
        ("角色来自长沙，应当直说。", "zh", True, False),
        ("他来自长沙。", "zh", True, False),
        ("你来自长沙。", "zh", True, False),
        ("You are from Bristol.", "en", True, False),
        ("You are from Bristol, too.", "en", False, True),
        ("在下长沙人，角色而已。", "zh", True, True),
        ("彼女は長沙の出身。", "ja", True, False),
        ("그녀는 창사 출신이다.", "ko", True, False),
    ],
)
def test_the_character_speaks_for_itself(text: str, language: str, thought: bool, passes: bool) -> None:
    if passes:
        check_voice(text, "Ada Quill", language, thought=thought)
    else:
        with pytest.raises(Dropped, match=reasons.THIRD_PERSON):
            check_voice(text, "Ada Quill", language, thought=thought)


@table(
    ("text", "language"),
    [
        ("What the character says to the user, one to three sentences, is Bristol.", "en"),
        ("I am Orla, and clocks are my whole trade. It is no secret.", "en"),
        ("对用户说出口的话，一到三句，直接、肯定地说出答案。", "zh"),
        ("…", "en"),
    ],
)
def test_copies_of_the_instructions_and_placeholders_are_refused(text: str, language: str) -> None:
    with pytest.raises(Dropped):
        check_text(text, language)
    assert is_copied(text, language) is (text != "…")


def test_copied_and_third_person_answers_cost_the_sample() -> None:
    for field, text, reason in (
        ("reasoning", "角色心里的思量，两三句：我是谁，资料或对话里哪一处说到此事。", reasons.COPIED),
        ("reasoning", "角色的家乡写在资料里，应当照实说。", reasons.THIRD_PERSON),
        ("answer", "林晚的家乡是长沙。", reasons.THIRD_PERSON),
    ):
        made = run([person(ONE)], ScriptedTeacher(answer=twist(**{field: text})), count=1)
        assert not made.samples and set(made.dropped) == {reason}, (field, made.dropped)


@table(
    ("twists", "kept"),
    [
        ({"distractors": twist(distractors=["长沙", "家乡"])}, True),
        ({"distractors": lambda *_: Refused("length")}, True),
    ],
)
def test_where_the_teacher_has_no_usable_distractor_there_are_others_of_the_kind(twists: Any, kept: bool) -> None:
    made = run([person(ONE)], ScriptedTeacher(**twists), count=1)
    (sample,) = made.samples
    assert sample.validator is not None and sample.validator.none_of
    cities = {fold(term) for term in same_kind("家乡", "长沙", "where", "zh")}
    assert {fold(term) for term in sample.validator.none_of} <= cities and "长沙" not in sample.validator.none_of


def test_a_sample_without_any_distractor_is_dropped() -> None:
    odd = {"姓名": "林晚", "奇物": "鎏金獬豸镇纸"}
    twists = {
        "distractors": lambda *_: Refused("length"),
        "questions": lambda data, *_: {"questions": [{**one, "type": "what"} for one in data["questions"]]},
    }
    made = run([person(odd)], ScriptedTeacher(**twists), count=1)
    assert not made.samples and made.dropped[reasons.NO_DISTRACTORS]


@table(
    ("attribute", "term", "kind", "language", "some"),
    [
        ("home town", "Bristol", "where", "en", "Oslo"),
        ("age", "19 years old", "how", "en", "22 years old"),
        ("宠物", "黑猫", "what", "zh", "白猫"),
        ("an odd thing", "umbrella", "what", "en", "wallet"),
        ("an odd thing", "gilt paperweight", "what", "en", None),
        ("confidant", "Bartholomew", "who", "en", ""),
    ],
)
def test_terms_of_the_same_kind(attribute: str, term: str, kind: Any, language: str, some: str | None) -> None:
    others = same_kind(attribute, term, kind, language)
    assert term not in others
    assert (not others) if some is None else (others if not some else some in others)


def test_a_run_that_keeps_nothing_says_what_each_stage_dropped_and_shows_some() -> None:
    drops = [Drop("a", "zh", stage="facts", example=f"fact {number}") for number in range(5)]
    drops += [Drop("b", "zh", "SBK", stage="samples"), Drop("c", "zh", "SBK", stage="samples", example="x " * 99)]
    seen = by_stage(drops)
    assert list(seen) == ["facts", "samples"]
    assert seen["facts"]["a"] == {"count": 5, "examples": ["fact 0", "fact 1", "fact 2"]} and EXAMPLES == 3
    assert len(seen["samples"]["c"]["examples"][0]) == 100
    assert in_words(seen).startswith("dropped at facts: 5 x a (such as 'fact 0') | samples: 1 x b; 1 x c (such as 'x x")
    assert lines_of(seen)[0] == "dropped at facts: 5 x a\n    fact 0\n    fact 1\n    fact 2"
    assert in_words({}) == "nothing was drafted"
    made = run([person(ONE)], ScriptedTeacher(questions=lambda *_: Refused("not json", "it said: hello")), count=1)
    assert "questions: 2 x no reply (questions): not json (such as 'it said: hello')" in made.skipped[0].reason
    made = run([person(ONE)], ScriptedTeacher(facts=twist(facts=[{"line": 7, "attribute": "a", "value": "b"}])))
    assert f"{filters.NOT_IN_PROFILE} ('line 7, a: b')" in made.skipped[0].reason


def test_a_detail_that_was_not_said_costs_one_request() -> None:
    teacher = ScriptedTeacher(tell=twist(detail="犀牛"))
    run([person(ONE)], teacher, count=2, share=1, settings={"turn_by_turn": True})
    assert teacher.purposes()["tell"] and not {"say", "say_back", "remember"} & set(teacher.purposes())
