"""Between SciPy's sparse matrices and the graph that attraction runs over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import sparse

from gradus.core.errors import InputError
from gradus.kernels.student_attraction import Affinities

if TYPE_CHECKING:
    from numpy.typing import NDArray


def joint_of_graph(weights: sparse.csr_array) -> Affinities:
    """Return the affinities of a graph of weights (samples, samples): symmetrised, without loops, summing to 1.

    p_ij = (g_ij + g_ji) / sum_(k != l) (g_kl + g_lk). Both directions of every edge are stored.

    Raises
    ------
    InputError : if a weight is negative, or a row has none but to itself

    Examples
    --------
    >>> joint_of_graph(sparse.csr_array([[0.0, 3.0], [0.0, 0.0]])).weights
    tensor([0.5000, 0.5000])
    """
    _require_weights(weights.data)
    joint = sparse.csr_array(weights + weights.T).astype(np.float64)
    joint.setdiag(0)
    joint.eliminate_zeros()
    lonely = np.flatnonzero(np.diff(joint.indptr) == 0)
    if len(lonely):
        raise InputError(
            f"row {lonely[0]} of the precomputed affinities has no neighbour ({len(lonely)} such rows in all), so "
            "nothing says where it belongs: leave it out, or give it one"
        )
    return _affinities(joint, joint.data / joint.data.sum())


def rows_of_graph(weights: sparse.csr_array) -> Affinities:
    """Return the affinities of new rows to those of a map, (new, samples), each row scaled to sum to 1.

    Raises
    ------
    InputError : if a weight is negative, or a row has none
    """
    _require_weights(weights.data)
    weights = weights.astype(np.float64)
    totals = np.asarray(weights.sum(axis=1)).ravel()
    if not (totals > 0).all():
        raise InputError(
            f"row {int((totals <= 0).argmax())} of the precomputed affinities has no neighbour in the map: "
            "leave it out, or give it one"
        )
    return _affinities(weights, weights.data / np.repeat(totals, np.diff(weights.indptr)))


def as_matrix(affinities: Affinities) -> sparse.csr_array:
    """Return affinities of a map as a CSR matrix (samples, samples) that shares the memory of their edges.

    Its indices are 32-bit, which much of scikit-learn demands, where there are fewer than 2^31 edges.
    """
    edges = len(affinities.weights)
    offsets = affinities.offsets.numpy().astype(np.int32 if edges < 2**31 else np.int64)
    arrays = (affinities.weights.numpy(), affinities.neighbours.numpy(), offsets)
    return sparse.csr_array(arrays, shape=(affinities.samples, affinities.samples))


def as_affinities(matrix: sparse.csr_array) -> Affinities:
    """Return what ``as_matrix`` was given."""
    return _affinities(matrix, matrix.data)


def _affinities(structure: sparse.csr_array, weights: NDArray[np.floating]) -> Affinities:
    return Affinities(
        torch.from_numpy(structure.indptr.astype(np.int64)),
        torch.from_numpy(structure.indices.astype(np.int32)),
        torch.from_numpy(weights.astype(np.float32)),
    )


def _require_weights(weights: NDArray[np.floating]) -> None:
    least = float(weights.min(initial=0.0))
    if least < 0:
        raise InputError(
            f"Negative values in data: X holds {least:g}, but precomputed affinities are positive or 0: "
            "check what X holds"
        )
