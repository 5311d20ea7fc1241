"""The weights that a descent on coordinates moves: which there are, which may join, and which never will."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.kernels.column_descent import Coordinates

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.protocols import LogLinear
    from gradus.solvers.terms import Terms

# weights at zero join from this fraction of the threshold on
NEAR = 0.95
# at least so many weights join if they may, and so many times those that are not zero
LEAST, GROWTH = 500, 3
# slopes and their bounds are known to this, relative to the bounds
ROUNDING = 1e-9


class Candidates(NamedTuple):
    """The features that are not known to be without weight at the minimum.

    Attributes
    ----------
    features : (candidates,) int64, ascending
    norms : (candidates,) sqrt(sum_i w_i x_ij^2) of each, float64
    """

    features: Tensor
    norms: Tensor

    @classmethod
    def of(cls, smooth: LogLinear, terms: Terms) -> Candidates:
        """Return the features with sum_i w_i |x_ij| >= l1, or sqrt(2) times that >= l1 + n where norms count.

        No residual is above 1 in size, and no sample's are above sqrt(2) in norm, so that the slopes of the others are
        below the threshold wherever they are; soft-thresholding at l1 makes a norm less by l1 at least, or 0.
        """
        sums = smooth.column_sums()
        threshold = (1.0 - ROUNDING) * (terms.absolute + terms.norm)
        features = (terms.reach * sums[:, 0] >= threshold).nonzero()[:, 0]
        return cls(features, sums[features, 1].sqrt())

    def kept(self, mask: Tensor) -> Candidates:
        """Return those where ``mask`` is true."""
        return Candidates(self.features[mask], self.norms[mask])


@dataclass(frozen=True)
class WorkingColumns:
    """Some weights of some features; all others are 0.

    Attributes
    ----------
    features : (columns,) int64, ascending
    coordinates : the weights, whose places are those in ``features``, and the intercept, 0 where there is none
    """

    features: Tensor
    coordinates: Coordinates

    @classmethod
    def of_point(cls, smooth: LogLinear, point: Tensor, terms: Terms) -> WorkingColumns:
        """Return the weights of ``point`` that are not 0, or the rows that are not."""
        rows = smooth.shape[0] - int(smooth.intercept)
        # any(dim=1) would make a truth value of every weight first
        features = torch.linalg.vector_norm(point[:rows], ord=math.inf, dim=1).nonzero()[:, 0]
        weights = point[features].double()
        intercept = point[rows].double() if smooth.intercept else torch.zeros(smooth.shape[1], dtype=torch.float64)
        chosen = _entries(_units(weights != 0, terms), weights, terms)
        return cls.of_weights(features, weights, chosen, intercept)

    @classmethod
    def of_weights(cls, features: Tensor, weights: Tensor, chosen: Tensor, intercept: Tensor) -> WorkingColumns:
        """Return the ``chosen`` of the weights (columns, outputs), of the features that have any."""
        used = chosen.any(dim=1)
        outputs, places = chosen[used].t().nonzero(as_tuple=True)
        firsts = torch.zeros(len(intercept) + 1, dtype=torch.int64)
        firsts[1:] = torch.bincount(outputs, minlength=len(intercept)).cumsum(0)
        return cls(features[used], Coordinates(places.int(), firsts, weights[used][places, outputs], intercept))

    @cached_property
    def weights(self) -> Tensor:
        """The weights of the features, (columns, outputs)."""
        coordinates = self.coordinates
        outputs = torch.arange(len(coordinates.intercept)).repeat_interleave(coordinates.firsts.diff())
        weights = torch.zeros(len(self.features), len(coordinates.intercept), dtype=torch.float64)
        weights[coordinates.places.long(), outputs] = coordinates.weights
        return weights

    def of_candidates(self, candidates: Candidates) -> Tensor:
        """Return the weights of the candidates, (candidates, outputs); those of other features are left out."""
        weights = torch.zeros(len(candidates.features), len(self.coordinates.intercept), dtype=torch.float64)
        among = torch.isin(self.features, candidates.features, assume_unique=True)
        weights[torch.searchsorted(candidates.features, self.features[among])] = self.weights[among]
        return weights

    def next(self, candidates: Candidates, slopes: Tensor, terms: Terms, least: float | None = None) -> WorkingColumns:
        """Return the units that are not 0, and at 0 those of the candidates whose ``slopes`` are steepest.

        least : the steepness from which a unit may join; None: 0.95 times the threshold
        """
        weights = self.of_candidates(candidates)
        held = _units(weights != 0, terms)
        rank = terms.steepness(slopes).masked_fill_(held, 0.0)
        may_join = (rank > (NEAR * terms.threshold if least is None else least)).nonzero()[:, 0]
        width = weights.shape[1] if terms.by_rows else 1
        room = max(LEAST // width, GROWTH * int(held.sum()))
        if len(may_join) > room:
            may_join = may_join[rank[may_join].topk(room, sorted=False).indices]
        held[may_join] = True
        chosen = _entries(held, weights, terms)
        return WorkingColumns.of_weights(candidates.features, weights, chosen, self.coordinates.intercept)


def _units(entries: Tensor, terms: Terms) -> Tensor:
    return entries.any(dim=1) if terms.by_rows else entries.reshape(-1)


def _entries(units: Tensor, weights: Tensor, terms: Terms) -> Tensor:
    return units[:, None].expand_as(weights) if terms.by_rows else units.reshape(weights.shape)
