"""The interactive map in a real browser: the right row under the pointer, in legend, search, lasso and file."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from report.plot_probe import Plot
from report.report_contents import digits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def shared(browser: Any, digits_page: Path) -> Iterator[Any]:
    """One page for all tests of this file; loading it is what takes time."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    opened.goto(digits_page.as_uri())
    opened.wait_for_selector("html[data-map=ready]", timeout=60_000, state="attached")
    opened.locator("#plot").scroll_into_view_if_needed()
    yield opened
    context.close()


@pytest.fixture
def plot(shared: Any) -> Plot:
    """The map as it was when the page opened."""
    shared.mouse.move(2, 2)
    shared.locator("#search").fill("")
    shared.locator("#colour-by").select_option("label")
    shared.locator("#show-all").click()
    if shared.locator("#clear").is_visible():
        shared.locator("#clear").click()
    shared.locator("[data-drag=pan]").click()
    shared.locator("[data-zoom=all]").click()
    return Plot(shared, digits()).show()


def every_row() -> np.ndarray:
    return np.arange(len(digits().dataset))


def test_pointing_at_a_point_shows_its_row_and_its_thumbnail(plot: Plot) -> None:
    content = digits()
    for row in plot.lonely(every_row(), 5):
        assert plot.hover(row) == content.dataset.row_ids[row]
        # 16 greys are at most 8.5 away from 256.
        difference = plot.card_picture() - content.dataset.images[row, :, :, 0].astype(int)
        assert np.abs(difference).max() <= 9
        card = plot.page.locator("#tooltip").inner_text()
        assert content.dataset.class_names[content.dataset.labels[row]] in card
        assert f"{100 * content.predictions.probability[row]:.1f}" in card


def test_hidden_classes_and_filters_leave_the_right_row_under_the_pointer(plot: Plot) -> None:
    content = digits()
    plot.page.locator("#legend button[data-code='0']").click()
    plot.page.locator("#legend button[data-code='4']").click()
    plot.page.locator("#test-only").check()
    plot.settle()
    left = np.flatnonzero(content.predictions.is_test & ~np.isin(content.dataset.labels, [0, 4]))
    assert plot.page.locator("#showing").text_content().startswith(f"{len(left):,} of")
    for row in plot.lonely(left, 5):
        assert plot.hover(row) == content.dataset.row_ids[row]
    gone = plot.lonely(np.flatnonzero(content.dataset.labels == 4), 1)[0]
    assert plot.hover(gone) != content.dataset.row_ids[gone]


def test_wrong_only_shows_wrong_rows_only(plot: Plot) -> None:
    content = digits()
    wrong = int((content.predictions.predicted != content.dataset.labels).sum())
    plot.page.locator("#wrong-only").check()
    assert plot.page.locator("#showing").text_content().startswith(f"{wrong} of")
    plot.page.locator("#show-all").click()
    assert plot.page.locator("#showing").text_content().startswith(f"{len(content.dataset):,} of")


def test_double_click_isolates_a_class_and_show_all_returns(plot: Plot) -> None:
    plot.page.locator("#legend button[data-code='7']").dblclick()
    sevens = int((digits().dataset.labels == 7).sum())
    assert plot.page.locator("#showing").text_content().startswith(f"{sevens} of")
    assert plot.page.locator("#legend button[aria-pressed='true']").count() == 1


@pytest.mark.parametrize(("mode", "entries"), [("label", 10), ("predicted", 10), ("outcome", 3)])
def test_colour_means_what_is_chosen(plot: Plot, mode: str, entries: int) -> None:
    content = digits()
    plot.page.locator("#colour-by").select_option(mode)
    buttons = plot.page.locator("#legend button")
    assert buttons.count() == entries
    wrong = content.predictions.predicted != content.dataset.labels
    close = wrong & (content.predictions.greater + content.predictions.equal < 5)
    expected = {
        "label": np.bincount(content.dataset.labels),
        "predicted": np.bincount(content.predictions.predicted),
        "outcome": np.array([(~wrong).sum(), close.sum(), (wrong & ~close).sum()]),
    }[mode]
    shown = [int(text.replace(",", "")) for text in plot.page.locator("#legend .count").all_text_contents()]
    assert shown == expected.tolist()
    colour = buttons.nth(1).locator(".swatch").evaluate("(swatch) => getComputedStyle(swatch).backgroundColor")
    plot.page.locator("#legend button").nth(1).dblclick()
    plot.page.locator("[data-zoom=all]").click()
    plot.settle()
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    painted = plot.page.evaluate(
        """() => {
          const find = (root) => root.querySelector("canvas")
            || [...root.querySelectorAll("*")].filter((e) => e.shadowRoot).map((e) => find(e.shadowRoot)).find(Boolean);
          const canvas = find(document.querySelector("#plot"));
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          const seen = [];
          for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 204) seen.push([...data.slice(i, i + 3)]);
          return seen.slice(0, 50);
        }"""
    )
    assert painted and np.abs(np.array(painted) - [red, green, blue]).max() <= 3


def test_search_goes_to_the_row_and_rings_it(plot: Plot) -> None:
    content = digits()
    plot.page.locator("#search").fill("digit-0123")
    plot.page.locator("#search").press("Enter")
    plot.settle()
    x, y = plot.pixels()[123]
    box = plot.page.locator("#plot").bounding_box()
    assert abs(x - box["x"] - box["width"] / 2) < 2
    assert abs(y - box["y"] - box["height"] / 2) < 2
    ring = plot.page.evaluate(
        """() => {
          const data = [...Bokeh.index.roots][0].model.document.get_model_by_name("ring").data;
          return [data.x[0], data.y[0]];
        }"""
    )
    assert np.allclose(ring, content.map.positions[123])
    plot.page.locator("#search").fill("no such row")
    assert "No row" in plot.page.locator("#search-note").text_content()
    plot.page.locator("#search").fill("digit-012")
    assert plot.page.locator("#matches button").count() == 10


def test_lasso_lists_the_rows_inside_and_exports_them(plot: Plot, tmp_path: Path) -> None:
    content = digits()
    zero = plot.pixels()[content.dataset.labels == 0]
    (left, top), (right, bottom) = zero.min(0) - 4, zero.max(0) + 4
    plot.page.locator("[data-drag=lasso]").click()
    plot.drag([(left, top), (right, top), (right, bottom), (left, bottom), (left, top + 1)])
    places = plot.pixels()
    inside = np.flatnonzero(((places > [left, top]) & (places < [right, bottom])).all(1))
    assert plot.page.locator("#selection-title").text_content() == f"{len(inside)} rows selected"
    assert plot.page.locator("#make-up li").first.text_content().startswith("0")
    assert plot.page.locator("#selected-rows li").count() == 60
    with plot.page.expect_download() as download:
        plot.page.locator("#export").click()
    download.value.save_as(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["row_id"] for row in rows) == sorted(content.dataset.row_ids[inside])
    for row in rows:
        position = int(row["row_id"].removeprefix("digit-"))
        assert row["label"] == str(content.dataset.labels[position])
        assert row["predicted"] == str(content.predictions.predicted[position])
        assert float(row["probability"]) == pytest.approx(content.predictions.probability[position], rel=1e-5)
        assert [float(row["x"]), float(row["y"])] == pytest.approx(content.map.positions[position].tolist(), rel=1e-5)
    plot.page.locator("#clear").click()
    assert plot.page.locator("#selection").is_hidden()


def test_a_hidden_class_leaves_the_selection(plot: Plot) -> None:
    plot.page.locator("[data-drag=box]").click()
    box = plot.page.locator("#plot").bounding_box()
    corner = (box["x"] + 5, box["y"] + 5)
    plot.drag([corner, (box["x"] + box["width"] - 5, box["y"] + box["height"] - 5)])
    assert plot.page.locator("#selection-title").text_content() == "1,797 rows selected"
    plot.page.locator("#legend button[data-code='3']").click()
    plot.settle()
    left = int((digits().dataset.labels != 3).sum())
    assert plot.page.locator("#selection-title").text_content() == f"{left:,} rows selected"


def test_dragging_pans_and_the_wheel_zooms(plot: Plot) -> None:
    before = plot.pixels()
    box = plot.page.locator("#plot").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    plot.drag([middle, (middle[0] + 80, middle[1] + 30)])
    assert np.allclose(plot.pixels() - before, [80, 30], atol=1.5)
    spread = np.ptp(plot.pixels(), axis=0)
    plot.page.mouse.wheel(0, -200)
    plot.settle()
    assert (np.ptp(plot.pixels(), axis=0) > 1.1 * spread).all()
