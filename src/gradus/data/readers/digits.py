"""The 1,797 handwritten digits that come with scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradus.data.labels import from_numbers
from gradus.data.source import Content, Source

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.data.options import ReadOptions

LARGEST_VALUE = 16


def open_digits(path: Path, options: ReadOptions) -> Source:
    """Return the digits: 8 x 8 pixels with values 0..16, as features in [0, 1] and as images in 0..255."""
    from sklearn.datasets import load_digits  # here, because it is slow to import and only this reader needs it

    bundled = load_digits()
    values = np.asarray(bundled.images, dtype=np.float32)

    def load(rows: NDArray[np.int64]) -> Content:
        features = np.ascontiguousarray(values[rows].reshape(len(rows), -1) / np.float32(LARGEST_VALUE))
        images = np.rint(values[rows] * np.float32(255 / LARGEST_VALUE)).astype(np.uint8)
        return Content(features, images[..., np.newaxis])

    labels = from_numbers(np.asarray(bundled.target), "digits")
    return Source(where="digits", name="digits", rows=len(values), load=load, labels=labels)
