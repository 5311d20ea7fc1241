"""The function that t-SNE minimises."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from gradus.kernels.student_attraction import attraction, attraction_cost
from gradus.tsne.repulsion import ordered_sum

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.student_attraction import Affinities
    from gradus.tsne.repulsion import Repulsion

# the smallest Z that the gradient divides by: below it all pairs are so far apart that nothing repels
SMALLEST_NORMALISER = 1e-30


@dataclass(frozen=True)
class KLDivergence:
    """C(y) = sum_ij p_ij log(p_ij / q_ij), q_ij = w_ij / Z, w_ij = (1 + |y_i - y_j|^2 / a)^(-a): a ``Smooth``.

    Under an exaggeration rho the gradient is that of the affinities rho P, while the value stays the divergence from P
    itself.

    Attributes
    ----------
    affinities : symmetric, summing to 1
    repulsion : how the pairs are summed
    dof : degrees of freedom a > 0; 1 is t-SNE
    exaggeration : rho > 0

    References
    ----------
    van der Maaten & Hinton 2008, equation 5; Kobak et al. 2020, Heavy-tailed kernels reveal a finer cluster structure
    """

    affinities: Affinities
    repulsion: Repulsion
    dof: float = 1.0
    exaggeration: float = 1.0

    def value_and_gradient(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return the divergence (a scalar, float64) and the gradient at ``point`` (samples, dimensions).

        dC/dy_i = 4 sum_j (rho p_ij - q_ij) (1 + d_ij^2 / a)^(-1) (y_i - y_j)
        """
        gradient, normaliser = self._gradient(point)
        cost = ordered_sum(attraction_cost(self.affinities, point, point, self.dof))
        value = self.entropy + cost + math.log(max(normaliser, SMALLEST_NORMALISER))
        return torch.tensor(value, dtype=torch.float64), gradient

    def gradient(self, point: Tensor) -> Tensor:
        """Return the gradient alone, which saves a pass over the edges."""
        return self._gradient(point)[0]

    @cached_property
    def entropy(self) -> float:
        """Sum p log p, the part that no map changes."""
        weights = self.affinities.weights.double()
        return ordered_sum(torch.special.xlogy(weights, weights))

    def _gradient(self, point: Tensor) -> tuple[Tensor, float]:
        pull = attraction(self.affinities, point, point, self.dof)
        push, normaliser = self.repulsion(point)
        # in place, on what nobody else holds
        gradient = pull.mul_(4 * self.exaggeration).sub_(push, alpha=4 / max(normaliser, SMALLEST_NORMALISER))
        return gradient, normaliser
