"""A balanced intercept against a minimum over the intercept alone that SciPy finds."""

import numpy as np
import pytest
import scipy.optimize
import torch

from gradus.losses import CrossEntropy, DenseFeatures, LinearModel
from gradus.losses.balance import balanced, worthwhile

SAMPLES, FEATURES, CLASSES = 600, 8, 5


def model_of(dtype=torch.float64, seed=0, classes=CLASSES):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(SAMPLES, FEATURES, generator=generator, dtype=torch.float64)
    y = (X @ torch.randn(FEATURES, classes, generator=generator, dtype=torch.float64)).argmax(dim=1)
    weights = torch.rand(SAMPLES, generator=generator, dtype=torch.float64)
    weights = (weights / weights.sum()).to(dtype)
    return LinearModel(CrossEntropy(y, classes), DenseFeatures(X.to(dtype)), weights)


def near_the_best(model, scale, off):
    """A point whose intercept is nearly, but not quite, the best for its weights, and the value at the best."""
    generator = torch.Generator().manual_seed(1)
    weights = scale * torch.randn(FEATURES, CLASSES, generator=generator, dtype=torch.float64)
    wide = LinearModel(model.loss, DenseFeatures(model.features.matrix.double()), model.weights.double())

    def value(b):
        found, gradient = wide.value_and_gradient(torch.cat([weights, torch.from_numpy(b)[None]]))
        return found.item(), gradient[-1].numpy()

    best = scipy.optimize.minimize(value, np.zeros(CLASSES), jac=True, tol=1e-14, options={"gtol": 1e-12})
    intercept = torch.from_numpy(best.x) + off * torch.randn(CLASSES, generator=generator, dtype=torch.float64)
    return torch.cat([weights, intercept[None]]).to(model.weights.dtype), best.fun


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [0.1, 1.0, 20.0])
def test_one_step_leads_nearly_to_the_lowest_loss(scale, dtype):
    model = model_of(dtype)
    point, lowest = near_the_best(model, scale, 0.01)
    value, gradient = model.value_and_gradient(point)
    found = balanced(model, point, gradient[-1])
    moved, after = model.value_and_gradient(found.point)
    before = value.item() - lowest
    rounding = 4 * torch.finfo(dtype).eps * abs(lowest)
    assert moved.item() - lowest <= 0.02 * before + rounding
    assert found.gain == pytest.approx(before, rel=0.05, abs=rounding)
    assert after[-1].abs().max() <= 0.05 * gradient[-1].abs().max() + torch.finfo(dtype).eps
    assert torch.equal(found.point[:-1], point[:-1])
    # an intercept common to all classes stays as it was
    assert (found.point[-1].mean() - point[-1].mean()).abs() <= 8 * torch.finfo(dtype).eps * point[-1].abs().max()


def test_a_step_that_would_lead_too_far_is_not_taken():
    model = model_of()
    point, _ = near_the_best(model, 1.0, 5.0)
    found = balanced(model, point, model.value_and_gradient(point)[1][-1])
    assert found.point is point
    assert found.gain == 0.0


def test_classes_that_nothing_connects_stay_where_they_are():
    model = model_of()
    point = torch.zeros(model.shape, dtype=torch.float64)
    point[:-1, 0] = 1e6
    found = balanced(model, point, model.value_and_gradient(point)[1][-1])
    assert torch.isfinite(found.point).all()
    assert model.value(found.point) <= model.value(point)


def test_worthwhile_with_an_intercept_and_few_classes_only():
    model = model_of()
    assert worthwhile(model)
    assert not worthwhile(LinearModel(model.loss, model.features, model.weights, intercept=False))
    assert not worthwhile(model_of(classes=FEATURES + 1))
