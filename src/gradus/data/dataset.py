"""What a reader hands on: rows, labels and what they are called, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.mapped import mapping_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gradus.data.column import Column


@dataclass(frozen=True)
class Dataset:
    """Rows to learn from or to predict, as every other room sees them.

    Attributes
    ----------
    name : what a person calls it; the title of the report
    features : (n, d) float32 or float64, C-contiguous, finite; pixels are scaled to [0, 1]. Where a table is large, the
        mapped array in its file, also float16 or uint8 (``on_disk``)
    labels : (n,) int64 positions in ``class_names``, or None where the data has no labels
    class_names : K names, sorted (numerically where all are integers) or in the order that the source declares
    row_ids : (n,) str: the file name, the id column, or the position in the source
    is_test : (n,) bool where the source came with a test split, else None
    images : (n, height, width, channels) uint8 with 1 or 3 channels where the rows are images, else None
    feature_names : d column names where the source has them, else None
    color : what a map is to be coloured by, (n,) values of a column, where one was asked for
    notes : what a person should know of how it was read (files skipped, rows sampled), a sentence each
    """

    name: str
    features: NDArray[np.floating]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    row_ids: NDArray[np.str_]
    is_test: NDArray[np.bool_] | None = None
    images: NDArray[np.uint8] | None = None
    feature_names: tuple[str, ...] | None = None
    color: Column | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.features)

    @property
    def on_disk(self) -> bool:
        """Whether the features are in a file, to be read a chunk at a time."""
        return mapping_of(self.features) is not None
