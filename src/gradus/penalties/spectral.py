"""Functions of the singular values of a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def singular_values(point: Tensor) -> Tensor:
    """Return the singular values of a matrix in float64, the largest first; none of a matrix without entries."""
    values: Tensor = torch.linalg.svdvals(point.double())
    return values


def with_singular_values(point: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the matrix with the same singular vectors, and the singular values changed.

    Parameters
    ----------
    point : (n, m)
    change : what happens to the singular values, the largest first

    Notes
    -----
    One thin singular value decomposition, O(n m min(n, m)).

    Examples
    --------
    >>> with_singular_values(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), lambda values: values**2).abs()
    tensor([[4., 0.],
            [0., 1.]])
    """
    left, values, right = torch.linalg.svd(point, full_matrices=False)
    result: Tensor = (left * change(values)) @ right
    return result


def rank_of(point: Tensor) -> Tensor:
    """Return how many singular values are above a millionth of the largest, a float64 scalar.

    What is below is what the rounding of a matrix of low rank to float32 leaves.

    Examples
    --------
    >>> rank_of(torch.tensor([[1.0, 2.0], [2.0, 4.0]])).item()
    1.0
    """
    values = singular_values(point)
    return (values > 1e-6 * values[:1]).sum().double()
