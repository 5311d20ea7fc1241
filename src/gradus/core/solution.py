"""What is minimised, and what came out: a failure to converge is a status with a number, not an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Proximable, Smooth


class Status(Enum):
    """Why a solver ended."""

    CONVERGED = "the certificate is at most the tolerance"
    ITERATION_LIMIT = "the iteration limit was reached before the tolerance"
    STALLED = "rounding errors stopped the progress before the tolerance"
    DIVERGED = "the objective is not a finite number"


@dataclass(frozen=True)
class Problem:
    """The sum of a smooth function and a penalty, to be minimised."""

    smooth: Smooth
    penalty: Proximable


@dataclass(frozen=True)
class Solution:
    """Where ``minimize`` ended.

    ``value`` is the objective in float64 and ``certificate`` what the stopping rule measured, both at ``point``.
    """

    point: Tensor
    value: float
    certificate: float
    iterations: int
    status: Status

    @property
    def converged(self) -> bool:
        """Whether the certificate held."""
        return self.status is Status.CONVERGED
