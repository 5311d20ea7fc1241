"""The sum of logarithms of absolute values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.penalties.checks import positive_checked, positive_step, strength_checked
from gradus.penalties.l1 import L1

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LogSum:
    """The penalty h(x) = strength * sum_i log(1 + |x_i| / epsilon); not convex.

    Cost of each method: O(n).

    Parameters
    ----------
    strength : not negative
    epsilon : positive; the smaller, the nearer to counting the entries that are not zero

    Raises
    ------
    InputError : if a number is outside its range

    References
    ----------
    Candes, Wakin & Boyd 2008, Enhancing sparsity by reweighted l1 minimization, section 2.2;
    Prater-Bennette, Shen & Tripp 2022, The proximity operator of the log-sum penalty, theorem 1

    Examples
    --------
    >>> import torch
    >>> round(LogSum(1.0, epsilon=1.0).value(torch.tensor([1.0, -3.0])).item(), 6)
    2.079442
    >>> LogSum(1.0, epsilon=1.0).prox(torch.tensor([2.0, -0.5]), step=1.0)
    tensor([1.6180, -0.0000])
    """

    strength: float
    epsilon: float = 1.0

    def __post_init__(self) -> None:
        strength_checked("LogSum", self.strength)
        positive_checked("LogSum's epsilon", self.epsilon)

    def value(self, point: Tensor) -> Tensor:
        """Return strength * sum_i log(1 + |x_i| / epsilon), a float64 scalar."""
        return self.strength * (point.double().abs() / self.epsilon).log1p().sum()

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the better of 0 and the larger root u of (u - |v|) (u + epsilon) + step * strength = 0.

        In float64: where both are nearly as good, the difference of their objectives decides.
        """
        threshold = positive_step(step) * self.strength
        size = point.double().abs()
        root = _larger_root(size, self.epsilon, threshold)
        # objective at the root less that at 0, of h + (u - |v|)^2 / 2
        change = threshold * (root / self.epsilon).log1p() + root * (0.5 * root - size)
        return point.sign() * root.where(change < 0, 0.0).to(point.dtype)

    def relaxation(self) -> L1:
        """Return the sum of absolute values, of the same strength."""
        return L1(self.strength)


def _larger_root(size: Tensor, epsilon: float, threshold: float) -> Tensor:
    """Return the larger root where it is real and positive, else 0."""
    square = (size + epsilon).square() - 4.0 * threshold
    spread = square.clamp_min(0.0).sqrt()
    # of the two forms of the root the one without cancellation
    far = 0.5 * (size - epsilon + spread)
    near = 2.0 * (epsilon * size - threshold) / (spread + (epsilon - size).clamp_min(0.0)).clamp_min(1e-300)
    root = far.where(size >= epsilon, near)
    return root.where(square >= 0, 0.0).clamp_min(0.0)
