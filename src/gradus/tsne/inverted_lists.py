"""Nearest neighbours of many rows through cells: k-means, and as many cells searched as a sample shows are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from gradus.kernels.cell_search import Cells, nearest_in_cells
from gradus.kernels.nearest_neighbours import nearest_among, nearest_others
from gradus.tsne.centres import centres_of, owners
from gradus.tsne.sketch import sketched

if TYPE_CHECKING:
    from torch import Tensor

# cells per square root of the number of rows: finding a row's cells then costs as much as searching them
CELLS_PER_ROOT = 1.4
# rows whose true neighbours are found to choose how many cells are searched, and the share that must be in those
SAMPLE = 500
RECALL = 0.993
# the share of the true neighbours that must be among the candidates of a sketch for it to be used
SKETCH_RECALL = 0.998
# a share of the cells above which all pairs are as fast
MOST_CELLS = 0.4
# no cell holds more than this many times the mean: equal rows cannot be told apart by any centre
LARGEST = 8
# rows whose cells hold fewer others than this many times those wanted are searched for among all
LEAST_CANDIDATES = 3


@dataclass(frozen=True)
class Partition:
    """Centres, (cells, features), the cell that every row belongs to, (samples,), and the rows of every cell."""

    centres: Tensor
    owner: Tensor
    cells: Cells


def nearest_approximately(points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return nearly always the ``count`` nearest other rows of every row: on average more than 99 % of them.

    Rows are put in cells around the centres of k-means. For a sample of rows the true neighbours are found, and with
    them the number of cells nearest to a row that hold 99.3 % of them; then every row is searched in as many. Where
    that would be most cells, and for rows far from all others, the search is exact.

    Parameters
    ----------
    points : (samples, features), float32
    count : between 1 and samples - 1

    Returns
    -------
    indices : (samples, count), int32, nearest first
    squared_distances : (samples, count), float64, exact

    Cost
    ----
    About 5 % of that of all pairs for 70,000 rows, 1 % for a million, as far as the rows have structure. The bits
    depend neither on chance nor on the number of threads.
    """
    # drawn, because rows at even distances may all be of one kind
    sample = torch.randperm(len(points), generator=torch.Generator().manual_seed(1))[:SAMPLE]
    true = _others_of(points, sample, count)[0].long()
    sketch = _trusted(sketched(points), points, sample, true)
    centres = centres_of(sketch, int(CELLS_PER_ROOT * len(points) ** 0.5))
    neighbours, place = np.unique(true.numpy(), return_inverse=True)
    owned = owners(sketch[torch.from_numpy(neighbours)], centres)[torch.from_numpy(place).reshape(true.shape)]
    probed = _cells_needed(sketch[sample], centres, owned)
    if probed > MOST_CELLS * len(centres):
        return nearest_others(points, count)
    probes = nearest_among(sketch, centres, probed)[0]
    partition = _with_large_cells_split(centres, probes[:, 0].long())
    if len(partition.centres) > len(centres):
        probed = _cells_needed(sketch[sample], partition.centres, partition.owner[true])
        probes = nearest_among(sketch, partition.centres, probed)[0]
    held = partition.cells.sizes[probes.long()].sum(1)
    poor = (held <= LEAST_CANDIDATES * count).nonzero().squeeze(1)
    indices, squared = nearest_in_cells(points, sketch, partition.cells, probes, count)
    if len(poor) > 0:
        indices[poor], squared[poor] = _others_of(points, poor, count)
    return indices, squared


def _with_large_cells_split(centres: Tensor, owner: Tensor) -> Partition:
    """Return the cells of the rows whose nearest centres are ``owner``; a large cell becomes several of one centre."""
    largest = LARGEST * -(-len(owner) // len(centres))
    cells = Cells.of(owner, len(centres))
    parts = (-(-cells.sizes // largest)).clamp_min(1)
    position = torch.empty_like(owner)
    position[cells.members.long()] = torch.arange(len(owner)) - cells.offsets[:-1].repeat_interleave(cells.sizes)
    first = parts.cumsum(0) - parts
    part = first[owner] + position // largest
    return Partition(centres.repeat_interleave(parts, 0), part, Cells.of(part, int(parts.sum())))


def _trusted(sketch: Tensor, points: Tensor, sample: Tensor, true: Tensor) -> Tensor:
    """Return the sketch if the true neighbours of a sample of rows are among its candidates, else the points."""
    if sketch is points:
        return points
    wide = min(true.shape[1] + true.shape[1] // 2, len(points) - 1)
    found = _others_of(sketch, sample, wide)[0]
    block = len(points) * torch.arange(len(sample))[:, None]
    held = torch.isin(true + block, found + block)
    return sketch if float(held.double().mean()) >= SKETCH_RECALL else points


def _cells_needed(rows: Tensor, centres: Tensor, owners_of_true: Tensor) -> int:
    """Return how many cells nearest to a row hold the wanted share of its true neighbours, over a sample of rows."""
    nearest = nearest_among(rows, centres, len(centres))[0].long()
    rank = torch.empty_like(nearest).scatter_(1, nearest, torch.arange(len(centres)).expand_as(nearest))
    ranks = rank.gather(1, owners_of_true).flatten().sort().values
    return int(ranks[int(RECALL * (len(ranks) - 1))]) + 1


def _others_of(points: Tensor, rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the nearest others of some rows, exactly."""
    indices, squared = nearest_among(points[rows], points, count + 1)
    own = indices == rows[:, None]
    # a row with enough duplicates of lower index does not find itself: the last one is left out in its place
    own[:, -1] |= ~own.any(1)
    return indices[~own].reshape(-1, count), squared[~own].reshape(-1, count)
