"""The all-pairs repulsion: targets in parallel, sources in blocks that are summed in float64 in a fixed order."""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

# long enough for vector lanes, short enough that a sum of this many float32 stays exact to about 1e-6
BLOCK = 512


def repulsion(targets: Tensor, sources: Tensor, dof: float) -> tuple[Tensor, Tensor]:
    """Return the repulsive forces and the potential; see the package."""
    here = np.ascontiguousarray(targets.detach().numpy())
    # one row per dimension, so that neighbouring sources fill the lanes of a vector
    there = np.ascontiguousarray(sources.detach().numpy().T)
    forces = np.empty_like(here)
    potential = np.empty(len(here), np.float64)
    if here.shape[1] == 2 and dof == 1.0:
        _plane_cauchy(here, there, forces, potential)
    else:
        _any(here, there, here.dtype.type(dof), (forces, potential))
    return torch.from_numpy(forces), torch.from_numpy(potential)


@numba.njit(parallel=True, cache=True, fastmath=True, nogil=True)
def _plane_cauchy(targets: np.ndarray, sources: np.ndarray, forces: np.ndarray, potential: np.ndarray) -> None:
    """Two dimensions and one degree of freedom: nothing but multiplications and one division per pair."""
    one = targets.dtype.type(1)
    across, along = sources[0], sources[1]
    for i in numba.prange(len(targets)):
        x, y = targets[i, 0], targets[i, 1]
        total, total_x, total_y = 0.0, 0.0, 0.0
        for start in range(0, across.size, BLOCK):
            part, part_x, part_y = one - one, one - one, one - one
            for j in range(start, min(start + BLOCK, across.size)):
                dx = x - across[j]
                dy = y - along[j]
                weight = one / (one + dx * dx + dy * dy)
                part += weight
                weight *= weight
                part_x += weight * dx
                part_y += weight * dy
            total += part
            total_x += part_x
            total_y += part_y
        forces[i, 0] = total_x
        forces[i, 1] = total_y
        potential[i] = total


@numba.njit(parallel=True, cache=True, fastmath=True, nogil=True)
def _any(
    targets: np.ndarray, sources: np.ndarray, dof: float, results: tuple[np.ndarray, np.ndarray]
) -> None:
    forces, potential = results
    one = targets.dtype.type(1)
    dimensions, others = sources.shape
    for i in numba.prange(len(targets)):
        weights = np.empty(BLOCK, targets.dtype)
        totals = np.zeros(dimensions, np.float64)
        total = 0.0
        for start in range(0, others, BLOCK):
            size = min(BLOCK, others - start)
            weights[:] = 0
            for axis in range(dimensions):
                for j in range(size):
                    difference = targets[i, axis] - sources[axis, start + j]
                    weights[j] += difference * difference
            part = one - one
            for j in range(size):
                base = one + weights[j] / dof
                weight = one / base if dof == one else base**-dof
                part += weight
                weights[j] = weight / base
            total += part
            for axis in range(dimensions):
                part = one - one
                for j in range(size):
                    part += weights[j] * (targets[i, axis] - sources[axis, start + j])
                totals[axis] += part
        for axis in range(dimensions):
            forces[i, axis] = totals[axis]
        potential[i] = total
