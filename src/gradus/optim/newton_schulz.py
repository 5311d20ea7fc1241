"""The nearest matrix with equal singular values, by products alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

# slope 3.4445 at 0, so that small singular values grow fast; what they settle to lies within [0.68, 1.21]
QUINTIC = (3.4445, -4.7750, 2.0315)
# a gradient of this norm or less is not scaled up to 1
LEAST_NORM = 1e-7


def newton_schulz(matrix: Tensor, *, iterations: int = 5, coefficients: tuple[float, float, float] = QUINTIC) -> Tensor:
    """Return about U V' of the singular value decomposition U S V' of a matrix.

    X <- a X + (b A + c A^2) X with A = X X', from X = matrix / |matrix|_F. Every singular value s goes its own way,
    s <- a s + b s^3 + c s^5; with ``QUINTIC`` those from 0.003 to 1 are within [0.68, 1.21] after five iterations, and
    with (15/8, -5/4, 3/8) they converge to 1, slower from small ones.

    Cost: 4 m^2 n + 2 m^3 operations an iteration, for m <= n the sides of the matrix; in the dtype of the matrix.

    Parameters
    ----------
    matrix : (rows, columns), real floating point
    iterations : not negative
    coefficients : a, b, c

    Returns
    -------
    (rows, columns) in the dtype of ``matrix``; zeros for zeros.

    Raises
    ------
    InputError : if ``matrix`` is not a matrix or ``iterations`` is negative

    References
    ----------
    Jordan et al. 2024, Muon: an optimizer for hidden layers in neural networks; Bernstein & Newhouse 2024, Old
    optimizer, new norm, appendix A

    Examples
    --------
    >>> matrix = torch.tensor([[3.0, 0.0], [0.0, 1.0]])
    >>> turned = newton_schulz(matrix, iterations=12, coefficients=(1.875, -1.25, 0.375))
    >>> torch.allclose(turned, torch.eye(2), atol=1e-5)
    True
    """
    if matrix.ndim != 2 or not matrix.is_floating_point() or iterations < 0:
        raise InputError(
            f"newton_schulz was given {matrix.dtype} of the shape {tuple(matrix.shape)} and {iterations} iterations; "
            "expected a real floating-point matrix and a number >= 0"
        )
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix
    x: Tensor = wide / wide.norm().clamp(min=LEAST_NORM)
    for _ in range(iterations):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
