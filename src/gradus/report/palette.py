"""Colours for classes: safe for colour-blind readers up to ten, as far apart as can be beyond."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Petroff 2021 (arXiv:2107.02270), table 1: ten colours optimised for colour-vision deficiencies.
_TEN = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
# right, in the top k, wrong: blue, yellow-orange and vermilion stay apart for colour-blind readers (Okabe & Ito 2008)
OUTCOME_COLOURS = ("#56a0d3", "#e6a817", "#d1495b")


@dataclass(frozen=True)
class Scheme:
    """Colours of a picture: its ground, its ink, points without a class, and points whose value is missing."""

    ground: str
    ink: str
    point: str
    faint: str


LIGHT = Scheme("#ffffff", "#1b1f24", "#3f6f9f", "#c8ccd2")
DARK = Scheme("#15181c", "#eceff2", "#8ab4dc", "#4a5058")

# OKLab to linear sRGB (Ottosson 2020, "A perceptual color space for image processing")
_TO_CONE = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


@lru_cache(maxsize=8)
def class_colours(classes: int) -> tuple[str, ...]:
    """Return one hexadecimal colour per class, the same for the same number of classes.

    Beyond ten classes: farthest-point sampling in OKLab (Ottosson 2020) over lightness that can be seen on white and
    on black. Costs O(classes * 2,000).

    Examples
    --------
    >>> class_colours(2)
    ('#3f90da', '#ffa90e')
    >>> len(set(class_colours(1000)))
    1000
    """
    if classes <= len(_TEN):
        return _TEN[:classes]
    candidates = _candidates()
    chosen = [0]
    distance = np.full(len(candidates), np.inf)
    for _ in range(min(classes, len(candidates)) - 1):
        distance = np.minimum(distance, ((candidates - candidates[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(distance.argmax()))
    colours = tuple(_hexadecimal(rgb) for rgb in _to_rgb(candidates[chosen]))
    return tuple(colours[position % len(colours)] for position in range(classes))


def _candidates() -> NDArray[np.float64]:
    """Return OKLab points inside sRGB with lightness 0.45 to 0.82 and some colour in them."""
    lightness, chroma, hue = np.meshgrid(
        np.linspace(0.45, 0.82, 8),
        np.linspace(0.06, 0.22, 6),
        np.linspace(0, 2 * np.pi, 72, endpoint=False),
        indexing="ij",
    )
    points = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], -1).reshape(-1, 3)
    rgb = _to_rgb(points)
    return points[((rgb >= 0) & (rgb <= 1)).all(1)]


def _to_rgb(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sRGB, in [0, 1] where the colour exists, of OKLab points (n, 3)."""
    linear: NDArray[np.float64] = (points @ _TO_CONE.T) ** 3 @ _TO_RGB.T
    curved: NDArray[np.float64] = 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curved)


def _hexadecimal(rgb: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in rgb)
