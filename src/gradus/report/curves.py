"""The two curves of the page: error over k, and validation error over the strength of the penalty."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gradus.report.charts import Axis, LineChart, Series, Words, line_chart, number_axis, percent_axis
from gradus.report.formatting import bounds, error, percent

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


def path_section(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the charts of validation error and cross-entropy over alpha, or None where alpha was given."""
    fit = metrics.get("fit") or {}
    path = sorted(fit.get("path") or [], key=lambda step: step["alpha"])
    if len(path) < 2:
        return None
    chosen = min(range(len(path)), key=lambda step: abs(_place(path[step]["alpha"]) - _place(fit["alpha"])))
    x_axis = _alpha_axis([step["alpha"] for step in path])
    charts = []
    for name, label in (("error", "validation error"), ("cross_entropy", "validation cross-entropy (nats)")):
        known = [step for step in path if step.get(name) is not None]
        if len(known) < 2:
            continue
        values = [step[name] for step in known]
        titles = [f"alpha {step['alpha']:.3g}: {_value(name, step[name])}" for step in known]
        at = known.index(path[chosen]) if path[chosen] in known else None
        series = Series(tuple(_place(step["alpha"]) for step in known), tuple(values), tuple(titles), chosen=at)
        y_axis = (percent_axis if name == "error" else number_axis)(min(values), max(values))
        words = Words(f"{label} over alpha: " + "; ".join(titles), "alpha, the strength of the penalty", label)
        charts.append(line_chart(series, x_axis, y_axis, words))
    return (
        {"charts": charts, "alpha": f"{fit['alpha']:.3g}", "steps": path, "fit": fit, "chosen": chosen}
        if charts
        else None
    )


def _value(name: str, value: float) -> str:
    return percent(value, 2) if name == "error" else f"{value:.4g}"


def _place(alpha: float) -> float:
    """Return where alpha stands on a logarithmic axis; zero goes below any other."""
    return math.log10(alpha) if alpha > 0 else -12.0


def _alpha_axis(alphas: Sequence[float]) -> Axis:
    places = [_place(alpha) for alpha in alphas]
    low, high = min(places), max(places)
    margin = 0.04 * (high - low or 1.0)
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    every = max(1, math.ceil((last - first + 1) / 7))
    ticks = [(float(power), _power(power)) for power in range(first, last + 1, every)]
    if len(ticks) < 2:
        ticks = [(low, f"{10**low:.2g}"), (high, f"{10**high:.2g}")]
    return Axis(low - margin, high + margin, tuple(ticks))


def _power(power: int) -> str:
    return f"{10.0**power:g}"
