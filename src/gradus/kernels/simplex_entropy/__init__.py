"""Entropies of probabilities drawn towards the labels, for several distances at once: the dual of the cross-entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.softmax_sweep import Labelled

__all__ = ["Repair", "simplex_entropy"]


class Repair(NamedTuple):
    """A linear map of the simplex into itself: each class k gives away a share e_k, and l says who receives it.

    p -> p * (1 - e) + (p . e) l

    Attributes
    ----------
    shares : e, (classes,), float64, in [0, 1]
    receivers : l, (classes,), float64, not negative, sum 1 (or 0 where e is 0)
    """

    shares: Tensor
    receivers: Tensor


def simplex_entropy(probabilities: Tensor, labelled: Labelled, repair: Repair, scales: list[float]) -> Tensor:
    """Return sum_i w_i H(y_i + s (q_i - y_i)) for each scale s, (scales,), float64.

    q_i is the row of probabilities divided by its sum, then repaired; H(v) = -sum_k v_k log v_k is Shannon's entropy. A
    label of the sum m instead of 1 is met by m q_i, and its entropy is that of v / m times m.

    Cost: one logarithm per probability and one per row and scale for hard labels; one per probability and scale for
    soft ones. Sums are taken in an order that does not depend on the number of threads.

    Parameters
    ----------
    probabilities : (samples, classes), floating point, not negative, no row of zeros
    labelled : the labels y, codes or rows of probabilities, and the weights w, float64
    scales : s, each in [0, 1]

    Examples
    --------
    >>> import torch
    >>> from gradus.kernels.softmax_sweep import Labelled
    >>> nothing = Repair(*torch.zeros(2, 2, dtype=torch.float64))
    >>> labelled = Labelled(torch.tensor([0]), torch.ones(1, dtype=torch.float64))
    >>> simplex_entropy(torch.tensor([[0.5, 0.5]]), labelled, nothing, [0.0, 1.0])
    tensor([0.0000, 0.6931], dtype=torch.float64)
    """
    implementation = dispatch.load("simplex_entropy", probabilities.device.type)
    values: Tensor = implementation.simplex_entropy(probabilities, labelled, repair, scales)
    return values
