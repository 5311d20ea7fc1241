"""What one call of a pooling kernel is given and gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.kernels.window_pooling.constants import constants_of
from gradus.kernels.window_pooling.windows import Bins, Windows

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling.variant import Constant
    from gradus.kernels.window_pooling.windows import Geometry, Ints

MOST_BYTE_TAPS = 255


@dataclass(frozen=True)
class Call:
    """Everything that a window's value depends on.

    Attributes
    ----------
    x : (samples, channels, 1 to 3 axes), floating point, any strides
    geometry : where the windows lie
    settings : the numbers of the variant (an exponent, a sharpness, ...)
    weights : (taps,) or (1,), read as a tap's weight, of any floating type
    other : a second input of the shape of ``x`` (logits)
    extra : a number for each window, of the output's shape
    positions : where windows are drawn for each plane, (planes, windows, kernel) for each axis, instead of ``geometry``
    """

    x: Tensor
    geometry: Geometry
    settings: tuple[float, ...] = (0.0,)
    weights: Tensor | None = None
    other: Tensor | None = None
    extra: Tensor | None = None
    positions: tuple[Tensor, ...] | None = None

    @property
    def sizes(self) -> Ints:
        """The axes that windows slide over."""
        return tuple(self.x.shape[2:])

    @property
    def output_sizes(self) -> Ints:
        """How many windows each axis has."""
        if self.positions is not None:
            return tuple(p.shape[1] for p in self.positions)
        return tuple(self.geometry.output(self.sizes))

    def tables(self) -> tuple[Tensor, ...]:
        """Return for each axis the positions of its windows, (windows, kernel) or (planes, windows, kernel)."""
        if self.positions is not None:
            return tuple(p.to(self.x.device, torch.int64) for p in self.positions)
        found = self.geometry.positions(self.sizes)
        return tuple(torch.from_numpy(p).to(self.x.device, torch.int64) for p in found)

    def constants(self, constant: Constant) -> Tensor:
        """Return the constant of every window, of the output's axes."""
        found = torch.from_numpy(constants_of(self.geometry, self.sizes, constant))
        return found.reshape(self.output_sizes).to(self.x.device)

    def with_inputs(self, x: Tensor, other: Tensor | None) -> Call:
        """Return this call of other inputs."""
        return replace(self, x=x, other=other)

    def with_windows(self, other: Tensor | None, dtype: torch.dtype) -> Call:
        """Return this call with the second input written out as windows, its numbers in ``dtype``."""
        weights = None if self.weights is None else self.weights.to(dtype)
        extra = None if self.extra is None else self.extra.to(dtype)
        return replace(self, other=other, weights=weights, extra=extra)

    @property
    def taps(self) -> int:
        """How many positions a window has at most."""
        if self.positions is not None:
            kernel = [p.shape[2] for p in self.positions]
        else:
            kernel = [p.shape[1] for p in self.geometry.positions(self.sizes)]
        return int(torch.Size(kernel).numel())


class Pooled(NamedTuple):
    """What a window came to: its value, the number put aside for its gradient, the tap that won.

    The last two are None where the variant has none, or nobody asked for them.
    """

    value: Tensor
    aside: Tensor | None = None
    winner: Tensor | None = None


# of the input, of the second input and of the weights, the last two None where there are none or nobody wants them
Gradients = tuple["Tensor", "Tensor | None", "Tensor | None"]


def winner_dtype(taps: int) -> torch.dtype:
    """Return the smallest type that can number the taps."""
    return torch.uint8 if taps <= MOST_BYTE_TAPS else torch.int32


def over_three_axes(geometry: Geometry) -> Geometry:
    """Return the geometry with axes of one position before its own, three in all."""
    if isinstance(geometry, Bins):
        return Bins((1,) * (3 - len(geometry.outputs)) + geometry.outputs)
    missing = 3 - len(geometry.kernel)
    ones, zeros = (1,) * missing, (0,) * missing
    return Windows(
        kernel=ones + geometry.kernel,
        stride=ones + geometry.stride,
        before=zeros + geometry.before,
        after=zeros + geometry.after,
        dilation=ones + geometry.dilation,
        same=geometry.same,
        ceil=geometry.ceil,
    )
