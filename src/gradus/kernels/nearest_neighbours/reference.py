"""What the search computes, on any device: distances of a block of queries to all points, then a partial sort."""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 2**24
SPARE = 16


def nearest_among(queries: Tensor, points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the nearest points of every query; see the package."""
    return _search(queries, points, count, None)


def nearest_others(points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the nearest other rows of every row; see the package."""
    own = torch.arange(len(points), device=points.device)
    return _search(points, points, count, own)


def _search(queries: Tensor, points: Tensor, count: int, own: Tensor | None) -> tuple[Tensor, Tensor]:
    wanted = min(count + SPARE, len(points) - (own is not None))
    norms = (points**2).sum(1)
    indices, squared = [], []
    rows = max(1, BLOCK // len(points))
    for start in range(0, len(queries), rows):
        block = queries[start : start + rows]
        distance = norms - 2 * (block @ points.T)
        if own is not None:
            distance.scatter_(1, own[start : start + rows, None], torch.inf)
        nearest = distance.topk(wanted, largest=False).indices.sort(1).values
        exact = ((points[nearest].double() - block[:, None].double()) ** 2).sum(2)
        order = exact.argsort(dim=1, stable=True)[:, :count]
        indices.append(nearest.gather(1, order).int())
        squared.append(exact.gather(1, order))
    return torch.cat(indices), torch.cat(squared)
