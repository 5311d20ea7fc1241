"""A failure with all that its diagnosis may ask: the evidence, and experiments on the pullback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from gradus.check.bisection import Evidence
    from gradus.check.cases import Case
    from gradus.check.probe import Trial
    from gradus.check.subject import Arrays

# two vectors are the same if they differ by this fraction of their length, or by what rounding allows
SAME = 1e-3
ROUNDING = 4.0


class Diagnosis(NamedTuple):
    """A class of mistake, and what this one looks like."""

    kind: str
    likely: str


@dataclass(frozen=True)
class Failure:
    """Entries that are wrong, and the trial they were seen in."""

    case: Case
    trial: Trial
    evidence: Evidence

    @property
    def shape(self) -> torch.Size:
        """Shape of the input whose gradient is wrong."""
        return self.trial.inputs[self.evidence.which].shape

    def same(self, got: Tensor, other: Tensor) -> bool:
        """Tell whether ``got`` is ``other``, a vector that is not 0, up to rounding."""
        allowed = float(torch.linalg.vector_norm(self.evidence.allowed))
        length = float(torch.linalg.vector_norm(other))
        distance = float(torch.linalg.vector_norm(got - other))
        return length > ROUNDING * allowed and distance <= max(SAME * length, ROUNDING * allowed)

    def nothing(self, value: Tensor, where: Tensor | None = None) -> bool:
        """Tell whether a vector is 0 up to rounding, everywhere or in some of the entries."""
        small = value.abs() <= ROUNDING * self.evidence.allowed + 1e-12
        return bool((small if where is None else small[where]).all())

    def expected_under(self, upstreams: Arrays) -> Tensor:
        """Return the true entries under other upstreams."""
        golden, which = self.trial.with_upstreams(upstreams), self.evidence.which
        values = []
        for position in self.evidence.positions.tolist():
            direction = torch.zeros(self.shape, dtype=torch.float64)
            direction.view(-1)[position] = 1.0
            values.append(golden.along(which, direction).value)
        return torch.tensor(values, dtype=torch.float64)

    def got_under(self, upstreams: Arrays) -> Tensor:
        """Return the claimed entries under other upstreams."""
        dtypes = [u.dtype for u in self.trial.upstreams]
        given = tuple(u.to(dtype) for u, dtype in zip(upstreams, dtypes, strict=True))
        gradient = self.trial.subject.pullback(given, self.trial.inputs)[self.evidence.which]
        if gradient is None:
            return torch.zeros_like(self.evidence.got)
        return gradient.detach().double().cpu().ravel()[self.evidence.positions]

    def whole(self, values: Tensor) -> Tensor:
        """Return complete evidence in the shape of the input."""
        return values.reshape(self.shape)
