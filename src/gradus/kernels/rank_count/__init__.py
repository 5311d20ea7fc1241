"""Where does the label stand among the scores of its row: counted in one pass, without a sort.

For a row of scores s and its label y,

    greater = #{c : s_c > s_y}        equal = #{c != y : s_c = s_y}

which is all that top-k errors need, for every k at once (docs/derivations/top-k.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradus.core.errors import InputError
from gradus.kernels import dispatch

if TYPE_CHECKING:
    from torch import Tensor

NAN_SCORE = -1
UNKNOWN_LABEL = -2

__all__ = ["NAN_SCORE", "UNKNOWN_LABEL", "rank_count"]

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def rank_count(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Count per row the scores above the label's, and the other scores equal to it.

    The counts are the same integers on every device, with any number of threads and in any memory layout: nothing is
    rounded. -0.0 equals 0.0; infinities are ordinary scores.

    Parameters
    ----------
    scores : (n, K), float16, bfloat16, float32 or float64, any strides (a matrix whose rows and columns are both
        strided is copied once; one that is contiguous along either axis is not)
    labels : (n,) int64 on the device of ``scores``, the column of each row's label

    Returns
    -------
    greater : (n,) int32; ``NAN_SCORE`` (-1) where the row holds a NaN, ``UNKNOWN_LABEL`` (-2) where the label is not a
        column of ``scores`` (this is said first)
    equal : (n,) int32; 0 where ``greater`` is negative

    Raises
    ------
    InputError : if the shapes, types or devices are others than these

    Notes
    -----
    O(n K): one pass over ``scores``, which on a CPU takes the time of reading them.

    Examples
    --------
    >>> greater, equal = rank_count(torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]]), torch.tensor([2, 1]))
    >>> greater.tolist(), equal.tolist()
    ([1, 0], [0, 1])
    """
    _require(scores.ndim == 2, f"scores have {scores.ndim} axes; (n, K) was expected: give one row per sample")
    _require(scores.dtype in _FLOATS, f"scores are {scores.dtype}; convert them to a floating type")
    _require(labels.dtype == torch.int64, f"labels are {labels.dtype}; convert them to torch.int64")
    same_length = tuple(labels.shape) == (scores.shape[0],)
    _require(
        same_length, f"labels have shape {tuple(labels.shape)}; one for each of {scores.shape[0]} rows was expected"
    )
    _require(labels.device == scores.device, f"labels are on {labels.device}, scores on {scores.device}: move one")
    counts: Any = dispatch.load("rank_count", scores.device.type).rank_count(scores.detach(), labels)
    greater, equal = counts
    return greater, equal


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise InputError(otherwise)
