"""The k nearest other rows of every row among the rows of given cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gradus.kernels import dispatch
from gradus.kernels.cell_search.cells import Cells

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Cells", "nearest_in_cells"]


def nearest_in_cells(points: Tensor, sketch: Tensor, cells: Cells, probes: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the ``count`` nearest other rows of every row among those in its probed cells, and their distances.

    Candidates are found and decided as by ``nearest_others``, which sees all cells.

    Parameters
    ----------
    points : (samples, features), float32 or float64, finite; squared norms must not overflow
    sketch : (samples, fewer), the same dtype: rows with nearly the distances of ``points``, by which half as many
        candidates again are found; or ``points`` itself
    cells : a partition of the rows
    probes : (samples, cells probed), int32, the different cells in which each row is to be searched, nearest first;
        where they hold fewer than ``count`` other rows
        the end of the answer is zeros
    count : at least 1

    Returns
    -------
    indices : (samples, count), int32
    squared_distances : (samples, count), float64

    Cost
    ----
    2 * features operations for every row in a probed cell. Rows are brought in order of their first cells, so that
    what one block of queries reads is what the next one reads too.

    References
    ----------
    Jegou, Douze & Schmid 2011, Product quantization for nearest neighbor search, section IV (inverted lists)

    Examples
    --------
    >>> import torch
    >>> points = torch.tensor([[0.0], [1.0], [10.0], [12.0]])
    >>> cells = Cells(torch.tensor([0, 2, 4]), torch.tensor([0, 1, 2, 3], dtype=torch.int32))
    >>> nearest_in_cells(points, points, cells, torch.tensor([[0], [0], [1], [1]], dtype=torch.int32), count=1)[0].T
    tensor([[1, 0, 3, 2]], dtype=torch.int32)
    """
    module = dispatch.load("cell_search", points.device.type)
    return cast("tuple[Tensor, Tensor]", module.nearest_in_cells(points, sketch, cells, probes, count))
