"""The expansion in a few products: right on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.softmax_expansion import Expansion, Samples

if TYPE_CHECKING:
    from torch import Tensor


def softmax_expansion(samples: Samples, point: Tensor, *, baseline: bool) -> Expansion:
    """Return the expansion; see the package."""
    rows, labels, shares = samples.columns.t(), samples.labels.t(), samples.shares
    logits, outputs = rows @ point, point.shape[1]
    padded = torch.nn.functional.pad(logits, (0, 1)) if baseline else logits
    chances = torch.softmax(padded, dim=1)[:, :outputs]
    value = (shares * (torch.logsumexp(padded, dim=1) - (labels * logits).sum(dim=1))).sum()
    gradient = rows.t() @ (shares[:, None] * (chances - labels))
    bend = torch.diag_embed(chances) - chances[:, :, None] * chances[:, None, :]
    hessian = torch.einsum("i,ikl,id,ie->kdle", shares, bend, rows, rows)
    return Expansion(value.item(), gradient, hessian.reshape(point.numel(), point.numel()))
