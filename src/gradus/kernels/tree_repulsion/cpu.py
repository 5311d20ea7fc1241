"""Every target gathers what it must sum from the tree, near points and far means, and then sums it in vectors."""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import exponential, logarithm
from gradus.kernels.threads import worth
from gradus.kernels.tree_repulsion.tree import FEW, tree_over

# what is gathered before it is summed; a sum of this many float32 stays exact to about 1e-6
BLOCK = 512
# cubes and points that a target meets, roughly
MET = 2000


def tree_repulsion(targets: Tensor, sources: Tensor, dof: float, opening: float) -> tuple[Tensor, Tensor]:
    """Return the repulsive forces and the potential; see the package."""
    here, there = np.ascontiguousarray(targets.numpy()), np.ascontiguousarray(sources.numpy())
    forces, potential = np.zeros_like(here), np.zeros(len(here), np.float64)
    if len(there) > 0:
        tree = tree_over(there)
        figures = np.array([opening * opening, dof], here.dtype)
        with worth(MET * len(here)):
            _sum(here, tree.points, tree.middles, tree.edges, tree.ranges, tree.following, figures, forces, potential)
    return torch.from_numpy(forces), torch.from_numpy(potential)


@compiled(parallel=True)
def _sum(
    targets: np.ndarray,
    points: np.ndarray,
    middles: np.ndarray,
    edges: np.ndarray,
    ranges: np.ndarray,
    following: np.ndarray,
    figures: np.ndarray,
    forces: np.ndarray,
    potential: np.ndarray,
) -> None:
    squared_opening, dof = figures[0], figures[1]
    for i in numba.prange(len(targets)):
        gathered = np.empty((4, BLOCK), targets.dtype)
        totals = np.zeros(4, np.float64)
        filled, cube = 0, 0
        target = targets[i]
        while cube < len(middles):
            start, stop = ranges[cube]
            distance = targets.dtype.type(0)
            for axis in range(3):
                distance += (target[axis] - middles[cube, axis]) ** 2
            far = edges[cube] < squared_opening * distance
            few = following[cube] == cube + 1
            if filled + FEW > BLOCK or (few and filled + stop - start > BLOCK):
                _add(gathered, filled, dof, totals)
                filled = 0
            if far:
                for axis in range(3):
                    gathered[axis, filled] = target[axis] - middles[cube, axis]
                gathered[3, filled] = stop - start
                filled += 1
            elif few:
                for point in range(start, stop):
                    if filled == BLOCK:
                        _add(gathered, filled, dof, totals)
                        filled = 0
                    for axis in range(3):
                        gathered[axis, filled] = target[axis] - points[point, axis]
                    gathered[3, filled] = 1
                    filled += 1
            cube = following[cube] if far or few else cube + 1
        _add(gathered, filled, dof, totals)
        for axis in range(3):
            forces[i, axis] = totals[axis]
        potential[i] = totals[3]


@compiled()
def _add(gathered: np.ndarray, size: int, dof: float, totals: np.ndarray) -> None:
    """Add the forces and the potential of what was gathered: differences on three axes, and how many of each."""
    # a slice of one row is contiguous, and can be read as vectors
    sums = _sums(gathered[0, :size], gathered[1, :size], gathered[2, :size], gathered[3, :size], dof)
    for k in range(4):
        totals[k] += sums[k]


# every liberty but assuming that nothing is infinite or NaN
@compiled(fastmath={"reassoc", "contract", "arcp", "nsz"})
def _sums(
    up: np.ndarray, down: np.ndarray, along: np.ndarray, counts: np.ndarray, dof: float
) -> tuple[float, float, float, float]:
    one = up.dtype.type(1)
    x, y, z, total = up.dtype.type(0), up.dtype.type(0), up.dtype.type(0), up.dtype.type(0)
    if dof == one:
        for j in range(up.size):
            weight = one / (one + up[j] * up[j] + down[j] * down[j] + along[j] * along[j])
            total += counts[j] * weight
            push = counts[j] * weight * weight
            x += push * up[j]
            y += push * down[j]
            z += push * along[j]
    else:
        for j in range(up.size):
            base = one + (up[j] * up[j] + down[j] * down[j] + along[j] * along[j]) / dof
            weight = counts[j] * up.dtype.type(exponential(-dof * logarithm(base)))
            total += weight
            push = weight / base
            x += push * up[j]
            y += push * down[j]
            z += push * along[j]
    return x, y, z, total
