"""Channels that a penalty takes out of a network: their scale and shift, right after the norm, become exactly zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from gradus.core.errors import InputError
from gradus.optim import Proximal, of_filters

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from gradus.core.protocols import Proximable

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def channel_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Return the scales and shifts of a network's batch norms, (channels,) each, all of them learned from now on.

    Raises
    ------
    InputError : if the network has none
    """
    norms = [layer for layer in network.modules() if isinstance(layer, _NORMS) and layer.affine]
    if not norms:
        raise InputError(
            f"penalty was given and {type(network).__name__} has no batch norm with a scale, where channels end: leave "
            "it out, or give a network with norms"
        )
    parameters: list[nn.Parameter] = [parameter for norm in norms for parameter in (norm.weight, norm.bias)]
    for parameter in parameters:
        parameter.requires_grad_()
    return parameters


def with_penalty(optimizers: tuple[Optimizer, ...], network: nn.Module, penalty: Proximable) -> tuple[Optimizer, ...]:
    """Return the optimisers, each followed by a proximal step on the scales and shifts that it moves.

    The penalty is given each as a column (channels, 1): under ``L1`` or ``GroupLasso`` channels without use become zero
    as a whole, and ``gradus.optim.prune_channels`` takes them out.
    """
    penalised = channel_parameters(network)
    moved = [
        {parameter for group in optimizer.param_groups for parameter in group["params"]} for optimizer in optimizers
    ]
    return tuple(
        Proximal(optimizer, {each: of_filters(penalty) for each in penalised if each in its})
        for optimizer, its in zip(optimizers, moved, strict=True)
    )
