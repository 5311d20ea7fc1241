"""Rows whose scores are on a GPU are counted together there: the processor gets each distinct outcome once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradus.kernels.rank_count import rank_count
from gradus.metrics.table import LARGEST_CLASSES, RankTable

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.metrics.policy import Policy, Rows


def condensed(rows: Rows, scores: Tensor, policy: Policy, most: int) -> RankTable | None:
    """Return what ``distinct`` makes of the rows' outcomes for up to ``most`` guesses, made where the scores are.

    None where rows have to be looked at one by one: for scores on the processor, labels that are not as many integers
    in a tensor, names, weights, groups or row ids, and rows that the policy has to judge.

    Parameters
    ----------
    scores : (n, K) as ``read_scores`` returns them

    Cost: one read of the scores, a sort of (n,) integers, and at most 2 K (most + 1) numbers carried to the processor.
    """
    given = (rows.sample_weight, rows.groups, rows.row_ids, policy.classes)
    n_classes = scores.shape[1]
    if scores.device.type == "cpu" or n_classes > LARGEST_CLASSES or any(one is not None for one in given):
        return None
    if not _are_codes(rows.labels, len(scores)):
        return None
    codes = rows.labels.detach().to(scores.device, torch.int64)
    greater, equal = rank_count(scores, codes)
    if int(greater.min()) < 0:
        return None
    return _counted(codes, greater.long(), equal.long(), (n_classes, most))


def _are_codes(labels: Any, count: int) -> bool:
    if not isinstance(labels, torch.Tensor) or tuple(labels.shape) != (count,) or not count:
        return False
    return not (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool)


def _counted(codes: Tensor, greater: Tensor, equal: Tensor, sizes: tuple[int, int]) -> RankTable:
    n_classes, most = sizes
    beyond = greater >= most
    equal = torch.where(beyond, equal.clamp(max=1), equal)  # that there is a tie is still to be counted
    key = (codes * (most + 1) + greater.clamp(max=most)) * n_classes + equal
    keys, counts = (found.cpu().numpy() for found in torch.unique(key, return_counts=True))
    first, tied = keys // n_classes, keys % n_classes
    return RankTable(n_classes, first // (most + 1), first % (most + 1), tied, counts)
