"""The page as text: what stands in it, what must never stand in it, and how it is written."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.core.errors import InputError
from gradus.report import ReportContent, map_section, render_report, write_report
from gradus.report.page import script_json
from report.report_contents import HOSTILE, digits, hostile, many_classes

if TYPE_CHECKING:
    from pathlib import Path


class Tags(HTMLParser):
    """Every element of a page with its attributes, by Python's own parser; and the text of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside = tag == "script" and "type" not in dict(attrs)
        if self._inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(digits())


def test_headline_states_the_error_its_interval_and_the_baseline(page: str) -> None:
    metrics: Any = digits().metrics
    first = metrics["top_k"][0]
    rows = metrics["rows"]["test"]
    assert f"On {rows} rows" in page
    assert f"<strong>{100 * first['error']:.1f}\xa0%</strong>" in page
    assert f"({100 * first['low']:.1f} to {100 * first['high']:.1f}\xa0%)" in page
    assert f"would be wrong on {100 * metrics['baseline']['error']:.1f}\xa0%" in page


def test_the_page_refers_to_nothing_outside_itself(page: str) -> None:
    for _, attributes in Tags(page).found:
        for name in ("src", "href", "srcset", "action", "poster", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#"))


def test_only_the_pages_own_scripts_may_run(page: str) -> None:
    tags = Tags(page)
    policy = next(each["content"] for tag, each in tags.found if each.get("http-equiv") == "Content-Security-Policy")
    assert (
        policy is not None and "default-src 'none'" in policy and "unsafe-inline' " not in policy.split("style-src")[0]
    )
    hashes = {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in tags.scripts}
    assert len(tags.scripts) == 3
    assert hashes == set(re.findall(r"'sha256-([^']+)'", policy))


def test_hostile_names_make_no_element_and_no_attribute(page: str) -> None:
    def shape(text: str) -> set[tuple[str, tuple[str, ...]]]:
        return {(tag, tuple(sorted(attributes))) for tag, attributes in Tags(text).found}

    attacked = render_report(hostile())
    assert len(Tags(attacked).scripts) == 3
    unknown = shape(attacked) - shape(page)
    # rotated names of the matrix are all that long names add
    assert {tag for tag, _ in unknown} <= {"text", "title"}
    for name in HOSTILE[:3]:
        assert name not in attacked
    assert "{{ 7 * 7 }}" in attacked


def test_undecodable_names_are_written_as_their_escapes(tmp_path: Path) -> None:
    write_report(hostile(), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "\\udc80" in text


@settings(deadline=None)
@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_in_scripts_is_the_same_json_without_markup(value: Any) -> None:
    written = str(script_json(value))
    assert json.loads(written) == value
    assert not set(written) & set("<>&\u2028\u2029")


def test_a_sample_of_thumbnails_is_announced_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    content = digits()
    assert "thumbnails are a sample" not in render_report(content)
    monkeypatch.setattr(map_section, "_PAGE_BUDGET", 0)
    monkeypatch.setattr(map_section, "_SMALLEST_BUDGET", 20_000)
    notice = re.search(r"a sample: ([\d,]+) of the ([\d,]+) rows", render_report(content))
    assert notice is not None
    assert int(notice[1].replace(",", "")) < 1797
    assert notice[2] == "1,797"


def test_fewer_classes_than_five_and_classes_without_test_rows() -> None:
    content = many_classes(3)
    metrics: Any = dict(content.metrics or {})
    missing = {"error": float("nan"), "low": None, "high": None}
    metrics["per_class"] = [*metrics["per_class"][:2], metrics["per_class"][2] | missing | {"rows": 0}]
    page = render_report(replace(content, metrics=metrics))
    assert "2 best guesses" in page
    assert not re.findall(r">[^<>]*\bnan\b[^<>]*<", page.split("<script")[0], flags=re.IGNORECASE)


def test_a_path_with_alpha_zero_and_a_given_alpha() -> None:
    content = digits()
    metrics: Any = dict(content.metrics or {})
    steps = [{"alpha": alpha, "error": 0.1, "cross_entropy": 0.3, "relative_gap": 1e-4} for alpha in (0.0, 1e-4, 1e-2)]
    drawn = render_report(replace(content, metrics=metrics | {"fit": metrics["fit"] | {"path": steps, "alpha": 1e-4}}))
    assert 'id="path"' in drawn
    left_out = render_report(replace(content, metrics=metrics | {"fit": metrics["fit"] | {"path": []}}))
    assert 'id="path"' not in left_out


def test_parts_that_do_not_fit_are_named() -> None:
    content: Any = digits()
    with pytest.raises(InputError, match=r"weights has shape \(10, 3\); expected \(10, 64\)"):
        render_report(replace(content, weights=np.zeros((10, 3))))
    wrong = replace(content.predictions, predicted=np.full(len(content.dataset), 10))
    with pytest.raises(InputError, match=r"codes from 10 to 10; expected 0 to 9"):
        render_report(replace(content, predictions=wrong))
    short = replace(content.predictions, greater=content.predictions.greater[:5])
    with pytest.raises(InputError, match=r"predictions\.greater"):
        render_report(replace(content, predictions=short))


def test_one_row_is_enough(tmp_path: Path) -> None:
    content: Any = digits()
    dataset = replace(
        content.dataset,
        features=content.dataset.features[:1],
        labels=content.dataset.labels[:1],
        row_ids=content.dataset.row_ids[:1],
        images=content.dataset.images[:1],
    )
    place = replace(content.map, positions=content.map.positions[:1])
    write_report(ReportContent(dataset, map=place), tmp_path / "one.html")
    assert "1 row<" in (tmp_path / "one.html").read_text(encoding="utf-8")


def test_a_report_that_cannot_be_made_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    content: Any = digits()
    with pytest.raises(InputError, match=r"map\.positions"):
        write_report(replace(content, map=replace(content.map, positions=np.zeros((3, 2), np.float32))), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    write_report(content, path)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o044
