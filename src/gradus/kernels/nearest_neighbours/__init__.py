"""The k nearest rows of every row, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["nearest_among", "nearest_others"]


def nearest_among(queries: Tensor, points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the ``count`` rows of ``points`` nearest to every query, nearest first, and their squared distances.

    Candidates are found by |p|^2 - 2 q.p, a few more than asked for; the distances of those are then summed anew from
    the differences, in float64, and decide. So duplicates have distance 0 exactly, and equal distances are in order
    of index. Rows of unit length give the order of cosine similarity.

    Parameters
    ----------
    queries : (samples, features), float32 or float64, finite; squared norms must not overflow
    points : (others, features), the same dtype and device; centred data lose the fewest digits
    count : between 1 and the number of points

    Returns
    -------
    indices : (samples, count), int32
    squared_distances : (samples, count), float64

    Cost
    ----
    2 * samples * others * features operations in blocks that stay in the cache, and no matrix of distances.

    Examples
    --------
    >>> import torch
    >>> indices, squared = nearest_among(torch.tensor([[0.1]]), torch.tensor([[1.0], [0.0], [3.0]]), count=2)
    >>> indices
    tensor([[1, 0]], dtype=torch.int32)
    """
    module = dispatch.load("nearest_neighbours", points.device.type)
    return cast("tuple[Tensor, Tensor]", module.nearest_among(queries, points, count))


def nearest_others(points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the ``count`` nearest other rows of every row; at most one less than there are rows.

    Otherwise as ``nearest_among(points, points, count)``. A duplicate of a row is another row, at distance 0.

    Examples
    --------
    >>> import torch
    >>> nearest_others(torch.tensor([[1.0], [0.0], [3.0]]), count=1)[0].T
    tensor([[1, 0, 0]], dtype=torch.int32)
    """
    module = dispatch.load("nearest_neighbours", points.device.type)
    return cast("tuple[Tensor, Tensor]", module.nearest_others(points, count))
