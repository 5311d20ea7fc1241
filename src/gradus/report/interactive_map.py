"""The map to explore: one bokeh scatter, and the columns that the page's script looks things up in."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.embed import json_item
from bokeh.models import (
    BooleanFilter,
    BoxSelectTool,
    CDSView,
    ColumnDataSource,
    CustomJS,
    HoverTool,
    LassoSelectTool,
    LinearColorMapper,
    PanTool,
    Range1d,
    TapTool,
    WheelZoomTool,
)
from bokeh.plotting import figure
from bokeh.transform import transform

from gradus.report.colour_modes import colour_mode
from gradus.report.palette import LIGHT, OUTCOME_COLOURS, class_colours
from gradus.report.static_map import point_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.report.content import Map, ReportContent
    from gradus.report.sprites import Sprites

# While a person drags, about this many points are painted, evenly drawn; the rest return when they stop.
_PAINTED_WHILE_MOVING = 5000
# Beyond this many rows points are so small that squares, which paint in half the time, look the same as discs.
_MANY_ROWS = 20_000
_FIGURE_SIDE = 600


def paint_order(content: ReportContent) -> NDArray[np.int64]:
    """Return the order in which points are painted: shuffled, so that no class covers another, wrong ones last."""
    rows = len(content.dataset)
    order = np.random.default_rng(0).permutation(rows)
    if content.predictions is None or content.dataset.labels is None:
        return order
    wrong = content.predictions.predicted != content.dataset.labels
    return np.concatenate([order[~wrong[order]], order[wrong[order]]])


def place_order(positions: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return rows along a Morton curve over the map, so that neighbours' thumbnails share a sheet. Costs O(n log n)."""
    low, high = positions.min(0), positions.max(0)
    cells = ((positions - low) / np.where(high > low, high - low, 1) * 1023).astype(np.int64)
    code = np.zeros(len(positions), np.int64)
    for bit in range(10):
        code |= ((cells[:, 0] >> bit & 1) << (2 * bit)) | ((cells[:, 1] >> bit & 1) << (2 * bit + 1))
    return np.argsort(code, kind="stable")


def map_figure(drawn: Map, order: NDArray[np.int64]) -> dict[str, Any]:
    """Return the bokeh document of the scatter as JSON, coordinates as base64 float32.

    The script of the page finds its models by name: points, source, colours, shown, ring, pan, lasso, box, zoom.
    """
    positions = drawn.positions[order].astype(np.float32)
    source = ColumnDataSource(
        {"x": positions[:, 0], "y": positions[:, 1], "code": np.zeros(len(order), np.float32)}, name="source"
    )
    plot = _empty_figure(len(order))
    shown = BooleanFilter(name="shown")
    colours = LinearColorMapper(palette=[LIGHT.point], low=-0.5, high=0.5, name="colours")
    points = plot.scatter(
        "x",
        "y",
        source=source,
        view=CDSView(filter=shown),
        marker="square" if len(order) > _MANY_ROWS else "circle",
        size=point_size(len(order)) + 0.5,
        fill_color=transform("code", colours),
        line_color=None,
        fill_alpha=0.8,
        nonselection_fill_alpha=0.12,
        name="points",
    )
    ring = ColumnDataSource({"x": np.zeros(0, np.float32), "y": np.zeros(0, np.float32)}, name="ring")
    plot.scatter("x", "y", source=ring, size=22, fill_color=None, line_color=LIGHT.ink, line_width=3, name="ring_glyph")
    _add_tools(plot, points)
    return dict(json_item(plot))


def _empty_figure(rows: int) -> figure:
    plot = figure(
        width=_FIGURE_SIDE,
        height=_FIGURE_SIDE,
        sizing_mode="stretch_both",
        x_range=Range1d(start=0, end=1),
        y_range=Range1d(start=0, end=1),
        x_axis_type=None,
        y_axis_type=None,
        toolbar_location=None,
        tools="",
        output_backend="canvas",
        lod_threshold=_PAINTED_WHILE_MOVING,
        lod_factor=max(1, round(rows / _PAINTED_WHILE_MOVING)),
        lod_timeout=300,
        # The page's ground shows through, light or dark.
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        min_border=0,
    )
    plot.grid.visible = False
    return plot


def _add_tools(plot: figure, points: Any) -> None:
    pan, zoom = PanTool(name="pan"), WheelZoomTool(name="zoom")
    lasso = LassoSelectTool(name="lasso", renderers=[points], continuous=False)
    box = BoxSelectTool(name="box", renderers=[points], continuous=False)
    hover = HoverTool(
        renderers=[points],
        tooltips=None,
        callback=CustomJS(code="window.gradusHover(cb_data.index.indices, cb_data.geometry)"),
    )
    plot.add_tools(pan, zoom, lasso, box, TapTool(renderers=[points]), hover)
    plot.toolbar.active_drag = pan
    plot.toolbar.active_scroll = zoom


def map_columns(content: ReportContent, order: NDArray[np.int64], sprites: Sprites | None) -> dict[str, Any]:
    """Return what the page's script knows of each row, in paint order, ready for JSON.

    Numbers are base64 of little-endian arrays: ``label``, ``predicted`` and ``rank`` (the place of the label among the
    classes, 1 is right) uint16, or uint32 where there are more classes; ``probability`` float32; ``test`` uint8;
    ``slot`` int32; ``colouring`` uint32, positions among the names of ``mode``, where a column colours the map.
    """
    dataset, predictions = content.dataset, content.predictions
    columns: dict[str, NDArray[Any]] = {}
    code = "<u2" if len(dataset.class_names) < 2**16 else "<u4"
    if dataset.labels is not None:
        columns["label"] = dataset.labels.astype(code)
    if predictions is not None:
        columns["predicted"] = predictions.predicted.astype(code)
        columns["probability"] = predictions.probability.astype("<f4")
        columns["test"] = predictions.is_test.astype("u1")
        columns["rank"] = (predictions.greater + predictions.equal + 1).astype(code)
    mode = None if dataset.color is None else colour_mode(dataset.color)
    if mode is not None:
        columns["colouring"] = mode.codes.astype("<u4")
    if sprites is not None:
        columns["slot"] = sprites.slots.astype("<i4")
    return {
        "classes": list(dataset.class_names),
        "colours": list(class_colours(len(dataset.class_names))),
        "outcomeColours": list(OUTCOME_COLOURS),
        "mode": None if mode is None else {"title": mode.title, "names": mode.names, "colours": mode.colours},
        "rowIds": dataset.row_ids[order].tolist(),
        "columns": {
            name: {"type": values.dtype.str[-2:], "data": base64.b64encode(values[order].tobytes()).decode("ascii")}
            for name, values in columns.items()
        },
        "thumbnails": None if sprites is None else thumbnail_layout(sprites),
    }


def thumbnail_layout(sprites: Sprites) -> dict[str, Any]:
    """Return where in its sheet a slot's thumbnail lies, ready for JSON."""
    return {
        "mediaType": sprites.media_type,
        "width": sprites.width,
        "height": sprites.height,
        "perRow": sprites.per_row,
        "perSheet": sprites.per_sheet,
    }
