"""The taut string: every implementation against a dual problem that SciPy solves, and against its optimality."""

import time

import numpy as np
import pytest
import scipy.optimize
import torch

from gradus.core.errors import InputError
from gradus.kernels import dispatch
from gradus.kernels.taut_string import taut_string

each = pytest.mark.parametrize("implementation", dispatch.implementations("taut_string"))


def by_dual(signal, radius):
    """Return x = y - D' z for the z in [-radius, radius] that minimises |y - D' z|."""
    differences = np.diff(np.eye(len(signal)), axis=0)
    if len(signal) == 1:
        return signal
    dual = scipy.optimize.lsq_linear(differences.T, signal, (-radius, radius), method="bvls", tol=1e-14).x
    return signal - differences.T @ dual


def signals(kind, n, seed=0):
    rows = np.random.default_rng(seed).normal(size=(3, n))
    return {"noise": rows, "ties": rows.round(), "walk": rows.cumsum(axis=1), "ramp": np.sort(rows)}[kind]


@each
@pytest.mark.parametrize("kind", ["noise", "ties", "walk", "ramp"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 30])
@pytest.mark.parametrize("radius", [1e-3, 0.3, 1.0, 3.0, 100.0])
def test_equals_the_dual_problem(implementation, kind, n, radius):
    rows = signals(kind, n)
    with dispatch.force(implementation):
        found = taut_string(torch.from_numpy(rows), radius).numpy()
    expected = np.stack([by_dual(row, radius) for row in rows])
    np.testing.assert_allclose(found, expected, atol=1e-9)


@each
@pytest.mark.parametrize("kind", ["noise", "ties", "walk", "ramp"])
@pytest.mark.parametrize("radius", [0.0, 0.1, 2.0, 30.0, 1e20])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_is_optimal(implementation, kind, radius, scale):
    """The z = running sums of y - x are within the radius, end at 0, and are at the wall where x jumps."""
    rows = signals(kind, 2000, seed=1) * scale
    with dispatch.force(implementation):
        found = taut_string(torch.from_numpy(rows), radius * scale).numpy()
    z, jumps = np.cumsum(rows - found, axis=1) / scale, np.diff(found, axis=1) / scale
    rounding = 1e-9 * np.abs(rows).max() / scale
    assert np.abs(z).max() <= radius + rounding
    np.testing.assert_allclose(z[:, -1], 0, atol=rounding)
    wall = np.where(jumps > 0, -radius, radius)
    np.testing.assert_allclose(z[:, :-1][jumps != 0], wall[jumps != 0], atol=rounding)


@each
def test_of_nothing(implementation):
    with dispatch.force(implementation):
        for shape in [(0, 3), (3, 0)]:
            assert taut_string(torch.zeros(shape, dtype=torch.float64), 1.0).shape == shape


def test_takes_time_in_proportion_even_where_pieces_are_long():
    ramp = torch.linspace(0, 1, 1_000_000, dtype=torch.float64)[None]
    taut_string(ramp[:, :10], 1.0)
    start = time.perf_counter()
    for rows in (ramp, ramp.square(), -ramp.square()):
        taut_string(rows, 1e4)
    # a quadratic method takes minutes
    assert time.perf_counter() - start < 5


def test_another_type_shape_or_radius_is_refused():
    with pytest.raises(InputError, match="float64 was expected"):
        taut_string(torch.zeros(2, 2), 1.0)
    with pytest.raises(InputError, match="radius is -1"):
        taut_string(torch.zeros(2, 2, dtype=torch.float64), -1.0)
