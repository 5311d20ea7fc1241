"""One step of gradient descent with momentum and a gain per coordinate, and the middle of the points kept at zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from gradus.kernels import dispatch
from gradus.kernels.gain_step.rule import StepRule

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["StepRule", "centred", "gain_step"]


def gain_step(gradient: Tensor, update: Tensor, gains: Tensor, rule: StepRule) -> tuple[Tensor, Tensor]:
    """Return the next update and the next gains of every coordinate.

    gains'  = gains + 0.2 where gradient and update have different signs, else 0.8 * gains + 0.01
    update' = momentum * update - rate * gains' * gradient, cut to the longest step that a point may take

    Parameters
    ----------
    gradient, update, gains : (samples, dimensions), float32 or float64
    rule : rate, momentum and longest step

    Returns
    -------
    update, gains : of the same shape; nothing given is changed

    References
    ----------
    Jacobs 1988, Increased rates of convergence through learning rate adaptation; van der Maaten & Hinton 2008

    Examples
    --------
    >>> import torch
    >>> still, plain = torch.zeros(1, 2), torch.ones(1, 2)
    >>> gain_step(torch.tensor([[1.0, -2.0]]), still, plain, StepRule(rate=1.0, momentum=0.8, longest_step=9.0))[0]
    tensor([[-1.2000,  2.4000]])
    """
    module = dispatch.load("gain_step", gradient.device.type)
    return cast("tuple[Tensor, Tensor]", module.gain_step(gradient, update, gains, rule))


def centred(points: Tensor) -> Tensor:
    """Return ``points`` (samples, dimensions) moved to have mean zero, by a sum that no number of threads changes.

    Examples
    --------
    >>> import torch
    >>> centred(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    tensor([[-1.,  0.],
            [ 1.,  0.]])
    """
    module = dispatch.load("gain_step", points.device.type)
    return cast("Tensor", module.centred(points))
