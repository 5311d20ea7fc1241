"""The curve of the error over k."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gradus.report.charts import Axis, LineChart, Series, Words, line_chart, percent_axis
from gradus.report.formatting import bounds, error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_TICKS = 10


def top_k_section(metrics: Mapping[str, Any]) -> LineChart | None:
    """Return the chart of the error over k with the band of its interval, or None for a single k."""
    figures: Sequence[Mapping[str, Any]] = metrics["top_k"]
    if len(figures) < 2:
        return None
    k = [float(figure["k"]) for figure in figures]
    series = Series(
        tuple(k),
        tuple(figure["error"] for figure in figures),
        tuple(f"top-{figure['k']}: {error(figure)} ({bounds(figure)})" for figure in figures),
        tuple((figure["low"], figure["high"]) for figure in figures),
    )
    every = max(1, math.ceil(len(k) / _MOST_TICKS))
    x_axis = Axis(k[0] - 0.3, k[-1] + 0.3, tuple((value, f"{value:.0f}") for value in k[::every]))
    y_axis = percent_axis(0.0, max(figure["high"] for figure in figures))
    summary = "Error over k: " + "; ".join(series.titles)
    return line_chart(series, x_axis, y_axis, Words(summary, "k, the number of classes offered", "top-k error"))
