"""Rank counts in plain torch, on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradus.kernels.rank_count import NAN_SCORE, UNKNOWN_LABEL

if TYPE_CHECKING:
    from torch import Tensor


def rank_count(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Count per row the scores above the label's and the others equal to it; see the package for the contract."""
    rows, classes = scores.shape
    if classes == 0:
        return labels.new_full((rows,), UNKNOWN_LABEL, dtype=torch.int32), labels.new_zeros(rows, dtype=torch.int32)
    own = scores.gather(1, labels.clamp(0, classes - 1)[:, None])
    greater = (scores > own).sum(1, dtype=torch.int32)
    equal = (scores == own).sum(1, dtype=torch.int32) - 1
    greater = greater.masked_fill(scores.isnan().any(1), NAN_SCORE)
    greater = greater.masked_fill((labels < 0) | (labels >= classes), UNKNOWN_LABEL)
    return greater, equal.masked_fill(greater < 0, 0)
