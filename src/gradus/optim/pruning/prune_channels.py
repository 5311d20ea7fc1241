"""A smaller network that computes the same."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from gradus.core.errors import InputError
from gradus.optim.pruning.analysis import Analysis
from gradus.optim.pruning.folding import fold_norms
from gradus.optim.pruning.surgery import removable, remove
from gradus.optim.pruning.tracing import traced

if TYPE_CHECKING:
    from torch import Tensor, nn

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
    model : whose forward takes one tensor and does not branch on data
    example : an input, (samples, channels, ...), one sample is enough
    fold : whether batch norms become part of the convolutions before them

    Returns
    -------
    a module of the same class, in evaluation mode, on the same device

    Raises
    ------
    InputError : if the network has no graph, or the smaller network's output for ``example`` is another one

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
    smaller = copy.deepcopy(model).eval()
    with torch.no_grad():
        expected = smaller(example)
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
def _compare(smaller: nn.Module, example: Tensor, expected: Tensor) -> None:
    apart = float((smaller(example) - expected).abs().max()) if expected.numel() else 0.0
    allowed = ROUNDINGS * torch.finfo(expected.dtype).eps * float(expected.abs().max() + 1.0) if expected.numel() else 0
    if not apart <= allowed:
        raise InputError(
            f"without its idle channels {type(smaller).__name__} gives an output that is {apart:.3g} away on the "
            "example: it uses its layers' weights outside of their calls, and cannot be pruned"
        )
