"""Linear maps that penalties are put behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import LinearMap


@dataclass(frozen=True, eq=False)
class MatrixMap:
    """The map X -> A X, along the first axis.

    Parameters
    ----------
    matrix : A, (images, n), dense or a sparse torch tensor

    Examples
    --------
    >>> MatrixMap(torch.tensor([[1.0, 2.0]])).times(torch.tensor([3.0, 4.0])).tolist()
    [11.0]
    """

    matrix: Tensor

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or not self.matrix.is_floating_point():
            raise InputError(
                f"MatrixMap's matrix has shape {tuple(self.matrix.shape)} and dtype {self.matrix.dtype}; "
                "expected a floating-point matrix"
            )

    def times(self, point: Tensor) -> Tensor:
        """Return A X."""
        image: Tensor = self.matrix.to(point) @ point
        return image

    def adjoint_times(self, dual: Tensor) -> Tensor:
        """Return A' U."""
        pulled: Tensor = self.matrix.to(dual).t() @ dual
        return pulled


@dataclass(frozen=True)
class Differences:
    """The map X -> (x_{i+1} - x_i)_i along the first axis, which loses one entry.

    Examples
    --------
    >>> Differences().times(torch.tensor([1.0, 4.0, 2.0])).tolist()
    [3.0, -2.0]
    """

    def times(self, point: Tensor) -> Tensor:
        """Return the differences of neighbours."""
        return point.diff(dim=0)

    def adjoint_times(self, dual: Tensor) -> Tensor:
        """Return u_{i-1} - u_i, with 0 beyond the ends."""
        border = torch.zeros_like(dual[:1]) if len(dual) else dual.new_zeros((1, *dual.shape[1:]))
        return torch.cat([border, dual]) - torch.cat([dual, border])


@dataclass(frozen=True)
class GridDifferences:
    """The map from columns of pixels to their differences downwards and to the right: rows (pixel, column) of two.

    ``L1`` of it is the anisotropic total variation of the pictures in the columns, ``GroupLasso`` the isotropic one.

    Parameters
    ----------
    height, width : of the grid, positive; the first axis of a point has height x width entries, row after row

    Raises
    ------
    InputError : if a side is not positive; at a call, if the point is not a matrix of height x width rows

    References
    ----------
    Rudin, Osher & Fatemi 1992, Nonlinear total variation based noise removal algorithms; Chambolle 2004, section 2

    Examples
    --------
    >>> GridDifferences(2, 2).times(torch.tensor([[1.0], [2.0], [4.0], [8.0]])).tolist()
    [[3.0, 1.0], [6.0, 0.0], [0.0, 4.0], [0.0, 0.0]]
    """

    height: int
    width: int

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise InputError(f"GridDifferences is {self.height} x {self.width}; expected positive sides")

    def times(self, point: Tensor) -> Tensor:
        """Return the differences, (height * width * columns, 2), 0 beyond the last row and column."""
        if point.ndim != 2 or point.shape[0] != self.height * self.width:
            raise InputError(
                f"GridDifferences is {self.height} x {self.width} and was given the shape {tuple(point.shape)}; "
                f"expected ({self.height * self.width}, columns)"
            )
        grid = point.reshape(self.height, self.width, -1)
        down, right = torch.zeros_like(grid), torch.zeros_like(grid)
        down[:-1], right[:, :-1] = grid.diff(dim=0), grid.diff(dim=1)
        return torch.stack([down, right], dim=-1).reshape(-1, 2)

    def adjoint_times(self, dual: Tensor) -> Tensor:
        """Return minus the divergence, (height * width, columns)."""
        down, right = dual.reshape(self.height, self.width, -1, 2).unbind(dim=-1)
        total = torch.zeros_like(down)
        total[1:] += down[:-1]
        total[:-1] -= down[:-1]
        total[:, 1:] += right[:, :-1]
        total[:, :-1] -= right[:, :-1]
        return total.reshape(self.height * self.width, -1)


@dataclass(frozen=True)
class FirstRows:
    """A map of the first ``rows`` rows of a point; those below are not looked at.

    Parameters
    ----------
    inner : the map of the rows above
    rows, below : how many there are above and below, not negative
    """

    inner: LinearMap
    rows: int
    below: int = 1

    def times(self, point: Tensor) -> Tensor:
        """Return the inner map of the rows above."""
        return self.inner.times(point[: self.rows])

    def adjoint_times(self, dual: Tensor) -> Tensor:
        """Return the inner adjoint above rows of 0."""
        pulled = self.inner.adjoint_times(dual)
        return torch.cat([pulled, pulled.new_zeros((self.below, *pulled.shape[1:]))])
