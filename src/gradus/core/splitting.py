"""A sum of penalties behind linear maps, pulled apart: one penalty that is used as it is, the others by their duals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable, Term

# products with A'A from which its norm is estimated; it is corrected later where a step shows that it was too small
NORM_PRODUCTS = 40
SEED = 0


@dataclass(frozen=True)
class Split:
    """The sum g(x) + sum_k h_k(A_k x), with A the maps A_k one below the other and a dual tensor u_k for each.

    Attributes
    ----------
    direct : g, the first term without a map; None for 0
    mapped : the other terms
    """

    direct: Proximable | None
    mapped: tuple[Term, ...]

    @classmethod
    def of(cls, terms: tuple[Term, ...]) -> Split:
        """Return the terms, the first one without a map set apart."""
        plain = [index for index, term in enumerate(terms) if term.map is None]
        if not plain:
            return cls(None, terms)
        first = plain[0]
        return cls(terms[first].penalty, terms[:first] + terms[first + 1 :])

    def prox(self, point: Tensor, step: float) -> Tensor:
        """Return the prox of g."""
        return point if self.direct is None else self.direct.prox(point, step)

    def times(self, point: Tensor) -> tuple[Tensor, ...]:
        """Return A x."""
        return tuple(point if term.map is None else term.map.times(point) for term in self.mapped)

    def adjoint_times(self, duals: tuple[Tensor, ...], like: Tensor) -> Tensor:
        """Return A' u, of the shape of ``like``."""
        total = torch.zeros_like(like)
        for term, dual in zip(self.mapped, duals, strict=True):
            total = total + (dual if term.map is None else term.map.adjoint_times(dual))
        return total

    def dual_step(self, duals: tuple[Tensor, ...], images: tuple[Tensor, ...], step: float) -> tuple[Tensor, ...]:
        """Return the prox of each step h_k* at u_k + step A_k x, by Moreau's identity; ``images`` are the A_k x."""
        ahead = [dual + step * image for dual, image in zip(duals, images, strict=True)]
        return tuple(
            moved - step * term.penalty.prox(moved / step, 1.0 / step)
            for term, moved in zip(self.mapped, ahead, strict=True)
        )

    def norm(self, like: Tensor) -> float:
        """Return an estimate from below of the largest singular value of A, for points of the shape of ``like``.

        0 where there is nothing to multiply. Cost: 40 products with A and with its adjoint.
        """
        # drawn in memory: the same on every device
        generator = torch.Generator().manual_seed(SEED)
        vector = torch.randn(like.shape, generator=generator, dtype=like.dtype).to(like.device)
        largest = 0.0
        for _ in range(NORM_PRODUCTS):
            length = float(torch.linalg.vector_norm(vector))
            if length == 0.0:
                break
            image = self.times(vector / length)
            largest = max(largest, distance(image))
            vector = self.adjoint_times(image, like)
        return largest


def distance(left: tuple[Tensor, ...], right: tuple[Tensor, ...] | None = None) -> float:
    """Return the norm of the difference of two tuples of tensors, or of one, summed in float64.

    Examples
    --------
    >>> distance((torch.ones(2), torch.ones(2)), (torch.zeros(2), torch.zeros(2)))
    2.0
    """
    differences = left if right is None else tuple(a - b for a, b in zip(left, right, strict=True))
    return math.sqrt(sum(float(each.double().square().sum()) for each in differences))
