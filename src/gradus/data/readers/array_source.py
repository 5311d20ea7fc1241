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


# a table stays in its file if it would be larger than this in memory as float32, and its type is computed with as it is
LARGE_BYTES = 4_294_967_296
_STORED = (np.uint8, np.float16, np.float32, np.float64)


def array_source(features: NDArray[np.generic], where: str, name: str, labels: Labels | None) -> Source:
    """Return a source over the rows of ``features``; only the rows that are asked for are copied.

    A mapped table of more than ``LARGE_BYTES`` as float32 is not copied at all when every row is asked for: its
    features are the array in the file, bytes as the numbers 0 to 255.

    Raises
    ------
    InputError : if the array is not a table of real numbers, or the labels are not one a row
    """
    check_numeric(features, where)
    if labels is not None:
        check_same_length(len(features), len(labels.codes), where)

    def load(rows: NDArray[np.int64]) -> Content:
        if len(rows) == len(features) and _stays_on_disk(features):
            return Content(features, notes=(_note(features),))  # type: ignore[arg-type]
        if len(rows) == len(features) and not isinstance(features, np.memmap):
            return from_array(features)
        # A copy: the data set must not change when a mapped file does.
        return from_array(np.take(np.asarray(features), rows, axis=0))

    return Source(where=where, name=name, rows=len(features), load=load, labels=labels)


def _stays_on_disk(features: NDArray[np.generic]) -> bool:
    """Tell whether a mapped table is read from its file in every pass: it would be large in memory, as float32."""
    return (
        isinstance(features, np.memmap)
        and features.ndim == 2
        and features.flags.c_contiguous
        and features.dtype in _STORED
        and features.size * 4 > LARGE_BYTES
    )


def _note(features: NDArray[np.generic]) -> str:
    return (
        f"The features are {features.nbytes / 1e9:.1f} GB of {features.dtype} and stay in their file, "
        "which must not change while it is used."
    )
