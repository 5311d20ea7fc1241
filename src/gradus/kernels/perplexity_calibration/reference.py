"""What the calibration computes, on any device: bisection on log(beta) of all rows at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor

STEPS = 100
WIDEST = 80.0


def conditional_probabilities(squared_distances: Tensor, perplexity: float) -> Tensor:
    """Return the row-wise Gaussian probabilities of the given perplexity; see the package."""
    excess = squared_distances.double()
    excess = excess - excess.amin(1, keepdim=True)
    mean = excess.mean(1, keepdim=True)
    excess = excess / torch.where(mean > 0, mean, 1.0)
    low = torch.full_like(mean, -WIDEST)
    high = torch.full_like(mean, WIDEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        too_wide = _entropy(excess, middle) > math.log(perplexity)
        low, high = torch.where(too_wide, middle, low), torch.where(too_wide, high, middle)
    return torch.softmax(-excess * ((low + high) / 2).exp(), dim=1).to(squared_distances.dtype)


def _entropy(excess: Tensor, log_beta: Tensor) -> Tensor:
    logits = -excess * log_beta.exp()
    probabilities = torch.softmax(logits, dim=1)
    return torch.logsumexp(logits, 1, keepdim=True) - (probabilities * logits).sum(1, keepdim=True)
