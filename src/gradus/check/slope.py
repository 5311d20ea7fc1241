"""The golden value: the derivative of an output along a direction, by differences in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradus.check.subject import Arrays

# the step relative to the size of the inputs, by the precision of the function; the second step is a part of it
STEPS = {torch.float64: 1e-5, torch.float32: 2e-2}
PART = 0.2
# two one-sided slopes that come closer by less than this as the step falls are those of a kink
STILL_APART = 0.6
# a slope that grows by this factor as the step falls is still growing
STEEPENS = 2.0


@dataclass(frozen=True)
class Slope:
    """A derivative along a direction.

    Attributes
    ----------
    value : the derivative; at a kink the mean of both sides
    error : how far the value may be from the truth, from what two steps disagree by and from rounding
    left, right : the one-sided derivatives; equal where there is no kink
    """

    value: float
    error: float
    left: float
    right: float

    @property
    def kinked(self) -> bool:
        """Whether the two sides differ."""
        return self.known and self.left != self.right

    @property
    def known(self) -> bool:
        """Whether the function is finite on both sides, so that there is a derivative to speak of."""
        return math.isfinite(self.value) and math.isfinite(self.error)

    def distance(self, claimed: float) -> float:
        """Return how far ``claimed`` is from the derivative, or from the interval between the sides of a kink.

        0 where the derivative is not known: nothing can be said there.
        """
        if not self.known:
            return 0.0
        if not math.isfinite(claimed):
            return math.inf
        if not self.kinked:
            return abs(claimed - self.value)
        low, high = sorted((self.left, self.right))
        return max(low - claimed, claimed - high, 0.0)


@dataclass(frozen=True)
class Golden:
    """A trusted function at a point, ready to be differenced.

    Attributes
    ----------
    function : of the inputs; its values are trusted
    inputs : in ``precision`` where they are floating point
    upstreams : float64, one for each output, 0 where the output is not finite
    values : the outputs at the point
    precision : float64, or float32 for a function that takes nothing else
    rounding : what rounding the outputs may make of the sum of upstream times output
    """

    function: Callable[[Arrays], Arrays]
    inputs: Arrays
    upstreams: Arrays
    values: Arrays
    precision: torch.dtype
    rounding: float

    def along(self, which: int, direction: Tensor) -> Slope:
        """Return the derivative of sum upstream * output as input ``which`` moves along ``direction``.

        Cost: four calls of the function. Differences are taken entry by entry before they are summed, so that the
        error does not grow with the size of the sum.
        """
        size = _scale(self.inputs[which])
        step = STEPS[self.precision] * size
        coarse, fine = self._sides(which, direction, step), self._sides(which, direction, PART * step)
        noise = self.rounding / (PART * step)
        apart, closer = abs(coarse[1] - coarse[0]), abs(fine[1] - fine[0])
        value, before = 0.5 * sum(fine), 0.5 * sum(coarse)
        noise += abs(value) * self._step_noise(which, PART * step)
        if abs(value) > STEEPENS * abs(before) + 8 * noise:
            # no derivative that differences of this length could see
            return Slope(math.nan, math.inf, math.nan, math.nan)
        error = abs(value - before) + noise
        if closer > STILL_APART * apart and closer > 8 * noise and closer > 1e-6 * (abs(fine[0]) + abs(fine[1])):
            return Slope(value, noise + abs(fine[0] - coarse[0]) + abs(fine[1] - coarse[1]), *fine)
        return Slope(value, error, value, value)

    def _sides(self, which: int, direction: Tensor, step: float) -> tuple[float, float]:
        """Return the left and the right difference quotient."""
        ahead, behind = (self._moved(which, direction, sign * step) for sign in (1.0, -1.0))
        right = sum(
            _dot(u, a.double() - y.double()) for u, a, y in zip(self.upstreams, ahead, self.values, strict=True)
        )
        left = sum(
            _dot(u, y.double() - b.double()) for u, b, y in zip(self.upstreams, behind, self.values, strict=True)
        )
        return left / step, right / step

    def _moved(self, which: int, direction: Tensor, step: float) -> Arrays:
        start = self.inputs[which]
        moved = (start.double() + step * direction.to(start.device)).to(self.precision)
        return self.function((*self.inputs[:which], moved, *self.inputs[which + 1 :]))

    def _step_noise(self, which: int, step: float) -> float:
        """Return the relative error of the step that rounding the moved inputs makes."""
        values = self.inputs[which]
        largest = float(values[torch.isfinite(values)].abs().max()) if values.numel() else 0.0
        return 2.0 * torch.finfo(self.precision).eps * largest / step

    def shaken(self, roundings: float, generator: torch.Generator) -> Golden:
        """Return the same at inputs and upstreams off by a relative ``roundings``, as a stored number may be."""
        inputs = tuple(_shaken(x, roundings, generator) for x in self.inputs)
        upstreams = tuple(_shaken(u, roundings, generator) for u in self.upstreams)
        values = tuple(y.detach().clone() for y in self.function(inputs))
        return golden_at(self.function, inputs, upstreams, values)


def golden_at(function: Callable[[Arrays], Arrays], inputs: Arrays, upstreams: Arrays, values: Arrays) -> Golden:
    """Return the golden values of ``function`` at ``inputs``, where its outputs are ``values``."""
    precision = next(x.dtype for x in inputs if x.is_floating_point())
    squares = sum(float((u * y.double()).nan_to_num().square().sum()) for u, y in zip(upstreams, values, strict=True))
    rounding = 4.0 * torch.finfo(precision).eps * math.sqrt(squares)
    return Golden(function, inputs, upstreams, values, precision, rounding)


def _shaken(x: Tensor, roundings: float, generator: torch.Generator) -> Tensor:
    if not x.is_floating_point():
        return x
    factors = 1.0 + roundings * (2.0 * torch.rand(x.shape, generator=generator, dtype=torch.float64) - 1.0)
    return (x.double() * factors.to(x.device)).to(x.dtype)


def _scale(values: Tensor) -> float:
    """Return the typical size of the entries, 1 where there is none."""
    finite = values[torch.isfinite(values)].double()
    size = float(finite.square().mean().sqrt()) if finite.numel() else 0.0
    return min(size, 1.0) if size > 1e-12 else 1.0


def _dot(left: Tensor, right: Tensor) -> float:
    # where the upstream is 0 the output does not count, whatever it is
    product = left * right
    return float(product.sum() if torch.isfinite(product.sum()) else product.masked_fill(left == 0, 0.0).sum())
