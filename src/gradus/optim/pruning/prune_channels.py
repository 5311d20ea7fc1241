"""A smaller network that computes the same."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.utils import prune

from gradus.core.errors import InputError
from gradus.optim.pruning.analysis import Analysis
from gradus.optim.pruning.folding import fold_norms
from gradus.optim.pruning.surgery import removable, remove
from gradus.optim.pruning.tracing import traced

if TYPE_CHECKING:
    from torch import Tensor

# sums in another order: this many roundings of the largest output
ROUNDINGS = 4096


def prune_channels(model: nn.Module, example: Tensor, *, fold: bool = True) -> nn.Module:
    """Return a copy of ``model`` without the channels that do nothing, for inference; the output stays the same.

    A channel goes where it is the same number everywhere, whatever the input (its filter is zero, or a batch norm's
    weight behind it), and that number fits into the bias of each layer that reads it; or where no layer reads it. Skip
    connections join channels, which go together or not at all; so do the channels of a group of a convolution.
    Concatenation, flattening before a linear layer, depthwise and transposed convolutions are followed; what is not
    known (attention, ``GroupNorm``, a reshape to fixed numbers) keeps its channels. Weights get new shapes: a file of
    them is smaller and the network faster, unlike with masks. One channel of each layer stays.

    Cost: some passes through the network for ``example``, and one trace for each round of removal.

    Parameters
    ----------
    model : whose forward takes one tensor and does not branch on data; masks of ``torch.nn.utils.prune`` count as zeros
    example : an input, (samples, channels, ...), one sample is enough
    fold : whether batch norms become part of the convolutions before them

    Returns
    -------
    a module of the same class, in evaluation mode, on the same device

    Raises
    ------
    InputError : if the network does not make one tensor of ``example``, has no graph, or the smaller network's output
        is another one

    Examples
    --------
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 4, 2))
    >>> with torch.no_grad():
    ...     _ = model[0].weight[2:].zero_()
    >>> smaller = prune_channels(model, torch.zeros(1, 1, 4, 4))
    >>> smaller[0], smaller[3]
    (Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1)), Linear(in_features=8, out_features=2, bias=True))
    """
    if not isinstance(model, nn.Module):
        raise InputError(f"the model is {type(model).__name__}; a torch.nn.Module was expected")
    smaller = _copied(model).eval()
    expected = _output(smaller, example)
    if fold:
        fold_norms(smaller, traced(smaller, example))
    while True:
        analysis = Analysis(traced(smaller, example)).run()
        gone = removable(analysis)
        if not any(bool(gone[weighted.after.channels].any()) for weighted in analysis.weighted):
            break
        for weighted in analysis.weighted:
            remove(weighted, gone)
    _compare(smaller, example, expected)
    return smaller


@torch.no_grad()
def _copied(model: nn.Module) -> nn.Module:
    """Return a copy whose masks of ``torch.nn.utils.prune`` have become zeros in its weights."""
    for layer in model.modules():
        for mask in _masks(layer):
            # what the mask leaves was computed with a gradient, and could not be copied
            setattr(layer, mask._tensor_name, mask.apply_mask(layer))
    smaller = copy.deepcopy(model)
    for layer in smaller.modules():
        for mask in _masks(layer):
            prune.remove(layer, mask._tensor_name)  # type: ignore[no-untyped-call]
    return smaller


def _masks(layer: nn.Module) -> list[Any]:
    return [hook for hook in layer._forward_pre_hooks.values() if isinstance(hook, prune.BasePruningMethod)]


@torch.no_grad()
def _output(network: nn.Module, example: Tensor) -> Tensor:
    name = type(network).__name__
    try:
        output = network(example)
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{name} does not take the example: {error}") from error
    if not isinstance(output, torch.Tensor):
        raise InputError(f"{name} gives a {type(output).__name__} for the example; one tensor was expected")
    return output


@torch.no_grad()
def _compare(smaller: nn.Module, example: Tensor, expected: Tensor) -> None:
    apart = float((smaller(example) - expected).abs().max()) if expected.numel() else 0.0
    allowed = ROUNDINGS * torch.finfo(expected.dtype).eps * float(expected.abs().max() + 1.0) if expected.numel() else 0
    if not apart <= allowed:
        raise InputError(
            f"without its idle channels {type(smaller).__name__} gives an output that is {apart:.3g} away on the "
            "example: it uses its layers' weights outside of their calls, and cannot be pruned"
        )
