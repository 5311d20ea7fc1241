"""A weighted sum of each window, the same weights for all: blurring, and what gates are made of."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from gradus.core.errors import InputError
from gradus.kernels.window_pooling import Pooled, Variant
from gradus.layers import exported_forms
from gradus.layers.average_pooling import sum_start
from gradus.layers.axes import is_whole
from gradus.layers.geometry import as_batch, of_one_window, windows
from gradus.layers.given_numbers import learned
from gradus.layers.max_pooling import max_pool
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import pooled

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Windows


def weighted_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the value times the weight of its tap."""
    return (state[0] + tap.weight * x,)


def weighted_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The sum."""
    return state[0], 0.0, 0.0


def weighted_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times the weight of the tap; to the weight upstream times the value."""
    return window.upstream * tap.weight, window.upstream * x


def weighted_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    assert call.weights is not None
    return Pooled((values * call.weights.reshape(-1)).sum(-1))


WEIGHTED = Operator(
    Variant(
        "weighted_pool", weighted_reference, sum_start, weighted_fold, weighted_finish, weighted_share, learns=True
    ),
    exported_forms.weighted,
)


def pooled_by_weights(operator: Operator, x: Tensor, weights: Tensor, geometry: Windows) -> Tensor:
    """Return what ``operator`` makes of ``x`` with a weight for each position of a window.

    Raises
    ------
    InputError : if the weights do not have the window's shape
    """
    shape = of_one_window(geometry).kernel
    return pooled(operator, x, Inputs(geometry, weights=learned("the weights", weights, shape)))


def weighted_pool(x: Tensor, weights: Tensor, geometry: Windows) -> Tensor:
    """Return sum_t weights_t x_t of each window; positions outside the input are 0.

    Parameters
    ----------
    weights : of the window's shape; gets a gradient

    Raises
    ------
    InputError : if the weights do not have the window's shape

    Examples
    --------
    >>> weighted_pool(torch.tensor([[[1.0, 2.0, 4.0]]]), torch.tensor([-1.0, 1.0]), windows(1, 2, 1))
    tensor([[[1., 2.]]])
    """
    return pooled_by_weights(WEIGHTED, x, weights, geometry)


def binomial(size: int, axes: int) -> Tensor:
    """Return the binomial filter of ``size`` positions on each axis, of sum 1.

    >>> binomial(3, 1)
    tensor([0.2500, 0.5000, 0.2500])
    """
    line = torch.tensor([float(comb(size - 1, k)) for k in range(size)]).div(2 ** (size - 1))
    found: Tensor = line
    for _ in range(axes - 1):
        found = found[..., None] * line
    return found


def _reflected(x: Tensor, size: int, axes: int) -> Tensor:
    before, after = (size - 1) // 2, size - 1 - (size - 1) // 2
    as_batch(x, windows(axes, 1))
    if min(x.shape[-axes:]) <= after:
        raise InputError(
            f"the input has shape {tuple(x.shape)}, and a filter of {size} reflects {after} positions at its edges: "
            f"give a smaller filter, or axes of at least {after + 1}"
        )
    found: Tensor = nn.functional.pad(x, (before, after) * axes, mode="reflect")
    return found


class _BlurPool(nn.Module):
    """A binomial filter, then every ``stride``-th position: what is dropped does not come back as aliases (Zhang 2019).

    Parameters
    ----------
    size : of the filter, on each axis; the input is continued by reflection
    stride : of what is kept
    """

    axes: ClassVar[int]

    def __init__(self, size: int = 3, stride: int = 2) -> None:
        super().__init__()
        self.windows = windows(self.axes, size, stride)
        if not is_whole(size):
            raise InputError(f"size is {size}; one number for all axes was expected")
        self.size = size
        self.register_buffer("filter", binomial(size, self.axes), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        weights = self.filter
        assert isinstance(weights, torch.Tensor)
        return weighted_pool(_reflected(x, self.size, self.axes), weights.to(x.dtype), self.windows)


class BlurPool1d(_BlurPool):
    """Blurring on a line."""

    axes: ClassVar[int] = 1


class BlurPool2d(_BlurPool):
    """Blurring in a plane.

    >>> BlurPool2d(3)(torch.ones(1, 1, 4, 4))
    tensor([[[[1., 1.],
              [1., 1.]]]])
    """

    axes: ClassVar[int] = 2


class BlurPool3d(_BlurPool):
    """Blurring in space."""

    axes: ClassVar[int] = 3


class _MaxBlurPool(nn.Module):
    """The maximum of windows at every position, then blurring: max pooling that a small shift changes little."""

    axes: ClassVar[int]

    def __init__(self, kernel_size: int = 2, stride: int = 2, *, size: int = 3) -> None:
        super().__init__()
        self.maximum = windows(self.axes, kernel_size, 1)
        self.blur = (BlurPool1d, BlurPool2d, BlurPool3d)[self.axes - 1](size, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        found: Tensor = self.blur(max_pool(x, self.maximum))
        return found


class MaxBlurPool1d(_MaxBlurPool):
    """Maximum and blur on a line."""

    axes: ClassVar[int] = 1


class MaxBlurPool2d(_MaxBlurPool):
    """Maximum and blur in a plane."""

    axes: ClassVar[int] = 2


class MaxBlurPool3d(_MaxBlurPool):
    """Maximum and blur in space."""

    axes: ClassVar[int] = 3
