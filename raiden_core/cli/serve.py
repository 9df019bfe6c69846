"""``raiden serve``: characters behind an OpenAI-compatible endpoint of this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raiden_core.cli.options import busy, tell

if TYPE_CHECKING:
    from raiden_core.chat.endpoint.shown import Reasoning
    from raiden_core.models.answering import SamplingTalker


@click.command("serve")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Folder of a finished run.")
@click.option("--model", metavar="DIR_OR_GGUF", help="Another folder or .gguf file than the run's trained model.")
@click.option(
    "--character", required=True, metavar="FILE_OR_NAME", help="A file of characters, or a shipped one's name."
)
@click.option("--pick", "picks", multiple=True, metavar="NAME", help="A character of the file; repeatable.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; all but loopback need RAIDEN_SERVE_KEY.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option(
    "--reasoning",
    type=click.Choice(["hide", "field", "show"]),
    default="hide",
    show_default=True,
    help="Leave reasoning out, put it into reasoning_content, or send the raw text with its tags.",
)
def serve(
    run: Path,
    model: str | None,
    character: str,
    picks: tuple[str, ...],
    host: str,
    port: int,
    reasoning: Reasoning,
) -> None:
    """Serve CHARACTER as RUN's model plays it, for programs that speak OpenAI's chat completions.

    Each character is a model of its own name. Profile and output format are put into the prompt as in training. Ctrl-C ends.
    """
    from raiden_core.chat.characters import find_characters
    from raiden_core.chat.endpoint.keys import serve_key
    from raiden_core.chat.endpoint.server import EndpointServer, run_until_interrupted
    from raiden_core.chat.endpoint.service import Service
    from raiden_core.config.loading import load_config
    from raiden_core.stages.layout import CONFIG_FILE, MODEL, TRAIN
    from raiden_core.stages.runs import read_run

    key = serve_key(host, os.environ)
    record = read_run(run)
    place = model or str(record.stage(TRAIN) / MODEL)
    settings = load_config(record.folder / CONFIG_FILE, ())
    characters = find_characters(character, picks)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # TERM ends as Ctrl-C does
    # An interrupt may come while the model is loaded.
    with suppress(KeyboardInterrupt), _talker(place, port) as (talker, engine):
        service = Service(
            characters,
            talker,
            settings.evaluation.max_new_tokens,
            reasoning,
            settings.system_prompt,
            settings.prompt.layout,
            settings.prefilled_think,
        )
        with EndpointServer(service, host, port, key) as server:
            names = ", ".join(characters)
            run_until_interrupted(server, lambda: click.echo(f"{server.address}  {names}  ({engine}; Ctrl-C ends)"))
    tell("stopped")


@contextmanager
def _talker(place: str, port: int) -> Iterator[tuple[SamplingTalker, str]]:
    """Whoever replies, and what it runs in: llama.cpp for a GGUF file where it is installed, else transformers."""
    from raiden_core.models.gguf import is_gguf
    from raiden_core.models.llama_cpp import is_installed
    from raiden_core.models.places import model_folder
    from raiden_core.models.talking import LocalTalker

    if not is_gguf(place) or Path(place).is_dir() or not is_installed():
        with busy("loading the model"):
            talker = LocalTalker(model_folder(place), 1, 0)
        yield talker, "transformers"
        return
    from raiden_core.models.gguf.header import read_header
    from raiden_core.models.gguf.unpack import cache_folder
    from raiden_core.models.llama_cpp import running
    from raiden_core.models.llama_talker import LlamaTalker, served_context

    context = served_context(read_header(Path(place)))
    log = cache_folder().parent / f"serve-{port}.log"
    with ExitStack() as stack:
        with busy("loading the model"):
            server = stack.enter_context(running(Path(place), context=context, log=log))
        yield LlamaTalker(server, context), "llama.cpp"
