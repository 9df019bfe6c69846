"""How fast the reward is: completions a second, and time against length.

    python benchmarks/rewards.py
    python benchmarks/rewards.py --against DIR     # the ratio of two builds' speeds; DIR is the other checkout

Prints one line a case: short answers (about 60 characters, two keywords) in four languages, a batch of 512, 1 MB of
plain and of hostile text, for each text the factor between 100 kB and 1 MB (up to 12 is linear), and the import. Hostile
text stands bare and behind a denied keyword, because that is where negation is looked for. A bare ``keyword in text``
loop runs beside it as the yardstick: it does nothing of what makes the score right.

With ``--against`` both builds answer in turn, each in a process of its own, so that what else the machine does slows
both; the ratio of their best times is printed (above 1: this build is faster) and nothing is written. No short or dense
text is scored twice, and no clause of one comes back in another: a word that is new stands in each, so that nothing that
a build remembers of a text flatters it.

Writes benchmarks/results/rewards.json with the hardware and the load. Times are those of one core, the best of several;
still, run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from raiden_core.rewards import Score, Scorer, accuracy_reward, fold, format_reward

RESULTS = Path(__file__).parent / "results" / "rewards.json"
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
OTHERS: dict[str, tuple[list[str], str]] = {
    "zh numbers": (
        ["十七岁", "3只猫"],
        "我今年十七岁，家里养了3只猫，每天放学以后都要先给它们喂食，然后才去写作业，我觉得这样的日子很开心，也很充实。",
    ),
    "en": (["London", "doctor"], "I grew up in London and I have been a doctor for a while now."),
    "en negated": (["London", "doctor"], "I'm not a cook. I live in London, and no, I don't lie, I'm a doctor."),
    "ja": (
        ["東京", "医者"],
        "私は東京で生まれて、今は小さな病院で医者をしています。毎日忙しいですが、患者さんと話すのはとても楽しいです。",
    ),
    "ja negated": (
        ["東京", "医者"],
        "大阪ではなく東京に住んでいます。教師ではありません、医者です。嘘は言いませんよ、本当です。毎日がとても楽しいです。",
    ),
    "ko": (
        ["서울", "의사"],
        "저는 서울에서 태어나서 지금은 작은 병원에서 의사로 일하고 있어요. 매일 바쁘지만 환자들과 이야기하면 즐거워요.",
    ),
    "ko negated": (
        ["서울", "의사"],
        "부산이 아니라 서울에 살아요. 선생님이 아니에요, 의사예요. 거짓말은 안 해요, 정말이에요. 매일매일 즐겁게 살아요.",
    ),
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
    "dashes": "- ",
    "questions": "? ",
    "wide commas": "，",
    "half-width marks": "\uff9e",
}
DENIED = "我不是医生"
DENSE = {
    "zh": ("医生", "我不是医生，也没当过医生，从来没有想过当医生。谁说我是医生？我可不是什么医生。"),
    "en": (
        "doctor",
        "I'm not a doctor, I have never been a doctor. Who says I'm a doctor? I don't want to be a doctor. ",
    ),
    "ja": ("医者", "私は医者ではありません。医者になったことはないし、医者じゃないんです。誰が医者だって？"),
    "ko": ("의사", "저는 의사가 아니에요. 의사가 된 적이 없고 의사라고 말하지도 않았어요. 누가 의사래요? "),
}
"""Little but negation: how fast the rules themselves are."""
NEW_WORDS = {
    "zh": ("".join(map(chr, range(0x8700, 0x8800))), 2),
    "en": ("abcdefghijklmnopqrstuvwxyz", 6),
    "ko": ("".join(map(chr, range(0xB098, 0xB198))), 2),
}
"""Letters of words that say nothing, and how many a word has."""
CALLS = 6
"""How often a build answers a workload of fresh texts in each round."""
ROUNDS = 3
"""How often each build answers each workload."""


def out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def measure(work: Callable[[], object], least: float = 0.3) -> float:
    """Seconds of one core for one call, the best of several."""
    best, until = float("inf"), time.perf_counter() + least
    while time.perf_counter() < until:
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def measure_fresh(work: Fresh) -> float:
    """Seconds of one core for one call, the best of a few, each with texts of its own."""
    best = float("inf")
    for _ in range(CALLS):
        work.prepare()
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def score_all(scorer: Scorer, sample: dict[str, Any], texts: list[str]) -> list[Score]:
    return [scorer.score(sample, text) for text in texts]


def look_for(keywords: list[str], texts: list[str]) -> list[bool]:
    return [all(keyword in text for keyword in keywords) for text in texts]


def short_answers(scorer: Scorer) -> dict[str, Any]:
    cases = {name: (KEYWORDS, completion) for name, completion in SHORT.items()}
    cases |= {name: (words, f"<think>.</think><answer>{says}</answer>") for name, (words, says) in OTHERS.items()}
    results = {}
    for name, (keywords, completion) in cases.items():
        sample = {"keywords": keywords, "answer": "我在长沙当医生。"}
        texts = [f"{completion.removesuffix('</answer>')}{number}</answer>" for number in range(2000)]
        seconds = measure(partial(score_all, scorer, sample, texts), 1.0) / len(texts)
        naive = measure(partial(look_for, keywords, texts)) / len(texts)
        results[name] = {"completions_per_second": round(1 / seconds), "naive_per_second": round(1 / naive)}
        out(f"short {name:12} {1 / seconds:10,.0f} completions/s   (keyword in text: {1 / naive:12,.0f})\n")
    return results


def batch_ms() -> float:
    batch = [f"{SHORT['zh'].removesuffix('</answer>')}{number}</answer>" for number in range(512)]
    columns = {"keywords": [KEYWORDS] * 512, "answer": ["我在长沙当医生。"] * 512, "validator": [None] * 512}
    seconds = measure(lambda: (accuracy_reward(batch, **columns), format_reward(batch, **columns)), 1.0)
    out(f"batch of 512, both rewards: {seconds * 1e3:.1f} ms\n")
    return round(seconds * 1e3, 2)


def megabytes(scorer: Scorer) -> dict[str, Any]:
    """Each text with the default length bound, bare and behind a denied keyword, and without any bound."""
    unbounded = Scorer(min_length_bound=10**9)
    sample = {"keywords": KEYWORDS, "answer": "我在长沙当医生。"}
    everything = {"keywords": EVERYTHING, "answer": "x"}
    results = {}
    out(f"{'1 MB of text':18} {'default':>10} {'denied':>10} {'no bound':>10} {'factor':>7} {'naive':>9}\n")
    for name, unit in HOSTILE.items():
        size = SIZE // len(unit.encode()) * len(unit)
        text = (unit * (size // len(unit) + 1))[:size]
        long = f"<think>.</think><answer>{text}"
        default = measure(partial(scorer.score, sample, long))
        denied = measure(partial(scorer.score, sample, f"<think>.</think><answer>{DENIED}{text}"))
        whole = measure(partial(unbounded.score, everything, long))
        tenth = measure(partial(unbounded.score, everything, long[: size // 10]))
        naive = measure(partial(look_for, EVERYTHING, [long]), 0.05)
        results[name] = {
            "default_ms": round(default * 1e3, 1),
            "denied_ms": round(denied * 1e3, 1),
            "no_bound_ms": round(whole * 1e3, 1),
            "factor": round(whole / tenth, 1),
        }
        times = f"{default * 1e3:7.1f} ms {denied * 1e3:7.1f} ms {whole * 1e3:7.1f} ms"
        out(f"{name:18} {times} {whole / tenth:7.1f} {naive * 1e3:6.1f} ms\n")
    return results


def import_seconds() -> float:
    """The best of five imports in a fresh interpreter; it fails if torch comes along."""
    code = (
        "import time; start = time.process_time(); import raiden_core.rewards, sys; "
        "assert 'torch' not in sys.modules; print(time.process_time() - start)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True) for _ in range(5)]
    seconds = min(float(run.stdout) for run in runs)
    out(f"import raiden_core.rewards: {seconds:.2f} s, without torch\n")
    return round(seconds, 3)


class Fresh:
    """Scores texts that are new in each call: behind every stop of ``says`` stands a word that is new.

    Making them is not timed, see `measure_fresh`.
    """

    def __init__(self, sample: dict[str, Any], says: str, count: int) -> None:
        self._scorer, self._sample, self._count = Scorer(), sample, count
        self._parts = re.split(r"(?<=[，,。.！？?])(?=.)", says)
        self._words = NEW_WORDS["en" if says.isascii() else "ko" if re.search("[가-힣]", says) else "zh"]
        self._random = random.Random(0)
        self.texts: list[str] = []

    def prepare(self) -> None:
        """The next texts."""
        self.texts = [
            f"<think>.</think><answer>{''.join(part + self._new_word() for part in self._parts)}</answer>"
            for _ in range(self._count)
        ]

    def __call__(self) -> list[Score]:
        return score_all(self._scorer, self._sample, self.texts)

    def _new_word(self) -> str:
        letters, size = self._words
        word = "".join(self._random.choices(letters, k=size))
        return f" {word} " if self._words is not NEW_WORDS["zh"] else word


def workloads() -> dict[str, Callable[[], object]]:
    """What two builds are compared on: short answers, dense negation, 1 MB of each text, the length bound off or on."""
    scorer, unbounded = Scorer(), Scorer(min_length_bound=10**9)
    loads: dict[str, Callable[[], object]] = {}
    bodies = (re.sub("^.*<answer>|</answer>$", "", completion) for completion in SHORT.values())
    cases = {name: (KEYWORDS, says) for name, says in zip(SHORT, bodies, strict=True)} | OTHERS
    for name, (keywords, says) in cases.items():
        loads[f"short {name}"] = Fresh({"keywords": keywords, "answer": "我在长沙当医生。"}, says, 500)
    for name, (keyword, says) in DENSE.items():
        loads[f"dense {name}"] = Fresh({"keywords": [keyword], "answer": "x"}, says * 2, 100)
    sample, everything = {"keywords": KEYWORDS, "answer": "我在长沙当医生。"}, {"keywords": EVERYTHING, "answer": "x"}
    for name, unit in HOSTILE.items():
        size = SIZE // len(unit.encode()) * len(unit)
        text = (unit * (size // len(unit) + 1))[:size]
        loads[f"1 MB {name}"] = partial(scorer.score, sample, f"<think>.</think><answer>{DENIED}{text}")
        loads[f"1 MB {name}, no bound"] = partial(unbounded.score, everything, f"<think>.</think><answer>{text}")
    return loads


def answer_with_times() -> None:
    """The worker of ``--against``: a line with a workload's name comes in, a line with its seconds goes out."""
    loads = workloads()
    fold("臺灣")
    for line in sys.stdin:
        work = loads[line.rstrip("\n")]
        if isinstance(work, Fresh):
            out(f"{measure_fresh(work)}\n")
            continue
        work()
        out(f"{measure(work, 0.02)}\n")


def compare(other: Path, only: str) -> None:
    """Both builds in turn over the workloads whose names begin with ``only``; prints the ratio of the best times."""
    here = Path(__file__).resolve().parents[1]
    builds = [
        subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "--worker"],
            env={**os.environ, "PYTHONPATH": str(root)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for root in (here, other.resolve())
    ]
    try:
        for name in (name for name in workloads() if name.startswith(only)):
            best = [float("inf")] * len(builds)
            for _ in range(ROUNDS):
                for place, build in enumerate(builds):
                    best[place] = min(best[place], _time_in(build, name))
            out(f"{name:36} {best[0] * 1e3:9.2f} ms {best[1] * 1e3:9.2f} ms {best[1] / best[0]:6.2f}x\n")
    finally:
        for build in builds:
            build.communicate()


def _time_in(build: subprocess.Popen[str], name: str) -> float:
    assert build.stdin is not None
    assert build.stdout is not None
    build.stdin.write(f"{name}\n")
    build.stdin.flush()
    return float(build.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the reward; see the module's docstring.")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the results' file")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout to compare with, in turn")
    parser.add_argument("--only", default="", metavar="PREFIX", help="with --against: short, dense, 1 MB …")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    path = arguments.out
    if arguments.worker:
        answer_with_times()
        return
    if arguments.against:
        compare(arguments.against, arguments.only)
        return
    # Not above: a worker of --against runs on builds that keep these elsewhere.
    from raiden_core.report.hardware import describe_hardware
    from raiden_core.stages.versions import installed_versions

    load = round(os.getloadavg()[0], 1)
    scorer = Scorer()
    fold("臺灣")
    record = {
        "benchmark": "rewards",
        "hardware": describe_hardware(),
        "load": load,
        "versions": installed_versions(),
        "short": short_answers(scorer),
        "batch_512_ms": batch_ms(),
        "megabyte": megabytes(scorer),
        "import_seconds": import_seconds(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    out(f"{path}\n")


if __name__ == "__main__":
    main()
