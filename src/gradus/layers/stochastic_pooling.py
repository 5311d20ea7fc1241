"""Stochastic pooling: in training a window's value is drawn, each with probability in proportion to its size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from gradus.kernels.register_functions import ratio
from gradus.kernels.registers import chosen
from gradus.kernels.window_pooling import FIRST_TAP, Pooled, Variant
from gradus.layers import drawn_numbers, exported_forms
from gradus.layers.geometry import as_batch
from gradus.layers.given_numbers import uniform_ones
from gradus.layers.max_pooling import extreme_share
from gradus.layers.operators import Inputs, Operator
from gradus.layers.sliding import SlidingPool, pooled

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.window_pooling import Call, Geometry


def draw_start(settings: Any) -> Any:
    """Nothing yet."""
    return 0.0, 0.0, -1.0


def draw_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add what is positive."""
    return state[0] + chosen((x > 0.0) | (x != x), x, 0.0), state[1], state[2]


def draw_turn(state: Any, extra: Any, settings: Any) -> Any:
    """So much of the sum is gone through."""
    return state[0] * extra, 0.0, -1.0


def draw_fold_again(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Go on to the value in which that much is reached."""
    going = (x > 0.0) & (state[0] >= 0.0)
    return chosen(going, state[0] - x, state[0]), chosen(going, x, state[1]), chosen(going, tap.number, state[2])


def draw_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The value, and its tap; none (-1, as a byte 255) where nothing is positive. NaN wins over all."""
    return chosen(state[0] != state[0], state[0], state[1]), 0.0, state[2]


def expect_start(settings: Any) -> Any:
    """Nothing yet."""
    return 0.0, 0.0


def expect_fold(state: Any, x: Any, tap: Any, settings: Any) -> Any:
    """Add the value and its square."""
    kept = chosen((x > 0.0) | (x != x), x, 0.0)
    return state[0] + kept, state[1] + kept * kept


def expect_finish(state: Any, constant: Any, extra: Any, settings: Any) -> Any:
    """The expected value; NaN wins."""
    return chosen(state[0] == 0.0, 0.0, state[1] / state[0]), 0.0, 0.0


def expect_share(x: Any, tap: Any, window: Any, settings: Any) -> Any:
    """Upstream times (2 x - y) over the sum."""
    total, some = window.state[0], window.state[0] > 0.0
    mean = chosen(some, ratio(window.state[1], total), 0.0)
    return chosen((x >= 0.0) & some, window.upstream * ratio(2.0 * x - mean, total), 0.0)


def draw_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    assert call.extra is not None
    sizes = values.detach().clamp(min=0)
    sums = sizes.cumsum(-1)
    reached = (sums > (sums[..., -1:] * call.extra[..., None])) & (sizes > 0)
    last = sizes.shape[-1] - 1 - (sizes > 0).flip(-1).to(torch.uint8).argmax(-1)
    winner = torch.where(reached.any(-1), reached.to(torch.uint8).argmax(-1), last)
    some = (sizes > 0).any(-1)
    value = values.gather(-1, winner[..., None])[..., 0]
    nan = sizes.isnan().any(-1)
    return Pooled(value.where(some, 0).masked_fill(nan, math.nan), winner=winner.where(some & ~nan, 255))


def expect_reference(values: Tensor, present: Tensor, call: Call) -> Pooled:
    """The same in torch."""
    kept = values.clamp(min=0)
    total = kept.sum(-1)
    value = (kept * kept).sum(-1) / total.where(total > 0, 1)
    return Pooled(value.where(total != 0, 0 * total))


DRAWN = Operator(
    Variant(
        "stochastic_pool",
        draw_reference,
        draw_start,
        draw_fold,
        draw_finish,
        extreme_share,
        turn=draw_turn,
        fold_again=draw_fold_again,
        two_passes=True,
        reads_extra=True,
        names_winner=True,
        constant=FIRST_TAP,
    )
)
EXPECTED = Operator(
    Variant(
        "stochastic_mean_pool",
        expect_reference,
        expect_start,
        expect_fold,
        expect_finish,
        expect_share,
        reads_input=True,
        recalls=True,
    ),
    exported_forms.expected,
)


def stochastic_pool(x: Tensor, geometry: Geometry, *, uniform: Tensor | None = None) -> Tensor:
    """Return one value of each window, drawn with probability x_i / sum x; 0 where none is positive.

    The gradient goes to the value drawn (Zeiler & Fergus 2013).

    Parameters
    ----------
    x : what is negative counts as 0
    uniform : numbers in [0, 1), of the output's shape, which decide; drawn if None, as ``torch.manual_seed`` says

    Raises
    ------
    InputError : if ``uniform`` is something else, or the input does not fit the geometry

    Examples
    --------
    >>> from gradus.layers import windows
    >>> stochastic_pool(torch.tensor([[[1.0, 3.0]]]), windows(1, 2), uniform=torch.tensor([[[0.2]]]))
    tensor([[[1.]]])
    """
    batch, single = as_batch(x, geometry)
    shape = (*batch.shape[:2], *geometry.output(batch.shape[2:]))
    if uniform is None:
        uniform = drawn_numbers.uniform(shape, batch)
    else:
        uniform = uniform_ones("uniform", uniform[None] if single else uniform, shape)
    value = DRAWN(batch, Inputs(geometry, extra=uniform)).value
    return value[0] if single else value


def stochastic_mean_pool(x: Tensor, geometry: Geometry) -> Tensor:
    """Return what ``stochastic_pool`` is expected to draw: sum x^2 / sum x of each window.

    Examples
    --------
    >>> from gradus.layers import windows
    >>> stochastic_mean_pool(torch.tensor([[[1.0, 3.0]]]), windows(1, 2))
    tensor([[[2.5000]]])
    """
    return pooled(EXPECTED, x, Inputs(geometry))


class _StochasticPool(SlidingPool):
    """A value drawn from each window in training, the expected one in evaluation."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool (samples, channels, axes...) or (channels, axes...)."""
        return stochastic_pool(x, self.windows) if self.training else stochastic_mean_pool(x, self.windows)


class StochasticPool1d(_StochasticPool):
    """Stochastic pooling on a line."""

    axes: ClassVar[int] = 1


class StochasticPool2d(_StochasticPool):
    """Stochastic pooling in a plane."""

    axes: ClassVar[int] = 2


class StochasticPool3d(_StochasticPool):
    """Stochastic pooling in space."""

    axes: ClassVar[int] = 3
