"""Functions of whole arrays, over leading batch axes: in float64, and in any numbers with + - * /."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Array = Any


def _softmax(x: Array) -> Array:
    weights = np.exp(x - x.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def _logsumexp(x: Array) -> Array:
    largest = x.max(axis=-1)
    return largest + np.log(np.exp(x - largest[..., None]).sum(axis=-1))


def _argmax(x: Array) -> Array:
    return (np.arange(x.shape[-1]) == np.argmax(x, axis=-1)[..., None]) * 1.0


def _conv2d(image: Array, window: Array) -> Array:
    """Correlate the last two axes, without padding."""
    height, width = window.shape[-2:]
    rows, columns = image.shape[-2] - height + 1, image.shape[-1] - width + 1
    return sum(
        image[..., i : i + rows, j : j + columns] * window[..., i : i + 1, j : j + 1]
        for i in range(height)
        for j in range(width)
    )


def _conv2d_transpose(upstream: Array, window: Array) -> Array:
    rows, columns = upstream.shape[-2:]
    height, width = window.shape[-2:]
    batch = np.broadcast_shapes(upstream.shape[:-2], window.shape[:-2])
    image = np.zeros((*batch, rows + height - 1, columns + width - 1), dtype=upstream.dtype)
    for i in range(height):
        for j in range(width):
            image[..., i : i + rows, j : j + columns] += upstream * window[..., i : i + 1, j : j + 1]
    return image


def _logdet(x: Array) -> Array:
    return np.log(np.linalg.det(x))


FLOAT_ARRAY_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "softmax": _softmax,
    "logsumexp": _logsumexp,
    "max": lambda x: x.max(axis=-1),
    "argmax": _argmax,
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": _logdet,
    "conv2d": _conv2d,
    "conv2d_transpose": _conv2d_transpose,
}


def _eliminated(matrix: Array) -> tuple[Array, Any]:
    """Return the inverse and the determinant, by Gauss-Jordan elimination with row exchanges."""
    size = len(matrix)
    # the matrix decides what numbers are counted in
    zero = 0 * matrix.flat[0] if size else Fraction(0)
    rows = [list(row) + [zero + int(i == k) for k in range(size)] for i, row in enumerate(matrix)]
    determinant: Any = zero + 1
    for column in range(size):
        pivot = max(range(column, size), key=lambda r: abs(rows[r][column]))
        if rows[pivot][column] == 0:
            raise ArithmeticError("the matrix is singular")
        if pivot != column:
            rows[pivot], rows[column] = rows[column], rows[pivot]
            determinant = -determinant
        head = rows[column][column]
        determinant = head * determinant
        rows[column] = [value / head for value in rows[column]]
        for row in range(size):
            factor = rows[row][column]
            if row != column and factor != 0:
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return np.array([row[size:] for row in rows], dtype=object).reshape(size, size), determinant


def _batched(function: Callable[[Array], Any], rank: int) -> Callable[[Array], Array]:
    def over_batch(x: Array) -> Array:
        batch = x.shape[: x.ndim - rank]
        found = [np.asarray(function(x[place]), dtype=object) for place in np.ndindex(*batch)]
        return np.stack(found).reshape((*batch, *found[0].shape)) if found else np.empty(batch, dtype=object)

    return over_batch


def EXACT_ARRAY_FUNCTIONS(  # noqa: N802
    exp: Callable[[Any], Any], log: Callable[[Any], Any]
) -> dict[str, Callable[..., Array]]:
    """Return the functions for arrays of objects, given ``exp`` and ``log`` of one number."""

    def softmax(x: Array) -> Array:
        largest = max(x)
        weights = [exp(value - largest) for value in x]
        total = sum(weights)
        return [weight / total for weight in weights]

    def logsumexp(x: Array) -> Any:
        largest = max(x)
        return largest + log(sum(exp(value - largest) for value in x))

    def argmax(x: Array) -> Array:
        best = max(range(len(x)), key=lambda place: x[place])
        return [int(place == best) for place in range(len(x))]

    return {
        "softmax": _batched(softmax, 1),
        "logsumexp": _batched(logsumexp, 1),
        "max": _batched(max, 1),
        "argmax": _batched(argmax, 1),
        "inv": _batched(lambda x: _eliminated(x)[0], 2),
        "det": _batched(lambda x: _eliminated(x)[1], 2),
        "logdet": _batched(lambda x: log(_eliminated(x)[1]), 2),
        "conv2d": _conv2d,
        "conv2d_transpose": _conv2d_transpose,
    }
