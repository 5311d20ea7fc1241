"""The descent with G D kept: an update of a row is one pass along a row of G for each of its entries that moves.

Most sweeps are over the rows that are not zero, whose part of G is copied to lie together. Between them are steps of
Newton's method on what is not zero, which get there where sweeps crawl.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from gradus.kernels.compilation import compiled
from gradus.kernels.gram_lasso.cpu import step_block
from gradus.kernels.support_step import Place, support_step
from gradus.kernels.threads import threads

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.kronecker_lasso import Quadratic

# most sweeps over the rows that move between two over all; if it takes them all, a step of Newton's method follows
SWEEPS_OF_MOVING = 30
# most times that the entries of a row have their turns before the next row
ENTRY_TURNS = 3


def kronecker_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum; see the package."""
    rows = _Rows.of(quadratic)
    done, helpful = 0, True
    while done < sweeps:
        done += 1
        if rows.descend(tolerance, 1)[1] <= tolerance:
            break
        moving = np.flatnonzero(rows.point.any(axis=1))
        part = rows.taken(moving)
        before = part.point.copy()
        with threads(None):
            # on one thread, so that no rounding depends on how many there are
            taken, largest = part.descend(tolerance, min(SWEEPS_OF_MOVING, sweeps - done))
            done += taken
            helpful = helpful and (largest <= tolerance or part.step())
            rows.point[moving] = part.point
            moved = torch.zeros_like(quadratic.start)
            moved[moving] = torch.from_numpy(part.point - before)
            change = quadratic.curvature.product(moved) + quadratic.curvature.correction(moved)
        rows.slopes[:] += change.numpy()
    return torch.from_numpy(rows.point)


class _Rows(NamedTuple):
    """Rows of the point, the slopes there, and what their descent needs; see ``Quadratic``.

    own and steepness are each row's block of B, and the largest eigenvalue of that.
    """

    gram: np.ndarray
    between: np.ndarray
    vectors: np.ndarray
    signs: np.ndarray
    own: np.ndarray
    steepness: np.ndarray
    penalty: np.ndarray
    slopes: np.ndarray
    point: np.ndarray

    @classmethod
    def of(cls, quadratic: Quadratic) -> _Rows:
        gram, between, vectors, signs = (np.ascontiguousarray(part.detach().numpy()) for part in quadratic.curvature)
        slopes, point, *penalty = (part.detach().numpy().copy() for part in quadratic[1:])
        own = gram.diagonal().astype(np.float64)[:, None, None] * between
        own += (vectors * signs[:, None]).transpose(0, 2, 1) @ vectors
        steepness = np.linalg.eigvalsh(own)[:, -1] if penalty[-1].any() else own[:, 0, 0].copy()
        return cls(gram, between, vectors, signs, own, steepness, np.stack(penalty, axis=1), slopes, point)

    def taken(self, places: np.ndarray) -> _Rows:
        return _Rows(
            self.gram[np.ix_(places, places)],
            self.between,
            self.vectors[places],
            self.signs,
            self.own[places],
            self.steepness[places],
            self.penalty[places],
            self.slopes[places],
            self.point[places],
        )

    def step(self) -> bool:
        """Take a step of Newton's method in place, and return whether one was found."""
        gram, between, vectors, signs = (torch.from_numpy(part) for part in self[:4])
        absolute, square, norms = torch.from_numpy(self.penalty).unbind(dim=1)
        # as (outputs, features), like the point
        turns = vectors.permute(1, 2, 0).reshape(len(signs), self.point.size)

        def product(direction: Tensor) -> Tensor:
            turned = between @ (direction.to(gram.dtype) @ gram).double()
            return turned + ((signs * (turns @ direction.ravel())) @ turns).reshape(turned.shape)

        def among(output: int, rows: Tensor) -> Tensor:
            return between[output, output] * gram[rows[:, None], rows].double()

        values, steep = (torch.from_numpy(part.T) for part in (self.point, self.slopes))
        each = absolute.expand(len(between), -1), square.expand(len(between), -1)
        found = support_step(Place(values, steep, *each, norms), product, among)
        if found is not None:
            self.point[:], self.slopes[:] = found.point.T.numpy(), found.slopes.T.numpy()
        return found is not None

    def descend(self, tolerance: float, sweeps: int) -> tuple[int, float]:
        """Descend in place; return after how many sweeps, and the slope that the largest move of the last began at."""
        done, largest = _descend(tuple(self), tolerance, sweeps)
        return int(done), float(largest)


@compiled(fastmath={"reassoc", "contract"})
def _descend(rows: tuple[np.ndarray, ...], tolerance: float, sweeps: int) -> tuple[int, float]:
    gram, between, vectors, signs, own, steepness, penalty, gradient, point = rows
    features, outputs = point.shape
    turned, shares = np.zeros((outputs, features)), np.zeros(len(signs))
    moved, slopes, members = np.empty(outputs), np.empty(outputs), np.arange(outputs)
    thresholds, squares = np.empty(outputs), np.empty(outputs)
    done, largest = 0, np.inf
    while done < sweeps and largest > tolerance:
        done += 1
        largest = 0.0
        for j in range(features):
            _slopes_of_row(j, (between, vectors, gradient), (turned, shares), slopes)
            absolute, square, norm = penalty[j]
            if norm > 0.0:
                thresholds[:], squares[:] = absolute, square
                place = (point[j], members, thresholds, squares, norm)
                change = (steepness[j] + square) * step_block(own[j], steepness[j], slopes, moved, place)
            else:
                change = _step_entries(own[j], slopes, moved, point[j], (absolute, square))
            largest = max(largest, change)
            for k in range(outputs):
                step = moved[k]
                if step != 0.0:
                    for i in range(features):
                        turned[k, i] += step * gram[j, i]
            if change > 0.0:
                for q in range(len(signs)):
                    for k in range(outputs):
                        shares[q] += signs[q] * vectors[j, q, k] * moved[k]
    for j in range(features):
        _slopes_of_row(j, (between, vectors, gradient), (turned, shares), slopes)
        gradient[j] = slopes
    return done, largest


@compiled(fastmath={"reassoc", "contract"})
def _slopes_of_row(
    j: int,
    terms: tuple[np.ndarray, np.ndarray, np.ndarray],
    moves: tuple[np.ndarray, np.ndarray],
    slopes: np.ndarray,
) -> None:
    """Set ``slopes`` to those of row j, from those at the start and G D and the inner products since."""
    between, vectors, gradient = terms
    turned, shares = moves
    for k in range(len(slopes)):
        slope = gradient[j, k]
        for other in range(len(slopes)):
            slope += turned[other, j] * between[other, k]
        slopes[k] = slope
    for q in range(len(shares)):
        for k in range(len(slopes)):
            slopes[k] += vectors[j, q, k] * shares[q]


@compiled()
def _step_entries(
    own: np.ndarray, slopes: np.ndarray, moved: np.ndarray, row: np.ndarray, strengths: tuple[float, float]
) -> float:
    """Move the entries of a row in turns, write the way to ``moved`` and return their largest first move's slope."""
    absolute, square = strengths
    moved[:] = 0.0
    first = 0.0
    for turn in range(ENTRY_TURNS):
        longest = 0.0
        for k in range(len(row)):
            curvature, old = own[k, k], row[k]
            pull = curvature * old - slopes[k]
            new = 0.0
            if pull > absolute:
                new = (pull - absolute) / (curvature + square)
            elif pull < -absolute:
                new = (pull + absolute) / (curvature + square)
            step = new - old
            if step != 0.0:
                row[k] = new
                moved[k] += step
                longest = max(longest, abs(step) * (curvature + square))
                for other in range(len(row)):
                    slopes[other] += own[k, other] * step
        first = longest if turn == 0 else first
        if longest == 0.0:
            break
    return first
