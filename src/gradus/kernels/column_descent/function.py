"""The function that the descent lowers: its value and slopes at a place, a Newton step, and a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np
import torch

from gradus.core import unwritten
from gradus.kernels.column_descent import model
from gradus.kernels.column_descent.anderson import bent, swept_to
from gradus.kernels.column_descent.entries import of_samples, row_of
from gradus.kernels.column_descent.sweeps import descended
from gradus.kernels.compilation import compiled
from gradus.kernels.threads import worth

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.columns import SparseColumns
    from gradus.kernels.column_descent import Coordinates, Terms

# an exponential and what surrounds it, in arithmetic steps
STEPS = 30
# most sweeps over one model, and the part of the violation at which it is nearly at its minimum
SWEEPS, LEFT = 10, 0.1
# a step must bring this share of what its slopes promise, and is halved so often; a promise below the last is rounding
SHARE, HALVINGS, ROUNDING = 0.01, 10, 1e-13


class Place(NamedTuple):
    """Weights and intercept, the logits and probabilities there, (outputs, samples), and the value."""

    weights: np.ndarray
    intercept: np.ndarray
    logits: np.ndarray
    chances: np.ndarray
    value: float


class Slopes(NamedTuple):
    """Slopes of the smooth part, its curvatures, slopes of the intercept, and by how much optimality is violated."""

    slopes: np.ndarray
    bends: np.ndarray
    lifts: np.ndarray
    violation: float


class Function(NamedTuple):
    """sum_i w_i lse(z_i) - c . weights + absolute |weights|_1 + square |weights|^2 / 2, and what it is made of.

    To which ``norm`` times the norm of each column's weights is added, where every column has one of every output.

    ``columns`` are where each begins, their samples, entries, and the largest entry of each that counts; ``pulls`` are
    c, and ``lifts`` the same of the intercept, 0 where that is not ``free``.
    """

    columns: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    places: np.ndarray
    firsts: np.ndarray
    shares: np.ndarray
    pulls: np.ndarray
    lifts: np.ndarray
    free: bool
    absolute: float
    square: float
    norm: float

    @classmethod
    def of(cls, columns: SparseColumns, coordinates: Coordinates, terms: Terms) -> Function:
        """Return the function of some weights of some columns."""
        starts, rows, values = (array(part) for part in columns)
        shares, slopes = array(terms.shares), terms.intercept_slopes
        longest = np.empty(max(len(starts) - 1, 0))
        _find_longest(starts, rows, values, shares, longest)
        return cls(
            (starts, rows, values, longest),
            array(coordinates.places),
            array(coordinates.firsts),
            shares,
            array(terms.slopes),
            np.zeros(len(coordinates.intercept)) if slopes is None else array(slopes),
            slopes is not None,
            terms.absolute,
            terms.square,
            terms.norm,
        )

    def at(self, weights: np.ndarray, intercept: np.ndarray) -> Place:
        """Return the place of some weights and intercept."""
        logits = self.logits(weights, intercept, self.of_samples())
        return self._at(weights, intercept, logits, self.of_samples())

    def slopes(self, place: Place) -> Slopes:
        """Return the slopes at a place, and by how much it violates optimality."""
        starts, rows, values, _ = self.columns
        slopes, bends = np.empty(len(place.weights)), np.empty(len(place.weights))
        with worth(4 * len(rows) * max(len(self.places) // max(len(starts), 1), 1)):
            model.derivatives(starts, rows, values, self.shares, self.places, self.firsts, place.chances, slopes, bends)
        slopes += self.square * place.weights - self.pulls
        bends += self.square
        lifts = place.chances @ self.shares - self.lifts if self.free else np.zeros(len(place.intercept))
        at_zero = np.maximum(np.abs(slopes) - self.absolute, 0.0)
        away = np.where(place.weights == 0, at_zero, np.abs(slopes + self.absolute * np.sign(place.weights)))
        return Slopes(slopes, bends, lifts, float(max(away.max(initial=0.0), np.abs(lifts).max())))

    def stepped(self, place: Place, slopes: Slopes, most: int) -> tuple[Place, int, float]:
        """Return the place after a Newton step, after how many sweeps, and how much of the step was taken."""
        moved, lifted = np.zeros_like(place.weights), np.zeros_like(place.intercept)
        # written over in turns: of many samples the four that are needed at a time fill the memory
        climbs, spare = self.of_samples(), self.of_samples()
        sample = of_samples(len(self.shares), whole=self.whole)

        def sweep(done: int) -> float:
            violation: float = model.swept(
                self.columns,
                (self.places, self.firsts, place.weights, slopes.lifts),
                (slopes.slopes, slopes.bends, place.chances, self.shares),
                (moved, lifted, climbs),
                sample,
                (self.absolute, self.square, self.free, done == 0),
            )
            return violation

        def jump(guess: tuple[np.ndarray, np.ndarray]) -> None:
            # what is 0 stays 0, whatever rounding would leave
            guess = (np.where(place.weights + moved == 0.0, moved, guess[0]), guess[1])
            raised = self.logits(*guess, spare)
            bends = [0.5 * bent(place.chances, self.shares, logits) for logits in (climbs, raised)]
            if (
                self.model_rise(place, slopes, guess) + bends[1]
                < self.model_rise(place, slopes, (moved, lifted)) + bends[0]
            ):
                moved[:], lifted[:], climbs[:] = *guess, raised

        taken = swept_to(sweep, (moved, lifted), jump, (LEFT * slopes.violation, min(SWEEPS, most)))
        found, length = self.searched(place, slopes, (moved, lifted, climbs), spare)
        return found, taken, length

    def model_rise(self, place: Place, slopes: Slopes, moves: tuple[np.ndarray, np.ndarray]) -> float:
        """Return by how much a model rises along moves, but for what bends the log-sum-exp."""
        return self._rise(place, slopes, moves) + 0.5 * self.square * float(moves[0] @ moves[0])

    def _rise(self, place: Place, slopes: Slopes, moves: tuple[np.ndarray, np.ndarray]) -> float:
        moved, lifted = moves
        penalty = self.absolute * (np.abs(place.weights + moved) - np.abs(place.weights)).sum()
        penalty += self._norms(place.weights + moved) - self._norms(place.weights)
        return float(slopes.slopes @ moved + slopes.lifts @ lifted + penalty)

    @property
    def whole(self) -> bool:
        """Whether every column has an entry of every sample."""
        return len(self.columns[1]) == len(self.shares) * (len(self.columns[0]) - 1)

    def of_samples(self) -> np.ndarray:
        """Return zeros for each output and sample, whose memory is the system's again as soon as they are let go."""
        return unwritten.zeros((len(self.lifts), len(self.shares)), torch.float64).numpy()

    def logits(self, weights: np.ndarray, intercept: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Return ``logits``, (outputs, samples), after putting those there that some weights and an intercept make."""
        starts, rows, values, _ = self.columns
        with worth(len(rows) * len(intercept) + logits.size):
            logits_of(starts, rows, values, self.places, self.firsts, weights, intercept, logits)
        return logits

    def searched(
        self, place: Place, slopes: Slopes, step: tuple[np.ndarray, np.ndarray, np.ndarray], chances: np.ndarray
    ) -> tuple[Place, float]:
        """Return the first place along a step of weights, intercept and logits that is low enough, and how far.

        The logits' array is written over, and so is ``chances``, which becomes the place's.
        """
        moved, lifted, logits = step
        promise = self._rise(place, slopes, (moved, lifted))
        length = 1.0
        logits += place.logits
        for _ in range(HALVINGS):
            found = self._at(place.weights + length * moved, place.intercept + length * lifted, logits, chances)
            fell = found.value <= place.value + SHARE * length * promise
            if fell or abs(promise) < ROUNDING * abs(place.value):
                return found, length
            length *= 0.5
            # half-way back from there
            logits += place.logits
            logits *= 0.5
        return place, 0.0

    def swept(self, place: Place) -> Place:
        """Return the place after one sweep over the function itself."""
        weights, intercept = place.weights.copy(), place.intercept.copy()
        descended(
            self.columns,
            (self.places, self.firsts, weights, intercept),
            (self.shares, self.pulls, self.lifts, self.absolute, self.square, self.free),
            (place.chances, np.ones(len(self.shares))),
        )
        return self.at(weights, intercept)

    def _at(self, weights: np.ndarray, intercept: np.ndarray, logits: np.ndarray, chances: np.ndarray) -> Place:
        sums = np.empty((len(self.shares) + model.CHUNK - 1) // model.CHUNK)
        with worth(STEPS * logits.size):
            model.probabilities(logits, self.shares, chances, sums)
        penalty = self.absolute * np.abs(weights).sum() + 0.5 * self.square * (weights @ weights) + self._norms(weights)
        value = sums.sum() - self.pulls @ weights - self.lifts @ intercept + penalty
        return Place(weights, intercept, logits, chances, float(value))

    def _norms(self, weights: np.ndarray) -> float:
        if self.norm == 0.0:
            return 0.0
        return float(self.norm * np.linalg.norm(weights.reshape(len(self.firsts) - 1, -1), axis=0).sum())


def array(tensor: Tensor) -> np.ndarray:
    """Return a tensor's numbers, not copied where they lie in order."""
    return np.ascontiguousarray(tensor.detach().numpy())


@compiled(parallel=True)
def logits_of(
    starts: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
    places: np.ndarray,
    firsts: np.ndarray,
    weights: np.ndarray,
    intercept: np.ndarray,
    logits: np.ndarray,
) -> None:
    """Put X W + b, (outputs, samples), into ``logits``."""
    for k in numba.prange(len(intercept)):
        own = logits[k]
        for i in range(len(own)):
            own[i] = intercept[k]
        for index in range(firsts[k], firsts[k + 1]):
            weight = weights[index]
            if weight != 0.0:
                start, stop = starts[places[index]], starts[places[index] + 1]
                whole = stop - start == len(own)
                for entry in range(start, stop):
                    own[row_of(rows, entry, start, whole)] += weight * values[entry]


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _find_longest(
    starts: np.ndarray, rows: np.ndarray, values: np.ndarray, shares: np.ndarray, longest: np.ndarray
) -> None:
    for place in range(len(longest)):
        largest = 0.0
        start, stop = starts[place], starts[place + 1]
        whole = stop - start == len(shares)
        for entry in range(start, stop):
            counts = shares[row_of(rows, entry, start, whole)] > 0.0
            largest = max(largest, abs(np.float64(values[entry])) if counts else 0.0)
        longest[place] = largest
