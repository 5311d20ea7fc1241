"""Absolute values, squares and norms of rows: the penalties whose optimality is told entry by entry or row by row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Tensor

HALVINGS = 50


class Terms(NamedTuple):
    """The penalty of the first ``rows`` rows of a matrix, sum_ij (a |x_ij| + s x_ij^2 / 2) + n sum_i |x_i|.

    The rows below are free. A *unit* is what becomes zero as a whole: a row if n > 0, else an entry.

    Attributes
    ----------
    absolute : a, not negative
    square : s, not negative
    rows : how many rows are penalised
    norm : n, not negative
    """

    absolute: float
    square: float
    rows: int
    norm: float = 0.0

    @property
    def by_rows(self) -> bool:
        """Whether a unit is a row."""
        return self.norm > 0

    @property
    def threshold(self) -> float:
        """Up to where the ``steepness`` of a unit at 0 keeps it there."""
        return self.norm if self.by_rows else self.absolute

    @property
    def reach(self) -> float:
        """So many times sum_i w_i |x_ij| no feature's steepness exceeds, where no sample's residuals exceed sqrt(2)."""
        return math.sqrt(2.0) if self.by_rows else 1.0

    def steepness(self, slopes: Tensor) -> Tensor:
        """Return the size of each unit's slopes, of rows after soft-thresholding; (units,), float64."""
        wide = slopes.double()
        return _lengths(_soft(wide, self.absolute)) if self.by_rows else wide.abs().reshape(-1)

    def steepest_of_rows(self, slopes: Tensor) -> Tensor:
        """Return the largest ``steepness`` in each row, (rows,)."""
        if self.by_rows:
            return self.steepness(slopes)
        steepest: Tensor = torch.linalg.vector_norm(slopes, ord=math.inf, dim=1)
        return steepest

    def times(self, factor: float) -> Terms:
        """Return the same with absolute values and norms so many times as strong."""
        return self._replace(absolute=factor * self.absolute, norm=factor * self.norm)

    def strengths(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return a and s of every entry of the flat ``point``, float64."""
        penalised = self._penalised(point)[:, None].expand(point.shape)
        return (self.absolute * penalised).ravel(), (self.square * penalised).ravel()

    def norms(self, point: Tensor) -> Tensor:
        """Return n of every row, (rows of the point,), float64."""
        return self.norm * self._penalised(point)

    def prox(self, point: Tensor) -> Tensor:
        """Return the proximal point at step 1, float64."""
        absolute, square = (part.reshape(point.shape) for part in self.strengths(point))
        shrunk = _soft(point.double(), absolute) / (1.0 + square)
        lengths = _lengths(shrunk) * (1.0 + square[:, 0])
        kept = (1.0 - self.norms(point) / lengths.clamp_min(torch.finfo(torch.float64).tiny)).clamp_min(0.0)
        return shrunk * kept[:, None]

    def value(self, point: Tensor) -> float:
        """Return the penalty of ``point``."""
        wide, total = point[: self.rows].double(), 0.0
        # what has no strength takes no arithmetic: of few weights these are asked for many times
        if self.absolute > 0:
            total += self.absolute * float(wide.abs().sum())
        if self.square > 0:
            total += 0.5 * self.square * float(wide.square().sum())
        return total + self.norm * float(_lengths(wide).sum()) if self.by_rows else total

    def violations(self, point: Tensor, gradient: Tensor) -> Tensor:
        """Return the distance of 0 from every unit's subdifferential, (units,), float64."""
        wide = point.double()
        absolute, square = (part.reshape(point.shape) for part in self.strengths(point))
        slope = gradient.double() + square * wide
        if not self.by_rows:
            at_zero = (slope.abs() - absolute).clamp_min(0.0)
            return torch.where(wide != 0, (slope + absolute * wide.sign()).abs(), at_zero).ravel()
        lengths, norms = _lengths(wide), self.norms(point)
        towards = (norms / lengths.clamp_min(torch.finfo(torch.float64).tiny))[:, None] * wide
        moving = torch.where(wide != 0, slope + towards + absolute * wide.sign(), _soft(slope, absolute))
        return torch.where(lengths > 0, _lengths(moving), (_lengths(_soft(slope, absolute)) - norms).clamp_min(0.0))

    def held(self, point: Tensor) -> Tensor:
        """Return which units are free or not zero, (units,)."""
        held = point != 0
        held[self.rows :] = True
        return held.any(dim=1) if self.by_rows else held.ravel()

    def nearness(self, gradient: Tensor, share: float) -> Tensor:
        """Return by how much the slope of each unit exceeds ``share`` of its threshold, (units,), not negative."""
        return (self.steepness(gradient) - share * self.threshold).clamp_min(0.0)

    def entries(self, units: Tensor, point: Tensor) -> Tensor:
        """Return the units' entries, indices into the flat point, column by column: of rows, all first columns first.

        units : (units,), ascending
        """
        width = point.shape[1]
        if self.by_rows:
            return (units[None] * width + torch.arange(width, device=units.device)[:, None]).ravel()
        return units[torch.argsort(units % width, stable=True)]

    def gap_estimate(self, point: Tensor, value: float, gradient: Tensor) -> float:
        """Return about what the duality gap is relative to the value, for a smooth part f that is not negative.

        The gap at the dual point s g is f(x) + f*(s g) + h(x) + h*(-s g). If the minimum of f is 0, it is at most
        (1 - s) f(x) + h(x) + s <g, x> + h*(-s g), which with squares is small for s = 1. Without, s is as large as h*
        lets it be, and (1 - s)^2 f(x) is nearer: at s = 1 the slope of f*(s g) is <g, x>.
        """
        wide, slopes = point[: self.rows].double(), gradient[: self.rows].double()
        penalty, product = self.value(point), (wide * slopes).sum().item()
        unbalanced = gradient[self.rows :].double().abs().sum().item()
        scale = min(1.0, self.feasible(slopes))
        beyond = (1 - scale) * value
        if self.square > 0:
            gap = beyond + penalty + scale * product
            excess = (_lengths(_soft(slopes, self.absolute)) - self.norm).clamp_min(0.0)
            gap = min(gap, penalty + product + excess.square().sum().item() / (2 * self.square))
        else:
            gap = (1 - scale) * beyond + penalty + scale * product
        return (gap + unbalanced) / max(value + penalty, torch.finfo(torch.float64).tiny)

    def _penalised(self, point: Tensor) -> Tensor:
        penalised = torch.zeros(len(point), dtype=torch.float64, device=point.device)
        penalised[: self.rows] = 1.0
        return penalised

    def feasible(self, slopes: Tensor) -> float:
        """Return the largest s for which s times the slopes is in the subdifferential of a |.| + n |.| at 0."""
        steepest = float(slopes.abs().max()) if slopes.numel() else 0.0
        if steepest == 0:
            return 1.0
        if not self.by_rows:
            return self.absolute / steepest
        if self.absolute == 0:
            return self.norm / float(_lengths(slopes).max())
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            inside = bool((_lengths(_soft(middle * slopes, self.absolute)) <= self.norm).all())
            low, high = (middle, high) if inside else (low, middle)
        return low


def rise(begin: Tensor, moved: Tensor, strengths: tuple[Tensor, Tensor, Tensor]) -> float:
    """Return by how much the penalty rises from ``begin`` to ``begin + moved``, without cancellation.

    strengths : a and s of each entry, and n of each row, of which there are none if no norm counts
    """
    absolute, square, norms = strengths
    total = absolute * ((begin + moved).abs() - begin.abs()) + square * moved * (begin + 0.5 * moved)
    if not len(norms):
        return float(total.sum())
    start, step = begin.reshape(-1, len(norms)), moved.reshape(-1, len(norms))
    lengths = torch.linalg.vector_norm(start, dim=0) + torch.linalg.vector_norm(start + step, dim=0)
    longer = (step * (2 * start + step)).sum(dim=0) / lengths.clamp_min(torch.finfo(torch.float64).tiny)
    return float(total.sum() + (norms * longer).sum())


def _soft(point: Tensor, threshold: Tensor | float) -> Tensor:
    return point.sign() * (point.abs() - threshold).clamp_min(0.0)


def _lengths(rows: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1)
    return lengths
