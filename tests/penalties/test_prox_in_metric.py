"""The laws of a prox in a diagonal metric, over every row of the catalogue that has one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import catalogue
from gradus.core.errors import InputError
from gradus.core.protocols import MetricProximable
from gradus.penalties import Nonconvex

ROWS = [
    (name, penalty)
    for name, penalty in [*catalogue.PENALTIES.items(), *catalogue.NONCONVEX.items()]
    if isinstance(penalty, MetricProximable)
]
seeds = st.integers(0, 2**31)
few = settings(deadline=None, max_examples=15)


def over(rows):
    return pytest.mark.parametrize(("name", "penalty"), rows, ids=[name for name, _ in rows])


def draw(seed, count, scale=2.0):
    generator = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(catalogue.SHAPE, generator=generator, dtype=torch.float64) for _ in range(count)]


def test_the_penalties_that_networks_use_have_one():
    assert {"l1", "l2", "elastic net", "l0", "mcp", "group lasso", "weighted group lasso", "box"} <= set(dict(ROWS))


@over(ROWS)
@few
@given(seed=seeds, spread=st.floats(0, 3))
def test_no_point_beats_it(name, penalty, seed, spread):
    v, exponents, *others = draw(seed, 10)
    metric = torch.exp(spread * exponents)
    best = penalty.prox_in_metric(v, metric)

    def objective(u):
        return (penalty.value(u) + 0.5 * (metric * (u - v).square()).sum()).item()

    lowest = objective(best)
    moved = [best + size * other for size in (1.0, 1e-2, 1e-4) for other in others]
    moved += [best.where(other > 0, v) for other in others] + [best.where(other > 0, 0.0) for other in others]
    moved += [best * (1 + size) for size in (-0.5, -1e-3, 1e-3, 0.5)] + [v, torch.zeros_like(v)]
    for candidate in (penalty.prox(point, 1e-9) for point in moved):
        # strong convexity: leaving the minimiser costs at least half the squared distance in the metric
        away = 0.0 if isinstance(penalty, Nonconvex) else 0.5 * float((metric * (candidate - best).square()).sum())
        found = objective(candidate)
        assert found >= lowest + away - 1e-9 * (1 + abs(lowest)) - 1e-13 * found  # what a sum of that size rounds by


@over(ROWS)
@few
@given(seed=seeds, step=st.floats(1e-2, 1e2))
def test_of_a_constant_metric_it_is_the_prox(name, penalty, seed, step):
    (v,) = draw(seed, 1)
    found = penalty.prox_in_metric(v, torch.full_like(v, 1.0 / step))
    torch.testing.assert_close(found, penalty.prox(v, step), rtol=1e-9, atol=1e-12)


@over(ROWS)
def test_dtype_stays_and_a_metric_that_is_not_positive_is_refused(name, penalty):
    v = draw(0, 1)[0].float()
    before = v.clone()
    assert penalty.prox_in_metric(v, torch.ones_like(v)).dtype == torch.float32
    assert torch.equal(v, before)
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        metric = torch.ones_like(v)
        metric[2, 1] = wrong
        with pytest.raises(InputError, match="metric has an entry that is not positive"):
            penalty.prox_in_metric(v, metric)
