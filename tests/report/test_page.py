"""The page as text: what stands in it, what must never stand in it, and how it is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradus.core.errors import InputError
from gradus.report import render_report, write_report
from report.report_contents import digits


def test_headline_states_the_error_its_interval_and_the_baseline() -> None:
    content = digits()
    assert content.metrics is not None
    wrong = int(content.predictions.is_test.sum() * content.metrics["top_k"][0]["error"] + 0.5)
    page = render_report(content)
    assert f"On {content.metrics['rows']['test']} rows" in page
    assert f"{100 * wrong / content.metrics['rows']['test']:.1f}\xa0%" in page
    assert "always answering" in page


def test_a_report_that_cannot_be_made_leaves_the_old_one(tmp_path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(InputError, match=r"map\.positions"):
        content = digits()
        write_report(replace(content, map=replace(content.map, positions=np.zeros((3, 2), np.float32))), path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
