"""The sum of sorted absolute values, each with a weight of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.kernels.isotonic import nonincreasing
from gradus.penalties.checks import indicator, positive_step, ratio, strength_checked
from gradus.penalties.row_wise import as_row

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Slope:
    """The penalty h(x) = sum_i weights_i |x|_(i), |x|_(1) >= |x|_(2) >= ... : sorted l1, which makes entries equal.

    Cost of the prox: a sort and isotonic regression, O(n log n).

    Parameters
    ----------
    weights : (n,), one for each entry of the point, not negative, not rising; equal weights are ``L1``

    Raises
    ------
    InputError : if the weights are others than these; at a call, if the point has another number of entries

    References
    ----------
    Bogdan, van den Berg, Sabatti, Su & Candes 2015, SLOPE: adaptive variable selection via convex optimization,
    algorithm 3 and proposition 1.1

    Examples
    --------
    >>> penalty = Slope(torch.tensor([2.0, 1.0]))
    >>> penalty.value(torch.tensor([0.5, -3.0])).item()
    6.5
    >>> penalty.prox(torch.tensor([4.0, -3.5]), step=1.0)
    tensor([ 2.2500, -2.2500])
    """

    weights: Tensor

    def __post_init__(self) -> None:
        weights = self.weights
        ordered = weights.ndim == 1 and bool((weights.diff() <= 0).all())
        if not (ordered and bool(weights.isfinite().all()) and bool((weights >= 0).all())):
            raise InputError(
                f"Slope's weights have the shape {tuple(weights.shape)}; expected (n,), finite, not negative and not "
                "rising: sort them in descending order"
            )

    @classmethod
    def for_false_discoveries(cls, strength: float, size: int, rate: float = 0.1) -> Slope:
        """Return the weights strength * quantile(1 - i rate / 2n) of the normal distribution, i = 1 .. n = ``size``.

        With independent features and noise of standard deviation ``strength`` the share of wrong ones among the entries
        that are not zero is at most ``rate`` in expectation (theorem 1.1 of the reference).

        Examples
        --------
        >>> Slope.for_false_discoveries(1.0, size=3).weights
        tensor([2.1280, 1.8339, 1.6449], dtype=torch.float64)
        """
        strength_checked("Slope", strength)
        if not (size >= 0 and 0 < rate < 1):
            raise InputError(
                f"Slope's size is {size} and rate {rate}; expected a whole number >= 0, and rate in (0, 1)"
            )
        ranks = torch.arange(1, size + 1, dtype=torch.float64)
        return cls(-strength * torch.special.ndtri(ranks * rate / (2 * size)))

    def value(self, point: Tensor) -> Tensor:
        """Return sum_i weights_i |x|_(i), a float64 scalar."""
        return self.values_of_rows(as_row(point)).sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Take step * weights from the sorted absolute values, make what is left not rise, and drop what is below 0."""
        return self.prox_of_rows(as_row(point), step).reshape(point.shape)

    def values_of_rows(self, points: Tensor) -> Tensor:
        """Return the value of each row, (rows,)."""
        return (self._weights(points) * points.double().abs().sort(dim=1, descending=True).values).sum(dim=1)

    def prox_of_rows(self, points: Tensor, step: float) -> Tensor:
        """Return the prox of each row."""
        threshold = positive_step(step) * self._weights(points)
        size, order = points.double().abs().sort(dim=1, descending=True)
        kept = nonincreasing(size - threshold).clamp_min(0.0)
        return points.sign() * torch.zeros_like(kept).scatter(1, order, kept).to(points.dtype)

    def conjugate(self, point: Tensor) -> Tensor:
        """Return 0 where |v|_(1) + ... + |v|_(i) <= weights_1 + ... + weights_i for all i, else infinity."""
        return indicator(point, self.gauge(point) <= 1.0)

    def gauge(self, point: Tensor) -> float:
        """Return the largest ratio of those sums, the dual norm."""
        row = as_row(point)
        limits = self._weights(row).cumsum(dim=0)
        sums = row.double().abs().sort(dim=1, descending=True).values[0].cumsum(dim=0)
        return max(
            (ratio(above, below) for above, below in zip(sums.tolist(), limits.tolist(), strict=True)), default=0.0
        )

    def _weights(self, points: Tensor) -> Tensor:
        if points.shape[1] != len(self.weights):
            raise InputError(
                f"Slope was given {points.shape[1]} entries and has {len(self.weights)} weights: give one each"
            )
        return self.weights.to(device=points.device, dtype=torch.float64)
