"""Rows that stand for all: their Hessian against that of all, and the chances of being drawn."""

import pytest
import torch

from gradus.losses import CrossEntropy, DenseFeatures, LinearModel
from gradus.losses.sampling import inclusion_chances


def fitted(rows=6000, scale=4.0):
    """A model at a point where most rows are sure of their class."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(rows, 4, generator=generator, dtype=torch.float64)
    point = scale * torch.randn(5, 3, generator=generator, dtype=torch.float64)
    targets = (features @ point[:-1] + point[-1]).argmax(dim=1)
    weights = torch.rand(rows, generator=generator, dtype=torch.float64)
    return LinearModel(CrossEntropy(targets, 3), DenseFeatures(features), weights / weights.sum()), point


def dense_hessian(model, point):
    product = model.curvature(point)
    columns = [product(unit.reshape(point.shape)).flatten() for unit in torch.eye(point.numel(), dtype=point.dtype)]
    return torch.stack(columns)


def test_the_hessian_of_a_tenth_is_nearer_than_that_of_every_tenth_row():
    model, point = fitted()
    whole = dense_hessian(model, point)
    part = model.sampled(point, 600)
    assert abs(part.samples - 600) <= 1
    even = LinearModel(model.loss.rows(0, 6000, 10), model.features.rows(0, 6000, 10), 10 * model.weights[::10])
    error, even_error = (torch.linalg.norm(dense_hessian(each, point) - whole) for each in (part, even))
    assert error < 0.1 * torch.linalg.norm(whole)
    assert error < even_error / 1.5


def test_all_rows_are_the_model_itself_and_rows_without_weight_are_never_drawn():
    model, point = fitted(rows=50)
    assert model.sampled(point, 50) is model
    weights = model.weights.clone()
    weights[::2] = 0.0
    half = LinearModel(model.loss, model.features, weights / weights.sum())
    part = half.sampled(point, 40)
    assert part.samples == 25
    torch.testing.assert_close(dense_hessian(part, point), dense_hessian(half, point))


@pytest.mark.parametrize("count", [1, 10, 70])
def test_chances_are_proportional_below_one_and_sum_to_the_count(count):
    share = torch.rand(100, generator=torch.Generator().manual_seed(1), dtype=torch.float64) ** 4
    chances = inclusion_chances(share, count)
    assert chances.max() <= 1.0
    assert chances.sum().item() == pytest.approx(count, rel=1e-6)
    free = chances < 1.0
    ratio = chances[free] / share[free]
    assert (ratio.max() - ratio.min()) <= 1e-9 * ratio.max()
