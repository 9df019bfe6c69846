"""The page of the benchmark and its plot, which needs nothing but an SVG viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

WIDTH, HEIGHT, LEFT, TOP = 300, 170, 46, 34
COLOURS = {"no hole": "#6b7280", "hole": "#c2410c", "hole and gate": "#0f766e"}
MEASURES = {"hack": "Rate of the hack", "accuracy": "True accuracy"}

Rows = Sequence[Mapping[str, Any]]


def plot(rows: Rows, arms: Sequence[str]) -> str:
    """An SVG: a row a hack, the rate of the hack on the left and true accuracy on the right, a line for each arm and seed."""
    hacks = list(dict.fromkeys(row["hack"] for row in rows))
    parts = []
    for line, hack in enumerate(hacks):
        for column, (measure, title) in enumerate(MEASURES.items()):
            x, y = LEFT + column * (WIDTH + 70), TOP + line * (HEIGHT + 60)
            parts += _panel(x, y, f"{title}: {hack}", [row for row in rows if row["hack"] == hack], measure)
    width, height = LEFT + 2 * (WIDTH + 70), TOP + len(hacks) * (HEIGHT + 60) + 10
    for place, arm in enumerate(arms):
        parts.append(
            f'<text x="{LEFT + 130 * place}" y="{height - 6}" fill="{COLOURS[arm]}" font-weight="600">{arm}</text>'
        )
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="11" fill="#374151">\n<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _panel(x: int, y: int, title: str, rows: Rows, measure: str) -> list[str]:
    last = max((step["step"] for row in rows for step in row["steps"]), default=1)
    parts = [f'<text x="{x}" y="{y - 10}" font-weight="600">{title}</text>']
    for share in (0, 0.5, 1):
        level = y + HEIGHT * (1 - share)
        parts.append(f'<path d="M{x} {level:g}h{WIDTH}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{x - 6}" y="{level + 4:g}" text-anchor="end">{share:.0%}</text>')
    parts.append(f'<text x="{x + WIDTH}" y="{y + HEIGHT + 16}" text-anchor="end">step {last:g}</text>')
    for row in rows:
        points = [(x + WIDTH * one["step"] / last, y + HEIGHT * (1 - one[measure])) for one in row["steps"]]
        drawn = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{COLOURS[row["arm"]]}" stroke-width="1.6"/>')
    return parts


def page(record: Mapping[str, Any], arms: Sequence[str]) -> str:
    """The results as Markdown."""
    rows: Rows = record["runs"]
    seeds = sorted({row["seed"] for row in rows})
    lines = [
        "# A hole in the reward, and a gate",
        "",
        f"Measured by `python -m benchmarks.hacks{' --quick' if record['quick'] else ''}` on {record['hardware']}, "
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}.",
        *(QUICK_NOTE if record["quick"] else ()),
        "",
        "Nano is trained on accuracy and format, and on a further reward that was meant well and pays for a hack",
        "(benchmarks/hacks/holes.py): for repeating, for talking with itself, or for telling all that the profile holds.",
        "A hack is what the gate would close on; true accuracy is the share of completions that are right and no hack.",
        "`no hole` is trained without the further reward. First and last are means over the first and the last quarter of",
        "the logged steps; unseen are greedy answers about characters that nothing was trained on.",
        "",
        "![Rate of the hack and true accuracy by step](reward-hacks.svg)",
        "",
        "| hack | arm | hack, first | hack, last | hack, unseen | true accuracy, first | last | unseen |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for hack in dict.fromkeys(row["hack"] for row in rows):
        for arm in arms:
            mine = [row for row in rows if (row["hack"], row["arm"]) == (hack, arm) and row["steps"]]
            if mine:
                cells = [*_shares(mine, "hack"), *_shares(mine, "accuracy")]
                lines.append(f"| {hack} | {arm} | {' | '.join(f'{cell:.1%}' for cell in cells)} |")
    return "\n".join([*lines, ""])


QUICK_NOTE = (
    "",
    "**This is the quick form**: one seed, one hack, a student that is hardly trained and a few steps of GRPO. It shows that",
    "everything works and which way things go; the full form, three hacks and three seeds, has not been run here.",
)


def _shares(rows: Rows, measure: str) -> list[float]:
    quarter = max(1, len(rows[0]["steps"]) // 4)
    first = fmean(step[measure] for row in rows for step in row["steps"][:quarter])
    last = fmean(step[measure] for row in rows for step in row["steps"][-quarter:])
    return [first, last, fmean(row["unseen"]["trained"][measure] for row in rows)]
