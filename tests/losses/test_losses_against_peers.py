"""Regressions with each loss against scikit-learn and SciPy, and losses on what they do not take."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import torch
from sklearn.linear_model import LogisticRegression, PoissonRegressor

import catalogue
from gradus.core.errors import InputError
from gradus.core.solution import Problem, Status
from gradus.losses import (
    BoundedCurvature,
    CholeskyPreconditioner,
    CrossEntropy,
    DenseFeatures,
    DualityGap,
    HuberLoss,
    LinearModel,
    Logistic,
    Poisson,
    Squared,
)
from gradus.losses.certificate import Stationarity
from gradus.penalties import L1, L2, Masked, SmoothMasked, Zero
from gradus.solvers import LBFGS, DavisYin, NewtonCG, ProximalGradient, ProximalNewton, Stop, Terms, minimize

SAMPLES, FEATURES, ALPHA = 200, 6, 0.03


def data(kind):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(SAMPLES, FEATURES)) + 0.3
    logits = X @ generator.normal(size=FEATURES)
    if kind == "labels":
        return X, (generator.random(SAMPLES) < scipy.special.expit(logits)).astype(float)
    if kind == "counts":
        return X, generator.poisson(np.exp(0.5 * logits)).astype(float)
    return X, logits + generator.standard_t(1, size=SAMPLES)


def model_of(loss, X, y, **settings):
    weights = torch.full((SAMPLES,), 1 / SAMPLES, dtype=torch.float64)
    return LinearModel(loss(torch.from_numpy(y)[:, None]), DenseFeatures(torch.from_numpy(X)), weights, **settings)


def ridge(model, solver, tolerance=1e-11):
    stop = Stop(DualityGap(model, L2(ALPHA)), tolerance, 5000)
    return minimize(model, SmoothMasked(L2(ALPHA), FEATURES), model.zeros(), solver, stop)


SOLVERS = {
    "lbfgs": lambda model: LBFGS(),
    "newton": lambda model: NewtonCG(),
    "preconditioned": lambda model: NewtonCG(lambda part, point: CholeskyPreconditioner.at(part, point, ALPHA)),
    "fista": lambda model: ProximalGradient(),
    "davis-yin": lambda model: DavisYin(),
}


@pytest.mark.parametrize("solver", SOLVERS)
def test_logistic_regression_is_scikit_learns(solver):
    X, y = data("labels")
    solution = ridge(model := model_of(Logistic, X, y), SOLVERS[solver](model))
    peer = LogisticRegression(C=1 / (ALPHA * SAMPLES), tol=1e-12, max_iter=10_000).fit(X, y)
    assert solution.status is Status.CONVERGED
    np.testing.assert_allclose(solution.point[:-1, 0], peer.coef_[0], atol=1e-5)
    np.testing.assert_allclose(solution.point[-1, 0], peer.intercept_[0], atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_poisson_regression_is_scikit_learns(solver):
    X, y = data("counts")
    solution = ridge(model := model_of(Poisson, X, y), SOLVERS[solver](model))
    peer = PoissonRegressor(alpha=ALPHA, tol=1e-10, max_iter=10_000).fit(X, y)
    assert solution.status is Status.CONVERGED
    np.testing.assert_allclose(solution.point[:-1, 0], peer.coef_, atol=1e-5)
    np.testing.assert_allclose(solution.point[-1, 0], peer.intercept_, atol=1e-5)


@pytest.mark.parametrize("solver", ["lbfgs", "newton", "fista"])
def test_huber_regression_is_scipys(solver):
    X, y = data("numbers")

    def objective(flat):
        return scipy.special.huber(1.0, X @ flat[:-1] + flat[-1] - y).mean() + 0.5 * ALPHA * (flat[:-1] ** 2).sum()

    expected = scipy.optimize.minimize(objective, np.zeros(FEATURES + 1), method="BFGS", options={"gtol": 1e-9})
    solution = ridge(model := model_of(HuberLoss, X, y), SOLVERS[solver](model), tolerance=1e-9)
    assert solution.status is Status.CONVERGED
    assert solution.value == pytest.approx(expected.fun, rel=1e-8)
    np.testing.assert_allclose(solution.point[:, 0], expected.x, atol=1e-3)
    assert (np.abs(X @ expected.x[:-1] + expected.x[-1] - y) > 1).sum() > 10  # there are outliers


@pytest.mark.parametrize("newton", [True, False])
def test_sparse_logistic_regression_is_scikit_learns(newton):
    X, y = data("labels")
    model, penalty = model_of(Logistic, X, y, intercept=False), L1(ALPHA)
    solver = ProximalNewton(Terms(ALPHA, 0.0, FEATURES)) if newton else ProximalGradient()
    solution = minimize(model, penalty, model.zeros(), solver, Stop(DualityGap(model, penalty), 1e-10, 1000))
    peer = LogisticRegression(
        C=1 / (ALPHA * SAMPLES), l1_ratio=1.0, solver="liblinear", tol=1e-10, max_iter=10_000, fit_intercept=False
    ).fit(X, y)
    assert solution.status is Status.CONVERGED
    np.testing.assert_allclose(solution.point[:, 0], peer.coef_[0], atol=1e-5)
    assert (solution.point == 0).any()


@pytest.mark.parametrize("loss", [Poisson, HuberLoss])
def test_sparse_regression_by_newton_is_that_by_fista(loss):
    X, y = data("counts")
    model, penalty = model_of(loss, X, y), L1(0.1)
    stop = Stop(DualityGap(model, penalty), 1e-9, 5000)
    newton, fista = (
        minimize(model, Masked(penalty, FEATURES), model.zeros(), solver, stop)
        for solver in (ProximalNewton(Terms(0.1, 0.0, FEATURES)), ProximalGradient())
    )
    assert newton.converged and fista.converged
    torch.testing.assert_close(newton.point, fista.point, atol=1e-4, rtol=0)


def test_two_logits_are_one():
    X, y = data("labels")
    one = ridge(model_of(Logistic, X, y), LBFGS())
    two = CrossEntropy(torch.from_numpy(y).long(), 2)
    model = LinearModel(
        two, DenseFeatures(torch.from_numpy(X)), torch.full((SAMPLES,), 1 / SAMPLES, dtype=torch.float64)
    )
    stop = Stop(DualityGap(model, L2(2 * ALPHA)), 1e-11, 5000)
    # w and -w under 2 alpha / 2 (|w|^2 + |w|^2) are 2 w under alpha / 2 |2 w|^2
    both = minimize(model, SmoothMasked(L2(2 * ALPHA), FEATURES), model.zeros(), LBFGS(), stop)
    torch.testing.assert_close(both.point[:, 1:] - both.point[:, :1], one.point, atol=1e-5, rtol=0)
    assert both.value == pytest.approx(one.value, rel=1e-9)


@pytest.mark.parametrize("name", ["logistic", "cross-entropy of codes", "squared", "huber"])
def test_the_bound_on_the_curvature_is_one(name):
    model = catalogue.models(torch.float64)[name]
    assert isinstance(model.loss, BoundedCurvature)
    size = model.shape[0] * model.shape[1]
    product = model.curvature(model.zeros())
    hessian = torch.stack([product(row.reshape(model.shape)).ravel() for row in torch.eye(size).double()])
    largest = torch.linalg.eigvalsh(hessian)[-1].item()
    assert largest <= model.curvature_bound()
    stop = Stop(DualityGap(model, L1(0.02)), 1e-6, 5000)
    solver = DavisYin(bound=model.curvature_bound())
    assert minimize(model, Masked(L1(0.02), catalogue.FEATURES), model.zeros(), solver, stop).converged


def test_poisson_has_no_bound_and_says_so():
    X, y = data("counts")
    model = model_of(Poisson, X, y)
    assert not isinstance(model.loss, BoundedCurvature)
    with pytest.raises(InputError, match="Poisson has no upper bound on its curvature"):
        DavisYin(bound=model.curvature_bound())
    # without a penalty the certificate takes a typical curvature for its step
    stop = Stop(Stationarity.of(model, Zero()), 1e-8, 1000)
    solution = minimize(model, Zero(), model.zeros(), LBFGS(), stop)
    peer = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(solution.point[:-1, 0], peer.coef_, atol=1e-5)


def test_a_start_far_away_is_survived():
    X, y = data("counts")
    model = model_of(Poisson, 30 * X, y)
    value = model.value(torch.full_like(model.zeros(), 30.0)).item()
    assert value == np.inf
    solution = ridge(model, ProximalGradient(first_step=1e6), tolerance=1e-6)
    assert solution.status is Status.CONVERGED


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Logistic(torch.tensor([[-1.0], [1.0]])), "Logistic's targets hold -1; expected .* from 0 to 1"),
        (lambda: Logistic(torch.tensor([0.0, 1.0])), r"targets have shape \(2,\)"),
        (lambda: Logistic(torch.tensor([[0], [1]])), "dtype torch.int64"),
        (lambda: Poisson(torch.tensor([[-2.0]])), "Poisson's targets hold -2"),
        (lambda: HuberLoss(torch.tensor([[float("nan")]])), "hold nan"),
        (lambda: HuberLoss(torch.tensor([[1.0]]), delta=0.0), "delta is 0"),
    ],
)
def test_targets_outside_their_range_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_a_newton_method_takes_any_of_them():
    for loss, kind in ((Logistic, "labels"), (Poisson, "counts"), (HuberLoss, "numbers"), (Squared, "numbers")):
        model = model_of(loss, *data(kind))
        state = NewtonCG().start(Problem(model, SmoothMasked(L2(ALPHA), FEATURES)), model.zeros())
        assert not state.halted
