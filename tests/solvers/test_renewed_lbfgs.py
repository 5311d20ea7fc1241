"""L-BFGS with a preconditioner that follows the point."""

from dataclasses import replace

import pytest
import torch

import catalogue
from gradus.core.errors import InputError
from gradus.core.solution import Problem, Status
from gradus.estimators.renewal import renewed_lbfgs
from gradus.losses import CrossEntropy, DenseFeatures, DualityGap, LinearModel
from gradus.penalties import L2, SmoothMasked
from gradus.solvers import LBFGS, RenewedLBFGS, Stop, minimize


def many_classes(dtype=torch.float64):
    """Rows around the centres of 30 classes, which a weak penalty lets fit well."""
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(30, (1500,), generator=generator)
    noise = torch.randn(1500, 20, generator=generator, dtype=torch.float64)
    rows = torch.randn(30, 20, generator=generator, dtype=torch.float64)[codes] + 0.4 * noise
    weights = torch.full((1500,), 1 / 1500, dtype=dtype)
    return LinearModel(CrossEntropy(codes, 30), DenseFeatures(rows.to(dtype)), weights).centred()


def fitted(model, solver, strength=1e-4):
    plain = LinearModel(model.loss, model.features, model.weights)
    gap = DualityGap(plain, L2(strength))
    stop = Stop(lambda point: gap(model.uncentred_point(point)), 1e-6, 500, every=1)
    return minimize(model, SmoothMasked(L2(strength), 20), model.zeros(), solver, stop)


def test_it_takes_fewer_gradients_to_the_same_minimum():
    model = many_classes()
    start = renewed_lbfgs(model, 1e-4).renew(model.zeros())
    once, renewed = fitted(model, LBFGS(start)), fitted(model, renewed_lbfgs(model, 1e-4))
    assert once.status is renewed.status is Status.CONVERGED
    assert renewed.value == pytest.approx(once.value, rel=2e-6)
    assert renewed.iterations < 0.8 * once.iterations


def test_a_search_begins_near_the_step_before():
    points = []

    class Steep:
        """A quadratic along which the direction given is twenty times too long."""

        def value(self, point):
            return 10.0 * (point - 1.0).square().sum()

        def value_and_gradient(self, point):
            points.append(point.item())
            return self.value(point), 20.0 * (point - 1.0)

    problem = Problem(Steep(), L2(1e-9))
    solver = RenewedLBFGS(lambda point: lambda gradient: gradient)
    state = solver.start(problem, torch.zeros(1, 1, dtype=torch.float64))
    state = replace(state, inner=replace(state.inner, step=0.025))
    after = solver.advance(problem, state)
    assert points[1:] == pytest.approx([0.05 * 20.0])
    assert after.inner.step == pytest.approx(0.05)


def test_the_preconditioner_is_made_at_the_point_every_few_steps():
    model, points = catalogue.models(torch.float64)["cross-entropy of codes"], []

    def renew(point):
        points.append(point)
        return lambda gradient: gradient

    stop = Stop(lambda _: 1.0, 1e-9, max_iterations=7)
    found = minimize(model, SmoothMasked(L2(0.02), 4), model.zeros(), RenewedLBFGS(renew, every=3), stop)
    assert found.iterations == 7
    assert len(points) == 3
    assert not points[0].any()
    assert not torch.equal(points[1], points[2])


@pytest.mark.parametrize("helps", [True, False])
def test_a_preconditioner_that_leads_nowhere_is_replaced_before_it_gives_up(helps):
    model = catalogue.models(torch.float64)["cross-entropy of codes"]
    problem = Problem(model, SmoothMasked(L2(0.02), 4))
    solver = RenewedLBFGS(lambda point: lambda gradient: gradient if helps else -gradient)
    begun = solver.start(problem, model.zeros())
    worn = replace(begun, precondition=torch.neg, age=5)
    renewed = solver.advance(problem, worn)
    assert not renewed.halted
    assert renewed.age == 0
    after = solver.advance(problem, renewed)
    assert after.halted is not helps
    assert (after.value < begun.value) is helps


def test_a_number_of_steps_is_positive():
    with pytest.raises(InputError, match="every is 0"):
        RenewedLBFGS(lambda point: lambda gradient: gradient, every=0)
