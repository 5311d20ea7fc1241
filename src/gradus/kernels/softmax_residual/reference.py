"""The weighted cross-entropy and its derivative in a few lines of torch, right on any device."""

from __future__ import annotations

import torch
from torch import Tensor


def softmax_residual(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss and its derivative; see the package."""
    return (_hard if targets.ndim == 1 else _soft)(logits, targets, weights)


def _hard(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Class codes as targets."""
    label = targets[:, None]
    largest = torch.finfo(logits.dtype).max
    # a difference of two huge logits may overflow; the largest float keeps everything finite
    difference = (logits - logits.gather(1, label)).clamp_max(largest).scatter(1, label, -torch.inf)
    # the label's own term is exp(0); the others' maximum may lie above it
    top = difference.amax(dim=1, keepdim=True).clamp_min(0.0)
    others = torch.exp(difference - top)
    own = torch.exp(-top)
    rest = others.sum(dim=1, keepdim=True)
    losses = torch.where(top == 0, torch.log1p(rest), top + torch.log(rest + own))
    probability = others / (rest + own)
    residual = probability.scatter(1, label, -rest / (rest + own)) * weights[:, None]
    return _total(losses[:, 0], weights), residual


def _soft(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of probabilities as targets."""
    shifted = (logits - logits.amax(dim=1, keepdim=True)).clamp_min(torch.finfo(logits.dtype).min)
    normaliser = torch.logsumexp(shifted, dim=1, keepdim=True)
    # lse(z) - y . z = sum_k y_k (lse(z) - z_k), whose terms are all of one sign
    losses = (targets * (normaliser - shifted)).sum(dim=1)
    residual = (targets.sum(dim=1, keepdim=True) * torch.exp(shifted - normaliser) - targets) * weights[:, None]
    return _total(losses, weights), residual


def _total(losses: Tensor, weights: Tensor) -> Tensor:
    return (losses.double() * weights.double()).sum()
