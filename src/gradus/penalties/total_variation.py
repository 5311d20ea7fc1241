"""The sum of absolute differences of neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.kernels.taut_string import taut_string
from gradus.penalties.checks import positive_step, strength_checked

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class TotalVariation:
    """The penalty h(x) = strength * sum_i |x_{i+1} - x_i|, which makes neighbours equal.

    It runs along the first axis; of a matrix each column is a signal of its own. It has no ``conjugate`` here: that is
    finite on signals of sum 0 only, and no use to a duality gap. Cost of the prox: O(n), exact.

    Parameters
    ----------
    strength : not negative

    Raises
    ------
    InputError : if ``strength`` is negative or not finite; at a call, if the point has no axis

    References
    ----------
    Davies & Kovac 2001, Local extremes, runs, strings and multiresolution, section 3; Condat 2013, A direct algorithm
    for 1-D total variation denoising, equations 1 to 4

    Examples
    --------
    >>> import torch
    >>> TotalVariation(2.0).value(torch.tensor([0.0, 1.0, 5.0, 6.0])).item()
    12.0
    >>> TotalVariation(1.0).prox(torch.tensor([0.0, 1.0, 5.0, 6.0]), step=1.0)
    tensor([1., 1., 5., 5.])
    """

    strength: float

    def __post_init__(self) -> None:
        strength_checked("TotalVariation", self.strength)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_i |x_{i+1} - x_i|, a float64 scalar."""
        return self.strength * _signals(point).double().diff(dim=1).abs().sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the slopes of the string pulled taut within step * strength of the running sums of v."""
        threshold = positive_step(step) * self.strength
        signals = _signals(point)
        denoised = taut_string(signals.double(), threshold).to(point.dtype)
        return denoised.T.reshape(point.shape)


def _signals(point: Tensor) -> Tensor:
    """Return the columns of ``point`` as rows."""
    if point.ndim == 0:
        raise InputError("TotalVariation was given a number; expected one axis or more, of which the first is in order")
    return point.reshape(point.shape[0], point[:1].numel()).T
