"""``raiden export --to trl|hub|gguf|peft|… DIR``: what others need.

For a trainer, a dataset on which it trains with raiden's rewards alone; for the Hub, a run's model with its cards; for
llama.cpp and what is built on it, the model as GGUF files that were asked the same questions; for PEFT, the adapter alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from raiden_core.cli.options import busy, config_options, progress_bar, read_config, tell, write_folder
from raiden_core.errors import UsageError

TRAINERS = ("trl", "verl", "openr1", "verifiers", "easyr1", "inspect", "lm-eval")
PACKED = ("gguf", "ollama", "koboldcpp", "lmstudio")
"""Programs that read GGUF files."""
OF_A_RUN = ("hub", *PACKED, "sillytavern", "peft")
WITH_CHARACTER = ("ollama", "lmstudio")
"""Whose files may hold the system text of one character."""
if TYPE_CHECKING:
    from raiden_core.config import Config
    from raiden_core.models.gguf.packing import Quant

TEMPERATURE = 0.7
"""Of replies in the programs that are told one, as `raiden chat` has it."""


@click.command("export")
@click.argument("out", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--to", type=click.Choice((*TRAINERS, *OF_A_RUN)), required=True, help="The program to write for.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default="data/training",
    show_default=True,
    help="Folder with train.json and validation.json, or one file of samples.",
)
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    help="For all but trainers and evaluators: folder of a finished run, with its run.json.",
)
@click.option("--dataset", metavar="OWNER/NAME", help="hub: where on the Hub the data is, for the card.")
@click.option("--push", metavar="OWNER/NAME", help="hub: upload DIR, with the token in HF_TOKEN; new ones are private.")
@click.option(
    "--quant",
    "quants",
    type=click.Choice(["f16", "q8_0", "q4_0"]),
    multiple=True,
    help="gguf, ollama, koboldcpp, lmstudio: how weights are packed, f16 by default; give it several times for several files.",
)
@click.option("--character", metavar="FILE_OR_NAME", help="ollama, lmstudio: whose profile is the system text.")
@click.option("--with-base", is_flag=True, help="peft: copy the adapter's base into DIR as well.")
@config_options
def export(
    out: Path,
    to: str,
    data: Path,
    run: Path | None,
    dataset: str | None,
    push: str | None,
    quants: tuple[Quant, ...],
    character: str | None,
    with_base: bool,
    config: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Write the samples of a split, or the model of a run with its cards, into DIR, which must be new."""
    for given, option, targets in (
        (dataset or push, "--dataset and --push belong", ("hub",)),
        (quants, "--quant belongs", PACKED),
        (character, "--character belongs", WITH_CHARACTER),
        (with_base, "--with-base belongs", ("peft",)),
        (run, "--run belongs", OF_A_RUN),
    ):
        if given and to not in targets:
            raise UsageError(f"{option} to --to {' and --to '.join(targets)}, not to --to {to}")
    if to in TRAINERS:
        _to_trainer(out, to, data, read_config(config, overrides))
        return
    if run is None:
        raise UsageError(f"--to {to} needs --run, the folder of a finished run; runs lie in OUTPUT_DIR/runs")
    if to == "hub":
        _to_hub(out, run, dataset, push)
    elif to == "sillytavern":
        _to_sillytavern(out, run)
    elif to == "peft":
        _to_peft(out, run, with_base)
    else:
        _to_gguf(out, run, tuple(dict.fromkeys(quants)) or ("f16",), to, character)


def _to_trainer(out: Path, to: str, data: Path, settings: Config) -> None:
    """Samples for a trainer or an evaluator, with the list of rewards as far as it can take it."""
    from raiden_core.export import export as write
    from raiden_core.export.carried import named_functions, not_carried
    from raiden_core.export.writers import RECIPE, missing_model
    from raiden_core.rewards.listed.chosen import chosen_rewards, is_default
    from raiden_core.stages.layout import TRAIN_FILE, VALIDATION_FILE

    train = data / TRAIN_FILE if data.is_dir() else data
    validation = data / VALIDATION_FILE if data.is_dir() else None
    if validation is not None and not validation.is_file():
        validation = None
    with busy(f"writing {out}"):
        counts = write_folder(out, lambda folder: write(to, train, validation, settings, folder, out.absolute()))
    for split in ("train", "test"):
        if split in counts:
            left_out = counts[f"{split}_left_out"]
            note = f", {left_out} left out because their reference fails" if left_out else ""
            click.echo(f"{split}: {counts[split]} samples{note}")
    click.echo(f"{out}")
    reason = missing_model(settings) if to == "openr1" else None
    if reason is not None:
        tell(f"note: {out / RECIPE}: {reason}")
    chosen = chosen_rewards(settings)
    for line in not_carried(to, chosen):
        tell(f"note: {line}")
    if to == "trl":
        functions, weights = named_functions(chosen)
        here = "" if is_default(chosen) else f"cd {out} && "
        named = f"--reward_funcs {' '.join(functions)} --reward_weights {' '.join(map(str, weights))}"
        click.echo(f"{here}trl grpo --dataset_name {out.absolute() if here else out} {named} …")


def _to_gguf(out: Path, run: Path, quants: tuple[Quant, ...], to: str, character: str | None) -> None:
    """A run's model as GGUF files, with the proof that they answer as it does, and what one program needs beside them."""
    from raiden_core.export.gguf import NOT_PROVEN, Exported, to_gguf
    from raiden_core.export.koboldcpp import to_koboldcpp
    from raiden_core.export.lmstudio import to_lmstudio
    from raiden_core.export.ollama import to_ollama
    from raiden_core.export.proof import EQUAL

    written: list[Exported] = []

    def work(folder: Path) -> dict[str, int]:
        with progress_bar("export") as progress:
            exported = to_gguf(run, folder, quants, progress)
        if to == "koboldcpp":
            to_koboldcpp(exported, folder)
        elif to in WITH_CHARACTER:
            beside = to_ollama if to == "ollama" else to_lmstudio
            beside(exported, _system_text(exported.texts.config, character), TEMPERATURE, folder)
        written.append(exported)
        return {}

    write_folder(out, work, with_stats=False)
    for packed in written[0].files:
        click.echo(f"{out / packed.file.name}: {packed.size / 2**20:,.1f} MiB")
    for proof in written[0].proofs:
        words = f"{proof.same_tokens} of {proof.n} replies have the tokens of transformers"
        words += f" (f16 needs {EQUAL:.0%})" if proof.quant == "f16" else ""
        click.echo(f"{proof.quant}: {words}; right {proof.file_accuracy:.0%}, the folder {proof.folder_accuracy:.0%}")
    for warning in filter(None, (proof.warning for proof in written[0].proofs)):
        tell(f"warning: {warning}")
    if not written[0].proofs:
        tell(f"warning: {NOT_PROVEN}")


def _to_sillytavern(out: Path, run: Path) -> None:
    """Presets for a run's model."""
    from raiden_core.export.hub import run_texts
    from raiden_core.export.sillytavern import to_sillytavern

    texts = run_texts(run)
    names: list[str] = []

    def work(folder: Path) -> dict[str, int]:
        names.extend(to_sillytavern(texts, TEMPERATURE, folder))
        return {}

    write_folder(out, work, with_stats=False)
    click.echo(f"{out}: {', '.join(names)}")


def _to_peft(out: Path, run: Path, with_base: bool) -> None:
    """The adapter of a run, not merged."""
    from raiden_core.export.peft import Written, to_peft

    written: list[Written] = []

    def work(folder: Path) -> dict[str, int]:
        written.append(to_peft(run, folder, out.absolute(), with_base=with_base))
        return {}

    with busy("comparing base and adapter with the merged model"):
        write_folder(out, work, with_stats=False)
    done = written[0]
    click.echo(f"{out}: {done.size / 2**20:,.1f} MiB of adapter, for {done.base}")
    click.echo(
        f"log-probabilities of {done.tokens:,} tokens: {done.apart:.2g} a token from the merged model; "
        f"without the adapter {done.effect:.2g}"
    )


def _system_text(config: Config, character: str | None) -> str | None:
    """The system turn of a character, written as in training; None where none is named."""
    if character is None:
        return None
    from raiden_core.chat.characters import find_character
    from raiden_core.chat.conversation import Conversation

    conversation = Conversation(find_character(character), config.system_prompt, layout=config.prompt.layout)
    return conversation.prompt("", "?")[0]["content"]


def _to_hub(out: Path, run: Path, dataset: str | None, repository: str | None) -> None:
    """The folder of a run's model; uploaded only when a repository is named."""
    from raiden_core.export.hub import assemble, check_push, push

    if repository is not None:
        check_push(repository)
    with busy(f"copying the model to {out}"):
        counts = write_folder(out, lambda folder: assemble(run, folder, dataset), with_stats=False)
    click.echo(f"{out}: {counts['files']} files of the model ({counts['bytes'] / 2**20:,.1f} MiB), README.md, DATA.md")
    click.echo("README.md names no license yet: choose one there before others use the model.")
    if repository is not None:
        with busy(f"uploading to {repository}"):
            address = push(out, repository)
        click.echo(address)
