"""Metrics that are Euclidean distance between transformed rows, and so are served by one exact search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True)
class Metric:
    """A metric d(x, y) = distance(|transform(x) - transform(y)|^2) of order equal to the Euclidean one.

    Attributes
    ----------
    transform : rows (samples, features) -> rows between which Euclidean distance has the order of the metric
    squared : squared Euclidean distance of transformed rows -> the metric's distance, squared
    power : multiplying the transformed rows by c multiplies the metric's distance by c to this power
    """

    transform: Callable[[Tensor], Tensor]
    squared: Callable[[Tensor], Tensor]
    power: int


def metric_named(name: str) -> Metric:
    """Return the metric of this name.

    Raises
    ------
    InputError : if there is none
    """
    if name not in METRICS:
        raise InputError(f"metric is {name!r}{did_you_mean(name, METRICS)}: give one of {', '.join(METRICS)}")
    return METRICS[name]


def _unchanged(values: Tensor) -> Tensor:
    return values


def _unit(rows: Tensor) -> Tensor:
    """Divide every row by its norm; a row of zeros stays, at the same distance from all directions."""
    largest = rows.abs().amax(1, keepdim=True).clamp_min(1e-300)
    rows = rows / largest
    norm = (rows**2).sum(1, keepdim=True).sqrt()
    return rows / norm.where(norm > 0, norm + 1)


def _unit_deviation(rows: Tensor) -> Tensor:
    return _unit(rows - rows.mean(1, keepdim=True))


def _squared_cosine(squared: Tensor) -> Tensor:
    # 1 - cos = |u - v|^2 / 2 for unit vectors
    return (squared / 2) ** 2


METRICS = {
    "euclidean": Metric(_unchanged, _unchanged, power=1),
    "cosine": Metric(_unit, _squared_cosine, power=2),
    "correlation": Metric(_unit_deviation, _squared_cosine, power=2),
}
