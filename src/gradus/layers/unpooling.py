"""Max unpooling: values go back to where indices say that they came from."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from gradus.core.devices import require_one_device
from gradus.core.errors import InputError
from gradus.layers.axes import each
from gradus.layers.geometry import windows

if TYPE_CHECKING:
    from gradus.layers.axes import Size


def max_unpool(x: Tensor, indices: Tensor, output_size: tuple[int, ...]) -> Tensor:
    """Put each value where ``indices`` say it came from, 0 elsewhere.

    Parameters
    ----------
    x, indices : (samples, channels, axes...) or (channels, axes...), as max pooling gives them
    output_size : of the axes of what is returned; ``indices`` count its entries in a row

    Raises
    ------
    InputError : if the shapes of values and indices differ, indices are no whole numbers, or one lies outside

    Examples
    --------
    >>> import torch
    >>> max_unpool(torch.tensor([[[[7.0]]]]), torch.tensor([[[[3]]]]), (2, 2))
    tensor([[[[0., 0.],
              [0., 7.]]]])
    """
    if not isinstance(x, Tensor) or not isinstance(indices, Tensor) or indices.dtype not in (torch.int64, torch.int32):
        kinds = [str(t.dtype) if isinstance(t, Tensor) else type(t).__name__ for t in (x, indices)]
        raise InputError(f"values are {kinds[0]} and indices {kinds[1]}; tensors were expected, the indices of int64")
    if x.shape != indices.shape:
        raise InputError(
            f"indices have shape {tuple(indices.shape)}; that of the values, {tuple(x.shape)}, was expected"
        )
    output_size = each("output_size", output_size, len(output_size), least=1)
    axes, entries = len(output_size), prod(output_size)
    if x.dim() not in (axes + 1, axes + 2):
        raise InputError(f"the values have shape {tuple(x.shape)}; {axes} axes after channels were expected: reshape")
    require_one_device(values=x, indices=indices)
    outside = (
        f"an index lies outside the {entries} entries of an output of {tuple(output_size)}: give the size that was "
        "pooled as output_size"
    )
    if x.is_cuda and not _all_within(indices, entries):
        raise InputError(outside)
    flat = x.new_zeros((*x.shape[:-axes], entries))
    try:
        filled = flat.scatter(-1, indices.flatten(-axes), x.flatten(-axes))
    except RuntimeError as error:
        raise InputError(outside) from error
    return filled.reshape(*x.shape[:-axes], *output_size)


def _all_within(indices: Tensor, entries: int) -> bool:
    """Return whether all are below ``entries``; on CUDA an index that is not would end the process's use of the device.

    A program that is being compiled cannot look, and does not.
    """
    if torch.compiler.is_compiling():
        return True
    return bool(((indices >= 0) & (indices < entries)).all())


class _MaxUnpool(nn.Module):
    """``max_unpool`` to the size that the windows came from, or to ``output_size``."""

    axes: ClassVar[int]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.windows = windows(self.axes, kernel_size, stride, padding)

    def forward(self, x: Tensor, indices: Tensor, output_size: tuple[int, ...] | None = None) -> Tensor:
        """Put the values back; ``output_size`` may have samples and channels in front, as ``pooled.shape`` has.

        Raises
        ------
        InputError : as ``max_unpool``, and if windows of ``output_size`` would not come to as many values
        """
        shown = self.windows
        geometry = zip(x.shape[-self.axes :], shown.kernel, shown.stride, shown.before, strict=True)
        least = tuple((n - 1) * stride + kernel - 2 * before for n, kernel, stride, before in geometry)
        if output_size is None:
            return max_unpool(x, indices, least)
        sizes = tuple(output_size)[-self.axes :] if isinstance(output_size, tuple | list) else output_size
        wanted = each("output_size", sizes, self.axes, least=1)
        if any(abs(size - own) >= stride for size, own, stride in zip(wanted, least, shown.stride, strict=True)):
            raise InputError(
                f"output_size is {tuple(wanted)}; within less than the stride of {least} was expected: give the size "
                "that was pooled"
            )
        return max_unpool(x, indices, wanted)


class MaxUnpool1d(_MaxUnpool):
    """``torch.nn.MaxUnpool1d``."""

    axes: ClassVar[int] = 1


class MaxUnpool2d(_MaxUnpool):
    """``torch.nn.MaxUnpool2d``."""

    axes: ClassVar[int] = 2


class MaxUnpool3d(_MaxUnpool):
    """``torch.nn.MaxUnpool3d``."""

    axes: ClassVar[int] = 3
