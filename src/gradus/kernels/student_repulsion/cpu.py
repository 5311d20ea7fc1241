"""The all-pairs repulsion: targets in parallel, sources in blocks that are summed in float64 in a fixed order."""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import exponential, logarithm
from gradus.kernels.threads import worth

# long enough for vector lanes, short enough that a sum of this many float32 stays exact to about 1e-6
BLOCK = 512


def repulsion(targets: Tensor, sources: Tensor, dof: float) -> tuple[Tensor, Tensor]:
    """Return the repulsive forces and the potential; see the package."""
    here = np.ascontiguousarray(targets.detach().numpy())
    # one row per dimension, so that neighbouring sources fill the lanes of a vector
    there = np.ascontiguousarray(sources.detach().numpy().T)
    forces = np.empty_like(here)
    potential = np.empty(len(here), np.float64)
    with worth(len(here) * there.shape[1]):
        if here.shape[1] == 2 and dof == 1.0:
            _plane_cauchy(here, there, forces, potential)
        else:
            _any(here, there, here.dtype.type(dof), forces, potential)
    return torch.from_numpy(forces), torch.from_numpy(potential)


@compiled(parallel=True)
def _plane_cauchy(targets: np.ndarray, sources: np.ndarray, forces: np.ndarray, potential: np.ndarray) -> None:
    """Two dimensions and one degree of freedom: nothing but multiplications and one division per pair."""
    others = sources.shape[1]
    for i in numba.prange(len(targets)):
        total, total_x, total_y = 0.0, 0.0, 0.0
        for start in range(0, others, BLOCK):
            stop = min(start + BLOCK, others)
            part, part_x, part_y = _plane_block(targets[i], sources[0, start:stop], sources[1, start:stop])
            total += part
            total_x += part_x
            total_y += part_y
        forces[i, 0] = total_x
        forces[i, 1] = total_y
        potential[i] = total


# every liberty but assuming that nothing is infinite or NaN; the numpy error model, because a test for a zero divisor
# would keep the loop from being vectorised
@compiled(fastmath={"reassoc", "contract", "arcp", "nsz"})
def _plane_block(target: np.ndarray, across: np.ndarray, along: np.ndarray) -> tuple[float, float, float]:
    one = across.dtype.type(1)
    x, y = target[0], target[1]
    part, part_x, part_y = across.dtype.type(0), across.dtype.type(0), across.dtype.type(0)
    for j in range(across.size):
        dx = x - across[j]
        dy = y - along[j]
        weight = one / (one + dx * dx + dy * dy)
        part += weight
        push = weight * weight
        part_x += push * dx
        part_y += push * dy
    return part, part_x, part_y


@compiled(parallel=True)
def _any(targets: np.ndarray, sources: np.ndarray, dof: float, forces: np.ndarray, potential: np.ndarray) -> None:
    dimensions, others = sources.shape
    one = targets.dtype.type(1)
    for i in numba.prange(len(targets)):
        weights = np.empty(BLOCK, targets.dtype)
        totals = np.zeros(dimensions, np.float64)
        total = 0.0
        for start in range(0, others, BLOCK):
            stop = min(start + BLOCK, others)
            # axis by axis, because a slice of one row is contiguous and can be read as vectors
            weights[: stop - start] = 1
            for axis in range(dimensions):
                _add_squares(targets[i, axis], sources[axis, start:stop], one / dof, weights)
            total += _weigh(weights[: stop - start], dof)
            for axis in range(dimensions):
                totals[axis] += _push(targets[i, axis], sources[axis, start:stop], weights)
        for axis in range(dimensions):
            forces[i, axis] = totals[axis]
        potential[i] = total


@compiled(fastmath={"reassoc", "contract", "arcp", "nsz"})
def _add_squares(target: float, block: np.ndarray, inverse_dof: float, bases: np.ndarray) -> None:
    for j in range(block.size):
        difference = target - block[j]
        bases[j] += difference * difference * inverse_dof


@compiled(fastmath={"reassoc", "contract", "arcp", "nsz"})
def _weigh(weights: np.ndarray, dof: float) -> float:
    """Turn 1 + d^2 / a into w / (1 + d^2 / a) in place and return the sum of w."""
    one = weights.dtype.type(1)
    part: float = weights.dtype.type(0)
    size = weights.size
    if dof == one:
        for j in range(size):
            weight = one / weights[j]
            part += weight
            weights[j] = weight * weight
    else:
        for j in range(size):
            weight = weights.dtype.type(exponential(-dof * logarithm(weights[j])))
            part += weight
            weights[j] = weight / weights[j]
    return part


@compiled(fastmath={"reassoc", "contract", "arcp", "nsz"})
def _push(target: float, block: np.ndarray, weights: np.ndarray) -> float:
    part: float = block.dtype.type(0)
    for j in range(block.size):
        part += weights[j] * (target - block[j])
    return part
