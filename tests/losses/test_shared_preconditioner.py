"""The preconditioner that all strengths share, against the Hessian's own blocks."""

import pytest
import torch

from gradus.losses import CrossEntropy, DenseFeatures, LinearModel
from gradus.losses.shared_preconditioner import OutputCurvature, SharedPreconditioner, Spectrum, evaluated


def model_of(*, intercept=True, rows=200, scale=0.7):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(rows, 5, generator=generator, dtype=torch.float64) + 1.0
    weights = torch.rand(rows, generator=generator, dtype=torch.float64)
    loss = CrossEntropy(torch.randint(0, 3, (rows,), generator=generator), 3)
    return LinearModel(loss, DenseFeatures(features), weights / weights.sum(), intercept, scale).centred()


def preconditioner(model, point, *, diagonal=False, ridge=0.1):
    curvature = OutputCurvature.at(model, point, 10_000)
    return SharedPreconditioner(Spectrum.of(model, diagonal=diagonal), curvature, ridge, model.intercept)


@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("intercept", [True, False])
def test_symmetric_and_positive(diagonal, intercept):
    model = model_of(intercept=intercept)
    generator = torch.Generator().manual_seed(1)
    point = torch.randn(model.shape, generator=generator, dtype=torch.float64)
    precondition = preconditioner(model, point, diagonal=diagonal)
    for _ in range(10):
        left, right = torch.randn(2, *model.shape, generator=generator, dtype=torch.float64)
        if intercept:  # gradients of the intercept sum to 0
            left[-1] -= left[-1].mean()
            right[-1] -= right[-1].mean()
        assert (left * precondition(right)).sum().item() == pytest.approx((precondition(left) * right).sum().item())
        assert (left * precondition(left)).sum() > 0


@pytest.mark.parametrize("intercept", [True, False])
def test_at_uniform_probabilities_it_inverts_the_hessian(intercept):
    # there p_i (1 - p_i) is the same for all rows; on directions that sum to 0 over the classes, H = K / (K - 1) c G
    model, ridge = model_of(intercept=intercept), 0.1
    precondition = preconditioner(model, model.zeros(), ridge=ridge * 2 / 3)
    direction = torch.randn(model.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    direction -= direction.mean(dim=1, keepdim=True)
    bent = model.curvature(model.zeros())(direction)
    bent[:5] += ridge * direction[:5]
    torch.testing.assert_close(precondition(bent) * 2 / 3, direction, atol=1e-4, rtol=1e-4)


def test_many_rows_are_sampled_evenly():
    model = model_of(rows=1000)
    point = torch.randn(model.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    whole, sampled = (OutputCurvature.at(model, point, rows) for rows in (1000, 250))
    torch.testing.assert_close(sampled.total, whole.total, rtol=0.2, atol=0)
    assert not torch.equal(sampled.total, whole.total)


def test_a_pass_for_the_gradient_gives_the_curvature_too():
    model = model_of(rows=5000)  # more than are looked at together
    point = torch.randn(model.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    value, gradient, found = evaluated(model, point, torch.eye(5, dtype=torch.float64))
    expected = model.value_and_gradient(point)
    torch.testing.assert_close((value, gradient), expected, rtol=1e-12, atol=1e-14)
    softmax = torch.softmax(model.logits(point, model.features), dim=1)
    bend = model.weights[:, None] * softmax * (1 - softmax)
    torch.testing.assert_close(found.total, bend.sum(dim=0))
    rows = model.scale * (model.features.matrix - model.centre)
    torch.testing.assert_close(found.centre, rows.t() @ bend / bend.sum(dim=0))
    again = OutputCurvature.at(model, point, 10_000, torch.eye(5, dtype=torch.float64))
    torch.testing.assert_close(again.centre, found.centre)
    torch.testing.assert_close(again.leading.total, found.leading.total)


@pytest.mark.parametrize("zeros", [0, 1, 3])
def test_a_feature_that_is_0_stays_0(zeros):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(200, 6, generator=generator)
    # features that are 0 beside two that are the same have one eigenvalue in common with them
    X[:, 5] = X[:, 4]
    X[:, :zeros] = 0.0
    loss = CrossEntropy(torch.randint(3, (200,), generator=generator), 3)
    model = LinearModel(loss, DenseFeatures(X), torch.full((200,), 1 / 200)).centred()
    spectrum = Spectrum.of(model, diagonal=False)
    curvature = OutputCurvature.at(model, model.zeros(), 200)
    gradient = model.value_and_gradient(model.zeros())[1]
    direction = SharedPreconditioner(spectrum, curvature, 1e-6, intercept=True)(gradient)
    assert not direction[:zeros].any()
    assert direction[zeros:-1].all()
    gram = (X - X.mean(dim=0)).double().t() @ (X - X.mean(dim=0)).double() / 200
    rebuilt = (spectrum.basis * spectrum.values) @ spectrum.basis.t()
    torch.testing.assert_close(rebuilt.double(), gram, rtol=1e-4, atol=1e-5)
