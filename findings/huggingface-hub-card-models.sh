#!/usr/bin/env bash
# huggingface_hub 2.4.0: loading and saving a model card gives one model's results to another.
#
# Expected: `ModelCard(text)` reads a card, and `str(card)` writes the same metadata again. `model-index` is a list of
# models by the Hub's specification of cards, each with a name and its results.
# Seen: a card that lists two models comes back with one: it has the last one's name and the results of both. Nothing
# was changed in between and no warning is given; `card.data.model_name` knows only the last as well.
# Why it matters: a card that reports a trained model beside its base says, once a tool has added a tag to it, that the
# trained model's accuracy is the base's. `metadata_update` and whatever else edits cards goes this way. raiden's card
# has one model in its index and leaves the comparison to the text.
#
# Output seen:
#   file: [('trained', [61]), ('base', [48])]
#   loaded and saved: [('base', [61, 48])]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "huggingface_hub==2.4.0"
cat >"$folder/try.py" <<'PYTHON'
import yaml
from huggingface_hub import ModelCard


def entry(name, value):
    dataset = {"type": "quiz", "name": "Quiz"}
    metrics = [{"type": "accuracy", "value": value}]
    return {"name": name, "results": [{"task": {"type": "text-generation"}, "dataset": dataset, "metrics": metrics}]}


def models(text):
    index = yaml.safe_load(text.split("---")[1])["model-index"]
    return [
        (model["name"], [metric["value"] for result in model["results"] for metric in result["metrics"]])
        for model in index
    ]


text = f"---\n{yaml.safe_dump({'model-index': [entry('trained', 61), entry('base', 48)]})}---\n# Quiz\n"
print("file:", models(text))
print("loaded and saved:", models(str(ModelCard(text))))
PYTHON
seen=$(HF_HOME="$folder/home" HF_HUB_OFFLINE=1 "$folder/venv/bin/python" "$folder/try.py")
expected="file: [('trained', [61]), ('base', [48])]
loaded and saved: [('base', [61, 48])]"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; was:\n%s\n' "$expected"; exit 1; }
