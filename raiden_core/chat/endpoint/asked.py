"""A request for a chat completion, read and checked: OpenAI's fields that mean something here; all others are ignored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from raiden_core.models.answering import Sampling
from raiden_core.rewards.completion import extract_answer
from raiden_core.samples import Turn
from raiden_core.text.control_tokens import spelled_apart

TEMPERATURE = 0.7
"""Where a request names none, as in `raiden chat`."""
COLDEST = 0.01
"""Below, a temperature is greedy: numbers divided by so little overflow."""
MOST_STOPS = 32
LONGEST_STOP = 256
SEEDS = 2**63
MOST_TOKENS = 1 << 20


class WrongRequest(Exception):
    """A request that cannot be answered, in one sentence."""

    def __init__(self, words: str, param: str | None = None, *, status: int = 400, code: str | None = None) -> None:
        """``param``: the field that is wrong; ``status``: of HTTP; ``code``: OpenAI's word for it."""
        super().__init__(words)
        self.param = param
        self.status = status
        self.code = code


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)
    type: Literal["text"]
    text: str


class _Message(BaseModel):
    model_config = ConfigDict(strict=True)
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_Part]

    @property
    def text(self) -> str:
        """What it says."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class _Options(BaseModel):
    model_config = ConfigDict(strict=True)
    include_usage: bool | None = None


_Stop = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_STOP)]
_Tokens = Annotated[int, Field(ge=1, le=MOST_TOKENS)]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True)
    model: str
    messages: Annotated[list[_Message], Field(min_length=1)]
    stream: bool | None = None
    stream_options: _Options | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    stop: _Stop | Annotated[list[_Stop], Field(max_length=MOST_STOPS)] | None = None
    seed: Annotated[int, Field(ge=-SEEDS, lt=SEEDS)] | None = None
    n: Literal[1] | None = None


@dataclass(frozen=True)
class Asked:
    """What is wanted of whom."""

    model: str
    """The character's name."""
    history: tuple[Turn, ...]
    """What was said before, in turns of alternating roles."""
    said: str
    instructions: str
    """The client's own system turns, control tokens spelled apart; "" where there are none."""
    sampling: Sampling
    stops: tuple[str, ...]
    stream: bool
    usage: bool
    """A stream ends with an event of the tokens used."""


def read_request(body: object, max_tokens: int, prefilled_think: bool = False) -> Asked:
    """Read a request's JSON.

    Args:
        body: the parsed JSON.
        max_tokens: of a reply, where the request does not say.
        prefilled_think: whether completions of this model start inside the reasoning.

    Raises:
        WrongRequest: a field is missing or wrong.
    """
    try:
        given = _Body.model_validate(body)
    except ValidationError as error:
        raise _wrong(error) from None
    texts = [given.model, *(message.text for message in given.messages)]
    if any(_is_broken(text) for text in texts):
        raise WrongRequest("The text holds half of a surrogate pair, which is no character.", "messages")
    said = [message for message in given.messages if message.role in ("user", "assistant")]
    if not said or said[-1].role != "user" or not said[-1].text.strip():
        raise WrongRequest("The last message must be the user's, and say something.", "messages")
    *history, last = _turns(said, prefilled_think)
    stops = (given.stop,) if isinstance(given.stop, str) else tuple(given.stop or ())
    return Asked(
        model=given.model,
        history=tuple(history),
        said=last.content,
        instructions="\n".join(
            spelled_apart(message.text)
            for message in given.messages
            if message.role in ("system", "developer") and message.text.strip()
        ),
        sampling=Sampling(
            max_tokens=given.max_completion_tokens or given.max_tokens or max_tokens,
            temperature=_temperature(given.temperature),
            top_p=1.0 if given.top_p is None else given.top_p,
            seed=given.seed,
            clipped=True,
        ),
        stops=stops,
        stream=bool(given.stream),
        usage=given.stream_options is not None and bool(given.stream_options.include_usage),
    )


def _turns(messages: Sequence[_Message], prefilled_think: bool) -> list[Turn]:
    """What was said, as training shows it: of a reply with tags the answer alone, and roles in turn."""
    turns: list[Turn] = []
    for message in messages:
        text = message.text
        if message.role == "assistant" and ("<think>" in text or "</think>" in text or "<answer>" in text):
            text = extract_answer(text, prefilled_think and "<think>" not in text).strip()
        if not text.strip():
            continue
        role: Literal["user", "assistant"] = "user" if message.role == "user" else "assistant"
        if turns and turns[-1].role == role:
            text = f"{turns.pop().content}\n{text}"
        turns.append(Turn(role=role, content=text))
    return turns


def _temperature(given: float | None) -> float:
    if given is None:
        return TEMPERATURE
    return given if given >= COLDEST else 0.0


def _is_broken(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _wrong(error: ValidationError) -> WrongRequest:
    """The first thing that is wrong, in one sentence."""
    first: Any = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(
        str(part) for part in first["loc"] if not str(part).startswith(("function-", "constrained-", "list["))
    )
    return WrongRequest(f"{place or 'The body'}: {first['msg']}.", place or None)
