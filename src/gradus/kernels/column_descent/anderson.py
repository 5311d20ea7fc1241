"""Anderson's extrapolation of the sweeps over a model, which is gone to only where the model is lower."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Moves = tuple[np.ndarray, np.ndarray]

# differences between sweeps that are combined, and what is added to their Gram matrix relative to its trace
DEPTH, RIDGE = 5, 1e-10


def swept_to(
    sweep: Callable[[int], float], moves: Moves, jump: Callable[[Moves], None], limits: tuple[float, int]
) -> int:
    """Sweep until a sweep's violation is small, or often enough; return how often.

    After every six sweeps x_0 ... x_5 the point sum_i c_i x_i is tried, where c minimises |sum_i c_i (x_i - x_{i-1})|
    and adds up to 1: where sweeps shrink all that is left by the same factors, it is their limit.

    Parameters
    ----------
    sweep : moves on, given how many sweeps there were, and returns by how much optimality was violated
    moves : what a sweep changes, of the weights and of the intercept
    jump : goes to such moves if the model is lower there, and else stays
    limits : the violation that ends it, not negative, and the most sweeps, positive

    References
    ----------
    Bertrand & Massias 2021, Anderson acceleration of coordinate descent, algorithm 2 (extrapolation, taken where the
    objective is lower)
    """
    tolerance, most = limits
    seen: list[Moves] = []
    for done in range(most):
        if sweep(done) <= tolerance:
            return done + 1
        seen.append((moves[0].copy(), moves[1].copy()))
        if len(seen) > DEPTH:
            shares = combination([weights.ravel() for weights, _ in seen])
            jump((_combined(shares, [each[0] for each in seen[1:]]), _combined(shares, [each[1] for each in seen[1:]])))
            seen = []
    return most


def combination(points: Sequence[np.ndarray]) -> np.ndarray:
    """Return the c of ``swept_to`` for consecutive points, one fewer; it is 1 for the last where they do not differ."""
    steps = np.diff(np.stack(points), axis=0)
    # not by a library for matrices, whose rounding may depend on how many threads it has
    gram = np.einsum("ai,bi->ab", steps, steps)
    trace = float(np.trace(gram))
    shares: np.ndarray = np.eye(len(steps))[-1]
    if trace > 0.0:
        shares = np.linalg.solve(gram / trace + RIDGE * np.eye(len(steps)), np.ones(len(steps)))
        shares /= shares.sum()
    return shares


def bent(chances: np.ndarray, shares: np.ndarray, climbs: np.ndarray) -> float:
    """Return sum_i w_i z_i' (diag(p_i) - p_i p_i') z_i, for probabilities and logits (outputs, samples)."""
    mean, square = np.zeros(len(shares)), np.zeros(len(shares))
    for own, climb in zip(chances, climbs, strict=True):
        part = own * climb
        mean += part
        square += part * climb
    return float(shares @ (square - mean * mean))


def _combined(shares: np.ndarray, points: Sequence[np.ndarray]) -> np.ndarray:
    total = np.zeros_like(points[0])
    for share, point in zip(shares, points, strict=True):
        total += share * point
    return total
