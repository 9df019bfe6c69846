"""How fast the reward is: completions a second, and time against length.

    python benchmarks/rewards.py

Prints one line a case: short answers (about 60 characters, two keywords), a batch of 512, 1 MB of plain and of
hostile text, and for each text the factor between 100 kB and 1 MB (up to 12 is linear). A bare ``keyword in text``
loop runs beside it as the yardstick: it does nothing of what makes the score right.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from raiden_core.rewards import Score, Scorer, accuracy_reward, fold, format_reward

KEYWORDS = ["长沙", "医生"]
SHORT = {
    "zh": "<think>他问我是谁。</think><answer>"
    "我在长沙长大，后来在省立医院当了医生，每天都很忙，不过我很"
    "喜欢这份工作，也喜欢这里的人和这里的天气，一直没有离开过。</answer>",
    "zh negated": "<think>他问我是谁。</think><answer>"
    "我不是老师，也没有开过店，我从小在长沙长大，不瞒你说，我"
    "是一名医生，每天都很忙，不过我很喜欢这份工作和这里的人。</answer>",
    "zh missing": "<think>他问我是谁。</think><answer>"
    "我在北京长大，后来在省立医院当了护士，每天都很忙，不过我很"
    "喜欢这份工作，也喜欢这里的人和这里的天气，一直没有离开过。</answer>",
}
EVERYTHING = [*KEYWORDS, "doctor", "17", "台湾", "2 people", "열일곱 살"]
SIZE = 1_000_000
HOSTILE = {
    "plain zh": "我在长沙的医院里工作，每天都见到许多人。",
    "plain en": "I work at the hospital in the old town and meet a lot of people. ",
    "punctuation": "。！？",
    "blanks": " \n\t",
    "one word": "a",
    "zero-width": "\u200b",
    "combining marks": "\u0301\u0323",
    "open tags": "<think><answer>",
    "closed tags": "</think></answer>",
    "angle brackets": "<",
    "closing brackets": ">",
    "tag names": "think>",
    "lines": "-\n",
    "keyword": "长沙",
    "negated keyword": "不是长沙",
    "not not": "not doctor ",
    "digits": "1",
    "digit groups": "1,000,",
    "numerals": "一百零",
    "numeral words": "one hundred and ",
    "traditional": "臺灣",
    "quotes": "’",
    "ligatures": "\ufdfa",
    "commas": "a,",
}


def measure(work: Callable[[], object], least: float = 0.3) -> float:
    """Seconds of one core for one call, the best of several."""
    best, until = float("inf"), time.perf_counter() + least
    while time.perf_counter() < until:
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def score_all(scorer: Scorer, sample: dict[str, Any], texts: list[str]) -> list[Score]:
    return [scorer.score(sample, text) for text in texts]


def look_for(keywords: list[str], texts: list[str]) -> list[bool]:
    return [all(keyword in text for keyword in keywords) for text in texts]


def main() -> None:
    out = sys.stdout.write
    scorer = Scorer()
    unbounded = Scorer(min_length_bound=10**9)
    sample = {"keywords": KEYWORDS, "answer": "我在长沙当医生。"}
    fold("臺灣")
    for name, completion in SHORT.items():
        texts = [f"{completion.removesuffix('</answer>')}{number}</answer>" for number in range(2000)]
        seconds = measure(partial(score_all, scorer, sample, texts)) / len(texts)
        naive = measure(partial(look_for, KEYWORDS, texts)) / len(texts)
        out(f"short {name:12} {1 / seconds:10,.0f} completions/s   (keyword in text: {1 / naive:12,.0f})\n")
    batch = [f"{SHORT['zh'].removesuffix('</answer>')}{number}</answer>" for number in range(512)]
    columns = {"keywords": [KEYWORDS] * 512, "answer": ["我在长沙当医生。"] * 512, "validator": [None] * 512}
    seconds = measure(lambda: (accuracy_reward(batch, **columns), format_reward(batch, **columns)))
    out(f"batch of 512, both rewards: {seconds * 1e3:.1f} ms\n")
    everything = {"keywords": EVERYTHING, "answer": "x"}
    out(f"{'1 MB of text':18} {'default':>10} {'no bound':>10} {'factor':>7} {'naive':>9}\n")
    for name, unit in HOSTILE.items():
        size = SIZE // len(unit.encode()) * len(unit)
        long = "<think>.</think><answer>" + (unit * (size // len(unit) + 1))[:size]
        short = long[: size // 10]
        default = measure(partial(scorer.score, sample, long))
        whole = measure(partial(unbounded.score, everything, long))
        tenth = measure(partial(unbounded.score, everything, short))
        naive = measure(partial(look_for, EVERYTHING, [long]), 0.05)
        out(f"{name:18} {default * 1e3:7.1f} ms {whole * 1e3:7.1f} ms {whole / tenth:7.1f} {naive * 1e3:6.1f} ms\n")


if __name__ == "__main__":
    main()
