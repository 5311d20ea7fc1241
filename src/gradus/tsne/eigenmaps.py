"""Where the points of a map begin: by the leading eigenvectors of what relates them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import threadpool_limits

from gradus.tsne.graph import as_matrix
from gradus.tsne.initialisation import LARGEST_GRAM, SPREAD, filled, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from gradus.kernels.student_attraction import Affinities

# of the eigenvectors: a map begins there, and moves on
TOLERANCE = 1e-5
# Krylov vectors that are kept; more converge in fewer products where eigenvalues are close
BASIS = 40
RESTARTS = 1000
# of the spread: points that the leading eigenvectors put on one spot could never leave each other
JITTER = 0.01


def laplacian_eigenmaps(affinities: Affinities, dimensions: int) -> Tensor:
    """Return the first eigenvectors of the graph's random walk after the constant one, scaled to begin a map.

    They solve D^-1 P v = lambda v with the degrees D of the affinities P, by Lanczos' method on the symmetric
    D^-1/2 P D^-1/2. The sign makes the entry of the largest magnitude positive. A graph in several parts begins
    with each part on a spot of its own, which a faint fixed pattern loosens, as it does points that coincide.

    References
    ----------
    Belkin & Niyogi 2003, Laplacian eigenmaps; Linderman & Steinerberger 2019 for why t-SNE may begin there
    """
    matrix = as_matrix(affinities).astype(np.float64)
    root = np.sqrt(np.asarray(matrix.sum(axis=1)).ravel())
    inverse = sparse.diags_array(1 / root)
    normalised = sparse.csr_array(inverse @ matrix @ inverse)
    constant = root / np.linalg.norm(root)

    def product(v: NDArray[np.float64]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = normalised @ v - np.multiply.outer(constant, constant @ v)
        return out

    with threadpool_limits(limits=1):
        vectors = leading_eigenvectors(product, len(root), min(dimensions, len(root) - 1))
    points = filled(torch.from_numpy(signed(vectors / root[:, None])), dimensions)
    if connected_components(matrix, directed=False)[0] == 1 and len(torch.unique(points, dim=0)) == len(points):
        return points
    generator = torch.Generator().manual_seed(0)
    return points + JITTER * SPREAD * torch.randn(points.shape, generator=generator)


def principal_coordinates(distances: NDArray[np.floating], dimensions: int) -> Tensor:
    """Return points whose distances are nearest to ``distances`` (samples, samples), scaled to begin a map.

    The leading eigenvectors of -1/2 J D^2 J, times the roots of their eigenvalues: of Euclidean distances these are
    the principal components of the points.

    References
    ----------
    Torgerson 1952, Multidimensional scaling I
    """
    squared = np.asarray(distances, dtype=np.float64) / (float(np.max(distances)) or 1.0)
    squared = (squared + squared.T) / 2
    np.fill_diagonal(squared, 0)
    squared **= 2
    means = squared.mean(0)

    def product(v: NDArray[np.float64]) -> NDArray[np.float64]:
        v = v - v.mean(0)
        out: NDArray[np.float64] = -0.5 * (squared @ v)
        out -= out.mean(0)
        return out

    with threadpool_limits(limits=1):
        vectors = leading_eigenvectors(product, len(means), min(dimensions, len(means)))
        lengths = np.sqrt(np.maximum((vectors * product(vectors)).sum(0), 0))
    return filled(torch.from_numpy(signed(vectors) * lengths), dimensions)


def sparse_principal_components(rows: sparse.csr_array, dimensions: int) -> Tensor:
    """Return CSR ``rows`` projected on their first principal components, scaled to begin a map; nothing dense is made.

    As ``principal_components``, with the mean taken off inside the products, over whichever of rows and features are
    fewer.
    """
    largest = max(float(np.abs(rows.data).max(initial=0.0)), 1e-300)
    rows = sparse.csr_array(rows.astype(np.float64) / largest)[:, np.unique(rows.indices)]
    mean: NDArray[np.float64] = np.asarray(rows.mean(axis=0)).ravel()

    def forth(v: NDArray[np.float64]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = rows @ v - mean @ v
        return out

    def back(v: NDArray[np.float64]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = rows.T @ v - np.multiply.outer(mean, v.sum(0))
        return out

    samples, features = rows.shape
    count = min(dimensions, samples, features)
    with threadpool_limits(limits=1):
        if features <= samples:
            loadings = leading_eigenvectors(lambda v: back(forth(v)), features, count)
        else:
            loadings = back(leading_eigenvectors(lambda v: forth(back(v)), samples, count))
            loadings /= np.maximum(np.linalg.norm(loadings, axis=0), 1e-300)
        projected = forth(signed(loadings)) if count else np.zeros((samples, 0))
    return filled(torch.from_numpy(projected), dimensions)


def leading_eigenvectors(
    product: Callable[[NDArray[np.float64]], NDArray[np.float64]], size: int, count: int
) -> NDArray[np.float64]:
    """Return the eigenvectors of the largest eigenvalues, largest first, (size, count), of a symmetric matrix.

    ``product`` multiplies the matrix with a vector or with the columns of a matrix. Small matrices are decomposed in
    full; of large ones Lanczos' method finds the vectors, always from the same start.
    """
    if size <= max(LARGEST_GRAM // 4, count + 1):
        vectors: NDArray[np.float64] = np.linalg.eigh(product(np.eye(size)))[1][:, ::-1][:, :count]
        return vectors
    operator = LinearOperator((size, size), matvec=product, matmat=product, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=size)
    found = eigsh(operator, count, which="LA", v0=start, tol=TOLERANCE, ncv=min(BASIS, size), maxiter=RESTARTS)
    order: NDArray[np.intp] = np.argsort(-found[0], kind="stable")
    return np.asarray(found[1][:, order])
