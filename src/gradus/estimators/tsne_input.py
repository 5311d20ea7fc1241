"""What TSNE is given, by the metric it was asked for: how the rows are related, and where their points begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils import check_random_state

from gradus.core.errors import InputError, did_you_mean
from gradus.estimators.tsne_parameters import initial_array
from gradus.tsne import (
    METRICS,
    SPARSE_METRICS,
    Chebyshev,
    Connected,
    DistancesToAll,
    DistancesToSome,
    FixedGaussian,
    Gaussian,
    Gaussians,
    Given,
    Manhattan,
    MeasuredSearch,
    Neighbourly,
    Searchable,
    SparseSearch,
    Uniform,
    laplacian_eigenmaps,
    metric_named,
    principal_components,
    principal_coordinates,
    random_points,
    scaled,
    sparse_principal_components,
)

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.estimators.tsne import TSNE
    from gradus.kernels.student_attraction import Affinities
    from gradus.tsne import Kernel, Measure, Relation, Search

DISTANCES, AFFINITIES = "precomputed", "precomputed_affinities"
MEASURES: dict[str, Measure] = {"manhattan": Manhattan(), "chebyshev": Chebyshev()}
METRIC_NAMES = (*METRICS, *MEASURES, DISTANCES, AFFINITIES)
# as many as perplexity 30 takes
NEIGHBOURS_OF_FIXED_WIDTH = 90


def is_sparse(X: Any) -> bool:
    """Tell whether ``X`` is a SciPy sparse matrix or array."""
    return bool(sparse.issparse(X))


def as_rows(X: Any) -> Any:
    """Return validated ``X`` as the searches take it: a CSR array, or a writable C-contiguous copy."""
    if not is_sparse(X):
        return np.array(X, order="C")
    rows = sparse.csr_array(X, copy=True)
    rows.sum_duplicates()
    if max(*rows.shape, rows.nnz) < 2**31:  # scikit-learn's loops want 32-bit indices
        rows.indices, rows.indptr = rows.indices.astype(np.int32), rows.indptr.astype(np.int32)
    return rows


def relation_of(X: Any, estimator: TSNE) -> Relation:
    """Return how the rows of ``X`` (from ``as_rows``) are related under the estimator's metric and affinities.

    Raises
    ------
    InputError : for an unknown metric, or an ``X`` that the metric cannot take
    """
    if estimator.metric == AFFINITIES:
        if estimator.n_neighbors is not None or estimator.sigma is not None:
            raise InputError(
                f"metric is {AFFINITIES!r}, so X says who is whose neighbour: leave out n_neighbors and sigma"
            )
        return Connected.of(sparse.csr_array(X))
    return Neighbourly(_search(X, estimator.metric), kernel_of(estimator, X.shape[0]))


def kernel_of(estimator: TSNE, samples: int) -> Kernel:
    """Return how the estimator weighs neighbours."""
    if estimator.sigma is not None:
        count = min(NEIGHBOURS_OF_FIXED_WIDTH, samples - 1)
        return FixedGaussian(float(estimator.sigma), count if estimator.n_neighbors is None else estimator.n_neighbors)
    if estimator.n_neighbors is not None:
        return Uniform(int(estimator.n_neighbors))
    if np.ndim(estimator.perplexity) == 0:
        return Gaussian(float(estimator.perplexity))  # type: ignore[arg-type]
    return Gaussians(tuple(float(perplexity) for perplexity in estimator.perplexity))  # type: ignore[union-attr]


def start_of(X: Any, affinities: Affinities, estimator: TSNE) -> Tensor:
    """Return where the points begin, (samples, components), float32.

    Raises
    ------
    InputError : if ``init`` is an array of another shape, or "pca" of a graph
    """
    samples, components = X.shape[0], int(estimator.n_components)
    if not isinstance(estimator.init, str):
        return scaled(initial_array(estimator.init, samples, components))
    if estimator.init == "spectral":
        return laplacian_eigenmaps(affinities, components)
    if estimator.init == "pca":
        return _principal(X, components, estimator.metric)
    seed = int(check_random_state(estimator.random_state).randint(np.iinfo(np.int32).max))
    return random_points(samples, components, torch.Generator().manual_seed(seed))


def _principal(X: Any, components: int, metric: Any) -> Tensor:
    if metric == DISTANCES and not is_sparse(X):
        return principal_coordinates(X, components)
    if metric in (DISTANCES, AFFINITIES):
        raise InputError(
            f'init="pca" needs the rows or all their distances, and a graph (metric={metric!r}) has neither: '
            'give init="spectral", which starts from the graph'
        )
    if is_sparse(X):
        return sparse_principal_components(X, components)
    return principal_components(torch.from_numpy(X), components)


def _search(X: Any, metric: Any) -> Search:
    if callable(metric):
        _require_dense(X, "a metric that is a function")
        return MeasuredSearch.of(X.astype(np.float64), Given(metric))
    if metric == DISTANCES:
        return DistancesToSome.of(X) if is_sparse(X) else DistancesToAll.of(X)
    if metric in MEASURES:
        if metric == "chebyshev":
            _require_dense(X, "metric='chebyshev'")
        return MeasuredSearch.of(X.astype(np.float64), MEASURES[metric])
    if metric not in METRICS:
        near = did_you_mean(str(metric), METRIC_NAMES)
        raise InputError(f"metric is {metric!r}{near}: give {', '.join(METRIC_NAMES)} or a function of two rows")
    if is_sparse(X):
        return SparseSearch.of(X, SPARSE_METRICS[metric])
    return Searchable.of(torch.from_numpy(X), metric_named(metric))


def _require_dense(X: Any, what: str) -> None:
    if is_sparse(X):
        raise InputError(f"X is sparse, and {what} takes dense rows: give X.toarray(), or another metric")
