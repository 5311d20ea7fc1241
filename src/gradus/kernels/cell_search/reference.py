"""What the search computes, on any device: the distances of one row to all rows of its cells, then a partial sort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.cell_search.cells import Cells


def nearest_in_cells(
    points: Tensor, _sketch: Tensor, cells: Cells, probes: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Return the nearest other rows of every row in its cells; see the package."""
    parts = torch.split(cells.members.long(), cells.sizes.tolist())
    indices, squared = [], []
    for row, probed in enumerate(probes.tolist()):
        candidates = torch.cat([parts[cell] for cell in probed]).sort().values
        candidates = candidates[candidates != row]
        distances = ((points[candidates].double() - points[row].double()) ** 2).sum(1)
        order = distances.argsort(stable=True)[:count]
        missing = (0, count - len(order))
        indices.append(torch.nn.functional.pad(candidates[order].int(), missing))
        squared.append(torch.nn.functional.pad(distances[order], missing))
    return torch.stack(indices), torch.stack(squared)
