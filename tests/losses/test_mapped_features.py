"""Features in a file are those in memory."""

import numpy as np
import pytest
import torch

from gradus.core import mapped
from gradus.core.errors import InputError
from gradus.losses import CrossEntropy, DenseFeatures, DualityGap, LinearModel, MappedFeatures
from gradus.penalties import L1

TYPES = [np.uint8, np.float16, np.float32, np.float64]


@pytest.fixture(params=TYPES, ids=lambda kind: np.dtype(kind).name)
def both(request, tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "CHUNK_BYTES", 4096)
    numbers = np.random.default_rng(0).integers(0, 200, (700, 30)).astype(request.param)
    np.save(tmp_path / "X.npy", numbers)
    return MappedFeatures(np.load(tmp_path / "X.npy", mmap_mode="r")), DenseFeatures(torch.from_numpy(numbers))


def draw(*shape, dtype):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


def test_every_product_is_that_of_the_array_in_memory(both):
    stored, dense = both
    dtype = torch.float64 if dense.matrix.dtype == torch.float64 else torch.float32
    assert stored.dtype == dense.dtype == dtype
    assert stored.shape == dense.shape
    assert len(list(stored.chunks())) > 5
    X, weights = dense.matrix.double(), draw(700, dtype=dtype).abs()
    close = {"rtol": 1e-4 if dtype == torch.float32 else 1e-12, "atol": 1e-2 if dtype == torch.float32 else 1e-9}
    W, R, columns = draw(30, 4, dtype=dtype), draw(700, 4, dtype=dtype), torch.tensor([3, 3, 29])
    for features in (stored, dense):
        torch.testing.assert_close(features.times(W).double(), X @ W.double(), **close)
        torch.testing.assert_close(features.transposed_times(R).double(), X.T @ R.double(), **close)
        torch.testing.assert_close(features.gram(weights).double(), X.T @ (weights.double()[:, None] * X), **close)
        plain, squared = features.weighted_sums(weights)
        torch.testing.assert_close(plain.double(), X.T @ weights.double(), **close)
        torch.testing.assert_close(squared.double(), X.square().T @ weights.double(), **close)
        assert torch.equal(features.selected(columns).double(), X.T[columns])
        assert torch.equal(features.rows(10, 650, 9).times(W), DenseFeatures(X[10:650:9].to(dtype)).times(W))
        torch.testing.assert_close(features.rows(10, 650).times(W).double(), X[10:650] @ W.double(), **close)
    # numbers of less than 32 bits are computed with as they are: in float64 nothing is lost
    torch.testing.assert_close(stored.times(W.double()), X @ W.double(), rtol=1e-13, atol=1e-11)


def test_a_model_on_a_file_is_the_one_in_memory(both):
    stored, dense = both
    loss = CrossEntropy(torch.arange(700) % 3, classes=3)
    weights = torch.full((700,), 1 / 700, dtype=dense.dtype)
    there, here = (LinearModel(loss, features, weights, scale=0.01) for features in (stored, dense))
    point = 0.1 * draw(31, 3, dtype=dense.dtype)
    tolerance = {"rtol": 1e-4, "atol": 1e-6} if dense.dtype == torch.float32 else {"rtol": 1e-12, "atol": 1e-14}
    torch.testing.assert_close(there.value(point), here.value(point), **tolerance)
    for a, b in zip(there.value_and_gradient(point), here.value_and_gradient(point), strict=True):
        torch.testing.assert_close(a, b, **tolerance)
    torch.testing.assert_close(there.curvature(point)(point), here.curvature(point)(point), **tolerance)
    torch.testing.assert_close(there.centred().centre, here.centred().centre, **tolerance)
    one, two = (DualityGap(model, L1(1e-3)).measure(point) for model in (there, here))
    assert one.primal == pytest.approx(two.primal, rel=1e-12)
    assert one.dual == pytest.approx(two.dual, rel=1e-9, abs=1e-12)


def test_another_type_is_refused(both):
    stored, _ = both
    assert stored.to(stored.dtype) is stored
    other = torch.float32 if stored.dtype == torch.float64 else torch.float64
    with pytest.raises(InputError, match="save both in one type"):
        stored.to(other)


def test_other_matrices_are_refused():
    with pytest.raises(InputError, match="int64; expected a matrix"):
        DenseFeatures(torch.ones(2, 2, dtype=torch.int64))
