"""Axes that enclose what they show, with round values that the labels do not round away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.report.charts import percent_axis, round_steps


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(1e-6, 1))
def test_axes_enclose_their_values_with_few_even_steps(low: float, span: float) -> None:
    steps = round_steps(low, low + span)
    assert steps[0] <= low + 1e-9 and steps[-1] >= low + span - 1e-9
    assert 3 <= len(steps) <= 9
    assert np.allclose(np.diff(steps), steps[1] - steps[0], rtol=1e-3)


@settings(deadline=None)
@given(st.floats(0, 0.9), st.floats(1e-5, 0.1))
def test_labels_say_where_their_ticks_are(low: float, span: float) -> None:
    axis = percent_axis(low, low + span)
    said = [float(label.removesuffix(" %")) / 100 for _, label in axis.ticks]
    assert said == pytest.approx([value for value, _ in axis.ticks], abs=1e-9)
    assert axis.place(axis.low, 10, 110) == 10 and axis.place(axis.high, 10, 110) == 110


def test_a_single_value_still_makes_an_axis() -> None:
    assert len(round_steps(0.0, 0.0)) >= 2
    assert len(round_steps(0.3, 0.3)) >= 2
