"""The laws of a proximable function, over every row of the catalogue."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import catalogue
from gradus.core.errors import InputError
from gradus.core.protocols import Conjugable, Differentiable, Proximable

ROWS = list(catalogue.PENALTIES.items())
IDS = [name for name, _ in ROWS]
CONJUGABLE = [row for row in ROWS if isinstance(row[1], Conjugable)]
DIFFERENTIABLE = [row for row in ROWS if isinstance(row[1], Differentiable)]
seeds = st.integers(0, 2**31)
steps = st.floats(1e-2, 1e2)


def points(seed, count, scale=2.0):
    generator = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(5, 3, generator=generator, dtype=torch.float64) for _ in range(count)]


def test_the_generator_draws_different_points():
    first, second = points(0, 2)
    assert not torch.equal(first, second)
    assert not torch.equal(first, points(1, 1)[0])


@pytest.mark.parametrize(("name", "penalty"), ROWS, ids=IDS)
@settings(deadline=None, max_examples=15)
@given(seed=seeds, step=steps)
def test_no_point_beats_the_prox(name, penalty, seed, step):
    v, *others = points(seed, 12)
    best = penalty.prox(v, step)

    def objective(u):
        return penalty.value(u).item() + (u - v).square().sum().item() / (2 * step)

    lowest = objective(best)
    rounding = 1e-10 * (1 + abs(lowest))
    for size in (1.0, 1e-2, 1e-4):
        for other in others:
            moved = best + size * other
            # strong convexity: leaving the minimiser costs at least |u - prox|^2 / 2t (the three-point inequality)
            assert objective(moved) >= lowest + (moved - best).square().sum().item() / (2 * step) - rounding


@pytest.mark.parametrize(("name", "penalty"), ROWS, ids=IDS)
@settings(deadline=None, max_examples=15)
@given(seed=seeds, step=steps)
def test_firmly_nonexpansive(name, penalty, seed, step):
    x, y = points(seed, 2)
    moved = penalty.prox(x, step) - penalty.prox(y, step)
    assert moved.square().sum() <= (moved * (x - y)).sum() + 1e-10


@pytest.mark.parametrize(("name", "penalty"), CONJUGABLE, ids=[name for name, _ in CONJUGABLE])
@settings(deadline=None, max_examples=15)
@given(seed=seeds, step=steps)
def test_conjugate_agrees_with_prox(name, penalty, seed, step):
    """Where p = prox(v), q = (v - p) / t is a subgradient at p: Fenchel's inequality is an equality there."""
    v, other = points(seed, 2)
    p = penalty.prox(v, step)
    q = (v - p) / step
    # rounding may put q a hair outside the conjugate's domain
    q = q * (1 - 1e-12)
    if penalty.gauge(q) == float("inf"):
        q = torch.zeros_like(q)
        assert step * penalty.gauge(torch.ones_like(q)) == float("inf")
    equality = penalty.value(p) + penalty.conjugate(q) - (p * q).sum()
    assert abs(equality.item()) <= 1e-9 * (1 + (p * q).abs().sum().item())
    assert penalty.value(other) + penalty.conjugate(q) >= (other * q).sum() - 1e-9


@pytest.mark.parametrize(("name", "penalty"), CONJUGABLE, ids=[name for name, _ in CONJUGABLE])
def test_gauge_is_the_edge_of_the_conjugates_domain(name, penalty):
    (v,) = points(3, 1)
    gauge = penalty.gauge(v)
    if gauge == float("inf"):
        assert penalty.conjugate(1e-12 * v).item() == float("inf")
    else:
        assert penalty.conjugate(v / (1.000001 * max(gauge, 1e-3))).isfinite()
    if 0 < gauge < float("inf"):
        assert penalty.conjugate(v / (0.999999 * gauge)).item() == float("inf")
    assert penalty.gauge(torch.zeros_like(v)) == 0.0


@pytest.mark.parametrize(("name", "penalty"), DIFFERENTIABLE, ids=[name for name, _ in DIFFERENTIABLE])
def test_gradient_and_curvature_are_autograds(name, penalty):
    x, v = points(4, 2)
    x.requires_grad_()
    value = penalty.value(x)
    expected = torch.autograd.grad(value, x)[0] if value.requires_grad else torch.zeros_like(x)
    found, gradient = penalty.value_and_gradient(x.detach())
    torch.testing.assert_close(found, value.detach())
    torch.testing.assert_close(gradient, expected)
    change = penalty.value_and_gradient(x.detach() + v)[1] - gradient
    torch.testing.assert_close(penalty.curvature(x.detach())(v), change)


@pytest.mark.parametrize(("name", "penalty"), ROWS, ids=IDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_keeps_dtype_and_the_argument(name, penalty, dtype):
    (v,) = points(5, 1)
    v = v.to(dtype)
    before = v.clone()
    found = penalty.prox(v, 0.5)
    assert found.dtype == dtype
    assert penalty.value(v).dtype == torch.float64
    assert torch.equal(v, before)
    assert found.data_ptr() != v.data_ptr()
    torch.testing.assert_close(found.double(), penalty.prox(v.double(), 0.5), rtol=1e-5, atol=1e-5)
    zeros = torch.zeros_like(v)
    assert torch.equal(penalty.prox(zeros, 0.5), zeros)
    assert penalty.value(zeros) == 0


@pytest.mark.parametrize(("name", "penalty"), ROWS, ids=IDS)
@pytest.mark.parametrize("step", [0.0, -1.0, float("nan"), float("inf")])
def test_a_step_that_is_not_positive_is_refused(name, penalty, step):
    with pytest.raises(InputError, match="step is"):
        penalty.prox(torch.ones(5, 3), step)
    assert isinstance(penalty, Proximable)


@pytest.mark.parametrize(
    "make", [type(row) for row in (catalogue.L1(1), catalogue.L2(1), catalogue.GroupLasso(1), catalogue.Nuclear(1))]
)
@pytest.mark.parametrize("strength", [-1.0, float("nan"), float("inf")])
def test_a_strength_outside_its_range_is_refused(make, strength):
    with pytest.raises(InputError, match=make.__name__):
        make(strength)


@pytest.mark.parametrize("make", [catalogue.GroupLasso, catalogue.Nuclear])
def test_penalties_of_matrices_refuse_vectors(make):
    with pytest.raises(InputError, match="expected a matrix"):
        make(1.0).value(torch.ones(3))
