"""The regularisation path: validation error and cross-entropy over the strength of the penalty, and a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gradus.report.charts import Axis, LineChart, Series, Words, line_chart, number_axis, percent_axis
from gradus.report.formatting import bounds, count, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Step = Mapping[str, Any]

_MISSING = "\N{EN DASH}"


def path_section(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the charts and the table of the path, or None where alpha was given."""
    fit = metrics.get("fit") or {}
    path: list[Step] = sorted(fit.get("path") or [], key=lambda step: step["alpha"])
    if len(path) < 2:
        return None
    chosen = path[_nearest(path, fit["alpha"])]
    strongest = fit.get("one_standard_error")
    other = None if strongest is None else path[_nearest(path, strongest)]
    kinds = (("error", "validation error"), ("cross_entropy", "validation cross-entropy (nats)"))
    charts = [
        _chart([step for step in path if step.get(name) is not None], name, label, (chosen, other))
        for name, label in kinds
    ]
    shown = [chart for chart in charts if chart is not None]
    if not shown:
        return None
    return {
        "charts": shown,
        "alpha": f"{fit['alpha']:.3g}",
        "strongest": None if other is None else f"{other['alpha']:.3g}",
        "rows": count(metrics["rows"]["validation"]),
        "table": [{"cells": _cells(step), "note": _note(step, chosen, other)} for step in reversed(path)],
    }


def _chart(steps: list[Step], name: str, label: str, marked: tuple[Step, Step | None]) -> LineChart | None:
    if len(steps) < 2:
        return None
    values = [step[name] for step in steps]
    band = tuple((step["low"], step["high"]) for step in steps if name == "error" and step.get("low") is not None)
    whole = band if len(band) == len(steps) else ()
    chosen, other = (next((at for at, step in enumerate(steps) if step is each), None) for each in marked)
    titles = tuple(_title(step, name) for step in steps)
    series = Series(tuple(_place(step["alpha"]) for step in steps), tuple(values), titles, whole, chosen, other)
    ends = [*values, *(limit for limits in whole for limit in limits)]
    y_axis = (percent_axis if name == "error" else number_axis)(min(ends), max(ends))
    words = Words(f"{label} over alpha: " + "; ".join(titles), "alpha, the strength of the penalty", label)
    return line_chart(series, _alpha_axis([step["alpha"] for step in steps]), y_axis, words)


def _title(step: Step, name: str) -> str:
    """Return what a point says when it is pointed at."""
    said = f"alpha {step['alpha']:.3g}: "
    if name == "error":
        said += percent(step["error"], 2) + (f" ({bounds(step)})" if step.get("low") is not None else "")
    else:
        said += f"{step[name]:.4g}"
    if step.get("relative_gap") is not None:
        said += f", gap {step['relative_gap']:.0e}"
    return said + (f", {_milliseconds(step)} ms" if step.get("seconds") is not None else "")


def _cells(step: Step) -> list[str]:
    gap, iterations = step.get("relative_gap"), step.get("iterations")
    entropy = step.get("cross_entropy")
    return [
        f"{step['alpha']:.3g}",
        percent(step.get("error"), 2),
        bounds(step) if step.get("low") is not None else _MISSING,
        _MISSING if entropy is None else f"{entropy:.4g}",
        _MISSING if gap is None else f"{gap:.1e}",
        _MISSING if iterations is None else count(iterations),
        _milliseconds(step),
    ]


def _milliseconds(step: Step) -> str:
    seconds = step.get("seconds")
    return _MISSING if seconds is None else f"{1000 * seconds:,.1f}"


def _note(step: Step, chosen: Step, other: Step | None) -> str:
    names = [name for name, each in (("chosen", chosen), ("one standard error", other)) if step is each]
    return ", ".join(names)


def _nearest(path: Sequence[Step], alpha: float) -> int:
    return min(range(len(path)), key=lambda at: abs(_place(path[at]["alpha"]) - _place(alpha)))


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
