"""Columns of a sparse matrix, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class SparseColumns(NamedTuple):
    """The entries of some columns, each column's in ascending order of the samples.

    Attributes
    ----------
    starts : (columns + 1,) int64, where each column begins in the other two, and where the last ends
    samples : (entries,) int32, the row of each entry; no row twice in one column
    values : (entries,) float32 or float64
    """

    starts: Tensor
    samples: Tensor
    values: Tensor
