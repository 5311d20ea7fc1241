"""The mean without a sort: every edge looks for its own mirror image among the neighbours of its other end."""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

from gradus.kernels.compilation import compiled


def joint_graph(neighbours: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return where each row begins, its columns and their weights; see the package."""
    columns, given = np.ascontiguousarray(neighbours.numpy()), np.ascontiguousarray(weights.numpy())
    joined = np.empty(columns.shape, np.float32)
    mutual = np.empty(columns.shape, np.bool_)
    _join(columns, given, joined, mutual)
    offsets = np.zeros(len(columns) + 1, np.int64)
    _count(columns, mutual, offsets)
    edges = np.empty(offsets[-1], np.int32)
    values = np.empty(offsets[-1], np.float32)
    _write(columns, joined, mutual, offsets, edges, values)
    return torch.from_numpy(offsets), torch.from_numpy(edges), torch.from_numpy(values)


@compiled(parallel=True)
def _join(columns: np.ndarray, weights: np.ndarray, joined: np.ndarray, mutual: np.ndarray) -> None:
    samples, count = columns.shape
    for i in numba.prange(samples):
        for edge in range(count):
            other = columns[i, edge]
            found = -1
            for back in range(count):
                found = back if columns[other, back] == i else found
            mirrored = np.float64(weights[other, found]) if found >= 0 else 0.0
            joined[i, edge] = (np.float64(weights[i, edge]) + mirrored) / (2 * samples)
            mutual[i, edge] = found >= 0


@compiled()
def _count(columns: np.ndarray, mutual: np.ndarray, offsets: np.ndarray) -> None:
    samples, count = columns.shape
    for i in range(samples):
        offsets[i + 1] += count
        for edge in range(count):
            if not mutual[i, edge]:
                offsets[columns[i, edge] + 1] += 1
    for i in range(samples):
        offsets[i + 1] += offsets[i]


@compiled()
def _write(
    columns: np.ndarray,
    joined: np.ndarray,
    mutual: np.ndarray,
    offsets: np.ndarray,
    edges: np.ndarray,
    values: np.ndarray,
) -> None:
    samples, count = columns.shape
    following = offsets[:-1] + count
    for i in range(samples):
        for edge in range(count):
            other, value = columns[i, edge], joined[i, edge]
            edges[offsets[i] + edge], values[offsets[i] + edge] = other, value
            if not mutual[i, edge]:
                edges[following[other]], values[following[other]] = i, value
                following[other] += 1
