"""Penalties of a vector that take many vectors at once, and what they share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class RowWise(Protocol):
    """A proximable function of a vector that can be applied to every row of a matrix in one go.

    ``value`` and ``prox`` of a point of any shape see its entries as one vector.
    """

    def value(self, point: Tensor) -> Tensor:
        """Return h(point), a float64 scalar."""

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return argmin_u h(u) + |u - point|^2 / (2 step)."""

    def values_of_rows(self, points: Tensor) -> Tensor:
        """Return h of each row of ``points`` (rows, n): float64 (rows,)."""

    def prox_of_rows(self, points: Tensor, step: float) -> Tensor:
        """Return the prox of each row of ``points`` (rows, n)."""


def as_row(point: Tensor) -> Tensor:
    """Return the entries of ``point`` as the only row of a matrix."""
    return point.reshape(1, -1)


def row_indicator(inside: Tensor) -> Tensor:
    """Return 0 where ``inside`` (rows,) holds, else infinity, in float64.

    Examples
    --------
    >>> row_indicator(torch.tensor([True, False])).tolist()
    [0.0, inf]
    """
    return torch.zeros(inside.shape, dtype=torch.float64, device=inside.device).where(inside, math.inf)


def most(points: Tensor) -> Tensor:
    """Return the largest entry of each row, minus infinity in a row without entries: (rows,)."""
    return points.amax(dim=1) if points.shape[1] else points.new_full((points.shape[0],), -math.inf)
