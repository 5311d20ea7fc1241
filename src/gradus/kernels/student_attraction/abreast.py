"""Edges of equal weight laid out for rows that are pulled side by side, one in each place of a register."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from gradus.kernels.compilation import compiled
from gradus.kernels.student_attraction.lanes import LANES, TWICE, pull_abreast

# groups are dealt by turns, because the first ones have the most edges, and a thread takes so many, one after the other
# in memory
TURNS = 64
SPAN = 16
# weights that are looked at before all are
FEW = 1000


@dataclass(frozen=True)
class Abreast:
    """Rows grouped by their number of edges, ``LANES`` to a group, and what each group's rows are tied to.

    A row that has fewer edges than the first of its group is tied to itself in their place, which pulls nowhere.

    Attributes
    ----------
    rows : (groups, LANES), uint32; the last one again and again where none is left
    offsets : (groups + 1,), int64, where each group's edges begin
    edges : (edges, LANES), uint32, where they lead; with the bit ``TWICE`` where they weigh twice ``weight``
    weight : of an edge without that bit
    """

    rows: np.ndarray
    offsets: np.ndarray
    edges: np.ndarray
    weight: float


def laid_abreast(offsets: np.ndarray, neighbours: np.ndarray, weights: np.ndarray) -> Abreast | None:
    """Return the layout of a graph of float32 weights that are all w or 2 w; None for any other.

    The affinities of uniform neighbours are such: 2 w for rows that are each other's neighbours.
    """
    if weights.dtype != np.float32 or not (_equal_but_doubled(weights[:FEW]) and _equal_but_doubled(weights)):
        return None
    degrees = np.diff(offsets)
    order = np.argsort(-degrees, kind="stable")
    groups = np.pad(order, (0, -len(order) % LANES), mode="edge").reshape(-1, LANES)
    rows = np.concatenate([groups[turn::TURNS] for turn in range(TURNS)]).astype(np.uint32)
    begins = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(degrees[rows[:, 0]], out=begins[1:])
    edges = np.empty((begins[-1], LANES), np.uint32)
    single = weights.min()
    _lay_out(offsets, neighbours.view(np.uint32), weights > single, rows, begins, edges)
    return Abreast(rows, begins, edges, float(single))


def pull_equal_edges(layout: Abreast, points: np.ndarray, inverse_dof: float) -> np.ndarray:
    """Return the attractive forces on every point of the plane, (samples, 2), float32."""
    forces, number = np.empty_like(points), points.dtype.type
    _pull(layout.rows, layout.offsets, layout.edges, points, number(inverse_dof), number(layout.weight), forces)
    return forces


def _equal_but_doubled(weights: np.ndarray) -> bool:
    if len(weights) == 0:
        return False
    single = weights.min()
    return bool(single > 0 and ((weights == single) | (weights == 2 * single)).all())


@compiled(parallel=True)
def _lay_out(
    offsets: np.ndarray,
    neighbours: np.ndarray,
    doubled: np.ndarray,
    rows: np.ndarray,
    begins: np.ndarray,
    edges: np.ndarray,
) -> None:
    for group in numba.prange(len(rows)):
        first, last = begins[group], begins[group + 1]
        for lane in range(LANES):
            row = rows[group, lane]
            start = offsets[row]
            degree = offsets[row + 1] - start
            for edge in range(last - first):
                number = row
                if edge < degree:
                    number = neighbours[start + edge]
                    if doubled[start + edge]:
                        number |= np.uint32(TWICE)
                edges[first + edge, lane] = number


@compiled(parallel=True)
def _pull(
    rows: np.ndarray,
    offsets: np.ndarray,
    edges: np.ndarray,
    points: np.ndarray,
    inverse_dof: float,
    weight: float,
    forces: np.ndarray,
) -> None:
    for span in numba.prange((len(rows) + SPAN - 1) // SPAN):
        pull = np.empty((2, LANES), np.float32)
        for group in range(span * SPAN, min((span + 1) * SPAN, len(rows))):
            own = rows[group]
            pull_abreast(edges[offsets[group] : offsets[group + 1]], own, points, inverse_dof, pull)
            for lane in range(LANES):
                forces[own[lane], 0] = weight * pull[0, lane]
                forces[own[lane], 1] = weight * pull[1, lane]
