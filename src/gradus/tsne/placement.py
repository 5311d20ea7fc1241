"""New points put into a map that stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.core import progress
from gradus.kernels.student_attraction import attraction
from gradus.tsne.descent import GainDescent, Motion

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.student_attraction import Affinities
    from gradus.tsne.field import Field

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
        """Return, for every new point, the median of its neighbours in the map weighted by their affinities.

        A mean would start a point whose neighbours lie in two clusters in the empty space between them.
        """
        axes = [weighted_medians(axis, self.affinities) for axis in self.fixed.T]
        return torch.stack(axes, 1)


def place(placement: Placement) -> Tensor:
    """Return the places of the new points, (samples, dimensions)."""
    motion = Motion.at_rest(placement.start())
    descent = GainDescent(RATE, longest_step=LONGEST_STEP)
    with progress.task("placing new points", total=ITERATIONS) as task:
        for _ in range(ITERATIONS):
            motion = descent.advance(motion, placement.gradient(motion.embedding))
            task.advance()
    return motion.embedding


def at_their_twins(placed: Tensor, twins: Tensor, fixed: Tensor) -> Tensor:
    """Return the places, with every row that equals row ``twins`` (>= 0) of the map moved to that row's place."""
    return torch.where((twins >= 0)[:, None], fixed[twins.clamp_min(0)], placed)


def weighted_medians(values: Tensor, affinities: Affinities) -> Tensor:
    """Return for every row of ``affinities`` the least value of its columns that half the row's weight does not exceed.

    Examples
    --------
    >>> from gradus.kernels.student_attraction import Affinities
    >>> row = Affinities(torch.tensor([0, 3]), torch.tensor([2, 0, 1]), torch.tensor([0.2, 0.5, 0.3]))
    >>> weighted_medians(torch.tensor([7.0, 9.0, 1.0]), row)
    tensor([7.])
    """
    offsets, columns = affinities.offsets.numpy(), affinities.neighbours.numpy()
    row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    ordered = values.numpy()[columns]
    order = np.lexsort((ordered, row))
    weight = affinities.weights.numpy()[order].astype(np.float64)
    # summed row by row, so that no other row's weight rounds into this one's
    reached = [np.cumsum(part) for part in np.split(weight, offsets[1:-1])]
    place = [start + int(np.searchsorted(sums, sums[-1] / 2)) for start, sums in zip(offsets, reached, strict=False)]
    return torch.from_numpy(ordered[order][np.array(place, dtype=np.int64)])
