"""What every module with sliding windows holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from torch import nn

from gradus.kernels.window_pooling import Bins, Same, Windows
from gradus.layers.eager import is_plain
from gradus.layers.geometry import Padding, as_batch, windows

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.layers.axes import Size
    from gradus.layers.operators import Inputs, Operator


class SlidingPool(nn.Module, ABC):
    """A pooling module over windows that slide; a subclass says what a window comes to.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode : as in ``gradus.layers.windows``; the stride is the kernel's size
        if None
    """

    axes: ClassVar[int]

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        dilation: Size = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.windows = windows(self.axes, kernel_size, stride, padding, dilation, ceil_mode=ceil_mode)

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """Positions of a window on each axis; this and those below are what tools read of torch's pooling layers."""
        return self.windows.kernel

    @property
    def stride(self) -> tuple[int, ...]:
        """How far windows lie apart on each axis."""
        return self.windows.stride

    @property
    def padding(self) -> Padding:
        """How many positions are padded on each axis: numbers, or pairs (before, after) where they differ, or Same."""
        shown = self.windows
        if shown.same is not Same.GIVEN:
            return shown.same
        return shown.before if shown.before == shown.after else tuple(zip(shown.before, shown.after, strict=True))

    @property
    def dilation(self) -> tuple[int, ...]:
        """How far the positions of a window lie apart on each axis."""
        return self.windows.dilation

    @property
    def ceil_mode(self) -> bool:
        """Whether a last window may reach over the end."""
        return self.windows.ceil

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""

    def extra_repr(self) -> str:
        """Return the geometry, as ``print(module)`` shows it."""
        names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in names)


def pooled(operator: Operator, x: Tensor, inputs: Inputs) -> Tensor:
    """Return what ``operator`` makes of ``x``, with or without a first axis of samples.

    Raises
    ------
    InputError : if ``x`` has the wrong number of axes or no window fits
    """
    geometry = inputs.geometry
    plain = is_plain(x) and isinstance(geometry, Windows | Bins) and x.dim() == geometry.axes + 2
    if plain and (found := operator.again(x, inputs)) is not None:
        return found
    batch, single = as_batch(x, geometry)
    if plain:
        operator.remember(x, inputs)
    value = operator(batch, inputs).value
    return value[0] if single else value
