"""The Kronecker product near a Hessian, against PyTorch's differentiation where it is exact."""

import pytest
import torch

import catalogue
from gradus.losses import CrossEntropy, DenseFeatures, LinearModel, SparseFeatures
from gradus.losses import hessian_factors as module
from losses.test_hessian import full_hessian


@pytest.mark.parametrize("block", [40, 10**6])
@pytest.mark.parametrize("name", catalogue.MODELS)
def test_is_exact_where_all_samples_bend_alike(name, block, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_NUMBERS", block)
    model = catalogue.models(torch.float64)[name]
    zero = model.zeros()
    exact = full_hessian(model, zero)
    gram, between = model.hessian_factors(zero, torch.arange(len(zero)), samples=10**6)
    found = torch.kron(gram, between)
    torch.testing.assert_close(gram, gram.t(), rtol=1e-12, atol=1e-14)
    # the mean over all directions is right in any case
    assert found.trace().item() == pytest.approx(exact.trace().item(), rel=1e-10)
    if isinstance(model.loss, CrossEntropy):
        torch.testing.assert_close(found, exact)
    some = torch.tensor([0, 2, len(zero) - 1])
    torch.testing.assert_close(model.hessian_factors(zero, some, samples=10**6)[0], gram[some][:, some])


def test_the_trace_is_right_away_from_zero():
    model = catalogue.models(torch.float64)["cross-entropy of codes"]
    point = catalogue.numbers(*model.shape)
    gram, between = model.hessian_factors(point, torch.arange(len(point)), samples=10**6)
    exact = full_hessian(model, point)
    blocks = exact.reshape(len(point), model.loss.outputs, len(point), model.loss.outputs)
    torch.testing.assert_close(gram * between.trace(), torch.einsum("jkhk->jh", blocks))


def test_a_part_of_the_rows_sparse_features_and_float32():
    from scipy.sparse import csr_array

    dense = catalogue.models(torch.float32)["cross-entropy of probabilities, centred"]
    features = SparseFeatures(csr_array(dense.features.matrix.numpy()))
    sparse = LinearModel(dense.loss, features, dense.weights, scale=dense.scale, centre=dense.centre)
    wide = catalogue.models(torch.float64)["cross-entropy of probabilities, centred"]
    point = catalogue.numbers(*dense.shape)
    rows = torch.arange(len(point))
    expected = wide.hessian_factors(point, rows, samples=10)
    assert not torch.allclose(expected[0], wide.hessian_factors(point, rows, samples=10**6)[0], rtol=1e-3)
    for model in (dense, sparse):
        gram, between = model.hessian_factors(point.float(), rows, samples=10)
        assert gram.dtype == torch.float32
        torch.testing.assert_close(gram.double(), expected[0], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(between, expected[1], rtol=1e-5, atol=1e-7)


def test_rows_without_weight_are_not_all_that_is_used():
    model = catalogue.models(torch.float64)["cross-entropy of codes"]
    weights = torch.tensor([0.0, 1.0]).repeat(15).double() / 15
    odd = LinearModel(model.loss, DenseFeatures(model.features.matrix), weights)
    gram, between = odd.hessian_factors(odd.zeros(), torch.arange(len(odd.zeros())), samples=15)
    torch.testing.assert_close(torch.kron(gram, between), full_hessian(odd, odd.zeros()))
