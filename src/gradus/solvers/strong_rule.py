"""Which weights may move under a penalty, guessed from the slopes at the solution of a stronger one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.solvers.terms import Terms
    from gradus.solvers.working_columns import Candidates


class Sighting(NamedTuple):
    """What was seen of the slopes under a penalty, each where it was looked at last.

    The sequential strong rule takes it that no slope changes faster than the strength: a weight whose slope at the
    solution of strength a' is below 2 a - a' then stays 0 at the strength a < a'. That mostly holds, and proves
    nothing: it chooses which weights move first, and all slopes are looked at afterwards.

    Attributes
    ----------
    terms : the penalty
    candidates : the features whose slopes were looked at
    slopes : of the candidates, (candidates, outputs), float64

    References
    ----------
    Tibshirani, Bien, Friedman, Hastie, Simon, Taylor & Tibshirani 2012, Strong rules for discarding predictors in
    lasso-type problems, section 7
    """

    terms: Terms
    candidates: Candidates
    slopes: Tensor

    def updated(self, candidates: Candidates, slopes: Tensor) -> Sighting:
        """Return it with the slopes of some of the candidates, or of all, as they are now."""
        if len(candidates.features) == len(self.candidates.features):
            return self._replace(slopes=slopes)
        known = self.slopes.clone()
        known[torch.searchsorted(self.candidates.features, candidates.features)] = slopes
        return self._replace(slopes=known)

    def slopes_of(self, candidates: Candidates) -> Tensor:
        """Return the slopes of other candidates, (candidates, outputs); 0 where none was seen."""
        slopes = self.slopes.new_zeros(len(candidates.features), self.slopes.shape[1])
        seen = torch.isin(candidates.features, self.candidates.features, assume_unique=True)
        slopes[seen] = self.slopes[torch.searchsorted(self.candidates.features, candidates.features[seen])]
        return slopes

    def limit(self, terms: Terms) -> float:
        """Return the steepness below which the rule leaves a unit at 0 under ``terms``: 2 a - a', or a if it rises."""
        return max(min(2.0 * terms.threshold - self.terms.threshold, terms.threshold), 0.0)
