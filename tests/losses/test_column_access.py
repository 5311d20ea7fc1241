"""Features by columns, dense and sparse: NumPy's products in float64."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from gradus.losses import DenseFeatures, MappedFeatures, SparseFeatures, column_access


@pytest.mark.parametrize(
    "store", [DenseFeatures, lambda X: SparseFeatures(csr_array(X.numpy()))], ids=["dense", "sparse"]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_columns_are_those_of_the_matrix(store, dtype):
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(70, 40, generator=generator, dtype=dtype) * (torch.rand(70, 40, generator=generator) < 0.3)
    residual = torch.randn(70, 3, generator=generator, dtype=torch.float64)
    shares = torch.rand(70, generator=generator, dtype=torch.float64)
    columns, wide = column_access(store(matrix)), matrix.double()
    sums = torch.stack([wide.abs().t() @ shares, wide.square().t() @ shares], dim=1)
    torch.testing.assert_close(columns.absolute_sums(shares), sums)
    for chosen in (torch.arange(40), torch.tensor([0, 3, 17, 39]), torch.tensor([5]), torch.arange(0)):
        torch.testing.assert_close(columns.transposed_rows(residual, chosen), wide[:, chosen].t() @ residual)
        weights = torch.randn(len(chosen), 2, generator=generator, dtype=torch.float64)
        torch.testing.assert_close(columns.times_rows(weights, chosen), wide[:, chosen] @ weights)
        found, copy = columns.columns(chosen), torch.zeros(len(chosen), 70, dtype=dtype)
        assert found.samples.dtype == torch.int32
        for place in range(len(chosen)):
            entries = slice(int(found.starts[place]), int(found.starts[place + 1]))
            copy[place, found.samples[entries].long()] = found.values[entries]
        assert torch.equal(copy, matrix[:, chosen].t())


def test_a_file_has_no_columns(tmp_path):
    np.save(tmp_path / "numbers.npy", np.eye(3, dtype=np.float32))
    assert column_access(MappedFeatures(np.load(tmp_path / "numbers.npy", mmap_mode="r"))) is None
