"""The repulsion of a map on points of space, where far points are taken together: a tree instead of all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["tree_repulsion"]


def tree_repulsion(targets: Tensor, sources: Tensor, dof: float, opening: float) -> tuple[Tensor, Tensor]:
    """Return what ``student_repulsion.repulsion`` returns, to an accuracy that ``opening`` sets.

    Cubes are halved until they hold few sources. A cube whose edge is less than ``opening`` times the distance from a
    target to the mean of its sources counts as that many sources at their mean.

    Parameters
    ----------
    targets : (samples, 3), float32, finite
    sources : (others, 3), float32, finite
    dof : degrees of freedom a > 0
    opening : at least 0, where every pair is summed; at 0.5 forces are off by about 1 %

    Returns
    -------
    forces : (samples, 3), float32
    potential : (samples,), float64

    Cost
    ----
    Some hundred sums per target, growing with the logarithm of the number of sources. What a target is told depends on
    no other target, and on no number of threads.

    References
    ----------
    Barnes & Hut 1986, A hierarchical O(N log N) force-calculation algorithm; van der Maaten 2014, Accelerating t-SNE

    Examples
    --------
    >>> import torch
    >>> points = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    >>> tree_repulsion(points, points, dof=1.0, opening=0.5)[0][:, 0]
    tensor([-0.2500,  0.2500])
    """
    module = dispatch.load("tree_repulsion", targets.device.type)
    return cast("tuple[Tensor, Tensor]", module.tree_repulsion(targets, sources, dof, opening))
