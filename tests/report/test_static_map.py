"""The map as a picture: points where they are, names at their clusters, whatever the names hold."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from gradus.core.errors import InputError
from gradus.report import Map, draw_map
from gradus.report.map_names import cluster_centre
from gradus.report.palette import DARK, LIGHT
from gradus.report.static_map import map_picture
from report.report_contents import digits, hostile

if TYPE_CHECKING:
    from pathlib import Path


def test_png_is_drawn_with_every_colour_of_the_legend(tmp_path: Path) -> None:
    content = digits()
    draw_map(content.dataset, content.map, tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
        assert picture.size == (1200, 1200)
    assert len(np.unique(pixels, axis=0)) > 50
    assert list(tmp_path.iterdir()) == [tmp_path / "map.png"]


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_points_lie_where_the_map_puts_them(scheme) -> None:
    content = digits()
    corners = np.array([[0, 0], [10, 0], [0, 10], [10, 10]], np.float32)
    dataset = replace(
        content.dataset, features=content.dataset.features[:4], labels=None, row_ids=content.dataset.row_ids[:4]
    )
    with Image.open(io.BytesIO(map_picture(dataset, Map(corners), scheme))) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    ground = pixels[600, 600]
    rows, columns = np.nonzero(np.abs(pixels - ground).sum(2) > 30)
    centres = {(row // 600, column // 600) for row, column in zip(rows, columns, strict=True)}
    assert centres == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_svg_is_well_formed_and_its_points_are_a_picture(tmp_path: Path) -> None:
    content = digits()
    draw_map(content.dataset, content.map, tmp_path / "map.svg")
    root = ElementTree.parse(tmp_path / "map.svg").getroot()
    assert root.tag.endswith("svg")
    assert root.findall(".//{http://www.w3.org/2000/svg}image")


@pytest.mark.parametrize("name", ["map.png", "map.svg"])
def test_hostile_names_neither_crash_nor_leak(tmp_path: Path, name: str) -> None:
    content = hostile()
    draw_map(content.dataset, content.map, tmp_path / name)
    assert (tmp_path / name).stat().st_size > 10_000
    if name.endswith("svg"):
        tags = {each.tag.split("}")[1] for each in ElementTree.parse(tmp_path / name).iter() if "}" in each.tag}
        assert "script" not in tags


@pytest.mark.parametrize("media", ["png", "svg"])
def test_the_same_map_is_the_same_bytes(media: str) -> None:
    content = digits()
    first, second = (map_picture(content.dataset, content.map, LIGHT, media) for _ in range(2))
    assert first == second


def test_a_name_stands_on_a_member_of_its_cluster() -> None:
    ring = np.array([[np.cos(turn), np.sin(turn)] for turn in np.linspace(0, 6, 30)], np.float32)
    assert cluster_centre(ring) in [tuple(point) for point in ring.tolist()]


def test_a_wrong_ending_and_a_wrong_map_are_refused(tmp_path: Path) -> None:
    content = digits()
    with pytest.raises(InputError, match=r"ends in '\.bmp'"):
        draw_map(content.dataset, content.map, tmp_path / "map.bmp")
    with pytest.raises(InputError, match="finite"):
        draw_map(content.dataset, Map(np.full((len(content.dataset), 2), np.nan, np.float32)), tmp_path / "map.png")
    assert list(tmp_path.iterdir()) == []
