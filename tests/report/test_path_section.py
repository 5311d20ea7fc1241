"""The path's charts and table: intervals, the two choices, gaps and times, and files that lack some of them."""

from __future__ import annotations

from typing import Any

from gradus.report.path_section import path_section


def metrics(**changes: Any) -> dict[str, Any]:
    path = [
        {
            "alpha": 10.0**-power,
            "error": 0.1 + 0.01 * power,
            "low": 0.08,
            "high": 0.2,
            "cross_entropy": 0.5,
            "relative_gap": 3e-5,
            "iterations": power,
            "seconds": 0.0123 * power,
        }
        for power in range(1, 6)
    ]
    fit = {"alpha": 1e-4, "one_standard_error": 1e-2, "path": path} | changes
    return {"rows": {"validation": 1234}, "fit": fit}


def test_both_choices_are_marked_in_every_chart_and_in_the_table() -> None:
    section = path_section(metrics())
    assert section is not None
    assert (section["alpha"], section["strongest"], section["rows"]) == ("0.0001", "0.01", "1,234")
    for chart in section["charts"]:
        assert [mark.chosen for mark in chart.marks] == [False, True, False, False, False]
        assert [mark.other for mark in chart.marks] == [False, False, False, True, False]
    assert [row["note"] for row in section["table"]] == ["", "one standard error", "", "chosen", ""]
    assert section["table"][0]["cells"][0] == "0.1"  # strongest first


def test_intervals_gaps_and_times_are_told() -> None:
    section = path_section(metrics())
    assert section is not None
    error, entropy = section["charts"]
    assert error.band and not entropy.band
    assert (
        error.marks[0].title
        == "alpha 1e-05: 15.00\N{NO-BREAK SPACE}% (8.0 to 20.0\N{NO-BREAK SPACE}%), gap 3e-05, 61.5 ms"
    )
    assert section["table"][-1]["cells"][4:] == ["3.0e-05", "5", "61.5"]


def test_one_strength_may_be_both_choices() -> None:
    section = path_section(metrics(one_standard_error=1e-4))
    assert section is not None
    assert [row["note"] for row in section["table"]] == ["", "", "", "chosen, one standard error", ""]


def test_a_path_of_version_0_1_has_no_intervals() -> None:
    given = metrics()
    known = ("alpha", "error", "cross_entropy", "relative_gap")
    path = [{name: step[name] for name in known} for step in given["fit"]["path"]]
    section = path_section({"rows": {"validation": 0}, "fit": {"alpha": 1e-4, "path": path}})
    assert section is not None
    assert section["strongest"] is None
    assert not section["charts"][0].band
    assert section["table"][0]["cells"][2] == section["table"][0]["cells"][-1] == "\N{EN DASH}"


def test_no_path_no_section() -> None:
    assert path_section(metrics(path=[])) is None
    assert path_section({"fit": None}) is None
