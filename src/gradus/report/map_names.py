"""The names of the classes on the map: each at its cluster, none over another."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import matplotlib.font_manager
import matplotlib.patheffects
import numpy as np

from gradus.report.formatting import short
from gradus.report.label_places import place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from numpy.typing import NDArray

    from gradus.report.colouring import Categories
    from gradus.report.palette import Scheme

# More names than this would cover the points they name.
MOST_NAMES = 60
_WIDER_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Emoji",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)
# pixels from which on a line leads from a name to its cluster
_LED = 24.0


def draw_names(axes: Axes, colouring: Categories, positions: NDArray[np.float32], scheme: Scheme) -> None:
    """Write the names of the classes with the most rows, up to 60, at their clusters; a line leads to a distant one.

    A name for which there is no free place near its cluster is left out.
    """
    counts = np.bincount(colouring.codes, minlength=len(colouring.names))
    codes = [code for code in np.argsort(-counts, kind="stable")[:MOST_NAMES].tolist() if counts[code]]
    centres = np.array([cluster_centre(positions[colouring.codes == code]) for code in codes]).reshape(-1, 2)
    texts = [_text(axes, short(colouring.names[code], 24), len(colouring.names), scheme) for code in codes]
    axes.apply_aspect()  # settles the data limits, before places are measured
    anchors = axes.transData.transform(centres) - axes.bbox.p0
    figure: Any = axes.figure
    boxes = [text.get_window_extent(figure.canvas.get_renderer()) for text in texts]
    sizes = np.array([[box.width, box.height] for box in boxes]).reshape(-1, 2)
    places = place_labels(anchors, sizes, (axes.bbox.width, axes.bbox.height))
    to_data = axes.transData.inverted().transform
    for text, anchor, place in zip(texts, anchors, places, strict=True):
        if place is None:
            text.remove()
            continue
        x, y = to_data(place + axes.bbox.p0)
        text.set_position((float(x), float(y)))
        if np.hypot(place[0] - anchor[0], place[1] - anchor[1]) > _LED:
            ends = to_data(np.array([anchor, place]) + axes.bbox.p0)
            axes.plot(
                *ends.T, color=scheme.ink, linewidth=0.8, scalex=False, scaley=False, zorder=text.get_zorder() - 1
            )


def _text(axes: Axes, name: str, classes: int, scheme: Scheme) -> Text:
    return axes.text(
        0,
        0,
        name,
        color=scheme.ink,
        fontsize=13 if classes <= 20 else 9,
        fontweight="bold",
        fontfamily=_families(),
        ha="center",
        va="center",
        # A name may hold a dollar sign, which is no formula.
        parse_math=False,
        path_effects=[matplotlib.patheffects.withStroke(linewidth=3, foreground=scheme.ground)],
    )


@cache
def _families() -> list[str]:
    """Return matplotlib's font and those of the installed ones that hold what it lacks (Chinese, Arabic, emoji)."""
    installed = {font.name for font in matplotlib.font_manager.fontManager.ttflist}
    return ["DejaVu Sans"] + [name for name in _WIDER_FONTS if name in installed]


def cluster_centre(points: NDArray[np.float32]) -> tuple[float, float]:
    """Return the member of ``points`` (m, 2) nearest to their median: a place inside the cluster, even a curved one."""
    nearest = points[((points - np.median(points, axis=0)) ** 2).sum(1).argmin()]
    return float(nearest[0]), float(nearest[1])
