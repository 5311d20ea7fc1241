"""What moves the weights of a network where the user does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from gradus.networks.image_network import ImageNetwork
from gradus.optim import Muon, unit_scale

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

# of Jordan's airbench for the filters; found on digits and CIFAR-10 for the rest
FILTER_RATE, FILTER_MOMENTUM = 0.24, 0.6
OTHER_RATE, OTHER_MOMENTUM = 0.05, 0.85
# of AdamW, for networks that are not ours
USUAL_RATE = 1e-3


def trainable(network: nn.Module) -> list[Tensor]:
    """Return the parameters of a network that are learned."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def default_optimizers(network: nn.Module) -> tuple[Optimizer, ...]:
    """Return Muon for the filters of an ``ImageNetwork`` and SGD for its other weights; AdamW for another network.

    Every filter of ours is followed by a norm, so that only its direction matters; what is known of others is nothing.
    """
    learned = trainable(network)
    if not isinstance(network, ImageNetwork):
        return (torch.optim.AdamW(learned, lr=USUAL_RATE),)
    filters = [parameter for parameter in learned if parameter.ndim == 4]
    others = [parameter for parameter in learned if parameter.ndim != 4]
    moving = Muon(
        filters, FILTER_RATE, momentum=FILTER_MOMENTUM, unit_norm=True, scale=unit_scale, compute_dtype=torch.bfloat16
    )
    return moving, torch.optim.SGD(others, lr=OTHER_RATE, momentum=OTHER_MOMENTUM, nesterov=True)
