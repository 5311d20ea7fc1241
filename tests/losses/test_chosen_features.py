"""Rows that are not copied are as good as their copy in everything that features can do."""

import pytest
import torch

from gradus.kernels.chosen_rows import ChosenRows
from gradus.losses import DenseFeatures, chosen_features


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch):
    monkeypatch.setattr(chosen_features, "BLOCK_ROWS", 7)


def rows_and_copy(stored, count=40):
    generator = torch.Generator().manual_seed(0)
    matrix = (100 * torch.rand(90, 5, generator=generator, dtype=torch.float64)).to(stored)
    positions = torch.randint(90, (count,), generator=generator)
    return DenseFeatures(matrix).chosen(positions), DenseFeatures(matrix[positions])


@pytest.mark.parametrize("count", [0, 40])
@pytest.mark.parametrize("stored", [torch.float64, torch.float32, torch.float16, torch.uint8])
def test_every_product_is_that_of_a_copy(stored, count):
    chosen, copy = rows_and_copy(stored, count)
    assert (chosen.shape, chosen.dtype, chosen.device) == (copy.shape, copy.dtype, copy.device)
    generator = torch.Generator().manual_seed(1)
    W, R = (torch.randn(rows, 3, generator=generator, dtype=torch.float64).to(copy.dtype) for rows in (5, count))
    weights = torch.rand(count, generator=generator).to(copy.dtype)
    columns = torch.tensor([4, 1])
    positions = torch.arange(count).flip(0)[::3]
    pairs = [
        (chosen.times(W), copy.times(W)),
        (chosen.transposed_times(R), copy.transposed_times(R)),
        (chosen.gram(weights), copy.gram(weights)),
        *zip(chosen.weighted_sums(weights), copy.weighted_sums(weights), strict=True),
        (chosen.selected(columns), copy.selected(columns)),
        (chosen.rows(3, 31, 4).times(W), copy.rows(3, 31, 4).times(W)),
        (chosen.taken(positions).matrix, copy.taken(positions).matrix),
        (chosen.chosen(positions).times(W), copy.taken(positions).times(W)),
        (chosen.to(torch.float64).times(W.double()), copy.to(torch.float64).times(W.double())),
    ]
    tolerance = {"rtol": 1e-12, "atol": 1e-9} if copy.dtype == torch.float64 else {"rtol": 1e-4, "atol": 1e-2}
    for ours, theirs in pairs:
        assert ours.dtype == theirs.dtype
        torch.testing.assert_close(ours, theirs, **tolerance)


def test_nothing_is_copied():
    chosen, _ = rows_and_copy(torch.float32)
    (rows, block), *others = chosen.chunks()
    assert not others
    assert rows == slice(0, 40)
    assert isinstance(block, ChosenRows)
    assert block.matrix.data_ptr() == chosen.dense.matrix.data_ptr()
