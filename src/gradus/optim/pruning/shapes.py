"""A network as it was built, made ready for the weights of its pruned self."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from gradus.optim.pruning.folding import replace
from gradus.optim.pruning.operations import CONVOLUTIONS, NORMS
from gradus.optim.pruning.surgery import rename

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


_PARTS = ("weight", "bias", "running_mean", "running_var")


def take_shapes(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give the layers of ``network`` the shapes of ``weights``, the state of its pruned self; in place.

    Norms that the state does not have were folded, and become an ``nn.Identity``. The weights themselves are not taken:
    ``load_state_dict`` does that. Convolutions of one group, and linear layers.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8))
    >>> take_shapes(network, {"0.weight": torch.zeros(2, 1, 3, 3), "0.bias": torch.zeros(2)})
    >>> network
    Sequential(
      (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))
      (1): Identity()
    )
    """
    for name, layer in list(network.named_modules()):
        its = {part: weights[f"{name}.{part}"] for part in _PARTS if f"{name}.{part}" in weights}
        if isinstance(layer, NORMS) and not its:
            replace(network, name, nn.Identity())
        elif isinstance(layer, NORMS):
            _resize(layer, its)
            layer.num_features = len(its["running_mean"])
        elif isinstance(layer, (*CONVOLUTIONS, nn.Linear)) and its:
            if "bias" not in its:
                layer.bias = None
            _resize(layer, its)
            rename(layer, its["weight"].shape[1], its["weight"].shape[0])


def _resize(layer: nn.Module, its: Mapping[str, Tensor]) -> None:
    for part, weight in its.items():
        empty = torch.empty_like(weight)
        setattr(layer, part, empty if part.startswith("running") else nn.Parameter(empty))
