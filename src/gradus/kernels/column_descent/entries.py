"""Where the entries of a column are, and of what lies beside them: a column that is whole is gone through in order."""

from __future__ import annotations

import numpy as np

from gradus.kernels.compilation import compiled


@compiled()
def row_of(rows: np.ndarray, entry: int, start: int, whole: bool) -> int:
    """Return the sample of an entry of the column that begins at ``start``.

    whole : whether every sample has an entry. It is the same in the whole of a loop, of which the compiler makes two:
        one that reads from chosen places, and a vectorised one
    """
    return entry - start if whole else rows[entry]


def of_samples(samples: int, *, whole: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return room for three numbers of each sample: side by side where samples are chosen, else each in a row."""
    if whole:
        first, second, third = np.empty((3, samples))
        return first, second, third
    sides = np.empty((samples, 4))
    return sides[:, 0], sides[:, 1], sides[:, 2]
