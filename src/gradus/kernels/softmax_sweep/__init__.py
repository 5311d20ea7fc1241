"""Weighted cross-entropy of a linear model in one sweep over the rows of X: loss, gradient, Hessian product."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradus.kernels import dispatch
from gradus.kernels.chosen_rows import ChosenRows

if TYPE_CHECKING:
    from types import ModuleType

    from scipy.sparse import csr_array
    from torch import Tensor

    Matrix = Tensor | ChosenRows | csr_array

__all__ = ["Labelled", "Linear", "Slopes", "hessian_product", "label_sums", "loss", "loss_and_slopes", "offset_hessian"]


class Linear(NamedTuple):
    """The map x -> x W + b.

    Attributes
    ----------
    coefficients : W, (features, classes), float32 or float64: the type that everything is computed in
    offset : b, (classes,), the same dtype
    """

    coefficients: Tensor
    offset: Tensor


class Labelled(NamedTuple):
    """What each row is compared with, and how much it counts.

    Attributes
    ----------
    targets : (samples,) int64 class codes, or (samples, classes) rows that sum to 1, floating point
    weights : (samples,), not negative, in the dtype of the coefficients
    """

    targets: Tensor
    weights: Tensor

    def of_rows(self, rows: slice) -> Labelled:
        """Return the same for some rows."""
        return Labelled(self.targets[rows], self.weights[rows])


class Slopes(NamedTuple):
    """A derivative R in the logits, (samples, classes), pulled back to the coefficients and the offset.

    Attributes
    ----------
    slopes : X' R, (features, classes)
    totals : 1' R, (classes,)
    """

    slopes: Tensor
    totals: Tensor


def loss(matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None = None) -> Tensor:
    """Return sum_i w_i (lse(z_i) - y_i . z_i) at z = X W + b, a float64 scalar. X is read once.

    Arguments as for ``loss_and_slopes``.
    """
    value: Tensor = _implementation(matrix).loss(matrix, linear, labelled, kept)
    return value


def loss_and_slopes(
    matrix: Matrix, linear: Linear, labelled: Labelled, kept: Tensor | None = None
) -> tuple[Tensor, Slopes]:
    """Return the loss and its derivative in W and b; X is read from memory once.

    R_i = w_i (softmax(z_i) - y_i) never leaves the cache. Sums are taken in an order that does not depend on the number
    of threads. Losses and residuals keep their accuracy as in ``gradus.kernels.softmax_residual``.

    Cost: 4 samples features classes arithmetic steps.

    Parameters
    ----------
    matrix : X, (samples, features): dense in float64, float32, float16 or uint8, converted block by block where it is
        not in the dtype of the coefficients; some rows of such a matrix; or CSR, which stays on the processor
    kept : (samples, classes), floating point, or None: is set to the probabilities; the residual is then that at the
        probabilities as they were rounded to its dtype, divided by their sum

    Examples
    --------
    >>> import torch
    >>> linear = Linear(torch.zeros(1, 2), torch.zeros(2))
    >>> value, gradient = loss_and_slopes(torch.tensor([[2.0]]), linear, Labelled(torch.tensor([1]), torch.ones(1)))
    >>> round(value.item(), 6), gradient.slopes.tolist(), gradient.totals.tolist()
    (0.693147, [[1.0, -1.0]], [0.5, -0.5])
    """
    value, slopes = _implementation(matrix).loss_and_slopes(matrix, linear, labelled, kept)
    return value, slopes


def hessian_product(matrix: Matrix, direction: Linear, probabilities: Tensor, weights: Tensor) -> Slopes:
    """Return X' T and 1' T, T_i = w_i p_i * (s_i - p_i . s_i), s = X V + v: the Hessian's product with (V, v).

    X is read from memory once. Cost: 4 samples features classes arithmetic steps.

    Parameters
    ----------
    matrix : X, as for ``loss_and_slopes``
    direction : V and v
    probabilities : p, (samples, classes), floating point, rows of sum 1
    weights : (samples,), in the dtype of the direction

    Examples
    --------
    >>> import torch
    >>> half = torch.full((1, 2), 0.5)
    >>> hessian_product(torch.tensor([[2.0]]), Linear(torch.tensor([[1.0, 0.0]]), torch.zeros(2)), half, torch.ones(1))
    Slopes(slopes=tensor([[ 1., -1.]]), totals=tensor([ 0.5000, -0.5000]))
    """
    slopes: Slopes = _implementation(matrix).hessian_product(matrix, direction, probabilities, weights)
    return slopes


def offset_hessian(matrix: Matrix, linear: Linear, labelled: Labelled) -> Tensor:
    """Return the loss's Hessian in the offset, sum_i w_i (diag(p_i) - p_i p_i') at p = softmax(X W + b), in float64.

    An entry off the diagonal is minus how much two classes overlap, sum_i w_i p_ij p_ik, and the rows add up to 0; so
    nothing cancels where the probabilities are near 0 and 1.

    X is read from memory once. Cost: 2 samples (features + classes) classes arithmetic steps.

    Parameters
    ----------
    matrix : X, as for ``loss_and_slopes``
    labelled : labels of sum 1, of which nothing depends, and weights in the dtype of the coefficients

    Examples
    --------
    >>> import torch
    >>> labelled = Labelled(torch.tensor([1]), torch.ones(1))
    >>> offset_hessian(torch.tensor([[2.0]]), Linear(torch.zeros(1, 2), torch.zeros(2)), labelled).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    overlaps = _implementation(matrix).overlaps(matrix, linear, labelled).double()
    overlaps.fill_diagonal_(0.0)
    hessian: Tensor = overlaps.sum(dim=1).diag() - overlaps
    return hessian


def label_sums(matrix: Matrix, labelled: Labelled, classes: int) -> Slopes:
    """Return X' Omega Y and 1' Omega Y of the labels Y, in float64: what the weighted rows of each class add up to.

    Nothing of the size of Y is formed from codes. Cost: 2 samples features arithmetic steps, for soft labels times
    classes.

    Parameters
    ----------
    matrix : X, as for ``loss_and_slopes``
    labelled : weights in float64
    classes : columns of Y

    Examples
    --------
    >>> import torch
    >>> ones = torch.ones(2, dtype=torch.float64)
    >>> label_sums(torch.tensor([[2.0], [3.0]]), Labelled(torch.tensor([1, 1]), ones), 2).slopes.tolist()
    [[0.0, 5.0]]
    """
    sums: Slopes = _implementation(matrix).label_sums(matrix, labelled, classes)
    return sums


def _implementation(matrix: Matrix) -> ModuleType:
    if isinstance(matrix, torch.Tensor | ChosenRows):
        module: ModuleType = dispatch.load("softmax_sweep", matrix.device.type)
        return module
    return importlib.import_module("gradus.kernels.softmax_sweep.csr")
