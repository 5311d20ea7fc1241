"""The map as the page carries it: pictures for every reader, a plot and thumbnails for those with JavaScript."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from gradus.report.colouring import Categories, colouring_of
from gradus.report.interactive_map import map_columns, map_figure, paint_order, place_order
from gradus.report.map_figures import figure_words
from gradus.report.palette import DARK, LIGHT
from gradus.report.sprites import Sprites, pack_sprites
from gradus.report.static_map import map_picture

if TYPE_CHECKING:
    from gradus.report.content import ReportContent

# The whole page may take 25 MB; what thumbnails may not use is for bokeh, the coordinates and the rest.
_PAGE_BUDGET = 25_000_000
_RESERVED = 4_500_000
_BYTES_PER_ROW = 44
_SMALLEST_BUDGET = 1_000_000


def map_section(content: ReportContent) -> dict[str, Any] | None:
    """Return the map's parts, or None where no map was drawn."""
    if content.map is None:
        return None
    order = paint_order(content)
    colouring = colouring_of(content.dataset)
    sprites = _sprites(content)
    columns = map_columns(content, order, sprites)
    columns["topK"] = _several(content)
    columns["pixelated"] = sprites is not None and max(sprites.width, sprites.height) <= 40
    return {
        "light": _picture(content, LIGHT),
        "dark": _picture(content, DARK),
        "settings": content.map.settings,
        "quality": figure_words(content.map.quality),
        "named": len(colouring.names) if isinstance(colouring, Categories) else 0,
        "colour": None if colouring is None else colouring.title,
        "figure": map_figure(content.map, order),
        "columns": columns,
        "sheets": () if sprites is None else sprites.sheets,
        "media_type": None if sprites is None else sprites.media_type,
        "thumbnails": None if sprites is None else sprites.held,
        "thumbnail_size": None if sprites is None else (sprites.width, sprites.height),
    }


def _picture(content: ReportContent, scheme: Any) -> str:
    assert content.map is not None
    return "data:image/png;base64," + base64.b64encode(map_picture(content.dataset, content.map, scheme)).decode(
        "ascii"
    )


def _sprites(content: ReportContent) -> Sprites | None:
    dataset = content.dataset
    if dataset.images is None or content.map is None:
        return None
    names = sum(len(name) + 3 for name in dataset.row_ids.tolist())
    budget = _PAGE_BUDGET - _RESERVED - names - _BYTES_PER_ROW * len(dataset)
    return pack_sprites(dataset.images, place_order(content.map.positions), max(budget, _SMALLEST_BUDGET))


def _several(content: ReportContent) -> int:
    """Return the k of "in the top k": five, or fewer where five would hold every class."""
    return max(1, min(5, len(content.dataset.class_names) - 1))
