"""Tests and intervals of paired proportions, against SciPy, other algorithms, and how often they are right."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import ndtri, xlogy
from scipy.stats import binomtest

from gradus.metrics.paired import mcnemar_exact, mcnemar_mid_p, tango_limits

COUNTS = [
    (0, 0, 10),
    (1, 0, 10),
    (0, 7, 7),
    (3, 3, 6),
    (1, 7, 21),
    (40, 20, 160),
    (12, 2, 50),
    (86, 150, 1600),
    (5, 0, 5),
]


@pytest.mark.parametrize(("b", "c", "n"), COUNTS)
def test_exact_p_equals_the_binomial_test(b, c, n):
    expected = binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(expected, rel=1e-12)
    assert mcnemar_exact(c, b) == mcnemar_exact(b, c)


@pytest.mark.parametrize(("b", "c", "n"), COUNTS)
def test_mid_p_counts_outcomes_as_extreme_as_the_observed_by_half(b, c, n):
    """By going through every outcome, in exact fractions."""
    m = b + c
    chance = [Fraction(comb(m, first), 2**m) for first in range(m + 1)]
    beyond = sum(chance[first] for first in range(m + 1) if abs(2 * first - m) > abs(b - c))
    same = sum(chance[first] for first in range(m + 1) if abs(2 * first - m) == abs(b - c))
    expected = float(beyond + same / 2) if m else 1.0
    assert mcnemar_mid_p(b, c) == pytest.approx(expected, rel=1e-9)


def test_airway_example():
    """1 and 7 discordant of 21 children: the example of Fagerland, Lydersen & Laake 2013."""
    assert mcnemar_exact(1, 7) == pytest.approx(18 / 256)
    assert mcnemar_mid_p(1, 7) == pytest.approx(10 / 256)


def by_quartic(b, c, n, level):
    """The same limits as roots of a polynomial of degree four (Yang, Sun & Hardin 2013).

    Squaring (b - c - n d)^2 = z^2 n (2 q + d (1 - d)) and eliminating q through its own quadratic equation.
    """
    z2 = ndtri((1 + level) / 2) ** 2
    d = np.polynomial.Polynomial([0, 1])
    q = ((b - c - n * d) ** 2 / (z2 * n) - d * (1 - d)) / 2
    equation = 2 * n * q**2 + (-b - c + (2 * n - b + c) * d) * q - c * d * (1 - d)
    roots = equation.roots()
    real = np.sort(roots[np.abs(roots.imag) < 1e-6].real)
    return real, (b - c) / n


@pytest.mark.parametrize(
    ("b", "c", "n"), [(1, 7, 21), (40, 20, 160), (12, 2, 50), (86, 150, 1600), (1, 0, 10), (3, 3, 6)]
)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_tango_solves_the_quartic(b, c, n, level):
    roots, observed = by_quartic(b, c, n, level)
    for limit in tango_limits(b, c, n, level):
        assert np.abs(roots - limit).min() < 1e-7
    low, high = tango_limits(b, c, n, level)
    assert low < observed < high


@pytest.mark.parametrize(("b", "c", "n"), [(0, 0, 10), (5, 0, 5), (0, 7, 7)])
def test_tango_at_the_corners_solves_the_quartic_off_the_observed_value(b, c, n):
    roots, observed = by_quartic(b, c, n, 0.95)
    for limit in tango_limits(b, c, n, 0.95):
        assert abs(limit) == 1 or (abs(limit - observed) > 0.1 and np.abs(roots - limit).min() < 1e-6)


@pytest.mark.parametrize(("b", "c", "n"), [(1, 7, 21), (40, 20, 160), (12, 2, 50)])
def test_tango_is_the_score_test_inverted(b, c, n):
    """The nuisance probability by numerical maximisation of the multinomial likelihood."""
    z = ndtri(0.975)
    for limit, sign in zip(tango_limits(b, c, n, 0.95), (1, -1), strict=True):

        def loss(q, d=limit):
            return -(xlogy(b, q + d) + xlogy(c, q) + xlogy(n - b - c, 1 - 2 * q - d))

        bounds = (max(0.0, -limit) + 1e-12, (1 - limit) / 2 - 1e-12)
        q = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        statistic = (b - c - n * limit) / np.sqrt(n * (2 * q + limit - limit**2))
        assert statistic == pytest.approx(sign * z, abs=1e-4)


@pytest.mark.parametrize(("b", "c", "n"), COUNTS)
def test_tango_is_symmetric_and_inside_its_range(b, c, n):
    low, high = tango_limits(b, c, n, 0.95)
    other_low, other_high = tango_limits(c, b, n, 0.95)
    assert (low, high) == pytest.approx((-other_high, -other_low), abs=1e-10)
    assert -1 <= low <= (b - c) / n <= high <= 1
    assert low < high


def test_tango_covers():
    generator = np.random.default_rng(0)
    truth = 0.12 - 0.05
    drawn = generator.multinomial(80, [0.12, 0.05, 0.83], size=1500)
    limits = [tango_limits(int(b), int(c), 80, 0.95) for b, c, _ in drawn]
    covered = np.mean([low <= truth <= high for low, high in limits])
    assert 0.93 <= covered <= 0.97


def test_mid_p_is_nearer_its_level_than_the_exact_test():
    """Rejections at 0.05 where there is no difference."""
    generator = np.random.default_rng(0)
    drawn = generator.multinomial(60, [0.15, 0.15, 0.7], size=3000)
    exact = np.mean([mcnemar_exact(int(b), int(c)) <= 0.05 for b, c, _ in drawn])
    mid = np.mean([mcnemar_mid_p(int(b), int(c)) <= 0.05 for b, c, _ in drawn])
    assert exact < mid <= 0.055
