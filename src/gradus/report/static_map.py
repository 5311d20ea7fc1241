"""The map as a picture: what is there without JavaScript, on paper, and in a slide."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import matplotlib.font_manager
import matplotlib.patheffects
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gradus.core.errors import InputError
from gradus.core.files import written_whole
from gradus.report.formatting import short
from gradus.report.palette import class_colours
from gradus.report.validation import validate_dataset, validate_map

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from gradus.data import Dataset
    from gradus.report.content import Map

_INCHES = 8.0
# More names than this would cover the points they name.
_MOST_NAMES = 60
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
_MEDIA = {".png": "png", ".svg": "svg"}


@dataclass(frozen=True)
class Scheme:
    """Colours of a picture: its ground (None: transparent), its ink, and points without a class."""

    ground: str
    ink: str
    point: str


LIGHT = Scheme("#ffffff", "#1b1f24", "#3f6f9f")
DARK = Scheme("#15181c", "#eceff2", "#8ab4dc")


def draw_map(dataset: Dataset, drawn: Map, path: Path) -> None:
    """Write the map as a picture with each class named at its cluster.

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
    figure = Figure(figsize=(_INCHES, _INCHES), facecolor=scheme.ground)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="datalim")
    _draw_points(axes, dataset, drawn.positions, scheme)
    if dataset.labels is not None:
        _draw_names(axes, dataset, drawn.positions, scheme)
    buffer = io.BytesIO()
    # A fixed date and salt make the same map the same bytes.
    with warnings.catch_warnings(), matplotlib.rc_context({"svg.hashsalt": "gradus"}):
        # A character that no installed font has is drawn as a box, which is no reason to stop.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(buffer, format=media, dpi=150, metadata={"Date": None} if media == "svg" else None)
    return buffer.getvalue()


def _draw_points(axes: Axes, dataset: Dataset, positions: NDArray[np.float32], scheme: Scheme) -> None:
    colours: NDArray[np.str_] | str = scheme.point
    # In the order of the file the last class would cover the first.
    order = np.random.default_rng(0).permutation(len(positions))
    if dataset.labels is not None:
        colours = np.array(class_colours(len(dataset.class_names)))[dataset.labels[order]]
    axes.scatter(
        positions[order, 0],
        positions[order, 1],
        s=point_size(len(positions)) ** 2 * 0.6,
        c=colours,
        linewidths=0,
        alpha=0.75,
        rasterized=True,
    )


def point_size(rows: int) -> float:
    """Return a diameter, in pixels, at which ``rows`` points neither vanish nor cover each other.

    Examples
    --------
    >>> point_size(300), point_size(70000)
    (8.0, 2.5)
    """
    return float(np.clip(8.0 * (1500 / max(rows, 1)) ** 0.35, 2.5, 8.0))


def _draw_names(axes: Axes, dataset: Dataset, positions: NDArray[np.float32], scheme: Scheme) -> None:
    assert dataset.labels is not None
    counts = np.bincount(dataset.labels, minlength=len(dataset.class_names))
    for code in np.argsort(-counts, kind="stable")[:_MOST_NAMES]:
        if counts[code] == 0:
            continue
        x, y = cluster_centre(positions[dataset.labels == code])
        axes.text(
            x,
            y,
            short(dataset.class_names[code], 24),
            color=scheme.ink,
            fontsize=13 if len(dataset.class_names) <= 20 else 9,
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
