"""Max pooling over windows whose places are drawn: fractional pooling and S3 pooling; and back again: unpooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from gradus.core.errors import InputError
from gradus.kernels.window_pooling import Windows
from gradus.kernels.window_pooling.windows import ABSENT
from gradus.layers.average_pooling import average_pool
from gradus.layers.geometry import as_batch, windows
from gradus.layers.max_pooling import MAX, max_pool
from gradus.layers.operators import Inputs

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.layers.axes import Size


def fractional_max_pool2d(
    x: Tensor, kernel_size: Size, output_size: tuple[int, int], *, samples: Tensor | None = None
) -> Tensor:
    """Return the maxima of windows that lie L / O apart on average, at places drawn for each plane (Graham 2014).

    start_i = floor((i + u) a) - floor(u a) with a = (L - k) / (O - 1), the last at L - k; as in
    ``torch.nn.functional.fractional_max_pool2d``, of which ``samples`` is ``_random_samples``.

    Parameters
    ----------
    samples : u in [0, 1), (samples, channels, 2), for width and height; drawn if None

    Raises
    ------
    InputError : if the kernel and the output are larger than the input

    Examples
    --------
    >>> fractional_max_pool2d(torch.arange(25.0).reshape(1, 1, 5, 5), 2, (3, 3)).shape
    torch.Size([1, 1, 3, 3])
    """
    geometry = windows(2, kernel_size, 1)
    batch, single = as_batch(x, geometry, 2)
    for size, kernel, count in zip(batch.shape[2:], geometry.kernel, output_size, strict=True):
        if not 1 <= count <= size - kernel + 1:
            raise InputError(f"output_size is {output_size}; 1 to {size - kernel + 1} windows of {kernel} fit {size}")
    if samples is None:
        samples = torch.rand((*batch.shape[:2], 2), dtype=batch.dtype, device=batch.device)
    drawn = samples.reshape(-1, 2)
    positions = tuple(
        _fractional(batch.shape[2 + axis], geometry.kernel[axis], output_size[axis], drawn[:, 1 - axis])
        for axis in range(2)
    )
    value = MAX(batch, Inputs(geometry, positions=positions)).value
    return value[0] if single else value


def _fractional(size: int, kernel: int, count: int, uniform: Tensor) -> Tensor:
    steps = torch.arange(count, device=uniform.device).to(uniform.dtype)
    apart = torch.tensor((size - kernel) / max(count - 1, 1)).to(uniform)
    starts = ((steps + uniform[:, None]) * apart).to(torch.int32) - (uniform[:, None] * apart).to(torch.int32)
    starts[:, -1] = size - kernel
    return starts[:, :, None] + torch.arange(kernel, dtype=torch.int32, device=uniform.device)


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
    geometry = windows(2, kernel_size, 1)
    batch, single = as_batch(x, geometry, 2)
    if grid % stride:
        raise InputError(f"grid is {grid}, stride {stride}: give a grid that the stride divides")
    positions = []
    for size in batch.shape[2:]:
        if size % grid:
            raise InputError(f"grid is {grid}, which does not divide an axis of {size}: give one that does")
        order = torch.rand((size // grid, grid), generator=generator).argsort(1)[:, : grid // stride].sort(1).values
        starts = (order + grid * torch.arange(size // grid)[:, None]).reshape(-1).to(torch.int32)
        found = starts[:, None] + torch.arange(kernel_size, dtype=torch.int32)
        positions.append(torch.where(found < size, found, ABSENT)[None])
    value = MAX(batch, Inputs(geometry, positions=tuple(positions))).value
    return value[0] if single else value


def max_unpool2d(x: Tensor, indices: Tensor, output_size: tuple[int, int]) -> Tensor:
    """Put each value where ``indices`` say it came from, 0 elsewhere; ``torch.nn.functional.max_unpool2d`` by sizes.

    Raises
    ------
    InputError : if the shapes of values and indices differ

    Examples
    --------
    >>> max_unpool2d(torch.tensor([[[[7.0]]]]), torch.tensor([[[[3]]]]), (2, 2))
    tensor([[[[0., 0.],
              [0., 7.]]]])
    """
    if x.shape != indices.shape:
        raise InputError(
            f"indices have shape {tuple(indices.shape)}; that of the values, {tuple(x.shape)}, was expected"
        )
    flat = x.new_zeros((*x.shape[:-2], output_size[0] * output_size[1]))
    return flat.scatter(-1, indices.flatten(-2), x.flatten(-2)).reshape(*x.shape[:-2], *output_size)


class FractionalMaxPool2d(nn.Module):
    """``torch.nn.FractionalMaxPool2d`` by ``output_size``."""

    def __init__(self, kernel_size: Size, output_size: tuple[int, int]) -> None:
        super().__init__()
        self.kernel_size, self.output_size = kernel_size, output_size

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, height, width) or (channels, height, width)."""
        return fractional_max_pool2d(x, self.kernel_size, self.output_size)


class S3Pool2d(nn.Module):
    """``s3_pool2d`` in training; in evaluation the mean of the maxima around each place that could be drawn."""

    def __init__(self, kernel_size: int = 2, stride: int = 2, grid: int = 4) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.grid = kernel_size, stride, grid

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, height, width) or (channels, height, width)."""
        if self.training:
            return s3_pool2d(x, self.kernel_size, self.stride, self.grid)
        reach = self.kernel_size - 1
        dense = Windows((self.kernel_size,) * 2, (1, 1), (0, 0), (reach, reach), (1, 1))
        return average_pool(max_pool(x, dense), windows(2, self.stride))


class MaxUnpool2d(nn.Module):
    """``max_unpool2d`` to the size that non-overlapping windows came from, or to ``output_size``."""

    def __init__(self, kernel_size: int, stride: int | None = None) -> None:
        super().__init__()
        self.windows = windows(2, kernel_size, stride)

    def forward(self, x: Tensor, indices: Tensor, output_size: tuple[int, int] | None = None) -> Tensor:
        """Put the values back."""
        if output_size is None:
            sizes = [
                (n - 1) * s + k for n, s, k in zip(x.shape[-2:], self.windows.stride, self.windows.kernel, strict=True)
            ]
            output_size = (sizes[0], sizes[1])
        return max_unpool2d(x, indices, output_size)
