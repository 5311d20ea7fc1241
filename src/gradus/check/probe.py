"""One look at a pullback: random upstreams, many directions, and the first place where it is off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from gradus.check.directions import directions, signed
from gradus.check.error_model import digits_lost, tolerance
from gradus.check.slope import Golden, golden_at
from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradus.check.slope import Slope
    from gradus.check.subject import Arrays, Gradients, Subject

# perturbations looked at, and how many times what they cause is let pass
SHAKES, CONDITIONING = 2, 8.0
HALF = (torch.float16, torch.bfloat16)
# what is raised by code that takes one precision only
PRECISION_REFUSED = (RuntimeError, TypeError, ValueError, AssertionError, NotImplementedError)


class Miss(NamedTuple):
    """A direction along which a gradient is off: the input it belongs to, what was expected and what came."""

    which: int
    region: str
    direction: Tensor
    expected: Slope
    got: float
    allowed: float

    @property
    def excess(self) -> float:
        """How many times the allowed error it is off by."""
        return self.expected.distance(self.got) / self.allowed


class Look(NamedTuple):
    """What looking at one input showed: the first direction that is off, and whether any has a kink."""

    miss: Miss | None
    kinked: bool


@dataclass(frozen=True)
class Trusted:
    """The function that golden values come from: the reference that was given, or the subject in a wider type.

    ``typical`` is the root mean square of each input's gradient at the inputs as given, once that is known.
    """

    function: Callable[[Arrays], Arrays]
    precision: torch.dtype
    typical: tuple[float, ...] = ()

    def widened(self, inputs: Arrays) -> Arrays:
        """Return the inputs in the precision of the function, in memory of their own."""
        return tuple(
            x.detach().to(self.precision).clone(memory_format=torch.contiguous_format)
            if x.is_floating_point()
            else x.detach().clone()
            for x in inputs
        )

    def at(self, inputs: Arrays, upstreams: Arrays | None = None) -> Golden:
        """Return golden values at a point; without upstreams they are all 0."""
        wide = self.widened(inputs)
        values = tuple(y.detach().clone() for y in self.function(wide))
        if upstreams is None:
            upstreams = tuple(torch.zeros(y.shape, dtype=torch.float64) for y in values)
        return golden_at(self.function, wide, tuple(u.double() for u in upstreams), values)


@dataclass(frozen=True)
class Trial:
    """A subject at one point under one upstream: what it claims, and what is true.

    ``widened`` says that a formula may be tried in float64, to tell a mistake from a loss of digits; ``typical`` is the
    size of each input's gradient where nothing is at an edge.
    """

    subject: Subject
    inputs: Arrays
    upstreams: Arrays
    golden: Golden
    gradients: Gradients
    widened: bool = True
    typical: tuple[float, ...] = ()

    def miss(self, which: int, region: str, direction: Tensor) -> Miss | None:
        """Return what is off along a direction of one input, or None."""
        found = self.compared(which, region, direction)
        if found.excess <= 1.0:
            return None
        if found.expected.kinked:
            return found
        found = found._replace(allowed=found.allowed + self._conditioning(which, direction, found.expected))
        if found.excess > 1.0 and self.widened and self._right_in_float64(found):
            if self.typical and math.isfinite(found.got) and self.inputs[which].dtype in HALF:
                # away from the inputs as given eight bits may all be lost, and say nothing of the formula
                return None
            typical = self.typical[which] if self.typical else 0.0
            lost = digits_lost(self.gradient(which), direction, typical)
            found = found._replace(allowed=found.allowed + lost)
        return found if found.excess > 1.0 else None

    def _right_in_float64(self, miss: Miss) -> bool:
        """Tell whether the same pullback is right along the direction when everything is float64."""
        golden = self.golden
        if golden.precision is not torch.float64 or self.inputs[miss.which].dtype is torch.float64:
            return False
        try:
            gradients = self.subject.pullback(golden.upstreams, golden.inputs)
        except PRECISION_REFUSED:
            return False
        wide = Trial(self.subject, golden.inputs, golden.upstreams, golden, gradients, widened=False)
        return wide.compared(miss.which, miss.region, miss.direction).excess <= 1.0

    def compared(self, which: int, region: str, direction: Tensor) -> Miss:
        """Return what is expected along a direction of one input, what came, and what rounding allows."""
        gradient = self.gradient(which)
        slope = self.golden.along(which, direction)
        claimed = float(torch.where(direction == 0, 0.0, gradient.double() * direction).sum())
        return Miss(which, region, direction, slope, claimed, tolerance(gradient, direction, slope.error))

    def _conditioning(self, which: int, direction: Tensor, slope: Slope) -> float:
        """Return what becomes of roundings of the inputs and upstreams, which no method can be blamed for."""
        epsilon = torch.finfo(self.inputs[which].dtype).eps
        if epsilon <= torch.finfo(torch.float64).eps:
            return 0.0
        generator = torch.Generator().manual_seed(0)
        golden = [self.golden.shaken(epsilon, generator) for _ in range(SHAKES)]
        return CONDITIONING * max(abs(other.along(which, direction).value - slope.value) for other in golden)

    def gradient(self, which: int) -> Tensor:
        """Return the claimed gradient of one input on the CPU; zeros where none was given."""
        given = self.gradients[which]
        return (
            torch.zeros(self.inputs[which].shape, dtype=self.inputs[which].dtype)
            if given is None
            else given.detach().cpu()
        )

    def look(self, which: int, generator: torch.Generator, most: int | None = None) -> Look:
        """Return the first direction of one input along which its gradient is off, of at most ``most``."""
        kinked = False
        for region, direction in islice(directions(self.inputs[which].shape, generator), most):
            compared = self.compared(which, region, direction)
            kinked = kinked or compared.expected.kinked
            found = self.miss(which, region, direction) if compared.excess > 1.0 else None
            if found is not None:
                return Look(found, kinked)
        return Look(None, kinked)

    def with_upstreams(self, upstreams: Arrays) -> Golden:
        """Return the golden values at the same point under another upstream."""
        return golden_at(self.golden.function, self.golden.inputs, upstreams, self.golden.values)


def random_upstreams(outputs: Arrays, generator: torch.Generator) -> Arrays:
    """Return an upstream for every output, never constant, in its dtype; 0 where the output is not finite."""
    return tuple(
        torch.where(torch.isfinite(y), signed(y.shape, generator).to(y.dtype), torch.zeros((), dtype=y.dtype))
        for y in outputs
    )


def trusted(subject: Subject, reference: Callable[..., object] | None, inputs: Arrays) -> Trusted:
    """Return where golden values come from.

    That is ``reference``, or the subject's own function in float64, or in float32 where it refuses float64.
    """
    from gradus.check.subject import outputs_of

    if reference is not None:
        return Trusted(lambda values: outputs_of(reference(*values)), torch.float64)
    for precision in (torch.float64, torch.float32):
        candidate = Trusted(subject.forward, precision)
        try:
            outputs = subject.forward(candidate.widened(inputs))
        except PRECISION_REFUSED as error:
            reason = error
            continue
        if precision is torch.float32 or all(y.dtype is torch.float64 for y in outputs):
            return candidate
        reason = TypeError("its outputs are not float64 where its inputs are")
    raise InputError(
        f"the function cannot be run in float64 or float32 ({' '.join(str(reason).split())[:200]}): "
        "give a reference that can"
    )
