"""Near-duplicates within a data set, and overlap with evaluation files: what must not be trained on (twice).

    kept, dropped = drop_near_duplicates(samples)
    kept, dropped = drop_overlaps(kept, read_evaluation(Path("benchmark.jsonl")))
    kept, dropped = clean(samples, max_similarity=0.8, decontaminate=["benchmark.jsonl"])  # both

raiden_core/generation/quality/repeats.py finds the near-duplicates of a file that is too large to be held.

Texts are folded as the reward folds them and compared by the Jaccard similarity of their character 3-grams (shingling:
Broder, 1997). MinHash with banding (rensa) finds the candidates, and every candidate is compared exactly, so what is
dropped really is that similar; a pair just above the threshold may be missed, one time in a hundred or so. The result
depends on samples and threshold alone: of two that are alike, the first is kept.

What counts as the same:

- Within the data, only samples of one character (name and profile) that expect the same: a set of characters is asked
  templated questions on purpose, and "where did you study" and "where do you work" differ in a few letters. Samples
  that share a keyword are compared by conversation and question. The same words are a duplicate whatever is expected,
  unless the prompt leaves out a part of the profile.
- Against an evaluation file, questions count whatever their answer, where the character's name is the same or the file
  names none. Where both sides have a conversation, conversation and question are compared, whatever the name, but only
  if a keyword is shared or the file has none: a conversation holds its answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from raiden_core.errors import DataError
from raiden_core.generation.quality.filters import DUPLICATE, NEAR_DUPLICATE
from raiden_core.rewards import fold
from raiden_core.samples import Sample, character_id, iter_rows, withheld
from raiden_core.stages.digests import digest_path

OVERLAP = "overlap with an evaluation set"
SIMILARITY = 0.8
"""Jaccard similarity from which two texts are the same."""

_GRAM = 3
_PERMUTATIONS, _BANDS, _SEED = 128, 16, 1
"""Eight rows a band: pairs at 0.8 meet with 95%, at 0.85 with 99%, at 0.5 with 6%."""

_NAME_KEYS = ("character_name", "name", "role_name", "role")
_TURNS_KEYS = ("messages", "prompt", "conversation")


class Dropped(NamedTuple):
    """A sample that was left out."""

    sample: Sample
    reason: str
    """Countable: a name that the statistics use."""
    like: str
    """Id of the sample, or place in the evaluation file, that it is too similar to."""
    similarity: float


class Match(NamedTuple):
    """The same by position, for data that is too large to be held."""

    position: int
    reason: str
    like: int
    """Position of the sample that was kept in its place."""
    similarity: float


@dataclass(frozen=True)
class EvaluationItem:
    """A question that is evaluated on."""

    where: str
    """File and row."""
    question: str
    name: str | None = None
    """The character's; None where the file names none."""
    history: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


def drop_near_duplicates(
    samples: Sequence[Sample], *, similarity: float = SIMILARITY
) -> tuple[list[Sample], list[Dropped]]:
    """The samples without those that repeat an earlier one of the same character, and those that were dropped."""
    matches = {match.position: match for match in near_duplicates(samples, similarity=similarity)}
    kept = [sample for position, sample in enumerate(samples) if position not in matches]
    dropped = [
        Dropped(samples[match.position], match.reason, samples[match.like].id, match.similarity)
        for _, match in sorted(matches.items())
    ]
    return kept, dropped


class Entry(NamedTuple):
    """What a sample is compared by."""

    position: int
    text: str
    """Conversation and question, and what the prompt leaves out of the profile, folded."""
    keywords: tuple[str, ...]
    """Folded."""

    @classmethod
    def of(cls, position: int, sample: Sample) -> Entry:
        """That of a sample at this position."""
        # What the prompt leaves out makes another sample of the same words.
        shown = (*_history(sample), *map(str, withheld(sample).items()))
        return cls(position, _conversation(shown, sample.question), _folded(sample.keywords))


def near_duplicates(samples: Iterable[Sample], *, similarity: float = SIMILARITY) -> Iterator[Match]:
    """Which samples repeat an earlier one of the same character, character by character.

    The samples are read once; only their folded texts are held, so a million of them need some 500 MB.
    """
    characters: dict[str, list[Entry]] = {}
    for position, sample in enumerate(samples):
        characters.setdefault(character_id(sample), []).append(Entry.of(position, sample))
    while characters:
        # Taken out one by one, so that memory falls as the work goes on.
        yield from repeats_of(characters.pop(next(iter(characters))), similarity)


def repeats_of(entries: Iterable[Entry], similarity: float) -> Iterator[Match]:
    """Which of one character's samples repeat an earlier one."""
    said: dict[str, int] = {}
    expecting: dict[Hashable, _Index] = {}
    for position, text, keywords in entries:
        if text in said:
            yield Match(position, DUPLICATE, said[text], 1.0)
            continue
        indexes = [expecting.setdefault(keyword, _Index()) for keyword in keywords or (None,)]
        found = next((hit for index in indexes if (hit := index.find(text, similarity))), None)
        if found is not None:
            yield Match(position, NEAR_DUPLICATE, found[0], found[1])
            continue
        said[text] = position
        for index in indexes:
            index.add(position, text)


def drop_overlaps(
    samples: Sequence[Sample], evaluation: Iterable[EvaluationItem], *, similarity: float = SIMILARITY
) -> tuple[list[Sample], list[Dropped]]:
    """The samples without those that are (nearly) in an evaluation set, and those that were dropped."""
    against = Decontamination(evaluation, similarity=similarity)
    kept: list[Sample] = []
    dropped: list[Dropped] = []
    for sample in samples:
        found = against.overlap(sample)
        if found is None:
            kept.append(sample)
        else:
            dropped.append(found)
    return kept, dropped


class Decontamination:
    """Evaluation sets, ready to be compared with one sample after the other."""

    def __init__(self, evaluation: Iterable[EvaluationItem], *, similarity: float = SIMILARITY) -> None:
        self._similarity = similarity
        self._places: list[str] = []
        self._groups: dict[Hashable, _Index] = {}
        for number, item in enumerate(evaluation):
            self._places.append(item.where)
            name = None if item.name is None else fold(item.name)
            question = fold(item.question)
            if item.history:
                self._add(("question after a conversation", name), number, question)
                text = _conversation(item.history, item.question)
                for keyword in _folded(item.keywords) or (None,):
                    self._add(("conversation", keyword), number, text)
            else:
                self._add(("question", name), number, question)

    def overlap(self, sample: Sample) -> Dropped | None:
        """The evaluation item that a sample repeats, if there is one."""
        question, name = fold(sample.question), fold(sample.character_name)
        looks: list[tuple[Hashable, str]] = [(("question", name), question), (("question", None), question)]
        if sample.conversation_history:
            text = _conversation(_history(sample), sample.question)
            looks += [(("conversation", keyword), text) for keyword in (*_folded(sample.keywords), None)]
        else:
            looks += [(("question after a conversation", one), question) for one in (name, None)]
        for group, text in looks:
            index = self._groups.get(group)
            found = index.find(text, self._similarity) if index is not None else None
            if found is not None:
                return Dropped(sample, OVERLAP, self._places[found[0]], found[1])
        return None

    def _add(self, group: Hashable, number: int, text: str) -> None:
        self._groups.setdefault(group, _Index()).add(number, text)


def read_evaluation(path: Path) -> list[EvaluationItem]:
    """What a file asks: samples, rows with a ``question``, or chats (``messages``), each of whose user turns asks.

    Raises:
        DataError: the file cannot be read, or a row asks nothing.
    """
    items = [item for where, row in iter_rows(path) for item in _items(row, where)]
    if not items:
        raise DataError(
            f"{path}: holds no rows; name a file with questions, or take it out of generation.decontaminate"
        )
    return items


def clean(
    samples: Sequence[Sample], *, max_similarity: float, decontaminate: Sequence[str]
) -> tuple[list[Sample], list[Dropped]]:
    """What generation does with all its samples: no near-duplicates, no overlap with the evaluation files named.

    Raises:
        DataError: an evaluation file cannot be read.
    """
    evaluation = [item for path in decontaminate for item in read_evaluation(Path(path))]
    kept, dropped = drop_near_duplicates(samples, similarity=max_similarity)
    if evaluation:
        kept, overlaps = drop_overlaps(kept, evaluation, similarity=max_similarity)
        dropped += overlaps
    return kept, dropped


def evaluation_digests(decontaminate: Sequence[str]) -> dict[str, str]:
    """The evaluation files as inputs of the stage: a name for each with the digest of its content.

    Raises:
        DataError: there is no such file.
    """
    return {f"decontaminate {path}": digest_path(Path(path)) for path in decontaminate}


def counts(dropped: Iterable[Dropped]) -> dict[str, int]:
    """How many were dropped for each reason."""
    return dict(sorted(Counter(one.reason for one in dropped).items()))


def _items(row: Any, where: str) -> list[EvaluationItem]:
    if not isinstance(row, dict):
        raise DataError(f"{where}: not an object with a question")
    name = next((row[key] for key in _NAME_KEYS if isinstance(row.get(key), str) and row[key].strip()), None)
    words = row.get("keywords")
    keywords = tuple(word for word in words if isinstance(word, str)) if isinstance(words, list) else ()
    question = row.get("question")
    if isinstance(question, str) and question.strip():
        history = tuple(text for _, text in _turns(row.get("conversation_history")))
        return [EvaluationItem(where, question, name, history, keywords)]
    turns = next((turns for key in _TURNS_KEYS if (turns := _turns(row.get(key)))), [])
    asked = [place for place, (role, _) in enumerate(turns) if role in ("user", "human")]
    if not asked:
        raise DataError(f"{where}: neither a `question` nor `messages` with a user's turn; nothing to compare with")
    talk = [(role, text) for role, text in turns if role != "system"]
    before = len(turns) - len(talk)
    return [
        EvaluationItem(
            where, turns[place][1], name, tuple(text for _, text in talk[: max(0, place - before)]), keywords
        )
        for place in asked
    ]


def _turns(value: Any) -> list[tuple[str, str]]:
    """Role and text of each turn of a chat, in the forms that files have."""
    if not isinstance(value, list):
        return []
    turns = []
    for turn in value:
        if isinstance(turn, dict):
            role, text = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
            if isinstance(role, str) and isinstance(text, str):
                turns.append((role, text))
    return turns


def _history(sample: Sample) -> tuple[str, ...]:
    return tuple(turn.content for turn in sample.conversation_history)


def _conversation(history: Sequence[str], question: str) -> str:
    return "\n".join(fold(text) for text in (*history, question))


def _folded(keywords: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(fold, keywords)))


def _grams(text: str) -> frozenset[str]:
    # Punctuation says nothing about what is asked, and writers differ in it.
    letters = "".join(letter for letter in text if letter.isalnum())
    if len(letters) <= _GRAM:
        return frozenset((letters or text,))
    return frozenset(letters[place : place + _GRAM] for place in range(len(letters) - _GRAM + 1))


@dataclass
class _Index:
    """Texts that can be compared with each other."""

    _texts: list[tuple[int, str]] = field(default_factory=list)
    _bands: Any = None
    """rensa's index of the texts by their place; made with the second look, since most indexes never get one."""
    _indexed: int = 0

    def add(self, number: int, text: str) -> None:
        self._texts.append((number, text))

    def find(self, text: str, similarity: float) -> tuple[int, float] | None:
        """The first text that is at least so similar: its number and the similarity."""
        if not self._texts:
            return None
        grams = _grams(text)
        for place in self._candidates(grams):
            number, other = self._texts[place]
            others = _grams(other)
            alike = len(grams & others) / len(grams | others)
            if alike >= similarity:
                return number, round(alike, 4)
        return None

    def _candidates(self, grams: frozenset[str]) -> Iterable[int]:
        if len(self._texts) <= 2:
            return range(len(self._texts))
        import rensa

        if self._bands is None:
            self._bands = rensa.RMinHashLSH(0.8, _PERMUTATIONS, _BANDS)
        new = [list(_grams(text)) for _, text in self._texts[self._indexed :]]
        hashes = rensa.RMinHash.from_token_sets([*new, list(grams)], _PERMUTATIONS, _SEED)
        self._bands.insert_many(hashes[:-1], self._indexed)
        self._indexed = len(self._texts)
        return sorted(self._bands.query(hashes[-1]))
