"""The Hessian among entries, against PyTorch's differentiation, on every model of the catalogue."""

import pytest
import torch

import catalogue
from gradus.losses import DenseFeatures, LinearModel, SparseFeatures
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
    weights = model.weights[::3] / model.weights[::3].sum() * model.weights.sum()
    part = LinearModel(model.loss.rows(0, 30, 3), DenseFeatures(model.features.matrix[::3]), weights)
    torch.testing.assert_close(model.hessian_among(point, entries, samples=10), full_hessian(part, point))


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
