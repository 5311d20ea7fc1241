"""The convex conjugate of a penalty, as a penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import ROUNDING, positive_step

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Conjugable


@dataclass(frozen=True)
class ConjugateOf:
    """The penalty h(x) = inner*(x) = sup_u <x, u> - inner(u).

    Cost: that of the inner penalty's methods.

    Parameters
    ----------
    inner : a convex penalty with a conjugate

    References
    ----------
    Moreau 1965; Parikh & Boyd 2014, Proximal Algorithms, section 2.5

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import L1
    >>> ConjugateOf(L1(1.0)).prox(torch.tensor([3.0, -0.5]), step=2.0)  # clips, as ``LInfBall(1.0)`` does
    tensor([ 1.0000, -0.5000])
    """

    inner: Conjugable

    def value(self, point: Tensor) -> Tensor:
        """Return inner*(x), a float64 scalar; a point within rounding errors of its domain counts as inside."""
        gauge = self.inner.gauge(point)
        if 1.0 < gauge <= 1.0 + ROUNDING:
            point = point.double() / (gauge * (1.0 + 1e-12))
        return self.inner.conjugate(point)

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return v - step * p, p the inner prox of v / step with the step 1 / step: Moreau's decomposition."""
        return point - positive_step(step) * self.inner.prox(point / step, 1.0 / step)
