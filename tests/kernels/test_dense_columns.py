"""Every implementation of the products with some columns of a wide matrix, against NumPy's in float64."""

import numpy as np
import pytest
import torch

from gradus.kernels import dispatch
from gradus.kernels.dense_columns import column_sums, selected_columns, transposed_product
from gradus.kernels.threads import threads

IMPLEMENTATIONS = [name for name in dispatch.implementations("dense_columns") if name != "cuda"]
DTYPES = [torch.float64, torch.float32, torch.float16, torch.uint8]
# one panel and less, more than one, rows that end within a block of them, and nothing at all
SHAPES = [(7, 300), (70, 600), (300, 5), (1, 1), (9, 0), (0, 4)]


def numbers(shape, dtype):
    generator = torch.Generator().manual_seed(sum(shape))
    wide = 3 * torch.randn(shape, generator=generator, dtype=torch.float64)
    return wide.abs().to(dtype) if dtype == torch.uint8 else wide.to(dtype)


def some_of(features):
    """All columns, every third, a run of neighbours, a run with a gap, and none."""
    whole = torch.arange(features)
    run = whole[features // 3 : 2 * features // 3 + 1]
    return [whole, whole[::3], run, torch.cat([run[:-2], run[-1:] + 1]) if len(run) > 5 else run, whole[:0]]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_numbers_are_numpys(shape, dtype, implementation):
    matrix, generator = numbers(shape, dtype), torch.Generator().manual_seed(1)
    wide = matrix.double().numpy()
    residual = torch.randn(shape[0], 7, generator=generator, dtype=torch.float64)
    shares = torch.rand(shape[0], generator=generator, dtype=torch.float64)
    sums = np.stack([np.abs(wide).T @ shares.numpy(), (wide**2).T @ shares.numpy()], axis=1)
    with dispatch.force(implementation):
        assert dispatch.chosen("dense_columns", "cpu") == implementation
        np.testing.assert_allclose(column_sums(matrix, shares), sums, rtol=1e-13)
        for columns in some_of(shape[1]):
            expected = wide[:, columns.numpy()].T
            products = transposed_product(matrix, residual, columns)
            np.testing.assert_allclose(products, expected @ residual.numpy(), rtol=1e-12, atol=1e-12)
            copy = selected_columns(matrix, columns)
            assert copy.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
            np.testing.assert_array_equal(copy, expected)
            assert copy.is_contiguous()


@pytest.mark.parametrize(
    "strided", [lambda X: X[:, ::2], lambda X: X.t(), lambda X: X[::2]], ids=["columns", "turned", "rows"]
)
def test_numbers_may_lie_anywhere(strided):
    matrix = strided(numbers((40, 60), torch.float32))
    residual = torch.randn(len(matrix), 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    columns = torch.arange(matrix.shape[1])[1::2]
    expected = matrix.double()[:, columns].t() @ residual
    torch.testing.assert_close(transposed_product(matrix, residual, columns), expected, rtol=1e-12, atol=1e-12)


def test_sums_do_not_depend_on_the_number_of_threads():
    matrix = numbers((300, 9000), torch.float32)
    residual = torch.randn(300, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = []
    for count in (1, None):
        with threads(count) as used:
            products = transposed_product(matrix, residual, torch.arange(9000)[::2])
            found.append((products, column_sums(matrix, residual[:, 0].abs())))
    assert used >= 2, "one core cannot show that threads make no difference"
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
