"""What a user says about windows, in torch's words, made one geometry; and what is wrong with it, in ours."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.kernels.window_pooling import Bins, Same, Windows
from gradus.layers.axes import Around, Size, each, pairs

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Geometry

Padding = Around | Same
_NUMBERS = (int, type(None))


def windows(
    axes: int,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    *,
    ceil_mode: bool = False,
) -> Windows:
    """Return windows that slide over ``axes`` axes.

    Parameters
    ----------
    kernel_size, stride, dilation : one number, or one for each axis; the stride is the kernel's size if None
        or, as torch has it, ()
    padding : one number, one for each axis, a pair (before, after) for each axis, or ``Same.UPPER`` / ``Same.LOWER``
    ceil_mode : whether a last window may reach over the end

    Raises
    ------
    InputError : if a number is not a positive whole one, or a padding is so large that a window lies in it

    Examples
    --------
    >>> windows(2, 3, stride=2, padding=1).output((56, 56))
    (28, 28)
    """
    if axes not in (1, 2, 3):
        raise InputError(f"axes is {axes}; 1, 2 or 3 was expected")
    numbers = type(kernel_size) is int and type(padding) is int and type(dilation) is int and type(stride) in _NUMBERS
    # torch's compiler looks into what is kept, and warns that it does
    if numbers and not torch.compiler.is_compiling():
        return _alike(axes, kernel_size, stride, padding, dilation, bool(ceil_mode))
    return _made(axes, kernel_size, stride, padding, dilation, ceil_mode)


def _made(axes: int, kernel_size: Size, stride: Size | None, padding: Padding, dilation: Size, ceil: bool) -> Windows:
    kernel = each("kernel_size", kernel_size, axes, least=1)
    strides = kernel if stride is None or stride == () else each("stride", stride, axes, least=1)
    dilations = each("dilation", dilation, axes, least=1)
    if isinstance(padding, Same):
        none = (0,) * axes
        return Windows(kernel, strides, none, none, dilations, same=padding)
    before, after = pairs(padding, axes)
    for axis in range(axes):
        reach = dilations[axis] * (kernel[axis] - 1) + 1
        if max(before[axis], after[axis]) >= reach:
            raise InputError(
                f"padding is {(before[axis], after[axis])} on axis {axis} where a window reaches over {reach}: "
                "a window would lie in the padding; give less padding"
            )
    return Windows(kernel, strides, before, after, dilations, ceil=bool(ceil))


# of numbers, which a function that is called for every batch is given again and again
_alike = lru_cache(maxsize=256)(_made)


def of_one_window(geometry: Geometry) -> Windows:
    """Return the geometry of a layer whose windows all have the same positions.

    Raises
    ------
    InputError : if it is bins, whose windows differ, or no geometry
    """
    if not isinstance(geometry, Windows):
        raise InputError(f"the geometry is {geometry!r}; what gradus.layers.windows returns was expected")
    return geometry


def as_batch(x: Tensor, geometry: Geometry) -> tuple[Tensor, bool]:
    """Return ``x`` as (samples, channels, axes...), and whether the first axis was added.

    Raises
    ------
    InputError : if it has another number of axes, is no floating-point tensor, or no window fits
    """
    if not isinstance(geometry, Windows | Bins):
        raise InputError(f"the geometry is {geometry!r}; what gradus.layers.windows returns, or Bins, was expected")
    axes = geometry.axes
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        kind = str(x.dtype) if isinstance(x, torch.Tensor) else type(x).__name__
        raise InputError(f"the input is {kind}; a floating-point tensor was expected: convert it")
    if x.dim() not in (axes + 1, axes + 2):
        raise InputError(
            f"the input has shape {tuple(x.shape)}; (samples, channels, {axes} axes) or (channels, {axes} axes) "
            "was expected: reshape it"
        )
    batch = x if x.dim() == axes + 2 else x[None]
    for axis, (size, count) in enumerate(zip(batch.shape[2:], geometry.output(batch.shape[2:]), strict=True)):
        if isinstance(geometry, Windows) and (size < 1 or count < 1):
            raise InputError(
                f"no window of {geometry.kernel[axis]} fits an input of {size} on axis {axis}: "
                "give a smaller kernel or more padding"
            )
        if size < 1 <= count:
            raise InputError(f"axis {axis} of the input has no positions, but {count} windows are wanted")
    if batch.shape[1] == 0:
        raise InputError(f"the input has shape {tuple(x.shape)}, without channels: give at least one")
    return batch, x.dim() == axes + 1
