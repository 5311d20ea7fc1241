"""Max pooling over windows that lie a fraction of positions apart, at places that are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from gradus.core.devices import require_one_device
from gradus.core.errors import InputError
from gradus.layers.axes import each
from gradus.layers.geometry import as_batch, windows
from gradus.layers.given_numbers import learned
from gradus.layers.max_pooling import MAX, flat_indices
from gradus.layers.operators import Inputs

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Windows
    from gradus.layers.axes import Size


def fractional_max_pool2d(x: Tensor, kernel_size: Size, output_size: Size, *, samples: Tensor | None = None) -> Tensor:
    """Return the maxima of windows that lie L / O apart on average, at places drawn for each plane (Graham 2014).

    start_i = floor((i + u) a) - floor(u a) with a = (L - k) / (O - 1), the last at L - k; as in
    ``torch.nn.functional.fractional_max_pool2d``, of which ``samples`` is ``_random_samples``.

    Parameters
    ----------
    samples : u in [0, 1), (samples, channels, 2), for width and height, of one image also (channels, 2); drawn if None

    Raises
    ------
    InputError : if the kernel and the output are larger than the input, or ``samples`` something else

    Examples
    --------
    >>> fractional_max_pool2d(torch.arange(25.0).reshape(1, 1, 5, 5), 2, (3, 3)).shape
    torch.Size([1, 1, 3, 3])
    """
    return _fractional(x, windows(2, kernel_size, 1), output_size, samples)[0]


def fractional_max_pool3d(x: Tensor, kernel_size: Size, output_size: Size, *, samples: Tensor | None = None) -> Tensor:
    """Return the same in space; ``samples`` is (samples, channels, 3), for depth, height and width, as torch has them.

    Examples
    --------
    >>> fractional_max_pool3d(torch.zeros(1, 1, 5, 5, 5), 2, 3).shape
    torch.Size([1, 1, 3, 3, 3])
    """
    return _fractional(x, windows(3, kernel_size, 1), output_size, samples)[0]


def _fractional(
    x: Tensor, geometry: Windows, output_size: Size, samples: Tensor | None, *, indices: bool = False
) -> tuple[Tensor, Tensor | None]:
    """The maxima, and, if wanted, where they lie in their planes."""
    axes = geometry.axes
    batch, single = as_batch(x, geometry)
    counts = each("output_size", output_size, axes, least=0)
    for size, kernel, count in zip(batch.shape[2:], geometry.kernel, counts, strict=True):
        if not 1 <= count <= size - kernel + 1:
            raise InputError(f"output_size is {output_size}; 1 to {size - kernel + 1} windows of {kernel} fit {size}")
    shape = (*batch.shape[:2], axes)
    if samples is None:
        samples = torch.rand(shape, dtype=batch.dtype, device=batch.device)
    else:
        alone = isinstance(samples, torch.Tensor) and samples.dim() == 2 and single
        samples = learned("samples", samples[None] if alone else samples, shape)
        require_one_device(**{"the input": batch, "samples": samples})
    # without samples one plane's places stand for all
    drawn = samples.reshape(-1, axes) if len(batch) else samples.new_zeros(1, axes)
    # torch's samples of a plane begin with its last axis, those of a space with its first
    drawn = drawn.flip(1) if axes == 2 else drawn
    positions = tuple(
        _places(batch.shape[2 + axis], geometry.kernel[axis], counts[axis], drawn[:, axis]) for axis in range(axes)
    )
    found = MAX(batch, Inputs(geometry, positions=positions), keep=indices)
    value = found.value[0] if single else found.value
    if not indices:
        return value, None
    assert found.winner is not None
    where = flat_indices(found.winner, positions, batch.shape[2:])
    return value, where[0] if single else where


def _places(size: int, kernel: int, count: int, uniform: Tensor) -> Tensor:
    steps = torch.arange(count, device=uniform.device).to(uniform.dtype)
    apart = torch.tensor((size - kernel) / max(count - 1, 1)).to(uniform)
    starts = ((steps + uniform[:, None]) * apart).to(torch.int64) - (uniform[:, None] * apart).to(torch.int64)
    # numbers that are none, or far from [0, 1), lead nowhere beside the input
    starts = starts.clamp(0, size - kernel).to(torch.int32)
    starts[:, -1] = size - kernel
    return starts[:, :, None] + torch.arange(kernel, dtype=torch.int32, device=uniform.device)


def _is_share(given: Any) -> bool:
    return isinstance(given, int | float) and 0 < given < 1


class _FractionalMaxPool(nn.Module):
    """Windows at drawn places, as many as wanted or a share of the input; with ``return_indices`` also where they won.

    Raises
    ------
    InputError : unless one of ``output_size`` and ``output_ratio``, which lies in (0, 1), is given
    """

    axes: ClassVar[int]

    def __init__(
        self,
        kernel_size: Size,
        output_size: Size | None = None,
        output_ratio: float | tuple[float, ...] | None = None,
        return_indices: bool = False,
    ) -> None:
        super().__init__()
        if (output_size is None) == (output_ratio is None):
            raise InputError("give either output_size, how many windows, or output_ratio, what share of the input")
        ratios = output_ratio if isinstance(output_ratio, tuple | list | None) else (output_ratio,) * self.axes
        if ratios is not None and not (len(ratios) == self.axes and all(map(_is_share, ratios))):
            raise InputError(
                f"output_ratio is {output_ratio}; a number between 0 and 1, or {self.axes} of them, was expected"
            )
        self.windows = windows(self.axes, kernel_size, 1)
        if output_size is not None:
            each("output_size", output_size, self.axes, least=1)
        self.output_size, self.output_ratio, self.return_indices = output_size, ratios, return_indices

    def forward(self, x: Tensor) -> Any:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        wanted = self.output_size
        if self.output_ratio is not None:
            sizes = zip(x.shape[-self.axes :], self.output_ratio, strict=True)
            wanted = tuple(int(size * ratio) for size, ratio in sizes)
        assert wanted is not None
        value, indices = _fractional(x, self.windows, wanted, None, indices=self.return_indices)
        return (value, indices) if self.return_indices else value


class FractionalMaxPool2d(_FractionalMaxPool):
    """``torch.nn.FractionalMaxPool2d``.

    >>> FractionalMaxPool2d(2, output_ratio=0.7)(torch.zeros(1, 1, 10, 20)).shape
    torch.Size([1, 1, 7, 14])
    """

    axes: ClassVar[int] = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """``torch.nn.FractionalMaxPool3d``."""

    axes: ClassVar[int] = 3
