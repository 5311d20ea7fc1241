"""The duality gap: never below the true distance to the minimum, and equal to one computed apart."""

import numpy as np
import pytest
import scipy.special
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import catalogue
from gradus.core.errors import InputError
from gradus.losses import DualityGap, LinearModel
from gradus.penalties import L1, L2, ElasticNet, GroupLasso, Masked, Nuclear
from gradus.solvers import ProximalGradient, Stop, minimize

PENALTIES = [L1(0.02), L2(0.02), ElasticNet(0.01, 0.01), GroupLasso(0.02), Nuclear(0.02)]
NAMES = catalogue.MODELS
_minima = {}


def minimum(name, penalty):
    """A lower bound on the objective to 10 digits, from a long run."""
    if (name, penalty) not in _minima:
        model = catalogue.models(torch.float64)[name]
        whole = Masked(penalty, catalogue.FEATURES)
        stop = Stop(DualityGap(model, penalty), 1e-10, 30_000, every=200)
        solution = minimize(model, whole, model.zeros(), ProximalGradient(), stop)
        _minima[name, penalty] = solution
    return _minima[name, penalty].value


def minimum_point(name, penalty):
    minimum(name, penalty)
    return _minima[name, penalty].point


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**31), scale=st.floats(1e-3, 10))
def test_never_below_the_true_distance(name, penalty, seed, scale):
    model = catalogue.models(torch.float64)[name]
    generator = torch.Generator().manual_seed(seed)
    point = scale * torch.randn(model.shape, generator=generator, dtype=torch.float64)
    gap = DualityGap(model, penalty).measure(point)
    best = minimum(name, penalty)
    assert gap.dual <= best * (1 + 1e-9) + 1e-12
    assert gap.primal >= best - 1e-9 * abs(best)
    assert gap.absolute >= gap.primal - best - 1e-9 * abs(gap.primal)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**31), distance=st.floats(1e-6, 1.0))
def test_a_gap_that_is_enough_is_one_too(name, seed, distance):
    """It is no smaller than the tightest and the true distance, and the tightest where it would not be enough."""
    model, penalty = catalogue.models(torch.float64)[name], L2(0.02)
    best = minimum_point(name, penalty)
    generator = torch.Generator().manual_seed(seed)
    point = best + distance * torch.randn(model.shape, generator=generator, dtype=torch.float64)
    tightest = DualityGap(model, penalty).measure(point)
    for enough in (1e-2, 2.0 * tightest.relative):
        found = DualityGap(model, penalty, enough).measure(point)
        assert found.primal == pytest.approx(tightest.primal, rel=1e-12)
        assert found.primal - minimum(name, penalty) <= found.absolute + 1e-12
        assert found.relative >= tightest.relative - 1e-12
        assert found.relative <= enough or found.relative == pytest.approx(tightest.relative, rel=1e-9, abs=1e-14)


def test_equals_the_formula_in_numpy_without_an_intercept():
    model = catalogue.models(torch.float64)["cross-entropy of codes, no intercept, temperature 0.5"]
    X, w, y = model.features.matrix.numpy(), model.weights.numpy(), model.loss.targets.numpy()
    point = torch.full(model.shape, 0.1, dtype=torch.float64) * torch.arange(12, dtype=torch.float64).reshape(4, 3)
    Z = 2.0 * X @ point.numpy()
    P, Y = scipy.special.softmax(Z, axis=1), np.eye(3)[y]
    slopes = 2.0 * X.T @ (w[:, None] * (P - Y))
    loss = w @ (scipy.special.logsumexp(Z, axis=1) - Z[np.arange(30), y])
    # L2 at s = 1: the gap is |grad|^2 / (2 strength)
    l2 = DualityGap(model, L2(5.0)).measure(point)
    assert l2.primal == pytest.approx(loss + 2.5 * (point.numpy() ** 2).sum())
    at_one = w @ scipy.special.entr(P).sum(1) - (slopes**2).sum() / 10.0
    assert l2.dual >= at_one - 1e-12
    # L1: s is bounded by the largest slope
    strength = 0.05
    s = min(1.0, strength / np.abs(slopes).max())
    at_bound = w @ scipy.special.entr(Y + s * (P - Y)).sum(1)
    l1 = DualityGap(model, L1(strength)).measure(point)
    assert l1.dual >= at_bound - 1e-9
    assert l1.primal - l1.dual == pytest.approx(loss + strength * np.abs(point.numpy()).sum() - at_bound, rel=0.05)


@pytest.mark.parametrize("name", catalogue.LOSSES)
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), scale=st.floats(1e-2, 1e2))
def test_the_repaired_residuals_are_feasible(name, seed, scale):
    model = catalogue.models(torch.float64)[name]
    generator = torch.Generator().manual_seed(seed)
    logits = (scale * torch.randn(30, 3, generator=generator, dtype=torch.float64)).clamp_max(50.0)
    residual = model.loss.value_and_residual(logits, torch.ones(30, dtype=torch.float64))[1]
    balanced = model.loss.balanced(residual, model.weights)
    assert (model.weights @ balanced).abs().max() <= 1e-13 * max(1.0, scale, residual.abs().max().item())
    if name == "huber":
        assert balanced.abs().max() <= model.loss.delta * (1 + 1e-14)
    elif name == "poisson":
        assert (model.loss.targets + balanced).min() >= 0
    elif name.startswith("logistic"):
        assert ((model.loss.targets + balanced - 0.5).abs() <= 0.5 + 1e-14).all()
    elif name != "squared":
        probabilities = model.loss.labels(torch.float64) + balanced
        assert probabilities.min() >= -1e-14
        torch.testing.assert_close(probabilities.sum(1), torch.ones(30, dtype=torch.float64))


def test_a_float32_model_is_measured_in_float64():
    point = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)).float()
    single = catalogue.models(torch.float32)["cross-entropy of codes"]
    double = LinearModel(single.loss, single.features.to(torch.float64), single.weights.double())
    for penalty in PENALTIES:
        one, two = DualityGap(single, penalty).measure(point), DualityGap(double, penalty).measure(point.double())
        assert one.primal == pytest.approx(two.primal, rel=1e-12)
        # another dual point, whose probabilities were rounded to 32 bits
        assert one.dual == pytest.approx(two.dual, rel=1e-7, abs=1e-12)


def test_a_loss_without_a_conjugate_is_refused():
    class Bare:
        """A loss that can be evaluated and no more."""

        def __init__(self, loss):
            self.rows, self.to, self.curvature = loss.rows, loss.to, loss.curvature
            self.value_and_residual, self.typical_curvature = loss.value_and_residual, loss.typical_curvature
            self.outputs, self.samples = loss.outputs, loss.samples

    model = catalogue.models(torch.float64)["squared"]
    bare = LinearModel(Bare(model.loss), model.features, model.weights)
    torch.testing.assert_close(bare.value_and_gradient(bare.zeros()), model.value_and_gradient(model.zeros()))
    with pytest.raises(InputError, match="Bare has no dual_value and balanced"):
        DualityGap(bare, L2(1.0)).measure(bare.zeros())
