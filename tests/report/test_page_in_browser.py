"""The page in a real browser: nothing fetched, nothing executed, readable without scripts, in the dark, on phones."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradus.report import ReportContent, write_report
from report import report_contents
from report.plot_probe import Plot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.browser


def assert_quiet(opened: Any, path: Path) -> None:
    assert opened.errors == []
    assert [url for url in opened.requests if not url.startswith(("data:", "blob:"))] == [path.as_uri()]


def test_the_page_fetches_nothing_and_reports_no_error(open_page: Callable[..., Any], digits_page: Path) -> None:
    opened = open_page(digits_page).ready()
    for section in ("errors", "map", "confusion", "worst", "classes", "weights", "path", "made"):
        opened.page.locator(f"#{section}").scroll_into_view_if_needed()
        assert opened.page.locator(f"#{section} h2").is_visible()
    pictures = opened.page.locator("img").evaluate_all("(all) => all.map((image) => image.naturalWidth)")
    assert len(pictures) > 30
    assert_quiet(opened, digits_page)


def test_without_javascript_the_picture_of_the_map_is_there(open_page: Callable[..., Any], digits_page: Path) -> None:
    opened = open_page(digits_page, java_script_enabled=False)
    assert opened.page.locator("#static-picture").is_visible()
    assert opened.page.locator("#static-picture").bounding_box()["height"] > 300
    assert opened.page.locator("#explorer").is_hidden()
    assert opened.page.locator("#worst img").first.is_visible()
    assert opened.page.locator("#confusion svg").is_visible()
    assert_quiet(opened, digits_page)


def test_hostile_names_are_text_everywhere(open_page: Callable[..., Any], hostile_page: Path, tmp_path: Path) -> None:
    content = report_contents.hostile()
    opened = open_page(hostile_page, accept_downloads=True).ready()
    page = opened.page
    page.wait_for_function(
        "[...document.querySelectorAll('#legend .name')].some((e) => e.textContent.includes('<script>'))"
    )
    plot = Plot(page, content).show()
    for row in plot.lonely(np.arange(len(content.dataset)), 4):
        plot.hover(row)
    page.locator("#search").fill("<")
    page.locator("#search").press("Enter")
    page.locator("[data-zoom=all]").click()
    page.locator("#search").fill("")
    page.locator("[data-drag=box]").click()
    box = page.locator("#plot").bounding_box()
    plot.drag([(box["x"] + 5, box["y"] + 5), (box["x"] + box["width"] - 5, box["y"] + box["height"] - 5)])
    with page.expect_download() as download:
        page.locator("#export").click()
    download.value.save_as(tmp_path / "rows.csv")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("window.pwned") is None
    assert page.locator("script").count() == page.evaluate("document.scripts.length")
    # nothing but the page's own scripts and sheets, whatever the names say
    assert page.locator("svg svg, img[onerror], [onload]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert_quiet(opened, hostile_page)
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len(rows) == len(content.dataset) + 1
    cells = [cell for row in rows[1:] for cell in row[:3]]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r\n")]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)


def test_the_dark_scheme_is_followed(open_page: Callable[..., Any], digits_page: Path) -> None:
    light, dark = (open_page(digits_page, color_scheme=scheme).ready() for scheme in ("light", "dark"))
    brightness = "sum(getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number))"
    script = f"() => {{ const sum = (all) => all.reduce((a, b) => a + b); return {brightness}; }}"
    assert light.page.evaluate(script) > 600
    assert dark.page.evaluate(script) < 150
    sources = [opened.page.evaluate("document.getElementById('static-picture').currentSrc") for opened in (light, dark)]
    assert sources[0] != sources[1]
    ring = "[...Bokeh.index.roots][0].model.document.get_model_by_name('ring_glyph').glyph.line_color.value"
    before = light.page.evaluate(ring)
    light.page.emulate_media(color_scheme="dark")
    light.page.wait_for_timeout(200)
    assert light.page.evaluate(ring) != before
    assert dark.errors == []


def test_paper_is_light_and_holds_the_picture_of_the_map(open_page: Callable[..., Any], digits_page: Path) -> None:
    page = open_page(digits_page, color_scheme="dark").ready().page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#static-picture").is_visible()
    assert page.locator("#explorer").is_hidden()


def test_a_phone_shows_all_without_scrolling_sideways(open_page: Callable[..., Any], hostile_page: Path) -> None:
    opened = open_page(hostile_page, viewport={"width": 390, "height": 800}).ready()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_tables_sort_by_their_headings(open_page: Callable[..., Any], digits_page: Path) -> None:
    opened = open_page(digits_page).ready()
    heading = opened.page.locator("#classes thead th", has_text="Top-1 error")

    def errors() -> list[float]:
        cells = opened.page.locator("#classes tbody tr td:nth-child(4)")
        return [float(text.split()[0]) for text in cells.all_text_contents()]

    heading.locator("button").click()
    assert errors() == sorted(errors(), reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    heading.locator("button").click()
    assert errors() == sorted(errors())


def test_a_thousand_classes_get_a_legend_that_can_be_searched(open_page: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "many.html"
    content = report_contents.many_classes(1000)
    write_report(content, path)
    opened = open_page(path).ready()
    assert opened.page.locator("#legend button").count() == 1000
    assert opened.page.locator("#legend").bounding_box()["height"] < 500
    opened.page.locator("#legend-search").fill("number 77")
    assert opened.page.locator("#legend li:visible").count() == 11
    plot = Plot(opened.page, content).show()
    row = plot.lonely(np.arange(len(content.dataset)), 1)[0]
    assert plot.hover(row) == content.dataset.row_ids[row]
    assert opened.page.locator("#tooltip canvas").count() == 0
    assert_quiet(opened, path)


@pytest.mark.parametrize("kept", ["map", "labelled map", "errors"])
def test_parts_that_are_missing_are_left_out(open_page: Callable[..., Any], tmp_path: Path, kept: str) -> None:
    whole = report_contents.digits()
    dataset = replace(whole.dataset, notes=())
    bare = replace(dataset, images=None, labels=None, class_names=())
    content = {
        "map": ReportContent(bare, map=whole.map),
        "labelled map": ReportContent(dataset, map=whole.map),
        "errors": ReportContent(dataset, metrics=whole.metrics),
    }[kept]
    path = tmp_path / "part.html"
    write_report(content, path)
    opened = open_page(path)
    if content.map is not None:
        opened.ready()
        plot = Plot(opened.page, content).show()
        row = plot.lonely(np.arange(len(content.dataset)), 1)[0]
        assert plot.hover(row) == content.dataset.row_ids[row]
        assert opened.page.locator("#legend-control").is_visible() == (content.dataset.labels is not None)
    else:
        assert opened.page.locator("#map").count() == 0
    expected = {"map": ["map"], "labelled map": ["map"], "errors": ["errors", "classes", "path", "made"]}[kept]
    assert opened.page.locator("main > section").evaluate_all("(all) => all.map((each) => each.id)") == expected
    assert_quiet(opened, path)
