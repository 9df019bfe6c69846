"""`Prediction`: one reply of one model to one sample, with its score; and the file that holds them.

``predictions.jsonl`` has one object a line with everything that is needed to look at a reply without the data set: the
prompt as the model saw it, the reference, the keywords, the completion, the answer text and why it was scored so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.dataset.twins import twin_of
from raiden_core.errors import DataError
from raiden_core.models.answering import GREEDY, Prompt, Reply
from raiden_core.processes.collection import without_collection
from raiden_core.samples import Sample, iter_rows

if TYPE_CHECKING:
    from raiden_core.rewards import Scorer

_ENCODE = json.JSONEncoder(ensure_ascii=True).encode
"""`json.dumps` looks up its encoder for each row."""

SAMPLED = "sampled.jsonl"
"""The file of sampled predictions, beside that of greedy ones."""

MAIN_SET = "validation"
"""The set that the headline is about; every other set has rows of its own."""

SLICES = ("language", "question_type", "difficulty", "source")
"""What results are broken down by, beside dimension and character."""


@dataclass(frozen=True)
class Prediction:
    """One line of predictions.jsonl."""

    set: str
    model: str
    id: str
    character: str
    dimension: str
    language: str
    question_type: str
    difficulty: str
    source: str
    """Where the sample comes from, by its metadata; empty where that says nothing."""
    prompt: list[dict[str, str]]
    question: str
    reference: str
    keywords: list[str]
    completion: str
    answer: str
    """The completion's answer text: what was matched."""
    accuracy: float
    format: float
    total: float
    matched: list[str]
    why: str
    tokens: int
    finished: bool
    note: str
    """Why the model could not be asked; empty where it was."""
    rewards: dict[str, float | None] = field(default_factory=dict)
    """By name: what each reward and gate of a list says; empty where the list is accuracy and format alone."""
    draw: int = GREEDY
    """Which reply to this question it is; the greedy one is 0."""
    twin: str = ""
    """The id of its twin, where the sample is one of a pair at a boundary of what the character knows."""

    @property
    def strict(self) -> float:
        """Right and in the required format."""
        return self.accuracy * self.format


@dataclass(frozen=True)
class Predicted:
    """Everything that the models of one evaluation replied."""

    greedy: dict[tuple[str, str], list[Prediction]] = field(default_factory=dict)
    """By set and model, in the samples' order."""
    sampled: dict[str, list[list[Prediction]]] = field(default_factory=dict)
    """By model, a list for each draw; of the main set."""
    open_ended: dict[str, list[Reply]] = field(default_factory=dict)
    """By model: replies to the samples that no keyword can score."""

    def of_set(self, name: str) -> dict[str, list[Prediction]]:
        """The greedy predictions of one set by model."""
        return {model: rows for (set_name, model), rows in self.greedy.items() if set_name == name}


def score_replies(
    set_name: str,
    model: str,
    samples: Sequence[Sample],
    prompts: Sequence[Prompt],
    replies: Sequence[Reply],
    scorer: Scorer,
    draw: int = GREEDY,
) -> list[Prediction]:
    """A prediction a sample, in their order."""
    rows = []
    for sample, prompt, reply in zip(samples, prompts, replies, strict=True):
        score = scorer.score(sample, reply.text)
        rows.append(
            Prediction(
                set=set_name,
                model=model,
                id=sample.id,
                character=sample.character_name,
                dimension=sample.dimension,
                language=sample.language,
                question_type=sample.question_type,
                difficulty=sample.difficulty,
                source=str(sample.metadata.get("source", "")),
                prompt=[dict(message) for message in prompt],
                question=sample.question,
                reference=sample.answer,
                keywords=list(sample.keywords),
                completion=reply.text,
                answer=score.answer,
                accuracy=float(score.accuracy),
                format=float(score.format),
                total=float(score.total),
                matched=list(score.matched),
                why=score.why,
                tokens=reply.tokens,
                finished=reply.finished,
                note=reply.note,
                draw=draw,
                twin=twin_of(sample) or "",
            )
        )
    return rows


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write predictions a line each; the file appears under its name only when it is whole."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.writelines(_ENCODE(_plain(row)) + "\n" for row in predictions)
    partial.replace(path)


def _plain(row: Prediction) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "rewards" or value}


def read_predictions(path: Path) -> list[Prediction]:
    """The predictions of a file that `write_predictions` wrote.

    Raises:
        DataError: the file is missing, or a line is no prediction.
    """
    with without_collection():
        return [_prediction(row, where) for where, row in iter_rows(path)]


def _prediction(row: Any, where: str) -> Prediction:
    try:
        return Prediction(**row)
    except TypeError:
        raise DataError(f"{where}: no prediction of `raiden evaluate`; evaluate again") from None
