"""The grid that a map is put on: fixed spacing, few sizes, never endless."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

# nodes before doubling: their transforms take a fraction of a second and 200 MB
MOST_NODES = 2**22
# coordinates, in units of the spacing, that are told by float32 to a small part of one
FARTHEST = 2**17
# a map of fewer nodes than this on both axes gets half the spacing, which costs nothing that can be felt
SMALL = 50
# shares of the points on each side of each axis that may be left off the grid and summed directly
TRIMMED = (0.0, 0.001, 0.01)
# points whose extremes are found side by side
ABREAST = 256
# each size is at least this many times the one before it: a growing map needs few spectra
APART = 1.05


def _sizes() -> list[int]:
    """Return numbers without prime factors above 5, as far apart as is said."""
    sizes: list[int] = []
    for size in sorted(2**a * 3**b * 5**c for a in range(16) for b in range(10) for c in range(7)):
        if size <= 2**15 and (not sizes or size >= APART * sizes[-1]):
            sizes.append(size)
    return sizes


SIZES = _sizes()


@dataclass(frozen=True)
class Mesh:
    """A grid of nodes at ``origin + spacing * (row, column)``.

    Attributes
    ----------
    origin : (2,), float64, the place of node (0, 0)
    spacing : distance between nodes
    shape : (height, width), numbers without prime factors above 5
    order : nodes that a spline touches on each axis
    covers_all : whether it was made to hold all points, none left off
    """

    origin: Tensor
    spacing: float
    shape: tuple[int, int]
    order: int
    covers_all: bool

    def contains(self, points: Tensor) -> Tensor:
        """Return, per point (samples,), whether the nodes of its splines are all on the grid."""
        places = self.places(points)
        room = torch.tensor(self.shape, device=points.device) - self.order
        return ((places >= 0) & (places <= room)).all(1)

    def places(self, points: Tensor) -> Tensor:
        """Return the points (samples, 2) in units of the spacing from the first node."""
        # a plane point as one complex number: arithmetic over the short axis of a narrow matrix is slow
        from_origin = torch.view_as_complex(points.contiguous()) - complex(*self.origin.tolist())
        return torch.view_as_real(from_origin).mul_(1.0 / self.spacing)


def mesh_over(points: Tensor, spacing: float, order: int) -> Mesh:
    """Return a grid over ``points`` (samples, 2): over all where that is affordable, else over all but a few outliers.

    If even without the outermost hundredth on each side the box is too large for the spacing, the spacing is
    enlarged until it is not: such a map is so sparse that the grid would be empty. A small map, whose points are close
    together for the kernel, gets half the spacing.

    Examples
    --------
    >>> mesh_over(torch.tensor([[0.0, 0.0], [30.0, 10.0]]), spacing=0.5, order=4).shape
    (72, 27)
    >>> mesh_over(torch.cat([torch.rand(5000, 2), torch.tensor([[1e9, 0.0]])]), spacing=0.5, order=4).shape
    (9, 9)
    """
    for share in TRIMMED:
        low, high = _box(points, share)
        if float((high - low).max()) < SMALL * spacing:
            spacing /= 2
        shape = _shape(low, high, spacing, order)
        if math.prod(shape) <= MOST_NODES:
            break
    # so far from zero that rounding a point's place would move it off the grid, each must be looked at
    covers_all = share == 0 and float(torch.maximum(low.abs(), high.abs()).max()) <= FARTHEST * spacing
    while math.prod(shape) > MOST_NODES:
        spacing *= 2
        shape = _shape(low, high, spacing, order)
    # the middle of the box lies on a node, where the grid is exact: that serves maps that are still small, and lines
    middle = (torch.tensor(shape, dtype=torch.float64) - order).div(2).floor()
    return Mesh((low + high) / 2 - spacing * middle, spacing, shape, order, covers_all)


def _box(points: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Return the corners (float64) of the box that leaves out this share of the points on every side."""
    if share == 0:
        # many points to a row: a reduction over the long dimension of a narrow matrix is slow
        even = len(points) - len(points) % ABREAST
        rows = points[:even].reshape(-1, ABREAST * points.shape[1]).cpu().numpy()
        extremes = [torch.from_numpy(part) for part in ((rows.min(0), rows.max(0)) if even else ())]
        corners = torch.cat([*(part.reshape(-1, points.shape[1]) for part in extremes), points[even:].cpu()]).double()
        return corners.amin(0), corners.amax(0)
    ordered = points.sort(0).values.double().cpu()
    left_out = int(share * len(points)) + 1
    return ordered[min(left_out, len(points) - 1)], ordered[max(len(points) - 1 - left_out, 0)]


def _shape(low: Tensor, high: Tensor, spacing: float, order: int) -> tuple[int, int]:
    height, width = ((high - low) / spacing).tolist()
    return _size(height, order), _size(width, order)


def _size(extent: float, order: int) -> int:
    """Return the size for an extent in units of the spacing; more than is affordable where there is none."""
    needed = math.ceil(min(extent, 2.0 * SIZES[-1])) + order + 1
    return SIZES[bisect_left(SIZES, needed)] if needed <= SIZES[-1] else MOST_NODES + 1
