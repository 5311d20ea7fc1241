"""A quadratic whose matrix is nearly a Kronecker product, plus absolute values, squares and norms, by block descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Curvature", "Quadratic", "kronecker_lasso"]


class Curvature(NamedTuple):
    """The map B(D) = G D M + sum_q s_q <V_q, D> V_q of matrices D (features, outputs), positive semidefinite.

    Attributes
    ----------
    gram : G, (features, features), float32 or float64, symmetric with a positive diagonal
    between : M, (outputs, outputs), float64, symmetric with a positive diagonal
    vectors : V, (features, terms, outputs), float64
    signs : s, (terms,), float64, each 1 or -1
    """

    gram: Tensor
    between: Tensor
    vectors: Tensor
    signs: Tensor

    def product(self, direction: Tensor) -> Tensor:
        """Return G D M, float64. Cost: features^2 x outputs, in the dtype of G."""
        return (self.gram @ direction.to(self.gram.dtype)).double() @ self.between

    def correction(self, direction: Tensor) -> Tensor:
        """Return the rest of B(D), float64."""
        shares = self.signs * (self.vectors * direction[:, None]).sum(dim=(0, 2))
        return (self.vectors * shares[:, None]).sum(dim=1)


class Quadratic(NamedTuple):
    """The function q(X) = <g, D> + <D, B(D)> / 2 + sum_j (u_j |X_j|_1 + v_j |X_j|^2 / 2 + n_j |X_j|), D = X - A.

    X_j is the row of feature j.

    Attributes
    ----------
    curvature : B
    gradient : g, (features, outputs), float64
    start : A, (features, outputs), float64
    absolute, square, norms : u, v and n, (features,), float64, not negative
    """

    curvature: Curvature
    gradient: Tensor
    start: Tensor
    absolute: Tensor
    square: Tensor
    norms: Tensor


def kronecker_lasso(quadratic: Quadratic, tolerance: float, sweeps: int) -> Tensor:
    """Return a point near the minimum of ``quadratic``, (features, outputs), float64, from its ``start``.

    Each row in turn goes towards its own minimum: entry by entry, or by proximal gradient steps on its own block of B
    where its norm counts; G D and the inner products with V are kept up to date. Sweeps over what is not zero alternate
    with full ones, which alone can end the descent. Sequential, hence the same on any number of threads.

    Cost: rows that move x features x outputs (their entries that move) per sweep.

    Parameters
    ----------
    tolerance : ends when no entry of a full sweep moved by more than this, times its curvature; not negative
    sweeps : most sweeps, positive

    References
    ----------
    Simon, Friedman & Hastie 2013, A blockwise descent algorithm for group-penalized multiresponse and multinomial
    regression, section 2 (whose G D is kept here for a curvature that outputs share)

    Examples
    --------
    >>> import torch
    >>> eye, ones = torch.eye(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    >>> curvature = Curvature(eye, eye, torch.zeros(2, 0, 2).double(), ones[:0])
    >>> slopes = torch.tensor([[-3.0, 0.5], [0.0, 2.0]], dtype=torch.float64)
    >>> quadratic = Quadratic(curvature, slopes, 0 * slopes, ones, 0 * ones, 0 * ones)
    >>> kronecker_lasso(quadratic, tolerance=1e-9, sweeps=10).tolist()
    [[2.0, 0.0], [0.0, -1.0]]
    """
    device = quadratic.gradient.device.type
    result: Tensor = dispatch.load("kronecker_lasso", device).kronecker_lasso(quadratic, tolerance, sweeps)
    return result
