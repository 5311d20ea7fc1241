"""What the step computes, on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.gain_step.rule import GAIN_DECAY, GAIN_GROWTH, SMALLEST_GAIN

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.kernels.gain_step.rule import StepRule


def gain_step(gradient: Tensor, update: Tensor, gains: Tensor, rule: StepRule) -> tuple[Tensor, Tensor]:
    """Return the next update and gains; see the package."""
    onward = torch.sign(update) != torch.sign(gradient)
    gains = torch.where(onward, gains + GAIN_GROWTH, gains * GAIN_DECAY + SMALLEST_GAIN)
    update = rule.momentum * update - rule.rate * gains * gradient
    length = (update**2).sum(1, keepdim=True).sqrt()
    return update * (rule.longest_step / length.clamp_min(rule.longest_step)), gains


def centred(points: Tensor) -> Tensor:
    """Return the points with mean zero; see the package."""
    return points - points.double().mean(0).to(points.dtype)
