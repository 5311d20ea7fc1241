"""The attraction along the edges of a sparse graph under Student's t kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gradus.kernels import dispatch
from gradus.kernels.student_attraction.graph import Affinities

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Affinities", "attraction", "attraction_cost"]


def attraction(affinities: Affinities, targets: Tensor, sources: Tensor, dof: float) -> Tensor:
    """Return sum_j p_ij (1 + d_ij^2 / a)^(-1) (t_i - s_j) for every target i.

    Parameters
    ----------
    affinities : a row per target, whose columns are rows of ``sources``; a symmetric graph holds each edge twice
    targets : (samples, dimensions), float32 or float64
    sources : (others, dimensions), the same dtype; for a map against itself the same tensor
    dof : degrees of freedom a > 0

    Returns
    -------
    forces : (samples, dimensions), the dtype of ``targets``

    Cost
    ----
    One pass over the edges, 8 bytes each, with a gather of a source: bound by memory. Every row gathers, none
    scatters, so the result does not depend on the number of threads.

    Examples
    --------
    >>> import torch
    >>> edge = Affinities(torch.tensor([0, 1, 2]), torch.tensor([1, 0], dtype=torch.int32), torch.tensor([0.5, 0.5]))
    >>> points = torch.tensor([[0.0], [1.0]])
    >>> attraction(edge, points, points, dof=1.0).squeeze(1)
    tensor([-0.2500,  0.2500])
    """
    module = dispatch.load("student_attraction", targets.device.type)
    return cast("Tensor", module.attraction(affinities, targets, sources, dof))


def attraction_cost(affinities: Affinities, targets: Tensor, sources: Tensor, dof: float) -> Tensor:
    """Return a * sum_j p_ij log(1 + d_ij^2 / a) for every target i, (samples,), float64.

    Summed over the rows, and with log Z, this is the part of the KL divergence that depends on the map. Parameters as
    of ``attraction``.

    Examples
    --------
    >>> import torch
    >>> edge = Affinities(torch.tensor([0, 1, 2]), torch.tensor([1, 0], dtype=torch.int32), torch.tensor([0.5, 0.5]))
    >>> points = torch.tensor([[0.0], [1.0]])
    >>> attraction_cost(edge, points, points, dof=1.0).sum().exp()
    tensor(2., dtype=torch.float64)
    """
    module = dispatch.load("student_attraction", targets.device.type)
    return cast("Tensor", module.attraction_cost(affinities, targets, sources, dof))
