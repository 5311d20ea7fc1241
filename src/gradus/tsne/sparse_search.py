"""Neighbours of sparse rows by products of sparse matrices: nothing of the size samples x features is ever dense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from gradus.tsne.distance_table import DistanceTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gradus.tsne.neighbours import Neighbours

SMALLEST = 1e-300
# squared distances below this share of the squared norms are rounding: such rows count as equal
EQUAL = 1e-14


@dataclass(frozen=True)
class SparseRows:
    """Rows u_i = matrix_i - shift_i (1, ..., 1) / sqrt(features), whose products need the sparse part only.

    Attributes
    ----------
    matrix : (samples, features) CSR, float64
    shift : (samples,), sqrt(features) times the mean of a row of the matrix, or 0
    squared_norms : (samples,), |u_i|^2
    """

    matrix: sparse.csr_array
    shift: NDArray[np.float64]
    squared_norms: NDArray[np.float64]

    def squared_distances(self, part: slice, others: SparseRows) -> NDArray[np.float64]:
        """Return |u_i - v_j|^2 of the rows of ``part`` and all of ``others``."""
        norms = self.squared_norms[part, None] + others.squared_norms
        squared: NDArray[np.float64] = norms - 2 * (self.matrix[part] @ others.matrix.T).toarray()
        squared += 2 * np.outer(self.shift[part], others.shift)
        squared[squared <= EQUAL * norms] = 0
        return squared


@dataclass(frozen=True)
class SparseMetric:
    """A metric that is a function of the Euclidean distance of prepared rows.

    Attributes
    ----------
    prepare : CSR rows, float64 -> the rows that are compared
    distance : squared Euclidean distance of those -> the metric
    scale_free : whether multiplying all rows by a positive number leaves the metric unchanged
    """

    prepare: Callable[[sparse.csr_array], SparseRows]
    distance: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    scale_free: bool


@dataclass(frozen=True)
class SparseSearch:
    """CSR rows, each compared with all: one product of the rows with their transpose, held a block at a time.

    Attributes
    ----------
    metric : what is compared
    divisor : of all rows, which makes their largest value 1
    rows : prepared
    """

    metric: SparseMetric
    divisor: float
    rows: SparseRows

    @classmethod
    def of(cls, rows: sparse.csr_array, metric: SparseMetric) -> SparseSearch:
        """Make CSR ``rows``, finite, searchable."""
        rows = rows.astype(np.float64)
        divisor = max(float(np.abs(rows.data).max(initial=0.0)), SMALLEST)
        return cls(metric, divisor, metric.prepare(sparse.csr_array(rows / divisor)))

    @property
    def samples(self) -> int:
        """The number of rows that are searched."""
        return int(self.rows.matrix.shape[0])

    def others(self, count: int) -> Neighbours:
        """Return the ``count`` nearest other rows of every row."""
        return self._table(self.rows).nearest_others(count, self._unit)

    def among(self, rows: sparse.csr_array, count: int) -> Neighbours:
        """Return the ``count`` nearest searched rows of every new row."""
        prepared = self.metric.prepare(sparse.csr_array(rows.astype(np.float64) / self.divisor))
        return self._table(prepared).nearest(count, self._unit)

    def remembered(self) -> SparseSearch:
        """Return the search, all of which new rows need too."""
        return self

    @property
    def _unit(self) -> float:
        return 1.0 if self.metric.scale_free else self.divisor

    def _table(self, rows: SparseRows) -> DistanceTable:
        return DistanceTable(
            (len(rows.shift), self.samples),
            lambda part: self.metric.distance(rows.squared_distances(part, self.rows)),
        )


def _plain(matrix: sparse.csr_array) -> SparseRows:
    return SparseRows(matrix, np.zeros(matrix.shape[0]), _squared_norms(matrix))


def _unit_rows(matrix: sparse.csr_array) -> SparseRows:
    """Divide every row by its norm; a row of zeros stays, at the same distance from all directions."""
    norms = np.sqrt(_squared_norms(matrix))
    unit = _divided(matrix, norms)
    return SparseRows(unit, np.zeros(len(norms)), (norms > 0).astype(np.float64))


def _unit_deviations(matrix: sparse.csr_array) -> SparseRows:
    """Divide every row's deviation from its mean by its norm; a constant row becomes zero."""
    shift = np.asarray(matrix.sum(axis=1)).ravel() / np.sqrt(matrix.shape[1])
    squared = _squared_norms(matrix)
    deviation = squared - shift**2
    varied = deviation > EQUAL * squared
    norms = np.sqrt(np.where(varied, deviation, 0))
    shift = np.where(varied, shift / np.where(varied, norms, 1), 0)
    return SparseRows(_divided(matrix, norms), shift, varied.astype(np.float64))


def _divided(matrix: sparse.csr_array, norms: NDArray[np.float64]) -> sparse.csr_array:
    """Return the rows divided by ``norms``, and zero where those are."""
    factors = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return sparse.csr_array(sparse.diags_array(factors) @ matrix)


def _squared_norms(matrix: sparse.csr_array) -> NDArray[np.float64]:
    return np.asarray(matrix.multiply(matrix).sum(axis=1), dtype=np.float64).ravel()


def _half(squared: NDArray[np.float64]) -> NDArray[np.float64]:
    # 1 - cos = |u - v|^2 / 2 for unit vectors
    return squared / 2


SPARSE_METRICS = {
    "euclidean": SparseMetric(_plain, np.sqrt, scale_free=False),
    "cosine": SparseMetric(_unit_rows, _half, scale_free=True),
    "correlation": SparseMetric(_unit_deviations, _half, scale_free=True),
}
