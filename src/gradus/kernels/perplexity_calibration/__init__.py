"""Gaussian neighbour probabilities whose entropy is the logarithm of a given perplexity."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["conditional_probabilities"]


def conditional_probabilities(squared_distances: Tensor, perplexity: float) -> Tensor:
    """Return p_(j|i) over the neighbours of every row, each row summing to 1 with the given perplexity.

    p_(j|i) = exp(-beta_i d_ij^2) / sum_l exp(-beta_i d_il^2), with beta_i such that the entropy is log(perplexity).
    Distances are taken relative to each row's nearest and mean excess, so any scale of the data is served alike. A
    row with fewer distinct distances than the perplexity asks for gets the nearest distribution there is: uniform
    over its nearest neighbours where too many are equally near.

    Parameters
    ----------
    squared_distances : (samples, neighbours), float32 or float64, finite, at least 0
    perplexity : between 1 and the number of neighbours

    Returns
    -------
    probabilities : (samples, neighbours), the dtype of ``squared_distances``

    Cost
    ----
    About 15 evaluations of each exponential: Newton's method on log(beta), safeguarded by bisection.

    References
    ----------
    van der Maaten & Hinton 2008, Visualizing Data using t-SNE, equation 1 and section 2

    Examples
    --------
    >>> import torch
    >>> p = conditional_probabilities(torch.tensor([[0.0, 1.0, 4.0]], dtype=torch.float64), perplexity=2.0)
    >>> entropy = -(p * p.log()).sum()
    >>> round(entropy.exp().item(), 6)
    2.0
    """
    module = dispatch.load("perplexity_calibration", squared_distances.device.type)
    return cast("Tensor", module.conditional_probabilities(squared_distances, perplexity))
