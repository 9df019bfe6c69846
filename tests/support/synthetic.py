"""A made-up run for the report: `python tests/support/synthetic.py FOLDER` writes its page there to look at.

Everything in it is invented and drawn with a seed; ``hostile`` puts markup and scripts wherever a stranger could.
"""

import copy
import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from raiden_core.evaluation.judge.judge import Outcome, Verdict
from raiden_core.evaluation.judge.summary import judge_summary
from raiden_core.evaluation.predictions import MAIN_SET, Prediction, write_predictions
from raiden_core.evaluation.results import Asked, Controls, Results
from raiden_core.evaluation.sampling import sampling_summary
from raiden_core.evaluation.summary import breakdown, compared
from raiden_core.training.launch.metrics import VALIDATION_ACCURACY

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">'\"&{{7*7}}\u202e\x1b[2J"
NAMES = {"zh": "林知夏", "en": "Maeve O'Rourke", "ja": "水野ひかり", "ko": "한서윤"}
QUESTIONS = {
    "zh": ("你的家乡在哪里？", "我的家乡是长沙。", "长沙", "想一想：资料里写着家乡是长沙。"),
    "en": ("Where did you grow up?", "I grew up in Galway.", "Galway", "My profile says Galway."),
    "ja": ("あなたの出身地はどこですか。", "私の出身地は函館です。", "函館", "プロフィールには函館とある。"),
    "ko": ("당신의 고향은 어디입니까?", "제 고향은 전주입니다.", "전주", "프로필에 전주라고 적혀 있다."),
}


def make_predictions(
    characters: int = 60, questions: int = 8, sets: tuple[str, ...] = (MAIN_SET, "hand-written")
) -> list[Prediction]:
    """Predictions of a base and a trained model, a third of which differ."""
    random, rows = Random(5), []
    for set_name in sets:
        for number in range(characters if set_name == MAIN_SET else 8):
            language = "zh" if set_name == MAIN_SET and number % 3 else list(NAMES)[number % 4]
            skill = random.gauss(0, 0.1)
            for question in range(questions):
                key = f"{set_name}-{number}-{question}"
                for model, chance in (("base", 0.34), ("trained", 0.66)):
                    rows.append(_prediction(set_name, model, key, number, question, language, random, chance + skill))
    return rows


def _prediction(
    set_name: str, model: str, key: str, number: int, question: int, language: str, random: Random, p: float
) -> Prediction:
    ask, reference, keyword, thought = QUESTIONS[language]
    right, formed = random.random() < p, random.random() < p + 0.25
    answer = reference if right else reference.replace(keyword, "?")
    completion = f"<think>{thought}</think><answer>{answer}</answer>" if formed else f"<think>{thought}</think>{answer}"
    dimension = "CM" if question % 3 == 2 else "SBK"
    history = (
        [{"role": "user", "content": "…"}, {"role": "assistant", "content": reference}] if dimension == "CM" else []
    )
    system = f"{NAMES[language]} {number}\n" + "\n".join(f"key {line}：value {line}" for line in range(8))
    return Prediction(
        set=set_name, model=model, id=key, character=f"{NAMES[language]} {number}", dimension=dimension,
        language=language, question_type=("where", "what", "who", "when")[question % 4],
        difficulty=("easy", "medium", "hard")[question % 3], source="composed" if set_name == MAIN_SET else "shipped",
        prompt=[{"role": "system", "content": system}, *history, {"role": "user", "content": ask}], question=ask,
        reference=reference, keywords=[keyword], completion=completion, answer=answer, accuracy=float(right),
        format=float(formed), total=0.7 * right + 0.3 * formed, matched=[keyword] if right else [],
        why="" if right else f"no term of group 1 ({keyword})", tokens=len(completion), finished=random.random() < 0.98,
        note="",
    )  # fmt: skip


def make_results(predictions: list[Prediction]) -> Results:
    """results.json of these predictions."""
    main = {m: [r for r in predictions if (r.set, r.model) == (MAIN_SET, m)] for m in ("base", "trained")}
    extra = {
        name: compared({m: [r for r in predictions if (r.set, r.model) == (name, m)] for m in ("base", "trained")})
        for name in dict.fromkeys(row.set for row in predictions)
        if name != MAIN_SET
    }
    compared_main = compared(main)
    cells = {model: of_parts.all for model, of_parts in compared_main.models.items()}
    return Results(
        **dict(compared_main),
        controls=Controls(
            gold=1.0, other_character=0.11, other_character_ci95=(0.08, 0.14), other_character_chance=0.12,
            other_character_n=480, keyword_list=1.0, profile_recited=0.21, recital=0.03,
        ),
        by=breakdown(main),
        extra=extra,
        format_rate={model: cell.format for model, cell in cells.items()},
        empty_answers={model: cell.empty for model, cell in cells.items()},
        mean_length={model: cell.mean_tokens for model, cell in cells.items()},
        dropped_bad_gold={},
        notes=(),
        settings=Asked(
            decoding="greedy", samples_per_question=4, temperature=1.0, max_new_tokens=96, instructions=None, seed=7
        ),
        sampling={model: sampling_summary(_draws(rows), 1.0) for model, rows in main.items()},
        judge=judge_summary(_verdicts(main["base"], main["trained"]), "judge-13b"),
    )  # fmt: skip


def _draws(rows: list[Prediction]) -> list[list[Prediction]]:
    """Four sampled replies a question: each time others go wrong."""
    return [
        [replace(row, accuracy=row.accuracy * ((n + draw) % 3 > 0)) for n, row in enumerate(rows)] for draw in range(4)
    ]


def _verdicts(base: list[Prediction], trained: list[Prediction]) -> list[Verdict]:
    """A judge that often agrees with the keywords."""
    random = Random(9)
    verdicts: list[Verdict] = []
    for old, new in zip(base, trained, strict=True):
        outcome: Outcome = random.choice(
            ["win" if new.accuracy > old.accuracy else "tie", "tie", "loss", "inconsistent"]
        )
        said = {"win": "trained", "loss": "base", "tie": "equal", "inconsistent": "base"}[outcome]
        verdicts.append(
            Verdict(
                id=new.id, character=new.character, language=new.language, rubric=new.dimension, own=True,
                question=new.question, reference=new.reference, base=old.answer, trained=new.answer,
                base_accuracy=old.accuracy, trained_accuracy=new.accuracy, outcome=outcome, base_first=said,
                trained_first="trained" if outcome == "inconsistent" else said, reasons=("", ""),
            )
        )  # fmt: skip
    return verdicts


def write_metrics(path: Path, steps: int = 300) -> None:
    """A trainer's log of a cold start and of GRPO."""
    random, rows = Random(1), []
    for step in range(5, 120, 5):
        row = {"phase": "cold_start", "step": step, "loss": 3.5 * 0.98**step + random.random() * 0.1}
        rows.append(row | {"mean_token_accuracy": 1 - 0.9 * 0.98**step})
        if step % 30 == 0:
            rows.append({"phase": "cold_start", "step": step, "probe_accuracy": step / 300})
    for step in range(1, steps + 1):
        share = step / steps
        accuracy = min(1.0, max(0.0, 0.3 + 0.3 * share + random.gauss(0, 0.06)))
        form = min(1.0, 0.7 + 0.4 * share + random.gauss(0, 0.02))
        rows.append(
            {
                "phase": "grpo", "step": step, "reward": 0.7 * accuracy + 0.3 * form, "kl": 0.002 * step**0.5,
                "rewards/accuracy_reward/mean": accuracy, "rewards/format_reward/mean": form,
                "loss": random.gauss(0, 0.001), "completions/mean_length": 38 - 6 * share + random.gauss(0, 1),
                "frac_reward_zero_std": min(1.0, 0.2 + 0.3 * share + random.gauss(0, 0.05)),
                "entropy": 0.9 - 0.5 * share,
            }
        )  # fmt: skip
        if step % 50 == 0:
            rows.append({"phase": "grpo", "step": step, VALIDATION_ACCURACY: 0.35 + 0.28 * share})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@cache
def _evaluated() -> tuple[list[Prediction], Results]:
    predictions = make_predictions()
    return predictions, make_results(predictions)


def make_inputs(folder: Path, hostile: bool = False) -> dict[str, Any]:
    """The arguments of `build_report`, its files written into the folder."""
    predictions, results = copy.deepcopy(_evaluated())
    text = HOSTILE if hostile else ""
    if hostile:
        fields = ("character", "question", "reference", "completion", "answer", "why", "set")
        predictions = [
            replace(
                row,
                **{name: getattr(row, name) + text for name in fields if name != "set" or row.set != MAIN_SET},
                keywords=[*row.keywords, text],
                language='"><script>',
                prompt=[{"role": turn["role"], "content": turn["content"] + text} for turn in row.prompt],
            )
            for row in predictions
        ]
        judge, by = results.judge, results.by
        assert judge is not None
        by_rubric = {**judge.by_rubric, text: judge.all}
        results = results.model_copy(
            update={
                "extra": {name + text: part for name, part in results.extra.items()},
                "judge": judge.model_copy(update={"model": judge.model + text, "by_rubric": by_rubric}),
                "by": {**by, "source": {text: by["language"]["zh"], "b": by["language"]["en"]}},
            }
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_predictions(folder / "predictions.jsonl", predictions)
    write_metrics(folder / "metrics.jsonl")
    return {
        "results": results,
        "predictions": folder / "predictions.jsonl",
        "metrics": folder / "metrics.jsonl",
        "dataset_stats": {
            "train": {"samples": 6240, "characters": 780}, "validation": {"samples": 480, "characters": 60},
            "by_dimension": {"SBK": 4480, "CM": 2240}, "by_language": {"zh": 5200, "en": 640, "ja": 440, "ko": 440},
        },
        "generation_stats": {
            "samples": 6720, "teacher": "offline rules" + text,
            "dropped": {"near_duplicate": 412, "answer_in_question": 96, "gold_fails": 3, text or "wrong_language": 0},
            "skipped_characters": [{"name": f"角色{n}" + text, "reason": "no key: value facts"} for n in range(4)],
        },
        "config": {
            "seed": 7, "teacher": {"kind": "offline", "api_key": "sk-very-secret", "url": "http://me:hunter2@host/v1"},
            "grpo": {"learning_rate": 2e-4, "beta": 0.1, "num_generations": 8, "note": text, "eos_token": "<|im_end|>"},
        },
        "run": {
            "name": "quickstart" + text, "versions": {"raiden": "0.1.0", "torch": "2.13.0", "trl": "1.16.0"},
            "seeds": {"split": 7, "train": 7}, "hardware": "2 CPU cores, 24 GiB",
            "hashes": {"train.json": "9f3b" * 16, "validation.json": "11c0" * 16}, "seconds": 312.4,
            "notes": ["Nano student: a toy of 0.5M parameters, not a language model.",
                      "Offline teacher: questions and answers were written by rule." + text],
        },
        "out": folder / "report.html",
    }  # fmt: skip


if __name__ == "__main__":
    from raiden_core.report import build_report

    build_report(**make_inputs(Path(sys.argv[1]), hostile="--hostile" in sys.argv))
