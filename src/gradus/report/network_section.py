"""What a network learned: its first filters as pictures, and its loss over the epochs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.report.charts import Axis, LineChart, Series, Words, line_chart, number_axis
from gradus.report.pictures import signed_picture

if TYPE_CHECKING:
    from gradus.report.content import Network

_MOST_TICKS = 10
_MOST_FILTERS = 64


def network_section(network: Network) -> dict[str, Any]:
    """Return the pictures of the filters, each on a scale of its own, and the chart of the losses."""
    shown = network.filters[:_MOST_FILTERS]
    most = [float(np.abs(each).max()) or 1.0 for each in shown]
    return {
        "filters": [signed_picture(each, largest) for each, largest in zip(shown, most, strict=True)],
        "total": len(network.filters),
        "colour": network.filters.shape[3] == 3,
        "side": network.filters.shape[1],
        "chart": _chart(network.losses),
    }


def _chart(losses: tuple[float, ...]) -> LineChart | None:
    if len(losses) < 2 or not all(math.isfinite(loss) for loss in losses):
        return None
    epochs = tuple(float(epoch + 1) for epoch in range(len(losses)))
    titles = tuple(f"epoch {epoch + 1}: loss {loss:.4g}" for epoch, loss in enumerate(losses))
    every = max(1, math.ceil(len(losses) / _MOST_TICKS))
    x_axis = Axis(0.7, len(losses) + 0.3, tuple((epoch, f"{epoch:.0f}") for epoch in epochs[::every]))
    words = Words("Training loss over the epochs: " + "; ".join(titles), "epoch", "mean training loss (nats)")
    return line_chart(Series(epochs, losses, titles), x_axis, number_axis(min(losses), max(losses)), words)
