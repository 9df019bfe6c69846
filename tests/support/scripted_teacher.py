"""A teacher by rule for tests of mining: it reads the prompts as a model would and answers them sensibly.

It knows zh and en profiles of `key：value` lines. What it is asked it sees from the messages alone, so that it can also
stand behind a server. `twists` change its replies: task -> function from (reply, messages, draw) to a reply or Refused.
"""

import asyncio
import json
import re
import zlib
from collections import Counter
from typing import Any

from raiden_core.generation.mining.prompts import load_prompts
from raiden_core.generation.mining.replies import MAX_FACTS
from raiden_core.models.answering import Refused, Reply, Request

TASKS = (
    *("premise", "unknowable", "holds", "boundary_answer", "boundary_judge"),
    *("tell", "say_back", "say", "remember", "distractors"),
    *("facts", "questions", "conversation", "recall", "answer", "guess", "keywords", "parse", "judge"),
)
"""Those first whose wording begins as another's does."""
BOUNDARIES: dict[str, dict[str, Any]] = {
    "zh": {
        "premise": "把{wrong}当{key}，你觉得怎么样？",
        "plays along": "{wrong}当{key}很好。",
        "unknowable": "说起来，你的{topic}是多少来着？",
        "topics": ["血型", "身高", "体重", "生辰"],
        "correct": "不，我的{key}是{value}。",
        "admit": "这我可不知道。",
        "inventions": ["乙型", "七尺", "百斤", "腊月"],
        "invented": "我看是乙型。",
    },
    "en": {
        "premise": "How do you get along with {wrong} for your {key}?",
        "plays along": "{wrong} for my {key} is splendid.",
        "unknowable": "By the way, what did they say your {topic} was?",
        "topics": ["blood group", "height", "weight", "star sign"],
        "correct": "No, my {key} is {value}.",
        "admit": "I do not know that.",
        "inventions": ["type B", "six feet", "ten stone", "Leo"],
        "invented": "It is type B.",
    },
}
LANGUAGES = ("zh", "en")
LONGEST_VALUE = 100
"""Of a fact, in letters: a paragraph is none."""
LIST = re.compile(r"、| and ")
NAMES = {"zh": ["雪球", "丹顶", "螺号", "竹筏", "铜铃", "柚子"], "en": ["Snowball", "Juniper", "Barnacle", "Tamarind"]}
WORDS: dict[str, dict[str, Any]] = {
    "zh": {
        "easy": "你的{key}是什么？",
        "medium": "初次见面，能介绍一下你的{key}吗？",
        "hard": "要是有人向你打听{key}这件事，你会怎么说？",
        "said": "我最近有了{value}，心里很高兴。",
        "heard": "那真好，替你高兴。",
        "talk": [
            ("今天天气不错。", "是啊，正好出门。"),
            ("街上人很多。", "热闹些也好。"),
            ("我有点累。", "那就歇一会儿。"),
        ],
        "recall": "我一开始提到的{kind}，你还记得吗？",
        "answer": "我的{key}是{value}。",
        "remember": "我记得，你说的是{value}。",
        "reasoning": "我是角色本人，资料里写着{key}，照实说。",
        "unknown": "这件事我一时想起来的是大海。",
        "others": ["火星", "沙漠", "草原", "孤岛"],
        "wrong": ["我说的是沙漠。", "我看今天天气很好。", "我觉得是孤岛。"],
    },
    "en": {
        "easy": "What is your {key}?",
        "medium": "Since we have only just met, could you introduce your {key} to me?",
        "hard": "If a stranger came to ask around about the {key} of yours, how would you put it?",
        "said": "I have lately got {value} and it makes me glad.",
        "heard": "How nice, I am happy for you.",
        "talk": [
            ("Lovely weather today.", "It is, just right for a walk."),
            ("The streets are crowded.", "A little life does no harm."),
            ("I am rather tired.", "Then sit down for a while."),
        ],
        "recall": "Do you still remember {kind} that I spoke of first?",
        "answer": "My {key} is {value}.",
        "remember": "I remember that you spoke of {value}.",
        "reasoning": "I am the character, and my profile speaks of the {key}, so I say it plainly.",
        "unknown": "All that comes to my mind is the ocean.",
        "others": ["Mars", "Sahara", "Greenland", "Patagonia"],
        "wrong": ["It is the Sahara.", "The weather is fine today.", "I believe it is Greenland."],
    },
}


class ScriptedTeacher:
    """An `Asker` in this process; it keeps what it was asked and replies out of order."""

    def __init__(self, **twists: Any) -> None:
        self.twists = twists
        self.requests: list[Request] = []

    async def ask(self, request: Request) -> Reply | Refused:
        self.requests.append(request)
        key = request.key("scripted")
        for _ in range(zlib.crc32(key.encode()) % 7):
            await asyncio.sleep(0)
        messages = [dict(message) for message in request.messages]
        task = task_of(messages)[0]
        assert request.purpose.partition("/")[0] == task
        data = reply_to(messages)
        twist = self.twists.get(task)
        if twist is not None:
            data = twist(data, messages, request)
        if isinstance(data, Refused):
            return data
        return Reply(json.dumps(data, ensure_ascii=False), 9, data=data, prompt_tokens=len(str(messages)))

    def purposes(self) -> Counter[str]:
        return Counter(request.purpose.partition("/")[0] for request in self.requests)


def task_of(messages: list[dict[str, str]]) -> tuple[str, str]:
    """Which task in which language the last message sets."""
    content = messages[-1]["content"]
    for task in TASKS:
        for language in LANGUAGES:
            first = load_prompts(language).of(task).text.partition("{")[0].partition("\n")[0].strip()  # type: ignore[arg-type]
            if content.startswith(first):
                return task, language
    raise AssertionError(f"a prompt of no template: {content[:80]}")


def fenced(text: str) -> str:
    """What stands between the first two marks that are alike."""
    found = re.search(r"<data-([0-9a-f]+)>\n(.*?)\n</data-\1>", text, re.DOTALL)
    return found.group(2) if found else ""


def sections(text: str, language: str) -> dict[str, str]:
    """The labelled pieces of a task's material."""
    labels = {label: name for name, label in load_prompts(language).labels.items()}
    pieces = re.split(r"(?:^|\n)\[([^\]\n]+)\]\n", fenced(text))
    return {labels[name]: body.strip() for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}


def facts_of(profile: str) -> dict[str, str]:
    pairs = re.findall(r"^([^:：\n]+)[:：]\s*(.+)$", profile, re.MULTILINE)
    return {key: value for key, value in pairs if key not in ("姓名", "Name")}


def numbered(text: str) -> list[str]:
    return re.findall(r"^\d+\. (.+)$", text, re.MULTILINE)


def reply_to(messages: list[dict[str, str]]) -> dict[str, Any]:
    task, language = task_of(messages)
    system, content = messages[0]["content"], messages[-1]["content"]
    words, profile = WORDS[language], facts_of(fenced(system))
    parts = sections(content, language)
    if task == "facts":
        rows = [(number, re.split("[:：]", row)[0]) for number, row in enumerate(numbered(parts["lines"]), 1)]
        return {"facts": facts_reply(rows, profile)}
    if task == "questions":
        questions = []
        for number, line in enumerate(numbered(parts["facts"]), 1):
            kind, level, key = re.match(r"\((\w+), (\w+)\) (.+?): ", line).groups()
            questions.append(
                {"number": number, "question": words[level].format(key=key), "type": kind, "difficulty": level}
            )
        return {"questions": questions}
    if task == "conversation":
        turns = int(re.search(r"(\d+) ?(?:句|turns)", content).group(1))
        level = re.search(r"easy|medium|hard", content).group()
        kind = re.search(r"(?:题材是：|on this subject: )(.+?)[。.]", content).group(1)
        detail = NAMES[language][zlib.crc32(kind.encode()) % len(NAMES[language])]
        said = [(words["said"].format(value=detail), words["heard"]), *words["talk"]][: turns // 2]
        flat = [
            {"role": role, "content": text}
            for pair in said
            for role, text in zip(("user", "assistant"), pair, strict=True)
        ]
        question = words["recall"].format(kind=kind)
        return {"turns": flat, "detail": detail, "question": question, "type": "what", "difficulty": level}
    if task == "recall":
        told = parts["conversation"].split("\n")[0]
        detail = re.search(r"(?:有了|got )(\w+?)(?=，| and|$)", told).group(1)
        question = words["recall"].format(kind="东西" if language == "zh" else "the thing")
        return {"detail": detail, "question": question, "type": "what", "difficulty": "easy"}
    if task in ("tell", "say", "say_back", "remember", "distractors"):
        return turn_reply_to(task, parts, content, language)
    if task in ("premise", "unknowable", "holds", "boundary_answer", "boundary_judge"):
        return boundary_reply_to(task, parts, profile, language)
    question = parts["question"]
    key, value, answer = answer_to(question, parts.get("conversation", ""), profile, language)
    if task == "answer":
        return {"reasoning": words["reasoning"].format(key=key), "answer": answer}
    if task == "guess":
        return {"reasoning": words["unknown"], "answer": words["unknown"]}
    terms = LIST.split(value)
    if task == "keywords":
        return {"terms": [{"term": term, "kind": "noun"} for term in terms], "distractors": words["others"]}
    if task == "parse":
        groups = [{"term": term, "equivalents": []} for term in numbered(parts["terms"])]
        wrong = [words["answer"].format(key=key, value=terms[0]), *words["wrong"]]
        return {"groups": groups, "distractors": words["others"], "wrong_answers": wrong}
    verdicts = [all(term in text for term in terms) for text in numbered(parts["answers"])]
    return {"verdicts": [{"number": number, "right": right} for number, right in enumerate(verdicts, 1)]}


def facts_reply(rows: list[tuple[int, str]], profile: dict[str, str]) -> list[dict[str, Any]]:
    short = {key: value for key, value in profile.items() if len(value) <= LONGEST_VALUE}
    facts = [{"line": number, "attribute": key, "value": short[key]} for number, key in rows if key in short]
    return facts[:MAX_FACTS]


def turn_reply_to(task: str, parts: dict[str, str], content: str, language: str) -> dict[str, Any]:
    words = WORDS[language]
    if task == "distractors":
        return {"distractors": words["others"]}
    if task == "tell":
        kind = re.search(r"(?:题材是：|on this subject: )(.+?)[。.]", content).group(1)
        detail = NAMES[language][zlib.crc32(kind.encode()) % len(NAMES[language])]
        return {"said": words["said"].format(value=detail), "detail": detail}
    if task == "remember":
        number = zlib.crc32(parts["told"].encode()) % 997
        thing = f"第{number}样东西" if language == "zh" else f"thing number {number}"
        return {"question": words["recall"].format(kind=thing), "type": "what"}
    turns = parts["conversation"].count("\n") + 1
    user, character = words["talk"][turns // 2 % len(words["talk"])]
    return {"said": user if task == "say" else character}


def boundary_reply_to(task: str, parts: dict[str, str], profile: dict[str, str], language: str) -> dict[str, Any]:
    words = BOUNDARIES[language]
    if task == "premise":
        key = parts["facts"].partition(":")[0]
        wrong = WORDS[language]["others"][zlib.crc32(key.encode()) % 4]
        question = words["premise"].format(wrong=wrong, key=key)
        along = words["plays along"].format(wrong=wrong, key=key)
        return {"wrong": wrong, "equivalents": [], "question": question, "type": "how", "wrong_answers": [along]}
    if task == "unknowable":
        topic = words["topics"][zlib.crc32(parts["facts"].encode()) % 4]
        return {
            "topic": topic,
            "things": [],
            "other_words": [topic],
            "question": words["unknowable"].format(topic=topic),
            "type": "what",
            "inventions": words["inventions"],
            "wrong_answers": [words["invented"]],
        }
    if task == "holds":
        return {"evidence": "", "holds": False}
    if task == "boundary_answer":
        known = [key for key in profile if key in parts["question"] and not parts.get("conversation")]
        answer = words["correct"].format(key=known[0], value=profile[known[0]]) if known else words["admit"]
        return {"reasoning": WORDS[language]["reasoning"].format(key=""), "answer": answer}
    admitted = [text.startswith(("不", "No,", words["admit"])) for text in numbered(parts["answers"])]
    return {"verdicts": [{"number": number, "right": right} for number, right in enumerate(admitted, 1)]}


def answer_to(question: str, conversation: str, profile: dict[str, str], language: str) -> tuple[str, str, str]:
    words = WORDS[language]
    if conversation:
        detail = re.search(r"(?:有了|got )(\w+?)(?=，| and|$)", conversation)
        value = detail.group(1) if detail else words["others"][0]
        return "", value, words["remember"].format(value=value)
    known = [key for key in profile if key in question]
    if not known:
        return "", words["others"][0], words["unknown"]
    key = max(known, key=len)
    return key, profile[key], words["answer"].format(key=key, value=profile[key])
