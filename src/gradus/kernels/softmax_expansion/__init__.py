"""Value, gradient and Hessian of softmax cross-entropy of a linear model with few unknowns, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Expansion", "Samples", "cost", "softmax_expansion"]


class Samples(NamedTuple):
    """What the function is a sum over.

    Attributes
    ----------
    columns : u, (features, samples), float64, contiguous: a row for each feature
    labels : y, (outputs, samples), float64, contiguous, not negative; a sample's sum to 1, or with a baseline to 1 at
        most
    shares : w, (samples,), float64, not negative
    """

    columns: Tensor
    labels: Tensor
    shares: Tensor


class Expansion(NamedTuple):
    """The function near a point.

    Attributes
    ----------
    value : f(W)
    gradient : (features, outputs), float64
    hessian : (outputs * features, outputs * features), float64, symmetric; all weights of the first output first
    """

    value: float
    gradient: Tensor
    hessian: Tensor


def softmax_expansion(samples: Samples, point: Tensor, *, baseline: bool) -> Expansion:
    """Return f(W) = sum_i w_i (lse(z_i) - y_i . z_i), z_i = W' u_i, its gradient and its Hessian at ``point``.

    The Hessian between two outputs k and l is sum_i w_i p_ik (delta_kl - p_il) u_i u_i'. On one thread, in the order of
    the samples.

    Cost: see ``cost``.

    Parameters
    ----------
    point : W, (features, outputs), float64
    baseline : whether one more output, whose logits are 0, is in each log-sum-exp, as in logistic regression

    Examples
    --------
    >>> import torch
    >>> one = torch.ones(1, 1, dtype=torch.float64)
    >>> value, gradient, hessian = softmax_expansion(Samples(2 * one, one, one[0]), 0 * one, baseline=True)
    >>> round(value, 6), gradient.item(), hessian.item()
    (0.693147, -1.0, 1.0)
    """
    load = dispatch.load("softmax_expansion", point.device.type)
    result: Expansion = load.softmax_expansion(samples, point, baseline=baseline)
    return result


def cost(samples: int, features: int, outputs: int) -> int:
    """Return how many multiplications an expansion takes: samples x features^2 for every pair of outputs."""
    return samples * features**2 * outputs * (outputs + 1) // 2
