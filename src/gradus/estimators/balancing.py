"""Certificates of points whose intercept is balanced first, which lets a fit end where its weights are good enough."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradus.losses.balance import Balanced, balanced, worthwhile

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import Certificate
    from gradus.core.solution import Solution
    from gradus.estimators.gap_estimate import Descending
    from gradus.losses import CrossEntropy, LinearModel


class Balancing:
    """A certificate of the points that a solver comes to, after a Newton step in their intercept.

    A duality gap pays for expected counts that differ from those that are; at strong fits, more than for everything
    else. The step takes no part in the solver's way, and ``solution`` returns what was certified.

    Parameters
    ----------
    model : whose points the solver moves through
    bound : the certificate of such points

    Attributes
    ----------
    worthwhile : whether the intercept is balanced at all
    """

    def __init__(self, model: LinearModel[CrossEntropy], bound: Certificate) -> None:
        self._model, self._bound = model, bound
        self.worthwhile = worthwhile(model)
        self._state: Descending | None = None
        self._point: Tensor | None = None
        self._balanced: Balanced | None = None

    def saw(self, state: Descending) -> None:
        """Look at the state whose point may be certified next."""
        self._state = state

    def __call__(self, point: Tensor) -> float:
        """Return the certificate of ``point``, balanced where its gradient is known."""
        self._point, self._balanced = point, Balanced(point, 0.0)
        if self.worthwhile and self._state is not None and self._state.point is point:
            self._balanced = balanced(self._model, point, self._state.gradient[-1])
        return self._bound(self._balanced.point)

    def solution(self, found: Solution) -> Solution:
        """Return the solution with the point that was certified in the place of the solver's."""
        if self._balanced is None or found.point is not self._point:
            return found
        return replace(found, point=self._balanced.point, value=found.value - self._balanced.gain)
