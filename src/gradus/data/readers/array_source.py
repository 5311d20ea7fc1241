"""What NumPy's two file formats share: a source over an array that is already at hand or mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.data.arrays import check_numeric, from_array
from gradus.data.checks import check_same_length
from gradus.data.source import Content, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.data.labels import Labels


def array_source(features: NDArray[np.generic], where: str, name: str, labels: Labels | None) -> Source:
    """Return a source over the rows of ``features``; only the rows that are asked for are copied.

    Raises
    ------
    InputError : if the array is not a table of real numbers, or the labels are not one a row
    """
    check_numeric(features, where)
    if labels is not None:
        check_same_length(len(features), len(labels.codes), where)

    def load(rows: NDArray[np.int64]) -> Content:
        if len(rows) == len(features) and not isinstance(features, np.memmap):
            return from_array(features)
        # A copy: the data set must not change when a mapped file does.
        return from_array(np.take(np.asarray(features), rows, axis=0))

    return Source(where=where, name=name, rows=len(features), load=load, labels=labels)
