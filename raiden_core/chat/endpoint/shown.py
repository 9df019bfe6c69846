"""What of a completion whoever asks gets to see, piece by piece.

    shown = Shown("hide", prefilled_think=False, stops=("\\nUser:",))
    for piece in completion:
        for kind, text in shown.feed(piece):
            ...
        if shown.stopped:
            break
    for kind, text in shown.finish(finished=True):
        ...

Tags and stop strings may be cut anywhere by the pieces. What could still become one is held back, and white space around the
reply is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from raiden_core.chat.stream import Kind, Splitter

Reasoning = Literal["hide", "field", "show"]
"""Reasoning is left out, stands in a field of its own, or stands in the text with all tags."""


class Shown:
    """Takes the pieces of one completion."""

    def __init__(self, how: Reasoning, prefilled_think: bool, stops: Iterable[str]) -> None:
        """Start.

        Args:
            how: what becomes of reasoning.
            prefilled_think: the prompt has opened the reasoning already.
            stops: strings in what is seen of the reply, at which it ends.
        """
        self._how = how
        self._splitter = Splitter(prefilled_think)
        self._reply = _Pen(tuple(stops), strips=how != "show")
        self._reasoning = _Pen((), strips=True)
        self._opening = "<think>" if prefilled_think and how == "show" else ""

    @property
    def stopped(self) -> bool:
        """Whether a stop string has come."""
        return self._reply.stopped

    def feed(self, piece: str) -> Iterator[tuple[Kind, str]]:
        """What can be shown after this piece."""
        if self._how == "show":
            piece, self._opening = self._opening + piece, ""
            parts: Iterable[tuple[Kind, str]] = [("reply", piece)]
        else:
            parts = self._splitter.feed(piece)
        for kind, text in parts:
            yield from self._write(kind, text)

    def finish(self, finished: bool) -> Iterator[tuple[Kind, str]]:
        """The rest; ``finished`` says that the model has ended by itself and was not cut."""
        if self._how != "show":
            for kind, text in self._splitter.finish():
                # The beginning of a tag is no text; a single "<" may be, where nothing was cut.
                if finished and len(text) == 1:
                    yield from self._write(kind, text)
        if rest := self._reply.finish():
            yield "reply", rest

    def _write(self, kind: Kind, text: str) -> Iterator[tuple[Kind, str]]:
        if kind == "reasoning" and self._how == "hide":
            return
        pen = self._reply if kind == "reply" else self._reasoning
        if seen := pen.write(text):
            yield kind, seen


class _Pen:
    """Writes a text without the white space around it, up to the first stop string."""

    def __init__(self, stops: tuple[str, ...], strips: bool) -> None:
        self._stops = stops
        self._strips = strips
        self._started = not strips
        self._held = ""
        self.stopped = False

    def write(self, text: str) -> str:
        """What is certain after this piece."""
        if self.stopped:
            return ""
        self._held += text
        if not self._started:
            self._held = self._held.lstrip()
            self._started = bool(self._held)
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            self._held, self.stopped = self._held[: min(found)], True
            return self.finish()
        begun = max((_begun(self._held, stop) for stop in self._stops), default=0)
        sure = self._held[: len(self._held) - begun]
        sure = sure.rstrip() if self._strips else sure
        self._held = self._held[len(sure) :]
        return sure

    def finish(self) -> str:
        """The rest."""
        rest, self._held = self._held, ""
        return rest.rstrip() if self._strips else rest


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of a text are the beginning of a stop string."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
