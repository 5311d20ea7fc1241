"""The attraction as a gather of every row, rows in parallel."""

from __future__ import annotations

import math

import numba
import numpy as np
import torch
from torch import Tensor

from gradus.kernels.student_attraction.graph import Affinities


def attraction(affinities: Affinities, targets: Tensor, sources: Tensor, dof: float) -> Tensor:
    """Return the attractive forces; see the package."""
    here, there = _rows(targets), _rows(sources)
    forces = np.empty_like(here)
    kernel = _pull_plane if here.shape[1] == 2 else _pull
    kernel(*_arrays(affinities), here, there, here.dtype.type(1.0 / dof), forces)
    return torch.from_numpy(forces)


def attraction_cost(affinities: Affinities, targets: Tensor, sources: Tensor, dof: float) -> Tensor:
    """Return the attractive part of the cost of every row; see the package."""
    here = _rows(targets)
    cost = np.empty(len(here), np.float64)
    _cost(*_arrays(affinities), here, _rows(sources), float(dof), cost)
    return torch.from_numpy(cost)


def _rows(points: Tensor) -> np.ndarray:
    return np.ascontiguousarray(points.detach().numpy())


def _arrays(affinities: Affinities) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return affinities.offsets.numpy(), affinities.neighbours.numpy(), affinities.weights.numpy()


@numba.njit(parallel=True, cache=True, fastmath=True, nogil=True)
def _pull_plane(
    offsets: np.ndarray,
    neighbours: np.ndarray,
    weights: np.ndarray,
    targets: np.ndarray,
    sources: np.ndarray,
    inverse_dof: float,
    forces: np.ndarray,
) -> None:
    """Two dimensions, both in registers."""
    one = targets.dtype.type(1)
    for i in numba.prange(len(targets)):
        x, y = targets[i, 0], targets[i, 1]
        total_x, total_y = one - one, one - one
        for edge in range(offsets[i], offsets[i + 1]):
            j = neighbours[edge]
            dx = x - sources[j, 0]
            dy = y - sources[j, 1]
            pull = weights[edge] / (one + (dx * dx + dy * dy) * inverse_dof)
            total_x += pull * dx
            total_y += pull * dy
        forces[i, 0] = total_x
        forces[i, 1] = total_y


@numba.njit(parallel=True, cache=True, fastmath=True, nogil=True)
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
            squared = one - one
            for axis in range(dimensions):
                difference = targets[i, axis] - sources[j, axis]
                squared += difference * difference
            pull = weights[edge] / (one + squared * inverse_dof)
            for axis in range(dimensions):
                forces[i, axis] += pull * (targets[i, axis] - sources[j, axis])


@numba.njit(parallel=True, cache=True, nogil=True)
def _cost(
    offsets: np.ndarray,
    neighbours: np.ndarray,
    weights: np.ndarray,
    targets: np.ndarray,
    sources: np.ndarray,
    dof: float,
    cost: np.ndarray,
) -> None:
    for i in numba.prange(len(targets)):
        total = 0.0
        for edge in range(offsets[i], offsets[i + 1]):
            squared = 0.0
            for axis in range(targets.shape[1]):
                difference = np.float64(targets[i, axis]) - np.float64(sources[neighbours[edge], axis])
                squared += difference * difference
            total += weights[edge] * math.log1p(squared / dof)
        cost[i] = dof * total
