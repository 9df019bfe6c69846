"""The dataset card: a README.md beside the data, with the header that the Hugging Face Hub reads.

    text = dataset_card(split_stats, generation_stats)

It says what is in the files, who wrote it, what was left out and why, and what the data is not good for. The licence is
the user's to choose: it follows from whose characters and whose model they took. Names and reasons come from
strangers' files; everything that is not ours is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from raiden_core.dataset.audit_table import audit_cells
from raiden_core.text.plain import one_line

CARD = "README.md"

FIELDS = (
    ("id", "string", "first 16 hex digits of the sha256 of name, profile, history and question"),
    ("character_name", "string", "as its profile has it"),
    ("character_profile", "object", "what the prompt shows of the character, in its order"),
    ("conversation_history", "list of {role, content}", "turns before the question; part of the prompt"),
    ("question", "string", "the last turn of the user"),
    ("answer", "string", "the reference, in the first person"),
    ("keywords", "list of strings", "what a right answer must contain"),
    (
        "validator",
        "object",
        "`all_of`: groups of equivalent terms; `none_of`: terms that must not be claimed; `aside`: what else the profile holds",
    ),
    (
        "dimension",
        "string",
        "`SBK` (knowledge from the profile), `CM` (memory of the conversation), `SCK` (a false premise) or `RCB` (what "
        "nobody told the character)",
    ),
    ("question_type", "string", "what, who, where, when, why or how"),
    ("validation_method", "string", "`single_term_validation` or `multi_term_parsing`"),
    ("difficulty", "string", "easy, medium or hard"),
    ("reasoning", "string", "the teacher's reasoning in character"),
    ("language", "string", "ISO 639-1"),
    ("metadata", "object", "teacher, source, evidence and what else is known of the sample"),
)
OFFLINE = "offline"
"""How the name of the rule-based teacher begins."""

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$:-])")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\s]+")


def dataset_card(split: Mapping[str, Any], generation: Mapping[str, Any] | None = None, title: str = "") -> str:
    """The card as Markdown.

    Args:
        split: what `raiden_core.dataset.split.dataset_stats` counted.
        generation: the generate stage's statistics; None where the samples come from elsewhere.
        title: a name for people.
    """
    title = title or "Role-playing questions with verifiable answers"
    parts = [_header(split, title), f"# {escape(title)}", _summary(split), _counts(split), _made(generation)]
    parts += [_dropped(generation), _audit(split), _fields(), _limits(split, generation)]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: object) -> str:
    """Foreign text as it stands, in one line: nothing in it is Markdown or HTML any more."""
    flat = one_line(_BREAKS.sub(" ", str(text)))
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", flat)


def _header(split: Mapping[str, Any], title: str) -> str:
    from huggingface_hub import DatasetCardData

    samples = sum(split[side]["samples"] for side in ("train", "validation"))
    languages = sorted({language for side in ("train", "validation") for language in split[side]["language"]})
    head = DatasetCardData(
        pretty_name=title,
        language=languages,
        task_categories=["text-generation", "question-answering"],
        size_categories=[next((name for most, name in _SIZES if samples < most), "n>10M")],
        tags=["role-playing", "synthetic", "verifiable-reward", "raiden"],
        configs=[
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "train.json"},
                    {"split": "validation", "path": "validation.json"},
                ],
            }
        ],
    )
    return (
        "---\n# license: choose one before publishing; whose characters and whose model were used decides\n"
        f"{head.to_yaml()}\n---"
    )


def _summary(split: Mapping[str, Any]) -> str:
    train, validation = split["train"], split["validation"]
    left_out = split.get("left_out_of_training")  # splits of earlier versions did not count them
    shared = (
        f" Left out of training because their conversation stands in validation too: {left_out:,} samples."
        if left_out is not None
        else ""
    )
    return (
        f"{train['samples']:,} samples of {train['characters']:,} characters to train on, {validation['samples']:,} of "
        f"{validation['characters']:,} others to validate on. Each asks a character one question whose answer can be "
        "checked by keyword: about what the profile says (SBK), or about what came up in the conversation (CM). "
        f"Characters on both sides: {split['characters_on_both_sides']:,}.{shared}"
    )


def _counts(split: Mapping[str, Any]) -> str:
    rows: list[tuple[object, ...]] = []
    for slice_name in ("dimension", "language", "question_type", "difficulty", "validation_method", "source"):
        train, validation = split["train"][slice_name], split["validation"][slice_name]
        for value in sorted({*train, *validation}):
            named = escape(value) or "unknown"
            label = escape(slice_name.replace("_", " "))
            rows.append((label, named, f"{train.get(value, 0):,}", f"{validation.get(value, 0):,}"))
    return "## Counts\n\n" + markdown_table(("", "", "train", "validation"), rows, numbers=2)


def _made(generation: Mapping[str, Any] | None) -> str:
    if generation is None:
        return "## How it was made\n\nThe samples were given; how they were written is not known here."
    teacher = _teacher(generation)
    who = (
        "Rules and templates wrote questions and answers from facts of the form `key: value`; no model took part."
        if teacher.startswith(OFFLINE)
        else "A language model read facts with evidence out of each profile, asked about them, and answered in "
        "character; a keyword was kept when independent answers agreed on it, or when a judge and the validator did."
    )
    lines = [f"Teacher: {escape(teacher)}. {who}"]
    characters = generation.get("characters")
    if isinstance(characters, Mapping):
        told = ", ".join(f"{escape(key)} {_number(value)}" for key, value in characters.items())
        lines.append(f"Characters: {told}.")
    lines.append(
        "Every reference satisfies its own validator, and an empty reply does not. The split is by character: nobody in "
        "validation is seen in training."
    )
    return "## How it was made\n\n" + "\n\n".join(lines)


def _dropped(generation: Mapping[str, Any] | None) -> str:
    left_out = dict(reasons((generation or {}).get("dropped")))
    if generation is None:
        return ""
    if not left_out:
        return "## What was left out\n\nNothing."
    rows = [(escape(reason), f"{count:,}") for reason, count in sorted(left_out.items(), key=lambda row: -row[1])]
    return "## What was left out\n\n" + markdown_table(("reason", "times"), rows, numbers=1)


def _audit(split: Mapping[str, Any]) -> str:
    rows = split.get("audit")  # splits of earlier versions were not audited
    if not rows:
        return ""
    columns, cells = audit_cells(rows)
    words = (
        f"What policies that do not play the character win, in percent of {split['audited']:,} samples. The keyword alone "
        "is right by the rules of the reward, however often and in whatever language it is said. `raiden audit` tries "
        "every sample."
    )
    table = markdown_table(
        [escape(column) for column in columns], [[escape(cell) for cell in row] for row in cells], len(columns) - 1
    )
    return f"## What can be won without playing the character\n\n{words}\n\n{table}"


def _fields() -> str:
    rows = [(f"`{name}`", kind, meaning) for name, kind, meaning in FIELDS]
    return "## Fields\n\n" + markdown_table(("field", "type", "meaning"), rows)


def _limits(split: Mapping[str, Any], generation: Mapping[str, Any] | None) -> str:
    seen = split.get("validation_keywords_seen_in_training")
    lines = [
        "A right answer is one that contains its keywords un-negated. Style, manners and everything else about playing a "
        "role is not measured.",
        "Characters are invented or come from the files that were given; nothing here is a statement about a person.",
        "Profiles have keys of their own. `datasets` merges them over all rows and fills the gaps with null: read the "
        "JSON as it is, or export it to Parquet, where profiles are JSON strings.",
    ]
    if seen is not None:
        lines.append(f"{seen:.0%} of the validation's keywords are answers in training as well, to other characters.")
    if generation is not None and _teacher(generation).startswith(OFFLINE):
        lines.append("Questions are templates: a model learns their wording soon. Nobody judged their style.")
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _teacher(generation: Mapping[str, Any]) -> str:
    teacher = generation.get("teacher")
    if isinstance(teacher, Mapping):
        return ", ".join(f"{key}: {value}" for key, value in teacher.items())
    return str(teacher) if teacher else "unknown"


def reasons(value: object, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Reasons with their counts, out of what a stage's statistics say under ``dropped``; counts may lie within counts."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from reasons(inner, f"{prefix}: {key}" if prefix else str(key))
    elif isinstance(value, int) and not isinstance(value, bool) and prefix:
        yield prefix, value


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else escape(value)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]], numbers: int = 0) -> str:
    """A Markdown table of cells that are escaped already; the last ``numbers`` columns are to the right."""
    rule = ["---"] * (len(head) - numbers) + ["--:"] * numbers
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in (head, rule, *rows))
