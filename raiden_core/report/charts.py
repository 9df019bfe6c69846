"""Line charts and interval strips as SVG without a plotting library, so that the page needs no network.

A chart is data for the template, not markup: the template writes the SVG, so that every text in it is escaped in one
place. Coordinates are in the units of a 360 × 200 view box, about the pixels of a phone's width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 10, 26
"""Margins around the plotted area."""

MAX_POINTS = 240
"""More points than pixels help nobody and make the page big."""

SMOOTH_ABOVE = 30
"""Series longer than this are drawn as their running mean, with the raw values faint behind."""


@dataclass(frozen=True)
class Series:
    """One line: its name and its (x, y) points, x ascending."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """A series in view-box coordinates."""

    name: str
    path: str
    raw: str
    """The unsmoothed path; empty where ``path`` already is that."""
    first: str
    last: str
    """First and last value of the smoothed line, as text."""
    dots: list[tuple[float, float]]
    """Points to draw as dots, where a line would have nothing to connect."""


@dataclass(frozen=True)
class Chart:
    """Everything that the template needs to draw one chart."""

    title: str
    note: str
    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    probe: dict[str, object]
    """What the pointer shows: x positions, x labels and the values of each line there."""


def line_chart(title: str, series: Sequence[Series], note: str = "", share: bool = False) -> Chart:
    """A chart of one or more series.

    Args:
        title: what is shown.
        series: at least one, each with at least one point.
        note: a sentence that says how to read it.
        share: values are shares: the axis goes from 0 to 1 and is labelled in percent.
    """
    smooth = [_smooth(_thin(one.points)) for one in series]
    shown = [point for one in series for point in one.points]
    x_low, x_high = _span([x for x, _ in shown])
    if 0 < x_low < x_high / 4:
        x_low = 0.0
    y_low, y_high = (0.0, 1.0) if share else _span([y for _, y in shown])
    y_steps = [0.0, 0.25, 0.5, 0.75, 1.0] if share else nice_ticks(y_low, y_high)
    y_low, y_high = min(y_low, y_steps[0]), max(y_high, y_steps[-1])

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = LEFT + (point[0] - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (point[1] - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)
        return round(x, 1), round(y, 1)

    lines = []
    for one, line in zip(series, smooth, strict=True):
        raw = [place(point) for point in _thin(one.points)]
        drawn = [place(point) for point in line]
        lines.append(
            Line(
                name=one.name,
                path=_path(drawn),
                raw=_path(raw) if len(one.points) > SMOOTH_ABOVE else "",
                first=_value(line[0][1], share),
                last=_value(line[-1][1], share),
                dots=drawn if len(drawn) <= 2 else [],
            )
        )
    longest = max(smooth, key=len)
    values = [_values_at(line, [x for x, _ in longest], share) for line in smooth]
    return Chart(
        title=title,
        note=note,
        lines=lines,
        x_ticks=[(place((x, y_low))[0], compact(x)) for x in nice_ticks(x_low, x_high) if x_low <= x <= x_high],
        y_ticks=[(place((x_low, y))[1], _value(y, share)) for y in y_steps],
        probe={
            "x": [place((x, y_low))[0] for x, _ in longest],
            "step": [compact(x) for x, _ in longest],
            "lines": [{"name": one.name, "values": row} for one, row in zip(series, values, strict=True)],
        },
    )


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that cover ``low`` to ``high``; at least two."""
    step = 10 ** math.floor(math.log10((high - low) / count))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= count + 0.5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def compact(number: float) -> str:
    """A number in few characters: 1,200 · 0.034 · 2.1e-05."""
    if number == 0:
        return "0"
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    if abs(number) < 0.001:
        return f"{number:.0e}" if math.isclose(float(f"{number:.0e}"), number, rel_tol=1e-6) else f"{number:.1e}"
    return f"{number:.3g}"


def _value(number: float, share: bool) -> str:
    return f"{100 * number:.0f}%" if share else compact(number)


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest value, apart from each other."""
    low, high = min(values), max(values)
    if low == high:
        room = abs(low) * 0.1 or 1.0
        return low - room, high + room
    return low, high


def _thin(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `MAX_POINTS` points: neighbours are averaged."""
    width = math.ceil(len(points) / MAX_POINTS)
    groups = [points[start : start + width] for start in range(0, len(points), width)]
    return [(group[-1][0], sum(y for _, y in group) / len(group)) for group in groups]


def _smooth(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The centred running mean over a twelfth of the line, less of it at the ends; for long lines only."""
    if len(points) <= SMOOTH_ABOVE:
        return list(points)
    reach = max(1, len(points) // 24)
    smooth = []
    for number, (x, _) in enumerate(points):
        window = points[max(0, number - reach) : number + reach + 1]
        smooth.append((x, sum(y for _, y in window) / len(window)))
    return smooth


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _values_at(line: Sequence[tuple[float, float]], positions: Sequence[float], share: bool) -> list[str]:
    """The line's last value at or before each position, as text; empty before it starts."""
    values, place = [], -1
    for x in positions:
        while place + 1 < len(line) and line[place + 1][0] <= x:
            place += 1
        values.append(_value(line[place][1], share) if place >= 0 else "")
    return values
