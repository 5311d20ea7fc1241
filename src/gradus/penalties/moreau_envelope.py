"""A penalty made smooth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import positive_checked, positive_step

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable


@dataclass(frozen=True)
class MoreauEnvelope:
    """The smooth function f(x) = min_u inner(u) + |u - x|^2 / (2 radius), at most ``inner`` and of the same minimum.

    Its gradient is 1 / radius Lipschitz, and it has a prox: a smooth part or a penalty. Of absolute values it is
    ``Huber``. Cost: one prox of the inner penalty, and for the value one value.

    Parameters
    ----------
    inner : a convex penalty
    radius : positive; the smaller, the nearer to ``inner``

    Raises
    ------
    InputError : if ``radius`` is not positive or not finite

    References
    ----------
    Moreau 1965; Parikh & Boyd 2014, Proximal Algorithms, section 3.1; Beck 2017, First-order methods in optimization,
    theorem 6.63 (the prox of an envelope)

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import L1
    >>> value, gradient = MoreauEnvelope(L1(1.0), radius=1.0).value_and_gradient(torch.tensor([3.0, -0.5]))
    >>> value.item(), gradient.tolist()
    (2.625, [1.0, -0.5])
    >>> MoreauEnvelope(L1(1.0), radius=1.0).prox(torch.tensor([3.0, -0.5]), step=1.0)
    tensor([ 2.0000, -0.2500])
    """

    inner: Proximable
    radius: float

    def __post_init__(self) -> None:
        positive_checked("MoreauEnvelope's radius", self.radius)

    def value(self, point: Tensor) -> Tensor:
        """Return the least of inner(u) + |u - x|^2 / (2 radius), a float64 scalar."""
        return self.value_and_gradient(point)[0]

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return the value and the gradient (x - p) / radius, p the inner prox of x."""
        nearest = self.inner.prox(point, self.radius)
        moved = point - nearest
        value = self.inner.value(nearest) + moved.double().square().sum() / (2.0 * self.radius)
        return value, moved / self.radius

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return v + t / (t + radius) (p - v), p the inner prox of v with the step t + radius."""
        reach = positive_step(step) + self.radius
        return point + (step / reach) * (self.inner.prox(point, reach) - point)
