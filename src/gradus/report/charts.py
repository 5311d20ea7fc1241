"""Geometry of the page's small charts; the template draws what is computed here."""

from __future__ import annotations

import math
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 44


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis, in pixels of the chart."""

    place: float
    label: str


@dataclass(frozen=True)
class Mark:
    """A point of the line, in pixels, with what it says when pointed at."""

    x: float
    y: float
    title: str
    chosen: bool = False
    other: bool = False


@dataclass(frozen=True)
class Axis:
    """From values to pixels, with the ticks between."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float, start: float, stop: float) -> float:
        """Return where ``value`` stands between the pixels ``start`` and ``stop``."""
        share = (value - self.low) / (self.high - self.low)
        return round(start + share * (stop - start), 2)


@dataclass(frozen=True)
class Series:
    """What a chart shows: points, what each says, a band around them where there is one, and points to mark."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    titles: tuple[str, ...]
    band: tuple[tuple[float, float], ...] = ()
    chosen: int | None = None
    other: int | None = None


@dataclass(frozen=True)
class LineChart:
    """A line with marks, ready to be drawn in a box of WIDTH x HEIGHT pixels."""

    summary: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    band: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM

    @property
    def line(self) -> str:
        """The marks as an SVG list of points."""
        return " ".join(f"{mark.x},{mark.y}" for mark in self.marks)


@dataclass(frozen=True)
class Words:
    """What is written on and about a chart."""

    summary: str
    x_label: str
    y_label: str


def line_chart(series: Series, x_axis: Axis, y_axis: Axis, words: Words) -> LineChart:
    """Place a series in the chart's box.

    Examples
    --------
    >>> axis = Axis(0.0, 1.0, ((0.0, "0"), (1.0, "1")))
    >>> line_chart(Series((0.0, 1.0), (0.0, 1.0), ("", "")), axis, axis, Words("", "", "")).line
    '56.0,236.0 548.0,12.0'
    """

    def across(value: float) -> float:
        return x_axis.place(value, _LEFT, WIDTH - _RIGHT)

    def up(value: float) -> float:
        return y_axis.place(value, HEIGHT - _BOTTOM, _TOP)

    marks = tuple(
        Mark(across(x), up(y), title, chosen=position == series.chosen, other=position == series.other)
        for position, (x, y, title) in enumerate(zip(series.x, series.y, series.titles, strict=True))
    )
    forth = [f"{across(x)},{up(low)}" for x, (low, _) in zip(series.x, series.band, strict=False)]
    back = [f"{across(x)},{up(high)}" for x, (_, high) in zip(series.x, series.band, strict=False)]
    return LineChart(
        words.summary,
        words.x_label,
        words.y_label,
        tuple(Tick(across(value), label) for value, label in x_axis.ticks),
        tuple(Tick(up(value), label) for value, label in y_axis.ticks),
        marks,
        " ".join(forth + back[::-1]),
    )


def round_steps(low: float, high: float, most: int = 5) -> list[float]:
    """Return at most about ``most`` round values that enclose [low, high].

    Examples
    --------
    >>> round_steps(0.0, 0.074)
    [0.0, 0.02, 0.04, 0.06, 0.08]
    """
    span = high - low if high > low else abs(high) or 1.0
    rough = span / most
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil((low + span if high <= low else high) / step - 1e-9)
    return [round(position * step, 12) for position in range(first, last + 1)]


def percent_axis(low: float, high: float) -> Axis:
    """Return an axis of fractions, labelled in per cent."""
    steps = round_steps(low, high)
    digits = max(0, math.ceil(-math.log10(100 * (steps[1] - steps[0])) - 1e-9))
    digits += round(100 * (steps[1] - steps[0]), 9) not in {round(10.0**-digits * m, 9) for m in (1, 2, 5, 10, 20, 50)}
    return Axis(steps[0], steps[-1], tuple((step, f"{100 * step:.{digits}f} %") for step in steps))


def number_axis(low: float, high: float) -> Axis:
    """Return an axis of plain numbers."""
    steps = round_steps(low, high)
    return Axis(steps[0], steps[-1], tuple((step, f"{step:g}") for step in steps))
