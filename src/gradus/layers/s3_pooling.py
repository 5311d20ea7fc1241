"""S3 pooling: maxima at every place, of which each cell of a grid keeps some at random, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from gradus.core.errors import InputError
from gradus.kernels.window_pooling import Windows
from gradus.kernels.window_pooling.windows import ABSENT
from gradus.layers.average_pooling import average_pool
from gradus.layers.axes import is_whole
from gradus.layers.geometry import as_batch, windows
from gradus.layers.max_pooling import MAX, max_pool
from gradus.layers.operators import Inputs

if TYPE_CHECKING:
    from torch import Tensor


def s3_pool1d(
    x: Tensor, kernel_size: int, stride: int, grid: int, *, generator: torch.Generator | None = None
) -> Tensor:
    """Return the maxima of windows at places of a line, drawn as ``s3_pool2d`` draws rows.

    Examples
    --------
    >>> s3_pool1d(torch.zeros(1, 1, 8), 2, 2, 4).shape
    torch.Size([1, 1, 4])
    """
    return _drawn(x, windows(1, kernel_size, stride), grid, generator)


def s3_pool2d(
    x: Tensor, kernel_size: int, stride: int, grid: int, *, generator: torch.Generator | None = None
) -> Tensor:
    """Return the maxima of windows at rows and columns drawn without order lost: grid / stride of each ``grid``.

    Zhai et al. 2017, S3Pool. Windows reach over the end, where they are cut off.

    Raises
    ------
    InputError : if ``stride`` does not divide ``grid``, or ``grid`` the height and width

    Examples
    --------
    >>> s3_pool2d(torch.zeros(1, 1, 8, 8), 2, 2, 4).shape
    torch.Size([1, 1, 4, 4])
    """
    return _drawn(x, windows(2, kernel_size, stride), grid, generator)


def s3_pool3d(
    x: Tensor, kernel_size: int, stride: int, grid: int, *, generator: torch.Generator | None = None
) -> Tensor:
    """Return the maxima of windows at slices, rows and columns, drawn as ``s3_pool2d`` draws rows.

    Examples
    --------
    >>> s3_pool3d(torch.zeros(1, 1, 4, 8, 4), 2, 2, 4).shape
    torch.Size([1, 1, 2, 4, 2])
    """
    return _drawn(x, windows(3, kernel_size, stride), grid, generator)


def _drawn(x: Tensor, geometry: Windows, grid: int, generator: torch.Generator | None) -> Tensor:
    kernel, stride = geometry.kernel[0], geometry.stride[0]
    _check_grid(grid, stride)
    dense = windows(geometry.axes, kernel, 1)
    batch, single = as_batch(x, dense)
    positions = []
    for size in batch.shape[2:]:
        if size % grid:
            raise InputError(f"grid is {grid}, which does not divide an axis of {size}: give one that does")
        order = _uniform((size // grid, grid), generator).argsort(1)[:, : grid // stride].sort(1).values
        starts = (order + grid * torch.arange(size // grid)[:, None]).reshape(-1).to(torch.int32)
        found = starts[:, None] + torch.arange(kernel, dtype=torch.int32)
        positions.append(torch.where(found < size, found, ABSENT)[None])
    value = MAX(batch, Inputs(dense, positions=tuple(positions))).value
    return value[0] if single else value


def _check_grid(grid: int, stride: int) -> None:
    if not is_whole(grid) or grid < 1 or grid % stride:
        raise InputError(f"grid is {grid}, stride {stride}: give a positive grid that the stride divides")


def _uniform(shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    # ONNX knows no generators
    return torch.rand(shape) if generator is None else torch.rand(shape, generator=generator)


class _S3Pool(nn.Module):
    """Drawn in training; in evaluation the mean of the maxima around each place that could be drawn."""

    axes: ClassVar[int]

    def __init__(self, kernel_size: int = 2, stride: int = 2, grid: int = 4) -> None:
        super().__init__()
        self.windows = windows(self.axes, kernel_size, stride)
        _check_grid(grid, stride)
        self.kernel_size, self.stride, self.grid = kernel_size, stride, grid

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        if self.training:
            return _drawn(x, self.windows, self.grid, None)
        reach, ones = (self.kernel_size - 1,) * self.axes, (1,) * self.axes
        dense = Windows((self.kernel_size,) * self.axes, ones, (0,) * self.axes, reach, ones)
        return average_pool(max_pool(x, dense), windows(self.axes, self.stride))


class S3Pool1d(_S3Pool):
    """S3 pooling on a line."""

    axes: ClassVar[int] = 1


class S3Pool2d(_S3Pool):
    """S3 pooling in a plane."""

    axes: ClassVar[int] = 2


class S3Pool3d(_S3Pool):
    """S3 pooling in space."""

    axes: ClassVar[int] = 3
