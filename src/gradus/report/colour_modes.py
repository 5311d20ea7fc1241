"""A column as a legend that a person can click: classes as they are, a scale in steps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.colors import to_hex

from gradus.report.colouring import MISSING, Categories, colouring_by
from gradus.report.palette import LIGHT, class_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.data import Column
    from gradus.report.colouring import Scale

# of a scale; more could not be told apart
STEPS = 9


@dataclass(frozen=True)
class ColourMode:
    """What the page's legend shows.

    Attributes
    ----------
    title : of the legend
    names, colours : of its entries
    codes : (n,) int64, the entry of every row
    """

    title: str
    names: tuple[str, ...]
    colours: tuple[str, ...]
    codes: NDArray[np.int64]


def colour_mode(column: Column) -> ColourMode:
    """Return the legend of a column.

    Examples
    --------
    >>> from gradus.data import Column
    >>> mode = colour_mode(Column("mass", np.array([0.5, 9.5, np.nan])))
    >>> mode.names[0], mode.names[-2:], mode.codes.tolist()
    ('0.5 to 1.5', ('8.5 to 9.5', '(missing)'), [0, 8, 9])
    """
    colouring = colouring_by(column)
    if isinstance(colouring, Categories):
        return ColourMode(colouring.title, colouring.names, class_colours(len(colouring.names)), colouring.codes)
    return _in_steps(colouring)


def _in_steps(scale: Scale) -> ColourMode:
    low, high = scale.limits()
    edges = np.linspace(low, high, STEPS + 1)
    missing = np.isnan(scale.values)
    codes = np.where(missing, STEPS, np.clip(np.searchsorted(edges, scale.values, side="right") - 1, 0, STEPS - 1))
    names = [f"{first:.4g} to {last:.4g}" for first, last in pairwise(edges.tolist())]
    shades = matplotlib.colormaps["viridis"](np.linspace(0, 1, STEPS))
    colours = [to_hex(shade) for shade in shades]
    if missing.any():
        names, colours = [*names, MISSING], [*colours, LIGHT.faint]
    return ColourMode(scale.title, tuple(names), tuple(colours), codes.astype(np.int64))
