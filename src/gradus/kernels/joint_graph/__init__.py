"""The mean of a graph of neighbours and its mirror image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.kernels import dispatch
from gradus.kernels.student_attraction import Affinities

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["joint_graph"]


def joint_graph(neighbours: Tensor, weights: Tensor) -> Affinities:
    """Return (w_ij + w_ji) / 2n over all edges of a graph and its mirror image, both directions stored.

    Parameters
    ----------
    neighbours : (samples, count), int32, different in every row and never the row itself
    weights : (samples, count), floating point

    Returns
    -------
    graph : weights in float32; a row begins with its own neighbours in the order given, and those that have it as a
        neighbour without being one follow in order of index

    Cost
    ----
    For every edge one look at the neighbours of its other end; no sort.

    Examples
    --------
    >>> import torch
    >>> joint_graph(torch.tensor([[1], [0], [0]], dtype=torch.int32), torch.ones(3, 1)).neighbours
    tensor([1, 2, 0, 0], dtype=torch.int32)
    """
    module = dispatch.load("joint_graph", neighbours.device.type)
    offsets, columns, values = module.joint_graph(neighbours, weights)
    return Affinities(offsets, columns, values)
