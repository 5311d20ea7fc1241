"""What a reader finds before it reads the rows, and what it hands on once it has.

Labels and names come first and cheaply, so that a sample can be drawn before anything large is decoded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.data.column import Column
    from gradus.data.labels import Labels


@dataclass(frozen=True)
class Content:
    """Rows that were read.

    Attributes
    ----------
    features : (n, d) float32 or float64, C-contiguous; where a table is large, the array in its file, also float16 or
        uint8
    images : (n, height, width, channels) uint8, or None
    kept : (m,) bool over the rows that were asked for, True for the n that could be read; None: all could
    feature_names : d column names, or None
    notes : what a person should know of the reading, a sentence each
    """

    features: NDArray[np.floating]
    images: NDArray[np.uint8] | None = None
    kept: NDArray[np.bool_] | None = None
    feature_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


Load = Callable[[NDArray[np.int64]], Content]


@dataclass(frozen=True)
class Source:
    """A data set that has been opened but not read.

    Attributes
    ----------
    where : how a sentence names it: the path
    name : the title of what was read
    rows : how many rows there are
    load : reads the rows at the given positions (sorted, int64)
    labels : of every row, or None
    row_ids : of every row; None: the position is the name
    color : of every row, what a map is coloured by, or None
    is_test : (rows,) bool where the source declares a test split, or None
    notes : what a person should know of the opening, a sentence each
    """

    where: str
    name: str
    rows: int
    load: Load
    labels: Labels | None = None
    row_ids: Sequence[str] | None = None
    color: Column | None = None
    is_test: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()

    def names_of_rows(self) -> Sequence[str]:
        """Return the name of every row; positions are named by their split where there is one."""
        if self.row_ids is not None:
            return self.row_ids
        if self.is_test is None:
            return [str(row) for row in range(self.rows)]
        within = np.where(self.is_test, np.cumsum(self.is_test), np.cumsum(~self.is_test)) - 1
        return [f"{'test' if test else 'train'}/{row}" for test, row in zip(self.is_test, within, strict=True)]
