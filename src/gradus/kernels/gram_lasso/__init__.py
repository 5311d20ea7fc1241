"""A quadratic whose matrix is at hand plus absolute values, squares and norms, minimised by block descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Quadratic", "gram_lasso"]


class Quadratic(NamedTuple):
    """The function q(x) = g . (x - a) + (x - a)' H (x - a) / 2 + sum_j (u_j |x_j| + v_j x_j^2 / 2) + sum_b n_b |x_b|.

    Of B blocks, block b is the entries b, b + B, b + 2 B, ...

    Parameters
    ----------
    hessian : H, (entries, entries), float32 or float64, symmetric and positive semidefinite with a positive diagonal
    gradient : g, (entries,), float64
    start : a, (entries,), float64
    absolute : u, (entries,), float64, not negative
    square : v, (entries,), float64, not negative; of one block all the same
    norms : n, (blocks,), float64, not negative; none if there are no blocks
    """

    hessian: Tensor
    gradient: Tensor
    start: Tensor
    absolute: Tensor
    square: Tensor
    norms: Tensor


def gram_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum of ``quadratic``, (entries,), from its ``start``.

    Each entry in turn goes to its own minimum, and g + H (x - a) is kept up to date. A block goes towards its minimum
    by proximal gradient steps on its own part of H. Sweeps over what is not zero alternate with full ones, which alone
    can end the descent. Sequential, hence the same on any number of threads.

    Cost: entries x (entries that move) per sweep.

    Parameters
    ----------
    tolerance : ends when no entry of a full sweep moved by more than this, times its curvature; not negative
    sweeps : most sweeps, positive

    References
    ----------
    Friedman, Hastie & Tibshirani 2010, Regularization paths for generalized linear models via coordinate descent,
    section 2.2 (covariance updates); Simon, Friedman & Hastie 2013, A blockwise descent algorithm for group-penalized
    multiresponse and multinomial regression

    Examples
    --------
    >>> import torch
    >>> vector = torch.tensor([3.0, 0.5], dtype=torch.float64)
    >>> ones = torch.ones(2, dtype=torch.float64)
    >>> quadratic = Quadratic(torch.eye(2, dtype=torch.float64), -vector, 0 * ones, ones, 0 * ones, ones[:0])
    >>> gram_lasso(quadratic, tolerance=1e-9, sweeps=10).tolist()
    [2.0, 0.0]
    """
    result: Tensor = dispatch.load("gram_lasso", quadratic.hessian.device.type).gram_lasso(quadratic, tolerance, sweeps)
    return result
