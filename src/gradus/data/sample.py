"""A sample of a source that keeps the shares of its classes and of its split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError
from gradus.data.sampling import allotted, drawn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.data.source import Source


def sample_rows(source: Source, size: int, seed: int) -> NDArray[np.int64]:
    """Return ``size`` sorted positions, in proportion to the rows of each class and side of the split.

    Every class keeps at least two rows (or all it has); where there is a split, one on each side it is on.

    Raises
    ------
    InputError : if there are fewer rows than ``size``, or ``size`` is too small for the classes
    """
    if not 0 < size <= source.rows:
        raise InputError(
            f"{source.where} has {source.rows} rows and a sample of {size} was asked for; "
            f"expected a number from 1 to {source.rows}: give another sample (--sample) or none"
        )
    codes = np.zeros(source.rows, dtype=np.int64) if source.labels is None else source.labels.codes
    side = np.zeros(source.rows, dtype=np.int64) if source.is_test is None else source.is_test.astype(np.int64)
    distinct, groups = np.unique(2 * codes + side, return_inverse=True)
    counts = np.bincount(groups, minlength=len(distinct)).astype(np.int64)
    least = np.minimum(counts, 2 if source.is_test is None else 1)
    if least.sum() > size:
        raise InputError(
            f"{source.where}: a sample of {size} rows is too small for its {len(np.unique(codes))} classes; "
            f"expected at least {int(least.sum())}, so that each can be learned and tested"
        )
    return drawn(groups.astype(np.int64), allotted(counts, size, least, counts), seed)
