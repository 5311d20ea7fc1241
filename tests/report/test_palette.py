"""Colours that can be told apart and seen on white and on black."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from gradus.report.palette import class_colours


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.1."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("classes", [1, 2, 10, 11, 40, 1000])
def test_each_class_has_its_own_colour(classes: int) -> None:
    colours = class_colours(classes)
    assert len(colours) == len(set(colours)) == classes
    assert colours == class_colours(classes)


@pytest.mark.parametrize("classes", [10, 60, 1000])
def test_no_colour_vanishes_on_white_or_on_black(classes: int) -> None:
    values = np.array([luminance(colour) for colour in class_colours(classes)])
    assert (1.05 / (values + 0.05)).min() > 1.4
    assert ((values + 0.05) / 0.05).min() > 1.4


def test_more_classes_than_colours_still_get_one_each() -> None:
    assert len(class_colours(5000)) == 5000


def test_twenty_colours_are_farther_apart_than_random_ones() -> None:
    def nearest(colours: np.ndarray) -> float:
        distance = ((colours[:, None] - colours[None]) ** 2).sum(2)
        np.fill_diagonal(distance, np.inf)
        return float(distance.min())

    ours = nearest(np.array([to_rgb(colour) for colour in class_colours(20)]))
    random = [nearest(np.random.default_rng(seed).random((20, 3))) for seed in range(20)]
    assert ours > np.median(random)
