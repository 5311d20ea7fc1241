"""Two classifiers on the same test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradus.report.formatting import count, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = {"convnet": "the network", "softmax": "softmax regression"}


def comparison_section(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the names of the two and a row for each k, or None where only one was fitted."""
    compared = metrics.get("comparison")
    if not compared:
        return None
    return {
        "a": _NAMES.get(compared["a"], compared["a"]),
        "b": _NAMES.get(compared["b"], compared["b"]),
        "rows": [_row(pair) for pair in compared["top_k"]],
        "tested": compared["top_k"][0]["rows"],
    }


def _row(pair: Mapping[str, Any]) -> dict[str, str]:
    return {
        "k": str(pair["k"]),
        "a": percent(pair["error_a"], 2),
        "b": percent(pair["error_b"], 2),
        "difference": _points(pair["difference"]),
        "interval": f"{_points(pair['low'])} to {_points(pair['high'])}",
        "only_a": count(pair["only_a_misses"]),
        "only_b": count(pair["only_b_misses"]),
        "p": f"{pair['exact_p']:.2g}",
    }


def _points(difference: float) -> str:
    return f"{100 * difference:+.2f}"
