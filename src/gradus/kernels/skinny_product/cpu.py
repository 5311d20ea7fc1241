"""The products four rows of X at a time, so that each number of W or X' R that is loaded is used four times.

The inner loops run along the features, which lie side by side in memory, and become full-width vector instructions.
"""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

from gradus.kernels.skinny_product import reference
from gradus.kernels.threads import worth

CHUNK = 64
# X' R is summed over at most this many parts, each with its own sums, added in order
PARTS = 32
# from here on a general matrix product is faster
WIDE = 32


def product(matrix: Tensor, weights: Tensor) -> Tensor:
    """Return X W; see the package."""
    if not _narrow(matrix, weights.shape[1]):
        return reference.product(matrix, weights)
    result = np.empty((matrix.shape[0], weights.shape[1]), _rows(weights).dtype)
    with worth(2 * matrix.numel() * weights.shape[1]):
        _product(_rows(matrix), _rows(weights.t()), result)
    return torch.from_numpy(result)


def transposed_product(matrix: Tensor, residual: Tensor) -> Tensor:
    """Return X' R; see the package."""
    outputs = residual.shape[1]
    if not _narrow(matrix, outputs):
        return reference.transposed_product(matrix, residual)
    parts = max(1, min(PARTS, matrix.shape[0] // CHUNK))
    sums = np.zeros((parts, outputs, matrix.shape[1]), _rows(residual).dtype)
    with worth(2 * matrix.numel() * outputs):
        _transposed_product(_rows(matrix), _rows(residual), sums)
    return torch.from_numpy(sums.sum(axis=0).T)


def _narrow(matrix: Tensor, outputs: int) -> bool:
    return 0 < outputs < WIDE and matrix.stride(1) == 1 and matrix.numel() > 0


def _rows(matrix: Tensor) -> np.ndarray:
    return np.ascontiguousarray(matrix.detach().numpy())


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _product(matrix: np.ndarray, weights: np.ndarray, result: np.ndarray) -> None:
    samples, features = matrix.shape
    outputs = weights.shape[0]
    for chunk in numba.prange((samples + CHUNK - 1) // CHUNK):
        start, stop = chunk * CHUNK, min((chunk + 1) * CHUNK, samples)
        whole = start + (stop - start) // 4 * 4
        for i in range(start, whole, 4):
            for k in range(outputs):
                a = weights.dtype.type(0)
                b = weights.dtype.type(0)
                c = weights.dtype.type(0)
                d = weights.dtype.type(0)
                for j in range(features):
                    weight = weights[k, j]
                    a += matrix[i, j] * weight
                    b += matrix[i + 1, j] * weight
                    c += matrix[i + 2, j] * weight
                    d += matrix[i + 3, j] * weight
                result[i, k], result[i + 1, k], result[i + 2, k], result[i + 3, k] = a, b, c, d
        for i in range(whole, stop):
            for k in range(outputs):
                a = weights.dtype.type(0)
                for j in range(features):
                    a += matrix[i, j] * weights[k, j]
                result[i, k] = a


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _transposed_product(matrix: np.ndarray, residual: np.ndarray, sums: np.ndarray) -> None:
    samples, features = matrix.shape
    outputs = residual.shape[1]
    parts = len(sums)
    for part in numba.prange(parts):
        start, stop = samples * part // parts, samples * (part + 1) // parts
        whole = start + (stop - start) // 4 * 4
        for i in range(start, whole, 4):
            for k in range(outputs):
                a, b, c, d = residual[i, k], residual[i + 1, k], residual[i + 2, k], residual[i + 3, k]
                for j in range(features):
                    sums[part, k, j] += (
                        a * matrix[i, j] + b * matrix[i + 1, j] + c * matrix[i + 2, j] + d * matrix[i + 3, j]
                    )
        for i in range(whole, stop):
            for k in range(outputs):
                a = residual[i, k]
                for j in range(features):
                    sums[part, k, j] += a * matrix[i, j]
