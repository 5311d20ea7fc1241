"""Newton's method with the Hessian as numbers: against scikit-learn, in few steps, and what it refuses."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from gradus.core.errors import InputError
from gradus.core.solution import Problem, Status
from gradus.losses import CrossEntropy, DenseFeatures, DualityGap, ExpandedModel, LinearModel, Logistic, Squared
from gradus.penalties import L2, SmoothMasked
from gradus.solvers import Newton, NewtonCG, Stop, Terms, minimize

SAMPLES, FEATURES, STRENGTH = 200, 6, 1e-3


def data(dtype=torch.float64, scale=1.0, mean=0.0):
    generator = torch.Generator().manual_seed(3)
    X = torch.randn(SAMPLES, FEATURES, generator=generator, dtype=torch.float64)
    y = (X[:, 0] - X[:, 1] + 0.7 * torch.randn(SAMPLES, generator=generator, dtype=torch.float64) > 0.2).long()
    return (scale * X + mean).to(dtype), y


def binary(X, y, intercept=True):
    weights = torch.full((len(X),), 1 / len(X), dtype=X.dtype)
    return LinearModel(Logistic(y[:, None].to(X.dtype)), DenseFeatures(X), weights, intercept)


def fitted(model, tolerance=1e-12):
    penalty = SmoothMasked(L2(STRENGTH), FEATURES) if model.intercept else L2(STRENGTH)
    stop = Stop(DualityGap(model, L2(STRENGTH)), tolerance, 50)
    return minimize(ExpandedModel(model), penalty, model.zeros(), Newton(Terms(0.0, STRENGTH, FEATURES)), stop)


@pytest.mark.parametrize("intercept", [False, True])
def test_finds_scikit_learns_logistic_regression(intercept):
    X, y = data()
    found = fitted(binary(X, y, intercept))
    peer = LogisticRegression(C=1 / (STRENGTH * SAMPLES), fit_intercept=intercept, tol=1e-10, max_iter=1000)
    peer.fit(X.numpy(), y.numpy())
    assert found.converged
    assert found.iterations <= 9
    np.testing.assert_allclose(found.point[:FEATURES, 0].numpy(), peer.coef_[0], rtol=1e-4, atol=1e-5)
    if intercept:
        assert found.point[-1, 0].item() == pytest.approx(peer.intercept_[0], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_any_scale_and_distance_from_zero(scale):
    X, y = data(scale=scale, mean=100.0 * scale)
    model = LinearModel(CrossEntropy(y, 2), DenseFeatures(X), torch.full((SAMPLES,), 1 / SAMPLES, dtype=torch.float64))
    before = X.clone()
    found = fitted(model.centred(), 1e-9)
    assert found.status is Status.CONVERGED
    assert torch.equal(X, before)


def test_float32_reaches_what_its_coefficients_can_hold():
    found = fitted(binary(*data(torch.float32)), 1e-7)
    assert found.converged
    assert found.point.dtype == torch.float32


def test_weights_that_are_nearly_free_take_damped_steps():
    X, y = data()
    y = (X[:, 0] > 0).long()
    model = binary(30 * X, y)
    strength = 1e-9
    stop = Stop(DualityGap(model, L2(strength)), 1e-6, 100)
    penalty, solver = SmoothMasked(L2(strength), FEATURES), Newton(Terms(0.0, strength, FEATURES))
    found = minimize(ExpandedModel(model), penalty, model.zeros(), solver, stop)
    assert found.converged
    far = torch.full_like(model.zeros(), 50.0)
    assert minimize(ExpandedModel(model), penalty, far, solver, stop).converged


def test_refuses_what_it_cannot_take():
    X, y = data()
    model, penalty = binary(X, y), SmoothMasked(L2(STRENGTH), FEATURES)
    with pytest.raises(InputError, match="LinearModel does not: use NewtonCG"):
        Newton(Terms(0.0, STRENGTH, FEATURES)).start(Problem(model, penalty), model.zeros())
    with pytest.raises(InputError, match="not the problem's penalty"):
        Newton(Terms(0.0, 2 * STRENGTH, FEATURES)).start(Problem(ExpandedModel(model), penalty), model.zeros())
    with pytest.raises(InputError, match="not log-linear"):
        ExpandedModel(LinearModel(Squared(y[:, None].double()), DenseFeatures(X), model.weights))


def test_the_wrapped_model_is_a_smooth_function_too():
    model = binary(*data())
    stop = Stop(DualityGap(model, L2(STRENGTH)), 1e-8, 50)
    penalty = SmoothMasked(L2(STRENGTH), FEATURES)
    plain = minimize(model, penalty, model.zeros(), NewtonCG(), stop)
    assert ExpandedModel(model).value(plain.point).item() == pytest.approx(model.value(plain.point).item(), rel=1e-14)
    assert fitted(model).value == pytest.approx(plain.value, rel=1e-7)


def test_intercepts_of_classes_do_not_drift():
    X, y = data()
    loss = CrossEntropy(y + (X[:, 2] > 0.5).long(), 3)
    model = LinearModel(loss, DenseFeatures(X), torch.full((SAMPLES,), 1 / SAMPLES, dtype=torch.float64))
    found = fitted(model)
    assert found.converged
    # no gradient asks for their sum to be anything but what it was
    assert found.point[-1].sum().item() == pytest.approx(0.0, abs=1e-12)
