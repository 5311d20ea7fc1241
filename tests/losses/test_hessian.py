"""The Hessian among entries, against PyTorch's differentiation, on every model of the catalogue."""

import pytest
import torch

import catalogue
from gradus.losses import CrossEntropy, DenseFeatures, LinearModel, SparseFeatures
from gradus.losses import hessian as module
from losses.peers import by_autograd


def full_hessian(model, point):
    size = point.numel()
    return torch.autograd.functional.hessian(lambda x: by_autograd(model, x), point).reshape(size, size)


@pytest.mark.parametrize("name", catalogue.MODELS)
@pytest.mark.parametrize("block", [40, 10**6])
def test_equals_torchs_hessian_in_the_order_asked_for(name, block, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_NUMBERS", block)
    model = catalogue.models(torch.float64)[name]
    point = catalogue.numbers(*model.shape)
    generator = torch.Generator().manual_seed(3)
    for entries in (torch.randperm(point.numel(), generator=generator), torch.tensor([5, 0, 10]), torch.tensor([7])):
        found = model.hessian_among(point, entries, samples=10**6)
        torch.testing.assert_close(found, full_hessian(model, point)[entries][:, entries])
        torch.testing.assert_close(found, found.t(), rtol=1e-12, atol=1e-14)


def test_a_part_of_the_rows_is_the_model_of_those_rows():
    model = catalogue.models(torch.float64)["cross-entropy of codes"]
    point, entries = catalogue.numbers(*model.shape), torch.arange(15)
    some = model.sampled(point, 10)
    drawn = LinearModel(some.loss, DenseFeatures(some.features.dense.matrix[some.features.positions]), some.weights)
    found = model.hessian_among(point, entries, samples=10)
    torch.testing.assert_close(found, full_hessian(drawn, point))
    assert not torch.allclose(found, full_hessian(model, point))


def test_rows_that_bend_the_loss_stand_for_all():
    # of a good fit few rows bend the loss at all: a part that is evenly spaced misses them
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2000, 6, generator=generator, dtype=torch.float64)
    loss = CrossEntropy((features[:, 0] > 0).long(), classes=2)
    model = LinearModel(loss, DenseFeatures(features), torch.full((2000,), 1 / 2000, dtype=torch.float64))
    point = model.zeros()
    point[0] = torch.tensor([-20.0, 20.0])
    whole = full_hessian(model, point)
    entries = torch.arange(14)

    def error(hessian):
        return float((hessian - whole).norm() / whole.norm())

    spaced = LinearModel(loss.rows(0, 2000, 10), DenseFeatures(features[::10]), model.weights[::10] * 10)
    assert error(model.hessian_among(point, entries, samples=200)) < 0.3 * error(full_hessian(spaced, point))


def test_rows_without_weight_are_not_all_that_is_used():
    model = catalogue.models(torch.float64)["cross-entropy of codes"]
    weights = torch.tensor([0.0, 1.0]).repeat(15).double() / 15
    odd = LinearModel(model.loss, model.features, weights)
    found = odd.hessian_among(odd.zeros(), torch.arange(15), samples=15)
    torch.testing.assert_close(found, full_hessian(odd, odd.zeros()))


def test_sparse_features_and_float32():
    from scipy.sparse import csr_array

    dense = catalogue.models(torch.float32)["cross-entropy of probabilities, centred"]
    features = SparseFeatures(csr_array(dense.features.matrix.numpy()))
    sparse = LinearModel(dense.loss, features, dense.weights, scale=dense.scale, centre=dense.centre)
    point, entries = catalogue.numbers(*dense.shape).float(), torch.tensor([14, 3, 4, 8, 1])
    expected = dense.hessian_among(point, entries, samples=30)
    assert expected.dtype == torch.float32
    torch.testing.assert_close(sparse.hessian_among(point, entries, samples=30), expected)
    wide = catalogue.models(torch.float64)["cross-entropy of probabilities, centred"]
    reference = wide.hessian_among(point.double(), entries, samples=30)
    torch.testing.assert_close(expected.double(), reference, rtol=1e-4, atol=1e-6)
