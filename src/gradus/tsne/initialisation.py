"""Where the points of a map begin."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits
from torch import Tensor

# small enough that no two points are apart in the sense of the kernel, whatever the data
SPREAD = 1e-4
# up to here the smaller Gram matrix is decomposed in full
LARGEST_GRAM = 2000


def scaled(points: Tensor) -> Tensor:
    """Return ``points`` centred, with standard deviation 1e-4 along the widest axis, in float32.

    Points that all coincide stay so.
    """
    points = points.double().cpu()
    points = points - points.mean(0)
    widest = float(points.std(0, correction=0).max()) if points.numel() else 0.0
    return (points * (SPREAD / widest if widest > 0 else 1.0)).float()


def principal_components(rows: Tensor, dimensions: int) -> Tensor:
    """Return ``rows`` projected on their first principal components, scaled to begin a map.

    The sign of a component makes its loading of the largest magnitude positive. Decomposed in float64 on one thread,
    so that the bits do not depend on how many there are. Missing components (fewer features or rows than
    ``dimensions``) are filled with a fixed faint pattern, because points on a line could never leave it.
    """
    # a copy, worked on in place
    centred = rows.detach().cpu().numpy().astype(np.float64)
    centred /= max(float(centred.max()), -float(centred.min()), 1e-300)
    centred -= centred.mean(0)
    with threadpool_limits(limits=1):
        loadings = _loadings(centred, min(dimensions, *centred.shape))
        projected = torch.from_numpy(centred @ signed(loadings))
    return filled(projected, dimensions)


def random_points(samples: int, dimensions: int, generator: torch.Generator) -> Tensor:
    """Return normal points, scaled to begin a map."""
    return scaled(torch.randn(samples, dimensions, generator=generator, dtype=torch.float64))


def signed(vectors: np.ndarray) -> np.ndarray:
    """Return column vectors with the sign that makes their entry of the largest magnitude positive."""
    largest = np.abs(vectors).argmax(0)
    flipped: np.ndarray = vectors * np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
    return flipped


def filled(points: Tensor, dimensions: int) -> Tensor:
    """Return ``points`` scaled, with a faint fixed pattern on axes where all coincide and on those that are missing.

    Points on a line could never leave it.
    """
    points = scaled(points)
    padded = torch.zeros(len(points), dimensions)
    padded[:, : points.shape[1]] = points
    empty = padded.abs().amax(0) <= 1e-6 * SPREAD
    pattern = torch.randn(padded.shape, generator=torch.Generator().manual_seed(0)) * SPREAD
    return torch.where(empty, pattern, padded)


def _loadings(centred: np.ndarray, count: int) -> np.ndarray:
    """Return the leading right singular vectors, (features, count)."""
    samples, features = centred.shape
    if features <= LARGEST_GRAM:
        loadings: np.ndarray = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :count]
        return loadings
    if samples <= LARGEST_GRAM:
        loadings = centred.T @ np.linalg.eigh(centred @ centred.T)[1][:, ::-1][:, :count]
        loadings /= np.maximum(np.linalg.norm(loadings, axis=0), 1e-300)
        return loadings
    right: np.ndarray = randomized_svd(centred, count, n_iter=7, random_state=0)[2]
    return right.T
