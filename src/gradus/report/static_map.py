"""The map as a picture: what is there without JavaScript, on paper, and in a slide."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gradus.core.errors import InputError
from gradus.core.files import written_whole
from gradus.report.colouring import Categories, Scale, colouring_of
from gradus.report.formatting import short
from gradus.report.map_figures import figure_line
from gradus.report.map_names import draw_names
from gradus.report.palette import LIGHT, Scheme, class_colours
from gradus.report.validation import validate_dataset, validate_map

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Colormap
    from numpy.typing import NDArray

    from gradus.data import Dataset
    from gradus.report.content import Map

_INCHES = 8.0
_DOTS = 150
# of the height, under the map, for the figures
_FOOT = 0.045
_MEDIA = {".png": "png", ".svg": "svg"}


def draw_map(dataset: Dataset, drawn: Map, path: Path) -> None:
    """Write the map as a picture, coloured by the column of ``dataset.color``, else by the labels.

    Each class is named at its cluster, a scale has its bar, and what is known of the map's quality stands under it.

    Parameters
    ----------
    dataset : the rows, with labels where they have any
    drawn : a position for each row
    path : ends in ``.png`` or ``.svg`` (whose points are one embedded picture); written whole or not at all

    Raises
    ------
    InputError : if the path ends otherwise, or the map does not fit the dataset
    """
    if path.suffix.lower() not in _MEDIA:
        raise InputError(f"{path} ends in {path.suffix!r}; a map is drawn to a file that ends in .png or .svg.")
    validate_dataset(dataset)
    validate_map(dataset, drawn)
    with written_whole(path) as unfinished:
        unfinished.write_bytes(map_picture(dataset, drawn, LIGHT, _MEDIA[path.suffix.lower()]))


def map_picture(dataset: Dataset, drawn: Map, scheme: Scheme, media: str = "png") -> bytes:
    """Return the map as the bytes of a PNG (1,200 x 1,200 pixels) or an SVG."""
    figure = Figure(figsize=(_INCHES, _INCHES), dpi=_DOTS, facecolor=scheme.ground)
    FigureCanvasAgg(figure)
    words = figure_line(drawn.quality)
    axes = figure.add_axes((0.0, _FOOT if words else 0.0, 1.0, 1.0 - _FOOT if words else 1.0))
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="datalim")
    colouring = colouring_of(dataset)
    buffer = io.BytesIO()
    # A fixed date and salt make the same map the same bytes.
    with warnings.catch_warnings(), matplotlib.rc_context({"svg.hashsalt": "gradus"}):
        # A character that no installed font has is drawn as a box, which is no reason to stop.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        points = _draw_points(axes, colouring, drawn.positions, scheme)
        if words:
            figure.text(0.5, _FOOT / 2, words, color=scheme.ink, fontsize=9, ha="center", va="center")
        if isinstance(colouring, Scale):
            _draw_scale(axes, points, colouring, scheme)
        if isinstance(colouring, Categories):
            draw_names(axes, colouring, drawn.positions, scheme)
        figure.savefig(buffer, format=media, dpi=_DOTS, metadata={"Date": None} if media == "svg" else None)
    return buffer.getvalue()


def _draw_points(
    axes: Axes, colouring: Categories | Scale | None, positions: NDArray[np.float32], scheme: Scheme
) -> PathCollection:
    # In the order of the file the last class would cover the first.
    order = np.random.default_rng(0).permutation(len(positions))
    given: dict[str, Any] = {"c": scheme.point}
    if isinstance(colouring, Categories):
        given = {"c": np.array(class_colours(len(colouring.names)))[colouring.codes[order]]}
    elif isinstance(colouring, Scale):
        low, high = colouring.limits()
        shown = np.clip(colouring.values[order], low, high)
        given = {"c": shown, "cmap": _scale_colours(scheme), "vmin": low, "vmax": high, "plotnonfinite": True}
    return axes.scatter(
        positions[order, 0],
        positions[order, 1],
        s=point_size(len(positions)) ** 2 * 0.6,
        linewidths=0,
        alpha=0.75,
        rasterized=True,
        **given,
    )


def _scale_colours(scheme: Scheme) -> Colormap:
    """Return colours whose lightness follows the value; what is missing is grey."""
    return matplotlib.colormaps["viridis"].with_extremes(bad=scheme.faint)


def _draw_scale(axes: Axes, points: PathCollection, colouring: Scale, scheme: Scheme) -> None:
    inset = axes.inset_axes((0.03, 0.03, 0.25, 0.015))
    bar = axes.figure.colorbar(points, cax=inset, orientation="horizontal")
    if bar.solids is not None:
        bar.solids.set_alpha(1)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=scheme.ink, labelsize=9, length=2)
    bar.locator = MaxNLocator(4)
    bar.update_ticks()
    bar.ax.set_title(short(colouring.title, 40), color=scheme.ink, fontsize=10, loc="left", parse_math=False)


def point_size(rows: int) -> float:
    """Return a diameter, in pixels, at which ``rows`` points neither vanish nor cover each other.

    Examples
    --------
    >>> point_size(300), point_size(70000)
    (8.0, 2.5)
    """
    return float(np.clip(8.0 * (1500 / max(rows, 1)) ** 0.35, 2.5, 8.0))
