"""The attraction as a gather of every row, rows in parallel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import logarithm
from gradus.kernels.student_attraction.abreast import pull_equal_edges
from gradus.kernels.threads import worth

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.student_attraction.graph import Affinities


def attraction(affinities: Affinities, targets: Tensor, sources: Tensor, dof: float) -> Tensor:
    """Return the attractive forces; see the package."""
    here, there = _rows(targets), _rows(sources)
    if targets is sources and here.shape[1] == 2 and here.dtype == np.float32 and affinities.abreast is not None:
        with worth(4 * len(affinities.neighbours)):
            return torch.from_numpy(pull_equal_edges(affinities.abreast, here, 1.0 / dof))
    forces = np.empty_like(here)
    kernel = _pull_plane if here.shape[1] == 2 else _pull
    with worth(4 * len(affinities.neighbours)):
        kernel(*_arrays(affinities), here, there, here.dtype.type(1.0 / dof), forces)
    return torch.from_numpy(forces)


def attraction_cost(affinities: Affinities, targets: Tensor, sources: Tensor, dof: float) -> Tensor:
    """Return the attractive part of the cost of every row; see the package."""
    here = _rows(targets)
    cost = np.empty(len(here), np.float64)
    with worth(16 * len(affinities.neighbours)):
        _cost(*_arrays(affinities), here, _rows(sources), float(dof), cost)
    return torch.from_numpy(cost)


def _rows(points: Tensor) -> np.ndarray:
    return np.ascontiguousarray(points.detach().numpy())


def _arrays(affinities: Affinities) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # unsigned, because an index that may be negative would cost a comparison per edge
    return affinities.offsets.numpy(), affinities.neighbours.numpy().view(np.uint32), affinities.weights.numpy()


@compiled(parallel=True)
def _pull_plane(
    offsets: np.ndarray,
    neighbours: np.ndarray,
    weights: np.ndarray,
    targets: np.ndarray,
    sources: np.ndarray,
    inverse_dof: float,
    forces: np.ndarray,
) -> None:
    """Two dimensions, each in an array of its own, so that a vector of neighbours is gathered at once."""
    across, along = sources[:, 0].copy(), sources[:, 1].copy()
    for i in numba.prange(len(targets)):
        edges = slice(offsets[i], offsets[i + 1])
        pull = _pull_row(targets[i], neighbours[edges], weights[edges], across, along, inverse_dof)
        forces[i, 0] = pull[0]
        forces[i, 1] = pull[1]


# every liberty but assuming that nothing is infinite or NaN
@compiled(fastmath={"reassoc", "contract", "arcp", "nsz"})
def _pull_row(
    target: np.ndarray,
    neighbours: np.ndarray,
    weights: np.ndarray,
    across: np.ndarray,
    along: np.ndarray,
    inverse_dof: float,
) -> tuple[float, float]:
    one = target.dtype.type(1)
    x, y = target[0], target[1]
    total_x, total_y = target.dtype.type(0), target.dtype.type(0)
    for edge in range(neighbours.size):
        dx = x - across[neighbours[edge]]
        dy = y - along[neighbours[edge]]
        pull = weights[edge] / (one + (dx * dx + dy * dy) * inverse_dof)
        total_x += pull * dx
        total_y += pull * dy
    return total_x, total_y


@compiled(parallel=True, fastmath={"reassoc", "contract", "arcp", "nsz"})
def _pull(
    offsets: np.ndarray,
    neighbours: np.ndarray,
    weights: np.ndarray,
    targets: np.ndarray,
    sources: np.ndarray,
    inverse_dof: float,
    forces: np.ndarray,
) -> None:
    one = targets.dtype.type(1)
    dimensions = targets.shape[1]
    for i in numba.prange(len(targets)):
        for axis in range(dimensions):
            forces[i, axis] = 0
        for edge in range(offsets[i], offsets[i + 1]):
            j = neighbours[edge]
            squared = targets.dtype.type(0)
            for axis in range(dimensions):
                difference = targets[i, axis] - sources[j, axis]
                squared += difference * difference
            pull = weights[edge] / (one + squared * inverse_dof)
            for axis in range(dimensions):
                forces[i, axis] += pull * (targets[i, axis] - sources[j, axis])


@compiled(parallel=True)
def _cost(
    offsets: np.ndarray,
    neighbours: np.ndarray,
    weights: np.ndarray,
    targets: np.ndarray,
    sources: np.ndarray,
    dof: float,
    cost: np.ndarray,
) -> None:
    columns = np.ascontiguousarray(sources.T)
    for i in numba.prange(len(targets)):
        edges = slice(offsets[i], offsets[i + 1])
        cost[i] = dof * _cost_row(targets[i], neighbours[edges], weights[edges], columns, 1.0 / dof)


@compiled(fastmath={"reassoc", "contract", "arcp", "nsz"})
def _cost_row(
    target: np.ndarray, neighbours: np.ndarray, weights: np.ndarray, columns: np.ndarray, inverse_dof: float
) -> float:
    bases = np.ones(neighbours.size, np.float64)
    for axis in range(target.size):
        here, there = target[axis], columns[axis]
        for edge in range(neighbours.size):
            difference = np.float64(here) - np.float64(there[neighbours[edge]])
            bases[edge] += difference * difference * inverse_dof
    total = 0.0
    for edge in range(neighbours.size):
        total += weights[edge] * logarithm(bases[edge])
    return total
