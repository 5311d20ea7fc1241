"""Gradient descent with momentum and a gain per coordinate, the step rule of t-SNE."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from gradus.kernels.gain_step import StepRule, gain_step
from gradus.kernels.gain_step import centred as middle_at_zero

if TYPE_CHECKING:
    from torch import Tensor

# no point moves further in one step, in units of the kernel's width: a far throw is never undone
LONGEST_STEP = 5.0


@dataclass(frozen=True)
class Motion:
    """Where the points are, how they moved last, and the gain of every coordinate."""

    embedding: Tensor
    update: Tensor
    gains: Tensor

    @classmethod
    def at_rest(cls, embedding: Tensor) -> Motion:
        """Begin at ``embedding`` without momentum."""
        return cls(embedding, torch.zeros_like(embedding), torch.ones_like(embedding))


@dataclass(frozen=True)
class GainDescent:
    """update = momentum * update - rate * gains * gradient.

    A gain grows by 0.2 while the gradient and the last update point against each other, that is, while the descent
    keeps its direction, and shrinks by the factor 0.8 where it turns back.

    Attributes
    ----------
    rate : multiplies the gradient; the learning rate that t-SNE's users know is four times this, because the gradients
        of its first programs lack the factor 4
    momentum : in [0, 1)
    longest_step : the length to which the step of a point is cut

    References
    ----------
    Jacobs 1988, Increased rates of convergence through learning rate adaptation; van der Maaten & Hinton 2008
    """

    rate: float
    momentum: float = 0.8
    longest_step: float = LONGEST_STEP

    def advance(self, motion: Motion, gradient: Tensor) -> Motion:
        """Return the motion after one step down ``gradient``."""
        rule = StepRule(self.rate, self.momentum, self.longest_step)
        update, gains = gain_step(gradient, motion.update, motion.gains, rule)
        return Motion(motion.embedding + update, update, gains)


def centred(motion: Motion) -> Motion:
    """Return the motion with its embedding moved to have mean zero."""
    return replace(motion, embedding=middle_at_zero(motion.embedding))
