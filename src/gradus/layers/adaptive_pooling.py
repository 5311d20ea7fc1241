"""As many windows as are wanted, whatever the input's size: adaptive, global and pyramid pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from gradus.core.errors import InputError
from gradus.kernels.window_pooling import Bins
from gradus.layers.average_pooling import MEAN
from gradus.layers.axes import each, is_whole
from gradus.layers.geometry import as_batch
from gradus.layers.max_pooling import max_pool, max_pool_with_indices
from gradus.layers.operators import Inputs
from gradus.layers.sliding import pooled

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.layers.axes import Size

Outputs = int | None | tuple[int | None, ...] | list[int | None]
# so many entries keep threads busy, and planes of so many, the least and the most, lie side by side in the cache
LEAST_ENTRIES, PLANES = 1 << 20, (1 << 10, 1 << 14)
_MEANS: dict[int, Any] = {
    1: functional.adaptive_avg_pool1d,
    2: functional.adaptive_avg_pool2d,
    3: functional.adaptive_avg_pool3d,
}


def bins(x: Tensor, output_size: Outputs, axes: int) -> Bins:
    """Return bins for the last ``axes`` axes of ``x``; None keeps an axis as long as it is.

    Raises
    ------
    InputError : if a size is negative or not whole, or there are not as many as axes
    """
    wanted = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,)
    wanted = wanted * axes if len(wanted) == 1 else wanted
    if not isinstance(x, torch.Tensor) or x.dim() < axes or len(wanted) != axes:
        as_batch(x, Bins((1,) * axes))
        raise InputError(f"output_size is {output_size}; one number or {axes} were expected")
    sizes = tuple(x.shape[axis - axes] if size is None else size for axis, size in enumerate(wanted))
    return Bins(tuple(int(size) for size in each("output_size", sizes, axes, least=0)))


def adaptive_max_pool(x: Tensor, output_size: Outputs, axes: int, *, indices: bool = False) -> Any:
    """Return the maximum of each bin, and with ``indices`` where it lies, as torch's ``adaptive_max_pool2d``.

    Examples
    --------
    >>> adaptive_max_pool(torch.arange(5.0)[None, None], 2, 1)
    tensor([[[2., 4.]]])
    """
    geometry = bins(x, output_size, axes)
    return max_pool_with_indices(x, geometry) if indices else max_pool(x, geometry)


def adaptive_average_pool(x: Tensor, output_size: Outputs, axes: int) -> Tensor:
    """Return the mean of each bin: by our kernel where that is faster, twice in many planes, and else by torch's layer.

    Examples
    --------
    >>> adaptive_average_pool(torch.arange(5.0)[None, None], 2, 1)
    tensor([[[1., 3.]]])
    """
    geometry = bins(x, output_size, axes)
    # ONNX has not torch's bins
    if (isinstance(x, torch.Tensor) and _faster(x, geometry)) or torch.onnx.is_in_onnx_export():
        return pooled(MEAN, x, Inputs(geometry))
    batch, single = as_batch(x, geometry)
    value: Tensor = _MEANS[axes](batch, geometry.outputs if axes > 1 else geometry.outputs[0])
    return value[0] if single else value


def _faster(x: Tensor, geometry: Bins) -> bool:
    """Return whether our kernel was measured to be faster than torch's layer; while others compile it, it is not."""
    if torch.compiler.is_compiling() or x.device.type != "cpu" or max(geometry.outputs) <= 1:
        return False
    return x.numel() >= LEAST_ENTRIES and PLANES[0] <= x.shape[-geometry.axes :].numel() <= PLANES[1]


class _AdaptiveMaxPool(nn.Module):
    axes: int

    def __init__(self, output_size: Outputs, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, x: Tensor) -> Any:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return adaptive_max_pool(x, self.output_size, self.axes, indices=self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """``torch.nn.AdaptiveMaxPool1d``."""

    axes = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """``torch.nn.AdaptiveMaxPool2d``."""

    axes = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """``torch.nn.AdaptiveMaxPool3d``."""

    axes = 3


class _AdaptiveAvgPool(nn.Module):
    axes: int

    def __init__(self, output_size: Outputs) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return adaptive_average_pool(x, self.output_size, self.axes)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """``torch.nn.AdaptiveAvgPool1d``."""

    axes = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """``torch.nn.AdaptiveAvgPool2d``."""

    axes = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """``torch.nn.AdaptiveAvgPool3d``."""

    axes = 3


class _GlobalMaxPool(nn.Module):
    axes: int

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        found: Tensor = adaptive_max_pool(x, 1, self.axes)
        return found


class GlobalMaxPool1d(_GlobalMaxPool):
    """The maximum of each whole line, (samples, channels, 1)."""

    axes = 1


class GlobalMaxPool2d(_GlobalMaxPool):
    """The maximum of each whole plane, (samples, channels, 1, 1)."""

    axes = 2


class GlobalMaxPool3d(_GlobalMaxPool):
    """The maximum of each whole space, (samples, channels, 1, 1, 1)."""

    axes = 3


class _GlobalAvgPool(nn.Module):
    axes: int

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return adaptive_average_pool(x, 1, self.axes)


class GlobalAvgPool1d(_GlobalAvgPool):
    """The mean of each whole line, (samples, channels, 1)."""

    axes = 1


class GlobalAvgPool2d(_GlobalAvgPool):
    """The mean of each whole plane, (samples, channels, 1, 1)."""

    axes = 2


class GlobalAvgPool3d(_GlobalAvgPool):
    """The mean of each whole space, (samples, channels, 1, 1, 1)."""

    axes = 3


class _SpatialPyramidPool(nn.Module):
    """The maxima of 1, 2, 4, ... bins on each axis in a row: one length for inputs of any size (He et al. 2015)."""

    axes: int

    def __init__(self, levels: Size = (1, 2, 4)) -> None:
        super().__init__()
        self.levels = tuple(levels) if isinstance(levels, tuple | list) else (levels,)
        if not self.levels or not all(is_whole(level) and level > 0 for level in self.levels):
            raise InputError(f"levels is {levels}; positive whole numbers were expected, such as (1, 2, 4)")

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) to (samples, numbers), or (channels, axes...) to (numbers,)."""
        maxima = [adaptive_max_pool(x, level, self.axes) for level in self.levels]
        return torch.cat([found.flatten(-1 - self.axes) for found in maxima], dim=-1)


class SpatialPyramidPool1d(_SpatialPyramidPool):
    """A pyramid of lines: the maxima of 1, 2 and 4 parts make seven numbers of each channel.

    Examples
    --------
    >>> SpatialPyramidPool1d()(torch.zeros(2, 3, 9)).shape
    torch.Size([2, 21])
    """

    axes = 1


class SpatialPyramidPool2d(_SpatialPyramidPool):
    """A pyramid of planes.

    Examples
    --------
    >>> SpatialPyramidPool2d((1, 2))(torch.zeros(2, 3, 5, 7)).shape
    torch.Size([2, 15])
    """

    axes = 2


class SpatialPyramidPool3d(_SpatialPyramidPool):
    """A pyramid of spaces.

    Examples
    --------
    >>> SpatialPyramidPool3d((1, 2))(torch.zeros(2, 3, 5, 7, 4)).shape
    torch.Size([2, 27])
    """

    axes = 3
