"""From neighbours to affinities: the sparse symmetric matrix P whose entries sum to 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

from gradus.core.errors import InputError
from gradus.kernels.joint_graph import joint_graph
from gradus.kernels.perplexity_calibration import conditional_probabilities
from gradus.kernels.student_attraction import Affinities

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.tsne.neighbours import Neighbours

# a Gaussian of the given perplexity has next to no weight beyond this many times as many neighbours
NEIGHBOURS_PER_PERPLEXITY = 3


class Kernel(Protocol):
    """How much each of a row's neighbours belongs to it."""

    def count(self, samples: int) -> int:
        """Return how many neighbours of each of ``samples`` rows are needed; raise InputError if there are too few."""

    def weights(self, neighbours: Neighbours) -> Tensor:
        """Return p_(j|i), (samples, neighbours), rows summing to 1."""


@dataclass(frozen=True)
class Gaussian:
    """Gaussian weights, as wide in every row as makes their entropy the logarithm of ``perplexity``."""

    perplexity: float

    def count(self, samples: int) -> int:
        """Return three neighbours for each unit of perplexity, rounded down.

        Raises
        ------
        InputError : if there are fewer other rows than that, or if the perplexity is under 1

        Examples
        --------
        >>> Gaussian(30).count(samples=1797)
        90
        """
        largest = (samples - 1) / NEIGHBOURS_PER_PERPLEXITY
        if not self.perplexity >= 1:
            raise InputError(f"perplexity is {self.perplexity:g}, but it counts neighbours: give at least 1")
        if largest < 1:
            raise InputError(
                f"{samples} samples are too few for any perplexity, which takes 4 or more: "
                "give more samples, or n_neighbors=1"
            )
        if self.perplexity > largest:
            raise InputError(
                f"perplexity is {self.perplexity:g}, but it takes {NEIGHBOURS_PER_PERPLEXITY} neighbours for each "
                f"unit and {samples} samples have {samples - 1} each: give at most {math.floor(10 * largest) / 10:g}"
            )
        return int(NEIGHBOURS_PER_PERPLEXITY * self.perplexity)

    def weights(self, neighbours: Neighbours) -> Tensor:
        """Return p_(j|i) of the perplexity, (samples, neighbours)."""
        return conditional_probabilities(neighbours.squared, self.perplexity)


@dataclass(frozen=True)
class Gaussians:
    """The mean of the Gaussian weights of several perplexities, so that near and far neighbours both count.

    References
    ----------
    Lee, Peluffo-Ordonez & Verleysen 2015, Multi-scale similarities in stochastic neighbour embedding; Kobak & Berens
    2019, who mean perplexities 30 and samples / 100
    """

    perplexities: tuple[float, ...]

    def count(self, samples: int) -> int:
        """Return the neighbours that the largest perplexity takes; raises InputError as ``Gaussian`` does."""
        return max(Gaussian(perplexity).count(samples) for perplexity in self.perplexities)

    def weights(self, neighbours: Neighbours) -> Tensor:
        """Return the mean of p_(j|i) over the perplexities, (samples, neighbours)."""
        each = [Gaussian(perplexity).weights(neighbours) for perplexity in self.perplexities]
        return torch.stack(each).mean(0)


@dataclass(frozen=True)
class FixedGaussian:
    """Gaussian weights of the same width in every row: exp(-d^2 / (2 sigma^2)), scaled to sum to 1.

    Attributes
    ----------
    sigma : positive, in the units of the metric; much smaller than the distances it leaves each row its nearest
    neighbours : how many of each row's are weighed
    """

    sigma: float
    neighbours: int

    def count(self, samples: int) -> int:
        """Return the number of neighbours; raises InputError if there are fewer other rows, or if it is under 1."""
        return _available(self.neighbours, samples)

    def weights(self, neighbours: Neighbours) -> Tensor:
        """Return p_(j|i), (samples, neighbours)."""
        # how far a neighbour is beyond the nearest one decides, and does not underflow
        excess = neighbours.squared - neighbours.squared[:, :1]
        ratio = min(neighbours.unit / self.sigma, 1e150)
        return torch.softmax(-0.5 * ratio**2 * excess, dim=1)


@dataclass(frozen=True)
class Uniform:
    """The same weight for each of ``neighbours`` neighbours."""

    neighbours: int

    def count(self, samples: int) -> int:
        """Return the number of neighbours; raises InputError if there are fewer other rows, or if it is under 1."""
        return _available(self.neighbours, samples)

    def weights(self, neighbours: Neighbours) -> Tensor:
        """Return 1 / neighbours everywhere, (samples, neighbours)."""
        return torch.full_like(neighbours.squared, 1.0 / neighbours.count)


def _available(neighbours: int, samples: int) -> int:
    if not 1 <= neighbours < samples:
        raise InputError(
            f"n_neighbors is {neighbours}, but {samples} samples have {samples - 1} neighbours each: "
            f"give 1 to {samples - 1}"
        )
    return neighbours


def joint_affinities(neighbours: Neighbours, weights: Tensor) -> Affinities:
    """Return p_ij = (p_(j|i) + p_(i|j)) / 2n, which sum to 1, both directions of every edge stored.

    Examples
    --------
    >>> from gradus.tsne.neighbours import Neighbours
    >>> pair = Neighbours(torch.tensor([[1], [0]], dtype=torch.int32), torch.ones(2, 1, dtype=torch.float64))
    >>> joint_affinities(pair, Uniform(1).weights(pair)).weights
    tensor([0.5000, 0.5000])
    """
    return joint_graph(neighbours.indices, weights)


def row_affinities(neighbours: Neighbours, weights: Tensor) -> Affinities:
    """Return p_(j|i) as rows that each sum to 1: what draws new points into a fixed map."""
    samples, count = neighbours.indices.shape
    offsets = torch.arange(0, samples * count + 1, count, dtype=torch.int64, device=weights.device)
    return Affinities(offsets, neighbours.indices.reshape(-1), weights.reshape(-1).float())
