"""The data contract: `Sample` and `Validator`, and the files that hold samples.

A sample is one question to one character, with a reference answer and what a right answer must contain.
Only ``character_name``, ``character_profile``, ``question``, ``answer`` and ``keywords`` are required on
reading, so files made for the OpenR1 guide load unchanged. ``.json`` (an array), ``.jsonl`` and
``.parquet`` are read and written, by suffix; in Parquet the objects with free keys are JSON strings,
because Arrow would merge their keys across rows and lose the order.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TextIO

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import from_json

from raiden_core.errors import DataError
from raiden_core.text.dates import dates_as_text
from raiden_core.text.json_values import spans_lines, values_in
from raiden_core.text.scripts import IDEOGRAPHS, KANA_LETTERS, SYLLABLES
from raiden_core.text.verirole import from_verirole, is_verirole

JSON_COLUMNS = ("character_profile", "validator", "metadata")
"""Columns that are JSON strings wherever a table holds samples."""

HEAD = 65_536
"""Letters at the beginning of a file that show which kind of JSON it is."""
WITHHELD = "withheld"
"""Where a sample's metadata keep what `withheld` returns."""

Dimension = Literal["SBK", "CM", "SCK", "RCB"]
QuestionType = Literal["what", "who", "where", "when", "why", "how"]
ValidationMethod = Literal["single_term_validation", "multi_term_parsing"]
Difficulty = Literal["easy", "medium", "hard"]
About = Literal["identity", "taste", "fear", "possession", "activity", "event", "other"]
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SORTED = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
"""`json.dumps` would make an encoder for each sample."""
_LATER = {"aside": (), "aside_limit": 2, "polarity": None, "about": None, "denied": (), "abstains": False}
"""Fields of a validator that are written only where they say something else than this."""


class Turn(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant"]
    content: str


class Validator(BaseModel):
    """What a right answer must and must not say: data, never code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # These two come first, because all_of may be empty beside them.
    denied: tuple[tuple[str, ...], ...] = ()
    """Groups of terms that a right answer denies or corrects."""
    abstains: bool = False
    """A right answer says that it does not know."""
    all_of: tuple[tuple[str, ...], ...] = Field(default=(), validate_default=True)
    """Groups of equivalent terms; every group needs one of its terms. Empty only with ``denied`` or ``abstains``."""
    none_of: tuple[str, ...] = ()
    """Terms of which none may be claimed."""
    min_groups: int | None = Field(default=None, ge=1)
    """How many groups suffice; None means all of them."""
    aside: tuple[tuple[str, ...], ...] = ()
    """Groups of terms for what else the profile holds: reciting it is not answering."""
    aside_limit: int = Field(default=2, ge=0)
    """Of how many groups of ``aside`` an answer may mention terms."""
    polarity: Literal["affirmed", "denied"] | None = None
    """Whether a right answer affirms or denies the terms; None means as the reference does."""
    about: About | None = None
    """What is asked for, so what a denial looks like; None means as the question shows."""

    @field_validator("all_of", "aside", "denied")
    @classmethod
    def _groups_hold_terms(
        cls, groups: tuple[tuple[str, ...], ...], info: ValidationInfo
    ) -> tuple[tuple[str, ...], ...]:
        if any(not group for group in groups):
            raise ValueError(f"a group of {info.field_name} is empty")
        if info.field_name == "all_of" and not (groups or info.data.get("denied") or info.data.get("abstains")):
            raise ValueError("it is empty: every answer would be right")
        return groups

    @model_serializer(mode="wrap")
    def _without_what_is_not_said(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Files of samples that use none of the later fields keep their form."""
        fields: dict[str, Any] = dump(self)
        for name, default in _LATER.items():
            if getattr(self, name) == default:
                fields.pop(name, None)
        return fields

    @model_validator(mode="after")
    def _min_groups_can_be_met(self) -> Validator:
        if self.min_groups is not None and self.min_groups > len(self.all_of):
            raise ValueError(f"min_groups is {self.min_groups}, but all_of has {len(self.all_of)} groups")
        return self


class Sample(BaseModel):
    """One verifiable question about a character (docs/vrar.md says how answers to it are scored)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = ""
    character_name: str
    character_profile: dict[str, Any]
    conversation_history: tuple[Turn, ...] = ()
    question: str = Field(min_length=1)
    answer: str
    keywords: tuple[str, ...]
    dimension: Dimension = "SBK"
    question_type: QuestionType = "what"
    validation_method: ValidationMethod = "single_term_validation"
    validator: Validator | None = None
    difficulty: Difficulty = "medium"
    reasoning: str = ""
    language: str = "zh"
    metadata: dict[str, Any] = Field(default_factory=dict)

    @field_validator(*JSON_COLUMNS, mode="before")
    @classmethod
    def _json_strings_are_objects(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def _none_means_absent(cls, data: Any) -> Any:
        if isinstance(data, dict) and not (data.keys() >= _DERIVED and all(one is not None for one in data.values())):
            return _with_derived_fields({key: value for key, value in data.items() if value is not None})
        return data

    @model_validator(mode="after")
    def _has_an_id(self) -> Sample:
        if not self.id:
            object.__setattr__(self, "id", sample_id(self))
        return self


_DERIVED = {"language", "dimension", "reasoning"}
"""Fields that are looked for elsewhere where a row does not say them."""

_SCRIPTS = (
    ("ja", re.compile(f"[{KANA_LETTERS}]")),
    ("ko", re.compile(f"[{SYLLABLES}]")),
    ("zh", re.compile(f"[{IDEOGRAPHS}]")),
    ("en", re.compile("[A-Za-z]")),
)
"""Language -> letters that speak for it, the most telling first."""


def _with_derived_fields(row: dict[str, Any]) -> dict[str, Any]:
    """Fields that files made for the OpenR1 guide keep in ``metadata`` or do not have: language, dimension, reasoning.

    The language decides in which words a prompt is put, so it is read off the question's script where nobody says it.
    """
    metadata = row.get("metadata")
    said = metadata if isinstance(metadata, dict) else {}
    if "language" not in row:
        texts = (str(row.get("question", "")), str(row.get("answer", "")))
        found = next((code for text in texts for code, letters in _SCRIPTS if letters.search(text)), None)
        named = said.get("language")
        language = named if isinstance(named, str) and named else found
        row |= {"language": language} if language else {}
    if "dimension" not in row and said.get("focus") == "conversation_memory":
        row["dimension"] = "CM"
    if "reasoning" not in row and isinstance(said.get("reasoning"), str):
        row["reasoning"] = said["reasoning"]
    return row


def sample_id(sample: Sample) -> str:
    """The first 16 hex digits of the sha256 of name, profile, history and question."""
    parts = [
        sample.character_name,
        sample.character_profile,
        [{"role": turn.role, "content": turn.content} for turn in sample.conversation_history],
        sample.question,
    ]
    text = _COMPACT(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def parse_sample(row: Any, where: str) -> Sample:
    """A sample from one row of a file.

    Raises:
        DataError: the row is not a sample; the message starts with ``where`` and names the field.
    """
    try:
        return Sample.model_validate(from_verirole(row) if is_verirole(row) else row)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "row"
        raise DataError(f"{where}: {field}: {_in_words_of_the_file(first['type'], first['msg'])}") from None
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None


_WORDS = {
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "dict_type": "must be an object",
    "model_type": "must be an object with fields",
    "model_attributes_type": "must be an object with fields",
    "missing": "is missing",
    "string_too_short": "must not be empty",
    "extra_forbidden": "is no field that there is",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
}
"""What pydantic finds wrong, as somebody sees it who looks at the file."""


def _in_words_of_the_file(kind: str, message: str) -> str:
    return _WORDS.get(kind, message.removeprefix("Value error, "))


def iter_rows(path: Path) -> Iterator[tuple[str, Any]]:
    """The rows of a ``.json``, ``.jsonl`` or ``.parquet`` file, each with the words that name its place.

    Raises:
        DataError: the file is missing, of another kind, or broken; the message says where.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        if path.suffix in (".json", ".jsonl"):
            yield from _json_rows(path)
        elif path.suffix == ".parquet":
            yield from _parquet_rows(path)
        else:
            raise DataError(f"{path}: unknown kind of file; use .json, .jsonl or .parquet")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None


def _json_rows(path: Path) -> Iterator[tuple[str, Any]]:
    """The rows of JSON Lines, one by one, or of an array, whichever of the two the file holds under either name."""
    with path.open(encoding="utf-8-sig") as lines:
        head = lines.read(HEAD)
        lines.seek(0)
        if (path.suffix == ".json" and not _is_first_of_lines(head)) or spans_lines(head):
            yield from _rows_of_array(path, lines.read())
            return
        yield from _rows_of_lines(path, lines, 1)


def _rows_of_lines(path: Path, lines: Iterable[str], first: int) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        row = _loads(line, f"{path}: line {number}")
        # A whole array on one line is no row but the rows.
        if isinstance(row, list) and row and isinstance(row[0], dict):
            for place, inner in enumerate(row, 1):
                yield f"{path}: row {place}", inner
        else:
            yield f"{path}: line {number}", row


def _is_first_of_lines(head: str) -> bool:
    """Whether the first line is an object of its own and more follows: JSON Lines."""
    first, _, rest = head.lstrip().partition("\n")
    try:
        return bool(rest.strip()) and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _rows_of_array(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    try:
        values = [value for _, value in values_in(text)]
    except (ValueError, RecursionError):
        values = []
    if not values:  # empty, or broken: the parser says where
        values = [_loads(text, str(path))]
    rows = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    if len(values) == 1 and not isinstance(values[0], list):
        raise DataError(f"{path}: not a JSON array of samples, nor one object a line")
    for number, row in enumerate(rows, 1):
        yield f"{path}: row {number}", row


def read_samples(path: Path) -> list[Sample]:
    """All samples of a file.

    Raises:
        DataError: the file or one of its rows cannot be read; the message names row and field.
    """
    return list(iter_samples(path))


def iter_samples(path: Path) -> Iterator[Sample]:
    """The same one by one; a ``.jsonl`` or ``.parquet`` file is never held as a whole.

    Raises:
        DataError: the file or one of its rows cannot be read; the message names row and field.
    """
    return (parse_sample(row, where) for where, row in iter_rows(path))


def lines_of_samples(path: Path, start: int, end: int, before: int) -> Iterator[Sample]:
    """The samples of some lines of a ``.jsonl`` file: those between two bytes.

    Args:
        path: the file.
        start, end: the bytes where the first line begins and where the last one has ended.
        before: how many lines stand before ``start``.

    Raises:
        DataError: as `iter_samples`.
    """
    with path.open("rb") as file:
        file.seek(start)
        block = file.read(end - start)
    try:
        text = block.decode("utf-8-sig" if start == 0 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {start + error.start}; save the file as UTF-8") from None
    return (parse_sample(row, where) for where, row in _rows_of_lines(path, text.split("\n"), before + 1))


def write_samples(path: Path, samples: Iterable[Sample]) -> None:
    """Write samples as ``.json``, ``.jsonl`` or ``.parquet``, by suffix."""
    if path.suffix not in (".json", ".jsonl", ".parquet"):
        raise DataError(f"{path}: unknown kind of file; use .json, .jsonl or .parquet")
    if path.suffix == ".parquet":
        import pandas as pd

        pd.DataFrame([table_row(sample) for sample in samples]).to_parquet(path, index=False)
        return
    with path.open("w", encoding="utf-8") as file:
        if path.suffix == ".jsonl":
            file.writelines(json_row(sample) + "\n" for sample in samples)
        else:
            array = JsonArray(file)
            for sample in samples:
                array.add(json_row(sample))
            array.end()


class JsonArray:
    """Samples written as a JSON array, one by one, a row a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._before = ""
        file.write("[\n")

    def add(self, row: str) -> None:
        """Write one more, as `json_row` gives it."""
        self._file.write(self._before + row)
        self._before = ",\n"

    def end(self) -> None:
        """Close the array; without this call the file is no JSON."""
        self._file.write("\n]\n")


def json_row(sample: Sample) -> str:
    """A sample as a line of ``.jsonl``, without the line end."""
    return _ENCODE(sample.model_dump(mode="json"))


def table_row(sample: Sample) -> dict[str, Any]:
    """A sample as a flat row for Arrow: free-key objects are JSON strings."""
    row = sample.model_dump(mode="json")
    for column in JSON_COLUMNS:
        if row[column] is not None:
            row[column] = json.dumps(row[column], ensure_ascii=False)
    return row


def _loads(text: str, where: str) -> Any:
    try:
        return from_json(text)
    except ValueError:
        pass  # broken, or one of the few things that only Python's own reader takes, such as half a surrogate pair
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: broken JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise DataError(f"{where}: broken JSON: nested too deeply") from None


def _parquet_rows(path: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        number = 0
        for batch in parquet.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield f"{path}: row {number}", dates_as_text(row)
    except pyarrow.ArrowException as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from None


def withheld(sample: Sample) -> dict[str, Any]:
    """The fields of the whole profile that ``character_profile`` leaves out, or has in part only."""
    left_out = sample.metadata.get(WITHHELD)
    return left_out if isinstance(left_out, dict) else {}


def character_id(sample: Sample) -> str:
    """What makes two samples belong to one character: name and whole profile, whatever the order of its fields."""
    return _SORTED([sample.character_name, sample.character_profile | withheld(sample)])
