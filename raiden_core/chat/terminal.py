"""The conversation in a terminal, or with a pipe: lines come in, replies go out as they are made.

    /reset  /profile  /save FILE  /reasoning  /help  /quit

A line that starts with ``//`` is said with one slash. Ctrl-C ends a reply that is coming, or the conversation; so does
the end of the input. With a pipe there is no prompt, and the first error ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from raiden_core.chat.conversation import Conversation
from raiden_core.chat.stream import Splitter
from raiden_core.errors import RaidenError, UsageError
from raiden_core.models.answering import Talker
from raiden_core.text.plain import one_line, printable

HELP = """\
/reset      forget the conversation
/profile    show the character's profile
/save FILE  write the conversation as JSON
/reasoning  show or hide what the model thinks
/quit       end (as Ctrl-C and Ctrl-D do)
"""

DIM, BOLD, PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"


@dataclass
class Terminal:
    """Where lines come from and text goes to."""

    read: Callable[[], str | None]
    """The next line without its end; None when there are no more."""
    write: Callable[[str], None]
    interactive: bool = False
    """A person sits there: errors are said and the conversation goes on."""
    colour: bool = False

    def say(self, text: str) -> None:
        """A line of ours."""
        self.write(f"{self._in(DIM, text)}\n")

    def label(self, text: str) -> None:
        """Who speaks."""
        self.write(f"{self._in(BOLD, one_line(text))}: ")

    def faint(self, text: str) -> None:
        """A piece of reasoning."""
        self.write(self._in(DIM, printable(text)))

    def _in(self, style: str, text: str) -> str:
        return f"{style}{text}{PLAIN}" if self.colour and text else text


def converse(
    conversation: Conversation, talkers: Mapping[str, Talker], terminal: Terminal, reasoning: bool = False
) -> None:
    """Talk until the input ends.

    Args:
        conversation: with whom; it is filled.
        talkers: the models that reply to everything, one after the other, by the name that is shown.
        terminal: the person's end.
        reasoning: whether reasoning is shown.

    Raises:
        RaidenError: a model cannot go on, and nobody sits there to be told.
    """
    while True:
        try:
            line = terminal.read()
        except KeyboardInterrupt:
            line = None
        if line is None or line.strip() in ("/quit", "/exit"):
            if terminal.interactive:
                terminal.write("\n")
            return
        said = line.strip()
        try:
            if said.startswith("/") and not said.startswith("//"):
                reasoning = _command(said, conversation, terminal, reasoning)
            elif said:
                _reply(said.removeprefix("/"), conversation, talkers, terminal, reasoning)
        except KeyboardInterrupt:
            terminal.write("\n")
            terminal.say("(stopped; this was not kept)")
        except RaidenError as error:
            if not terminal.interactive:
                raise
            terminal.say(f"error: {one_line(str(error))}")


def _command(line: str, conversation: Conversation, terminal: Terminal, reasoning: bool) -> bool:
    """Do what a line with a slash says; whether reasoning is shown from now on comes back."""
    name, _, argument = line.partition(" ")
    if name == "/reset":
        conversation.reset()
        terminal.say("(forgotten)")
    elif name == "/profile":
        terminal.write(printable(conversation.profile) + "\n")
    elif name == "/save":
        if not argument.strip():
            raise UsageError("/save: name a file, as in /save talk.json")
        path = Path(argument.strip()).expanduser()
        conversation.save(path)
        terminal.say(f"(saved as {one_line(str(path))})")
    elif name == "/reasoning":
        terminal.say("(reasoning is hidden)" if reasoning else "(reasoning is shown)")
        return not reasoning
    elif name == "/help":
        terminal.write(HELP)
    else:
        raise UsageError(f"{one_line(name)}: no such command; /help lists them")
    return reasoning


def _reply(
    said: str, conversation: Conversation, talkers: Mapping[str, Talker], terminal: Terminal, reasoning: bool
) -> None:
    completions: dict[str, str] = {}
    for model, talker in talkers.items():
        terminal.label(f"{conversation.name} ({model})" if len(talkers) > 1 else conversation.name)
        completions[model] = _show(talker, conversation.prompt(model, said), terminal, reasoning)
        if not conversation.answer_of(completions[model]):
            terminal.say("(no answer text)" if reasoning else "(no answer text; /reasoning shows what came instead)")
        terminal.write("\n")
    conversation.add(said, completions)


def _show(talker: Talker, prompt: list[dict[str, str]], terminal: Terminal, reasoning: bool) -> str:
    """Stream one reply; the whole completion comes back."""
    splitter = Splitter(talker.prefilled_think)
    completion: list[str] = []
    shown: str | None = None

    def tell(kind: str, text: str) -> None:
        nonlocal shown
        if kind == "reasoning" and not reasoning:
            return
        if kind != shown:
            text = text.lstrip()
            if text and shown is not None:
                terminal.write("\n")
        if text:
            shown = kind
            terminal.faint(text) if kind == "reasoning" else terminal.write(printable(text))

    with closing(talker.stream(prompt)) as pieces:
        for piece in pieces:
            completion.append(piece)
            for kind, text in splitter.feed(piece):
                tell(kind, text)
    for kind, text in splitter.finish():
        tell(kind, text)
    terminal.write("\n")
    return "".join(completion)
