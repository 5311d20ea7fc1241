"""Where names are written on a map so that none covers another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# pixels between two names, and between two places that are tried
GAP = 3.0
STEP = 9.0
# how far from its cluster a name may stand
FARTHEST = 260.0


def place_labels(
    anchors: NDArray[np.float64], sizes: NDArray[np.float64], bounds: tuple[float, float]
) -> list[tuple[float, float] | None]:
    """Return the middle of every label, at or near its anchor, so that no two overlap and all are inside.

    The first come first, each to the free place nearest to its anchor on a spiral; None where there is none within
    260 pixels.

    Parameters
    ----------
    anchors : (labels, 2), x and y in pixels, the most important label first
    sizes : (labels, 2), width and height in pixels
    bounds : width and height of the picture in pixels

    Cost
    ----
    At most some 2,600 places for each label, each against the labels that are placed.

    Examples
    --------
    >>> place_labels(np.array([[50.0, 50.0], [50.0, 50.0]]), np.array([[40.0, 10.0], [40.0, 10.0]]), (100, 100))
    [(50.0, 50.0), (50.0, 68.0)]
    """
    placed: list[tuple[float, float] | None] = []
    taken = np.empty((0, 4))
    for anchor, size in zip(anchors, sizes, strict=True):
        half = size / 2 + GAP / 2
        for offset in _spiral():
            middle = np.clip(anchor, half, np.array(bounds) - half) + offset
            box = np.concatenate([middle - half, middle + half])
            if (box[:2] < 0).any() or (box[2:] > bounds).any() or _covers(box, taken):
                continue
            taken = np.vstack([taken, box])
            placed.append((float(middle[0]), float(middle[1])))
            break
        else:
            placed.append(None)
    return placed


def _covers(box: NDArray[np.float64], taken: NDArray[np.float64]) -> bool:
    apart = (box[0] >= taken[:, 2]) | (box[2] <= taken[:, 0]) | (box[1] >= taken[:, 3]) | (box[3] <= taken[:, 1])
    return bool((~apart).any())


def _spiral() -> Iterator[NDArray[np.float64]]:
    """Yield offsets on rings around zero, nearest first, straight up and down before sideways."""
    yield np.zeros(2)
    for radius in np.arange(STEP, FARTHEST, STEP):
        turns = np.linspace(0, 1, max(8, int(2 * np.pi * radius / STEP)), endpoint=False)
        for turn in turns[np.argsort(np.abs(np.cos(2 * np.pi * turns)), kind="stable")]:
            angle = 2 * np.pi * turn
            yield np.round(radius * np.array([np.cos(angle), np.sin(angle)]), 9)
