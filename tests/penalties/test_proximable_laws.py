"""The laws of a proximable function, over every row of the catalogue."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import catalogue
from gradus.core.errors import InputError
from gradus.core.protocols import Conjugable, Differentiable, Proximable
from gradus.penalties import Nonconvex

CONVEX = list(catalogue.PENALTIES.items())
ROWS = [*CONVEX, *catalogue.NONCONVEX.items()]
CONJUGABLE = [row for row in ROWS if isinstance(row[1], Conjugable)]
DIFFERENTIABLE = [row for row in ROWS if isinstance(row[1], Differentiable)]
SEPARABLE = [(name, dict(ROWS)[name]) for name in catalogue.SEPARABLE]
seeds = st.integers(0, 2**31)
steps = st.floats(1e-2, 1e2)
few = settings(deadline=None, max_examples=8)


def over(rows):
    return pytest.mark.parametrize(("name", "penalty"), rows, ids=[name for name, _ in rows])


def points(name, seed, count, scale=2.0):
    generator = torch.Generator().manual_seed(seed)
    shape = catalogue.SHAPES.get(name, catalogue.SHAPE)
    return [scale * torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(count)]


def proximity(penalty, v, step):
    return lambda u: penalty.value(u).item() + (u - v).square().sum().item() / (2 * step)


def test_the_generator_draws_different_points():
    first, second = points("l1", 0, 2)
    assert not torch.equal(first, second)
    assert not torch.equal(first, points("l1", 1, 1)[0])


def test_what_is_not_convex_says_so_and_where_to_start():
    assert not any(isinstance(penalty, Nonconvex) for _, penalty in CONVEX)
    for name, penalty in catalogue.NONCONVEX.items():
        assert isinstance(penalty, Nonconvex), name
        assert not isinstance(penalty, Conjugable)
        assert isinstance(penalty.relaxation(), Conjugable)


@over(CONVEX)
@few
@given(seed=seeds, step=steps)
def test_no_point_beats_the_prox(name, penalty, seed, step):
    v, *others = points(name, seed, 10)
    best = penalty.prox(v, step)
    objective = proximity(penalty, v, step)
    lowest = objective(best)
    assert math.isfinite(lowest)
    rounding = 1e-9 * (1 + abs(lowest))
    for size in (1.0, 1e-2, 1e-4):
        for other in others:
            # a short prox moves the candidate into the domain, and hardly otherwise
            moved = penalty.prox(best + size * other, 1e-9)
            # strong convexity: leaving the minimiser costs at least |u - prox|^2 / 2t (the three-point inequality)
            assert objective(moved) >= lowest + (moved - best).square().sum().item() / (2 * step) - rounding


@over(list(catalogue.NONCONVEX.items()))
@few
@given(seed=seeds, step=steps)
def test_no_candidate_beats_the_prox_where_it_is_not_convex(name, penalty, seed, step):
    v, *others = points(name, seed, 10)
    best = penalty.prox(v, step)
    objective = proximity(penalty, v, step)
    lowest = objective(best) - 1e-10 * (1 + abs(objective(best)))
    left, values, right = torch.linalg.svd(v, full_matrices=False)
    candidates = [v, torch.zeros_like(v), penalty.relaxation().prox(v, step)]
    candidates += [v.where(v.abs() > level, 0.0) for level in v.abs().ravel()]
    candidates += [(left * values.where(values > level, 0.0)) @ right for level in values]
    candidates += [best * (1 + size) for size in (-0.5, -1e-3, 1e-3, 0.5)]
    candidates += [best.where(other > 0, v) for other in others] + [best.where(other > 0, 0.0) for other in others]
    candidates += [best + size * other for size in (1.0, 1e-2, 1e-4) for other in others]
    candidates += [best + size * other * (best != 0) for size in (1.0, 1e-2, 1e-4) for other in others]
    assert all(objective(candidate) >= lowest for candidate in candidates)


@over(SEPARABLE)
@pytest.mark.parametrize("step", [0.1, 1.0, 1.9, 2.0, 2.5, 6.0, 20.0])
def test_of_one_variable_no_point_of_a_grid_beats_the_prox(name, penalty, step):
    def h(numbers):
        return np.array([penalty.value(u.reshape(1, 1)).item() for u in numbers])

    v = torch.linspace(-9, 9, 601, dtype=torch.float64)
    tried = torch.linspace(-10, 10, 1001, dtype=torch.float64)
    best = penalty.prox(v, step)
    reached = h(best) + (best - v).square().numpy() / (2 * step)
    lowest = (h(tried) + (tried - v[:, None]).square().numpy() / (2 * step)).min(axis=1)
    assert (reached <= lowest + 1e-12 * (1 + np.abs(lowest))).all()


@over(CONVEX)
@few
@given(seed=seeds, step=steps)
def test_firmly_nonexpansive(name, penalty, seed, step):
    x, y = points(name, seed, 2)
    moved = penalty.prox(x, step) - penalty.prox(y, step)
    assert moved.square().sum() <= (moved * (x - y)).sum() + 1e-9


@over(CONJUGABLE)
@few
@given(seed=seeds, step=steps)
def test_conjugate_agrees_with_prox(name, penalty, seed, step):
    """Where p = prox(v), q = (v - p) / t is a subgradient at p: Fenchel's inequality is an equality there."""
    v, other = points(name, seed, 2)
    p = penalty.prox(v, step)
    q = (v - p) / step
    gauge = penalty.gauge(q)
    if gauge == math.inf:  # the domain of the conjugate is 0 alone
        assert step * q.abs().max() < 1e-12
        gauge, q = 0.0, torch.zeros_like(q)
    assert gauge <= 1 + 1e-9
    # rounding may put q a hair outside the conjugate's domain
    q = q / max(1.0, gauge) * (1 - 1e-15)
    equality = penalty.value(p) + penalty.conjugate(q) - (p * q).sum()
    assert abs(equality.item()) <= 1e-8 * (1 + (p * q).abs().sum().item())
    inside = penalty.prox(other, 1e-9)
    assert penalty.value(inside) + penalty.conjugate(q) >= (inside * q).sum() - 1e-8


@over(CONJUGABLE)
@pytest.mark.parametrize("seed", [3, 4])
def test_gauge_is_the_edge_of_the_conjugates_domain(name, penalty, seed):
    (v,) = points(name, seed, 1)
    gauge = penalty.gauge(v)
    if gauge == math.inf:
        assert penalty.conjugate(1e-12 * v).item() == math.inf
    else:
        assert penalty.conjugate(v / (1.000001 * max(gauge, 1e-1))).isfinite()
        assert penalty.gauge(3.0 * v) == pytest.approx(3.0 * gauge, rel=1e-12)
    if 0 < gauge < math.inf:
        assert penalty.conjugate(v / (0.999999 * gauge)).item() == math.inf
    assert penalty.gauge(torch.zeros_like(v)) == 0.0


@over(DIFFERENTIABLE)
def test_gradient_and_curvature_are_autograds(name, penalty):
    x, v = points(name, 4, 2)
    x.requires_grad_()
    value = penalty.value(x)
    expected = torch.autograd.grad(value, x)[0] if value.requires_grad else torch.zeros_like(x)
    found, gradient = penalty.value_and_gradient(x.detach())
    torch.testing.assert_close(found, value.detach())
    torch.testing.assert_close(gradient, expected)
    change = (penalty.value_and_gradient(x.detach() + 1e-6 * v)[1] - gradient) / 1e-6
    torch.testing.assert_close(penalty.curvature(x.detach())(v), change, rtol=1e-6, atol=1e-8)


@over(ROWS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_keeps_dtype_and_the_argument_at_any_scale(name, penalty, dtype, scale):
    v = (scale * points(name, 5, 1)[0]).to(dtype)
    before = v.clone()
    found = penalty.prox(v, 0.5)
    assert found.dtype == dtype
    assert found.shape == v.shape
    assert found.device == v.device
    assert penalty.value(v).dtype == torch.float64
    assert penalty.value(v).shape == ()
    assert torch.equal(v, before)
    assert found.data_ptr() != v.data_ptr()
    assert penalty.value(found).isfinite()
    torch.testing.assert_close(found.double(), penalty.prox(v.double(), 0.5), rtol=1e-5, atol=1e-5 * max(scale, 1))


@over(ROWS)
def test_a_view_gives_what_its_copy_gives(name, penalty):
    (v,) = points(name, 6, 1)
    view = torch.stack([v, v], dim=-1)[..., 0]
    assert not view.is_contiguous()
    torch.testing.assert_close(penalty.prox(view, 0.5), penalty.prox(v, 0.5), rtol=0, atol=1e-12)
    torch.testing.assert_close(penalty.value(penalty.prox(view, 0.5)), penalty.value(penalty.prox(v, 0.5)))


@over(ROWS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_at_zero(name, penalty, dtype):
    zeros = torch.zeros(catalogue.SHAPES.get(name, catalogue.SHAPE), dtype=dtype)
    found = penalty.prox(zeros, 0.5)
    assert penalty.value(found) <= penalty.value(zeros)
    if name not in catalogue.NOT_LEAST_AT_ZERO:
        assert torch.equal(found, zeros)
        assert penalty.value(zeros) == 0


@over([row for row in ROWS if row[0] not in catalogue.OF_ONE_SHAPE])
def test_of_nothing(name, penalty):
    empty = torch.zeros(0, 3)
    assert penalty.prox(empty, 0.5).shape == (0, 3)
    if name not in catalogue.NOT_EMPTY:
        assert penalty.value(empty) == 0


@over(ROWS)
@pytest.mark.parametrize("step", [0.0, -1.0, float("nan"), float("inf")])
def test_a_step_that_is_not_positive_is_refused(name, penalty, step):
    with pytest.raises(InputError, match="step is"):
        penalty.prox(torch.ones(catalogue.SHAPES.get(name, catalogue.SHAPE)), step)
    assert isinstance(penalty, Proximable)


@over([row for row in ROWS if "masked" not in row[0] and row[0] not in catalogue.COMPOSED])
@pytest.mark.parametrize("number", [-1.0, float("nan"), float("inf")])
def test_a_number_outside_its_range_is_refused(name, penalty, number):
    numbers = [field.name for field in dataclasses.fields(penalty) if field.type == "float"]
    assert numbers or name in catalogue.WITHOUT_NUMBERS
    for field in numbers:
        if field in ("low", "high", "offset") and math.isfinite(number):
            continue
        with pytest.raises(InputError, match=type(penalty).__name__):
            dataclasses.replace(penalty, **{field: number})


@pytest.mark.parametrize("make", [catalogue.GroupLasso, catalogue.Nuclear])
def test_penalties_of_matrices_refuse_vectors(make):
    with pytest.raises(InputError, match="expected a matrix"):
        make(1.0).value(torch.ones(3))
