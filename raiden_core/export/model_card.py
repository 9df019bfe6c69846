"""The model card: a README.md beside a trained model, with the header that the Hugging Face Hub reads.

    text = model_card(results=…, config=…, split=…, manifests=…, notes=…, adapter=False)

It says what the model was trained on and how, what was measured and how sure that is, and what was not measured. The
results stand twice: as ``model-index`` for the Hub, and as a table with intervals for people. The licence is the user's
to choose: it follows from the base model's and from whose characters were used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.reward import RewardConfig
from raiden_core.config.sections.training import NANO
from raiden_core.dataset.card import escape, markdown_table
from raiden_core.evaluation.results import Cell, Pair, Results
from raiden_core.report.further import reward_table
from raiden_core.report.take_home import Place, introduction, programs
from raiden_core.report.wording import control_rows, explanation, verdict
from raiden_core.text.formatting import p_value, percent, percent_range, points, points_range

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")

PART_LABELS = {
    "all": "All questions",
    "SBK": "Profile knowledge (SBK)",
    "CM": "Conversation memory (CM)",
    "SCK": "False premises (SCK)",
    "RCB": "Limits of knowledge (RCB)",
}
MODEL_LABELS = {"original": "Original", "base": "Base", "trained": "This model"}


def model_card(
    *,
    results: Results,
    config: Mapping[str, Any],
    split: Mapping[str, Any],
    manifests: Mapping[str, Mapping[str, Any]],
    notes: Sequence[str] = (),
    place: Place,
    adapter: bool = False,
    cold_started: bool = False,
    dataset: str | None = None,
) -> str:
    """The card as Markdown.

    Args:
        results: of the evaluation; it holds a model ``trained``.
        config: the resolved configuration.
        split: statistics of the split: what was trained on, who was asked.
        manifests: stage -> its manifest; of ``train`` and ``evaluate`` versions and digests are told.
        notes: sentences that a reader must know; those of the results come after them.
        place: the run's model, for the commands.
        adapter: the folder holds a LoRA adapter instead of whole weights.
        cold_started: GRPO began with the model of a cold start.
        dataset: the data's id on the Hub, where it is there.
    """
    title = str(config["name"])
    parts = [
        _header(title, results, _base_on_hub(config, adapter and cold_started), split, adapter, dataset),
        f"# {escape(title)}",
        escape(verdict(results)),
        *(f"> {escape(note)}" for note in (*notes, *results.notes)),
        _results(results),
        _rewards(results),
        _controls(results),
        _training(config, split, cold_started),
        _use(config, adapter),
        _programs(place),
        _limits(),
        _reproduce(config, manifests),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(
    title: str,
    results: Results,
    base: str | None,
    split: Mapping[str, Any],
    adapter: bool,
    dataset: str | None,
) -> str:
    from huggingface_hub import ModelCardData

    languages = sorted({language for side in ("train", "validation") for language in split[side]["language"]})
    head = ModelCardData(
        library_name="peft" if adapter else "transformers",
        pipeline_tag="text-generation",
        base_model=base,
        language=[language for language in languages if re.fullmatch(r"[a-z]{2,3}", language)],
        tags=["role-playing", "grpo", "trl", "verifiable-reward", "raiden"],
        datasets=[dataset] if dataset else None,
        model_name=title,
        eval_results=list(_eval_results(results, dataset)) or None,
    )
    return (
        "---\n# license: choose one before publishing; the base model's and the characters' decide\n"
        f"{head.to_yaml()}\n---"
    )


def _base_on_hub(config: Mapping[str, Any], own_base: bool) -> str | None:
    """The base's name on the Hub, where it has one: an adapter on a cold start's model would not fit the student."""
    base = str(config["student"]["model"])
    return base if HUB_ID.match(base) and not own_base else None


def _eval_results(results: Results, dataset: str | None) -> Iterator[EvalResult]:
    """The Hub's results: strict and lenient accuracy for each set and part that has questions.

    Whoever loads and saves a card merges the results that agree in task and dataset, its name aside; the part
    therefore stands in ``config`` too.
    """
    for name, comparison in [("validation", results), *results.extra.items()]:
        for part, label in PART_LABELS.items():
            cell = comparison.of_trained().part(part)
            dataset_of_part = (name, part, label, dataset or "raiden")
            if cell.strict is not None:
                yield _eval_result(dataset_of_part, cell, "Strict accuracy", cell.strict, cell.ci95)
            if cell.lenient is not None:
                yield _eval_result(dataset_of_part, cell, "Lenient accuracy", cell.lenient, cell.lenient_ci95)


def _eval_result(
    dataset: tuple[str, str, str, str], cell: Cell, metric: str, share: float, interval: tuple[float, float] | None
) -> EvalResult:
    from huggingface_hub import EvalResult

    set_name, part, label, kind = dataset
    args: dict[str, Any] = {"questions": cell.n, "characters": cell.characters}
    return EvalResult(
        task_type="text-generation",
        task_name="Role-playing question answering",
        dataset_type=kind,
        dataset_name=f"{set_name}: {label}",
        dataset_config=part,
        dataset_split=set_name,
        metric_type="accuracy",
        metric_name=f"{metric} (%)",
        metric_value=round(100 * share, 1),
        metric_args=args | ({"ci95": [round(100 * end, 1) for end in interval]} if interval else {}),
    )


def _results(results: Results) -> str:
    rows: list[tuple[object, ...]] = []
    for name, comparison in [("", results), *results.extra.items()]:
        for part, label in PART_LABELS.items():
            where = f"{escape(name)}: {label}" if name else label
            for model, cells in comparison.models.items():
                cell = cells.part(part)
                if cell.n:
                    change = comparison.paired.part(part) if comparison.paired and model == "trained" else None
                    interval = percent_range(cell.ci95)
                    rows.append((where, MODEL_LABELS[model], cell.n, percent(cell.strict), interval, _told(change)))
    text = " ".join(escape(sentence) for sentence in explanation(results))
    head = ("Questions", "Model", "n", "Strict %", "95% interval", "Change in points")
    return (
        "## Results\n\nRight means: the answer contains the keywords that the question's validator asks for, un-negated, "
        "and keeps the format; checked by rule. Greedy answers; intervals are "
        f"clustered by character.\n\n{markdown_table(head, rows, numbers=4)}" + (f"\n\n{text}" if text else "")
    )


def _rewards(results: Results) -> str:
    """What replies earn by each reward of a list; nothing where the list is accuracy and format."""
    table = reward_table(results.rewards, MODEL_LABELS)
    if table is None:
        return ""
    rows = [[escape(cell) for cell in row] for row in table.rows]
    return f"## Rewards\n\n{table.sentences[0]} {table.note}\n\n{markdown_table(table.head, rows)}"


def _told(change: Pair | None) -> str:
    """A difference with its interval and p, as a cell of the table."""
    if change is None:
        return ""
    return f"{points(change.delta)} ({points_range(change.ci95)}), p {escape(p_value(change.p))}"


def _controls(results: Results) -> str:
    rows = [(escape(name), escape(value), escape(meaning)) for name, value, meaning in control_rows(results.controls)]
    return "## Controls\n\n" + markdown_table(("Control", "Score", "Meaning"), rows)


def _training(config: Mapping[str, Any], split: Mapping[str, Any], cold_started: bool) -> str:
    base, train = str(config["student"]["model"]), split["train"]
    grpo = config["grpo"]
    names = ("learning_rate", "num_generations", "max_completion_length", "beta", "temperature", "max_steps", "lora_r")
    told = ", ".join(f"`{name}` {_value(grpo[name])}" for name in names if grpo.get(name) is not None)
    started = "a small model that the run made itself (nano)" if base == NANO else f"`{_code(base)}`"
    return (
        f"## Training\n\nGRPO (TRL) on {train['samples']:,} questions about {train['characters']:,} characters, starting "
        f"from {started}{' after a cold start' if cold_started else ''}. Reward: "
        f"{_reward(config)}. {told}. "
        "How the data was made: [DATA.md](DATA.md). The whole configuration: [raiden.yaml](raiden.yaml)."
    )


def _reward(config: Mapping[str, Any]) -> str:
    """The reward as a sum, and its gates."""
    listed = config.get("rewards")
    if listed is None:
        return f"{config['accuracy']['weight']:g} × accuracy + {config['format']['weight']:g} × format"
    entries = [RewardConfig.model_validate(one) for one in listed]
    summed = [f"{1 if one.weight is None else one.weight:g} × {escape(_named(one))}" for one in entries if not one.gate]
    gates = [escape(_named(one)) for one in entries if one.gate]
    return " + ".join(summed) + (f"; 0 where a gate is closed: {', '.join(gates)}" if gates else "")


def _named(entry: RewardConfig) -> str:
    """A reward by its name, and a judge by its model."""
    model = entry.endpoint.model if isinstance(entry.endpoint, EndpointConfig) else entry.endpoint
    return f"{entry.label} ({model})" if model else entry.label


def _use(config: Mapping[str, Any], adapter: bool) -> str:
    name = "AutoPeftModelForCausalLM" if adapter else "AutoModelForCausalLM"
    package = "peft" if adapter else "transformers"
    imports = (
        f"from {package} import {name}\nfrom transformers import AutoTokenizer"
        if adapter
        else f"from {package} import {name}, AutoTokenizer"
    )
    own = bool(config.get("system_prompt"))
    instructions = ', yaml.safe_load(open("raiden.yaml"))["system_prompt"]' if own else ""
    layout = (config.get("prompt") or {}).get("layout", "raiden")
    instructions += f', layout="{layout}"' if layout != "raiden" else ""
    imports = f"import yaml\n{imports}" if own else imports
    think = " The chat template opens `<think>` itself." if config.get("prefilled_think") else ""
    return (
        "## Use\n\nThe system turn holds the character's profile; the reply is `<think>…</think><answer>…</answer>`."
        f"{think} In the terminal: `raiden chat --model DIR --character FILE`. In Python:\n\n```python\n"
        f"from pathlib import Path\n\n{imports}\n"
        "from raiden_core.samples import read_samples\nfrom raiden_core.prompts import build_prompt\n\n"
        f'tokenizer = AutoTokenizer.from_pretrained("DIR")\nmodel = {name}.from_pretrained("DIR")\n'
        'prompt = build_prompt(read_samples(Path("validation.json"))[0]' + instructions + ")\n"
        'inputs = tokenizer.apply_chat_template(\n    prompt, add_generation_prompt=True, return_tensors="pt", '
        "return_dict=True\n)\nprint(tokenizer.decode(model.generate(**inputs, max_new_tokens=256)[0]))\n```"
    )


def _programs(place: Place) -> str:
    """The commands of this run for other programs."""
    parts = ["## In other programs", escape(introduction(place))]
    for program in programs(place):
        commands = "\n".join(_code(command) for command in program.commands)
        parts += [f"**{program.name}**{f': {escape(program.note)}' if program.note else ''}", f"```sh\n{commands}\n```"]
    return "\n\n".join(parts)


def _limits() -> str:
    return (
        "## Limits\n\n"
        "- Measured is whether facts are there, not style, manners or safety. Read dialogues before you rely on it.\n"
        "- The intervals are about other characters made in the same way, not about other kinds of characters.\n"
        "- One training run: another seed would give another model. The intervals do not cover that."
    )


def _reproduce(config: Mapping[str, Any], manifests: Mapping[str, Mapping[str, Any]]) -> str:
    train, evaluated = manifests["train"], manifests["evaluate"]
    rows: list[tuple[object, object]] = [("seed", config["seed"])]
    rows += [(f"{name} {escape(what)}", f"`{_code(digest)}`") for name, what, digest in _digests(train, evaluated)]
    rows += [(escape(name), escape(version)) for name, version in train["versions"].items()]
    return (
        "## Reproduce\n\n```sh\nraiden run raiden.yaml\n```\n\nSecrets in it are masked; they are read from the "
        f"environment.\n\n{markdown_table(('', ''), rows)}"
    )


def _digests(train: Mapping[str, Any], evaluated: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, digest in train["inputs"].items():
        yield "input", str(name), str(digest)
    for name, digest in train["outputs"].items():
        if str(name).endswith(".safetensors"):
            yield "weights", str(name), str(digest)
    yield "evaluation", "key", str(evaluated["key"])


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else escape(json.dumps(value))


def _code(text: str) -> str:
    """A text that may stand between backticks."""
    return re.sub(r"[`\x00-\x1f|]", "", text)
