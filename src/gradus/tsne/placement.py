"""New points put into a map that stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core import progress
from gradus.kernels.student_attraction import attraction
from gradus.tsne.descent import GainDescent, Motion

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.student_attraction import Affinities
    from gradus.tsne.field import Field
    from gradus.tsne.neighbours import Neighbours

ITERATIONS = 250
# the force on a new point is at most about 1: half of it a step settles, and does not throw
RATE = 0.5
LONGEST_STEP = 1.0


@dataclass(frozen=True)
class Placement:
    """sum_j p_(j|i) log(p_(j|i) / q_(j|i)) of every new point i against a fixed map; the sum is a ``Smooth``.

    q_(j|i) = w_ij / Z_i with Z_i = sum_j w_ij over the points of the map, so new points do not feel each other and one
    at a time land where many land.

    Attributes
    ----------
    affinities : rows that each sum to 1, whose columns are points of the map
    fixed : the map, (others, dimensions)
    field : the repulsion of the map
    dof : degrees of freedom of the map
    """

    affinities: Affinities
    fixed: Tensor
    field: Field
    dof: float

    def gradient(self, point: Tensor) -> Tensor:
        """Return dC/dy_i = 2 sum_j (p_(j|i) - q_(j|i)) (1 + d_ij^2 / a)^(-1) (y_i - y_j).

        The factor is 2 and not 4, because a new point is in no other point's row.
        """
        pull = attraction(self.affinities, point, self.fixed, self.dof)
        push, potential = self.field(point)
        return 2 * (pull - push / potential.clamp_min(1e-30)[:, None].to(push.dtype))

    def start(self) -> Tensor:
        """Return, for every new point, the mean of its neighbours in the map weighted by their affinities."""
        count = len(self.affinities.neighbours) // self.affinities.samples
        neighbours = self.affinities.neighbours.reshape(-1, count)
        weights = self.affinities.weights.reshape(-1, count)
        return _weighted_median(self.fixed[neighbours.long()], weights)


def place(placement: Placement) -> Tensor:
    """Return the places of the new points, (samples, dimensions)."""
    motion = Motion.at_rest(placement.start())
    descent = GainDescent(RATE, longest_step=LONGEST_STEP)
    with progress.task("placing new points", total=ITERATIONS) as task:
        for _ in range(ITERATIONS):
            motion = descent.advance(motion, placement.gradient(motion.embedding))
            task.advance()
    return motion.embedding


def at_their_twins(placed: Tensor, neighbours: Neighbours, fixed: Tensor) -> Tensor:
    """Return the places, with every row at distance 0 from a row of the map moved to that row's place."""
    twins = neighbours.squared[:, :1] == 0
    return torch.where(twins, fixed[neighbours.indices[:, 0].long()], placed)


def _weighted_median(points: Tensor, weights: Tensor) -> Tensor:
    """Return the median of every coordinate, (samples, dimensions), of points (samples, neighbours, dimensions).

    A mean would start a point whose neighbours lie in two clusters in the empty space between them.
    """
    ordered, order = points.sort(1)
    reached = weights[:, :, None].expand_as(points).gather(1, order).double().cumsum(1)
    middle = (reached < reached[:, -1:] / 2).sum(1, keepdim=True).clamp_max(points.shape[1] - 1)
    return torch.gather(ordered, 1, middle).squeeze(1)
