"""Rows in the layout of VeriRole's data (ICLR 2026), as rows of ours.

``problem.system_prompt`` says who is played, ``problem.history`` is the conversation that ends with the question, ``hint``
holds the cues that a good answer takes up, by where they are from, and ``extra_info.keywords`` what it must contain. There
is no reference answer, so the keywords are one: they are right by rule, and ``metadata.reference`` says so. Rows without
keywords (situation puzzles) are for a judge alone.

Every command that takes samples takes such files: `raiden_core.samples.parse_sample` asks this module.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_TAGGED = re.compile(r"</?(?:hint|think|answer|response)>", re.IGNORECASE)
_NAME = re.compile(
    r"(?:^|\n)\W*(?:name|character(?: name)?|role(?: name)?|姓名|名字|角色(?:名称?)?)\W*[:：]\W*([^\n,，。;；|]{1,40})"
    r"|(?:you are(?: now)?|play(?:ing)?(?: the role of)?|act as)\s+(?:the character\s+)?[\"“]?"
    r"((?-i:[A-Z])[\w'’.-]*(?:\s+(?-i:[A-Z])[\w'’.-]*){0,3})"
    r"|(?:你(?:现在)?(?:是|叫)|(?:请?你?扮演))(?:角色)?[“\"「]?([^\s，。,.;；：:”\"」]{1,20})",
    re.IGNORECASE,
)
_SAID = re.compile(r"\b(?:dialogue|dialog|history|conversation)|对话|历史", re.IGNORECASE)
REFERENCE = "the keywords; the data has no answers"


def is_verirole(row: object) -> bool:
    """Whether a row has this layout."""
    return isinstance(row, Mapping) and "question" not in row and isinstance(_object(row.get("problem")), Mapping)


def from_verirole(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as a sample's.

    Raises:
        ValueError: ``field: what is wrong`` of the first field that is not what the layout says.
    """
    problem, extra = _object(row["problem"]), _object(row.get("extra_info")) or {}
    hint = _object(row.get("hint")) or {}
    prompt = problem.get("system_prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("problem.system_prompt: must be a text")
    turns = _turns(_object(problem.get("history")))
    if not turns or turns[-1]["role"] != "user":
        raise ValueError("problem.history: must end with what the user says")
    # What its prompts say of tags would contradict the format that ours ask for.
    profile = "\n".join(line for line in prompt.splitlines() if not _TAGGED.search(line)).strip()
    groups = [[str(one) for one in (term if isinstance(term, list) else [term])] for term in _keywords(extra)]
    keywords = [group[0] for group in groups]
    sources = [str(key) for key, value in hint.items() if value]
    said = bool(sources) and all(_SAID.search(key) for key in sources)
    return {
        "character_name": _named(extra, prompt),
        "character_profile": {"Introduction": profile},
        "conversation_history": turns[:-1],
        "question": turns[-1]["content"],
        "answer": ", ".join(keywords),
        "keywords": keywords,
        "validator": {"all_of": groups} if any(len(group) > 1 for group in groups) else None,
        "validation_method": "multi_term_parsing" if len(groups) > 1 else "single_term_validation",
        "dimension": "CM" if said else "SBK",
        "language": extra.get("language"),
        "metadata": {
            "source": "VeriRole",
            "data_type": row.get("data_type"),
            "evidence": hint,
            "reference": REFERENCE if keywords else "none",
        },
    }


def _turns(history: object) -> list[dict[str, str]]:
    if not isinstance(history, Sequence) or isinstance(history, str):
        raise ValueError("problem.history: must be a list")
    turns: list[dict[str, str]] = []
    for place, turn in enumerate(history):
        if isinstance(turn, str):
            # Plain texts alternate, and the last one is the user's.
            turns.append({"role": "user" if (len(history) - place) % 2 else "assistant", "content": turn})
            continue
        role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, Mapping) else (None, None)
        if role not in ("system", "user", "assistant") or not isinstance(content, str):
            raise ValueError(f"problem.history.{place}: must be a turn with role and content")
        if role != "system":
            turns.append({"role": role, "content": content})
    return turns


def _keywords(extra: Mapping[str, Any]) -> list[Any]:
    given = _object(extra.get("keywords"))
    if given is None:
        return []
    if isinstance(given, str):
        return [given] if given.strip() else []
    if not isinstance(given, list):
        raise ValueError("extra_info.keywords: must be a list")
    return [one for one in given if one]


def _named(extra: Mapping[str, Any], prompt: str) -> str:
    for field in ("character_name", "character", "role_name", "role", "name"):
        if isinstance(said := extra.get(field), str) and said.strip():
            return said.strip()
    found = _NAME.search(prompt)
    if found:
        return next(group for group in found.groups() if group).strip(" *#\"'“”")
    # Samples are kept apart by character, so one prompt is one character, whoever that is.
    return f"unnamed {hashlib.sha256(prompt.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _object(value: Any) -> Any:
    """A value, or what it holds as JSON where it is a text that begins like an object or a list."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
