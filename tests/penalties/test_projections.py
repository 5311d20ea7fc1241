"""Projections land in their sets, stay there, and are where SciPy and other formulas find them."""

import math

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import catalogue
from gradus.core.errors import InputError
from gradus.penalties import AffineSet, Box, HalfSpace, L1Ball, SecondOrderCone, SemidefiniteCone, Simplex

ROWS = list(catalogue.PROJECTIONS.items())
over = pytest.mark.parametrize(("name", "penalty"), ROWS, ids=[name for name, _ in ROWS])

# how far outside its set a point is, by the definition of the set
EXCESS = {
    "simplex": lambda s, x: max(abs(x.sum() - s.total), (-x).max()),
    "l1 ball": lambda s, x: np.abs(x).sum() - s.radius,
    "l2 ball": lambda s, x: np.linalg.norm(x) - s.radius,
    "l_inf ball": lambda s, x: np.abs(x).max() - s.radius,
    "box": lambda s, x: max((x - s.high.numpy()).max(), (s.low - x).max()),
    "nonnegative": lambda s, x: (-x).max(),
    "half-space": lambda s, x: (s.normal.numpy() * x).sum() - s.offset,
    "affine set": lambda s, x: np.abs(s.matrix.numpy() @ x - s.target.numpy()).max(),
    "second-order cone": lambda s, x: np.linalg.norm(x.ravel()[:-1]) - x.ravel()[-1],
    "semidefinite cone": lambda s, x: max(np.abs(x - x.T).max(), -np.linalg.eigvalsh(x).min()),
    "spectral ball": lambda s, x: np.linalg.norm(x, 2) - s.radius,
}


def point(name, seed, scale=2.0):
    shape = catalogue.SHAPES.get(name, catalogue.SHAPE)
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@over
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**31), step=st.floats(1e-2, 1e2), scale=st.sampled_from([1e-3, 1.0, 1e3]))
def test_the_projection_is_in_the_set_and_stays(name, penalty, seed, step, scale):
    v = point(name, seed, scale)
    found = penalty.prox(v, step)
    assert EXCESS[name](penalty, found.numpy()) <= 1e-12 * (1 + scale)
    assert penalty.value(found) == 0
    torch.testing.assert_close(penalty.prox(found, 1.0), found, rtol=1e-12, atol=1e-13 * (1 + scale))


@over
def test_the_value_is_infinite_outside_and_only_there(name, penalty):
    told = set()
    for seed in range(20):
        for scale in (0.02, 2.0):
            inside = penalty.prox(point(name, seed), 1.0)
            v = inside + point(name, seed + 100, scale) - 3 * scale * (seed % 2)
            outside = EXCESS[name](penalty, v.numpy())
            assert (penalty.value(v).item() == 0) == (outside <= 1e-5), outside
            told.add(outside > 0)
    assert True in told


@over
def test_single_precision_is_in_the_set_when_widened(name, penalty):
    for seed in range(5):
        found = penalty.prox(point(name, seed).float(), 1.0)
        assert penalty.value(found) == 0
        assert penalty.value(found.double()) == 0


@pytest.mark.parametrize("name", ["simplex", "l1 ball", "half-space", "affine set", "second-order cone", "l2 ball"])
def test_scipy_finds_no_nearer_point(name):
    penalty = catalogue.PROJECTIONS[name]
    v = point(name, 11)
    shape = v.shape
    ours = penalty.prox(v, 1.0)
    wide = {"type": "ineq", "fun": lambda u: -EXCESS[name](penalty, u.reshape(shape))}
    if name == "affine set":
        wide = {
            "type": "eq",
            "fun": lambda u: (penalty.matrix.numpy() @ u.reshape(shape) - penalty.target.numpy()).ravel(),
        }
    if name == "simplex":
        wide = {"type": "eq", "fun": lambda u: u.sum() - penalty.total}
    bounds = [(0, None)] * v.numel() if name == "simplex" else None
    peer = scipy.optimize.minimize(
        lambda u: 0.5 * ((u - v.numpy().ravel()) ** 2).sum(),
        ours.numpy().ravel() + 0.1,
        jac=lambda u: u - v.numpy().ravel(),
        constraints=[wide],
        bounds=bounds,
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert 0.5 * (ours - v).square().sum().item() <= peer.fun + 1e-6
    np.testing.assert_allclose(ours.numpy().ravel(), peer.x, atol=2e-3)


@pytest.mark.parametrize("cone", [SecondOrderCone(), SemidefiniteCone()], ids=["second-order", "semidefinite"])
def test_moreaus_decomposition_of_a_self_dual_cone(cone):
    """V = P_K(v) - P_K(-v), the two orthogonal; for matrices of the symmetric ones."""
    for seed in range(20):
        v = point("semidefinite cone", seed)
        v = v + v.T
        plus, minus = cone.prox(v, 1.0), cone.prox(-v, 1.0)
        torch.testing.assert_close(plus - minus, v, rtol=0, atol=1e-12)
        assert abs((plus * minus).sum().item()) < 1e-11


def test_the_three_parts_of_the_second_order_cone():
    rows = torch.tensor([[0.3, 0.4, 1.0], [0.3, 0.4, -1.0], [3.0, 4.0, 0.0], [0.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    expected = torch.tensor([[0.3, 0.4, 1.0], [0.0, 0.0, 0.0], [1.5, 2.0, 2.5], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(SecondOrderCone().prox_of_rows(rows, 1.0), expected)
    assert SecondOrderCone().prox(torch.tensor([-2.0]), 1.0).tolist() == [0.0]
    assert SecondOrderCone().prox(torch.tensor([2.0]), 1.0).tolist() == [2.0]


def test_many_equal_entries_far_from_the_simplex():
    found = Simplex(1.0).prox(torch.full((10_000,), 1e12), 1.0)
    torch.testing.assert_close(found, torch.full((10_000,), 1e-4), rtol=1e-6, atol=0)
    assert L1Ball(1.0).prox(torch.tensor([1e20, 1.0]), 1.0).tolist() == [1.0, 0.0]


def test_what_describes_no_set_is_refused():
    with pytest.raises(InputError, match="low <= high"):
        Box(1.0, 0.0)
    with pytest.raises(InputError, match="finite"):
        Box(0.0, math.inf)
    with pytest.raises(InputError, match="not 0"):
        HalfSpace(torch.zeros(3))
    with pytest.raises(InputError, match="no solution"):
        AffineSet(torch.ones(2, 3), torch.tensor([0.0, 1.0]))
    with pytest.raises(InputError, match=r"\(m, n\)"):
        AffineSet(torch.ones(2, 3), torch.ones(3))
    with pytest.raises(InputError, match="expected \\(3,\\)"):
        AffineSet(torch.ones(1, 3), torch.ones(1)).prox(torch.ones(4), 1.0)
    with pytest.raises(InputError, match="one shape"):
        HalfSpace(torch.ones(3)).value(torch.ones(4))
    with pytest.raises(InputError, match="square"):
        SemidefiniteCone().value(torch.ones(2, 3))
