"""Maps coloured by a column: what is a class, what a scale, and what the picture and the page make of them."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gradus.data import Column
from gradus.report import Map, render_report
from gradus.report.colour_modes import colour_mode
from gradus.report.colouring import Categories, Scale, colouring_by, colouring_of
from gradus.report.palette import LIGHT
from gradus.report.static_map import map_picture
from report.report_contents import digits


def test_text_and_few_whole_numbers_are_classes_in_order():
    kinds = colouring_by(Column("kind", np.array(["b", "", "a", "b"])))
    assert (kinds.names, kinds.codes.tolist()) == (("a", "b", "(missing)"), [1, 2, 0, 1])
    clusters = colouring_by(Column("cluster", np.array([10.0, 9.0, np.nan, -1.0])))
    assert (clusters.names, clusters.codes.tolist()) == (("-1", "9", "10", "(missing)"), [2, 1, 3, 0])


@pytest.mark.parametrize("values", [np.linspace(0, 1, 7), np.arange(100.0), np.array([1.0, np.inf])])
def test_other_numbers_are_a_scale(values):
    assert isinstance(colouring_by(Column("mass", values)), Scale)


def test_a_scale_has_ends_that_differ_whatever_its_values():
    assert Scale("x", np.array([2.5, np.nan, 2.5])).limits() == (2.0, 3.0)
    assert Scale("x", np.array([0.0, np.inf, 5.0])).limits() == (0.0, 5.0)


def test_the_legend_of_a_scale_has_each_value_in_its_step():
    values = np.random.default_rng(0).normal(size=500)
    values[7] = np.nan
    mode = colour_mode(Column("mass", values))
    assert mode.names[-1] == "(missing)" and mode.codes[7] == len(mode.names) - 1
    for code, value in zip(mode.codes, values, strict=True):
        if not np.isnan(value):
            low, high = map(float, mode.names[code].split(" to "))
            assert low - 1e-3 <= value <= high + 1e-3
    assert len(mode.colours) == len(mode.names) == len(set(mode.colours))


def test_a_column_comes_before_the_labels():
    dataset = digits().dataset
    assert colouring_of(dataset).title == "Class"
    named = replace(dataset, color=Column("ink", dataset.features.sum(1).astype(float)))
    assert isinstance(colouring_of(named), Scale)
    assert isinstance(colouring_of(replace(dataset, labels=None)), type(None))


def pixels(dataset, drawn):
    with Image.open(io.BytesIO(map_picture(dataset, drawn, LIGHT))) as picture:
        return np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)


def test_the_picture_of_a_scale_has_its_colours_and_bar():
    content = digits()
    ink = Column("ink", content.dataset.features.sum(1).astype(float))
    found = pixels(replace(content.dataset, color=ink), content.map)
    for colour in ((68, 1, 84), (253, 231, 37)):  # the ends of viridis, opaque on the bar only
        assert (np.abs(found - colour).sum(1) < 12).any()


def test_the_figures_stand_under_the_picture_and_on_the_page():
    content = digits()
    quality = {"kl_divergence": 0.7432, "recall_at_10": 0.456, "recall_at_50": 0.5, "rank_correlation": 0.512}
    judged = Map(content.map.positions, content.map.settings, quality)
    foot = slice(-int(1200 * 0.04) * 1200, None)
    assert (pixels(content.dataset, judged)[foot] < 100).any()
    assert not (pixels(content.dataset, replace(judged, quality={}))[foot].max(1) < 60).any()
    page = render_report(replace(content, map=judged))
    words = re.sub(r"<[^>]+>", " ", page[page.index('id="map-quality"') : page.index('id="explorer"')])
    for figure in ("0.743", "45.6\xa0%", "50.0\xa0%", "0.51"):
        assert figure in words


def test_the_page_offers_the_column_to_colour_by():
    content = digits()
    half = Column("half <b>", np.where(np.arange(len(content.dataset)) % 2, "odd", "even"))
    page = render_report(replace(content, dataset=replace(content.dataset, color=half)))
    stored = json.loads(re.search(r'id="map-columns">(.*?)</script>', page, re.S)[1])
    assert stored["mode"]["title"] == "half <b>"
    assert stored["mode"]["names"] == ["even", "odd"]
    assert "colouring" in stored["columns"]
    assert "half <b>" not in page.split('<script type="application/json"')[0]
    assert isinstance(colouring_by(half), Categories)
