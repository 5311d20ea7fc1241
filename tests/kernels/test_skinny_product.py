"""Every implementation of the skinny products, against exact fractions and against the reference."""

from fractions import Fraction

import numba
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.kernels import dispatch
from gradus.kernels.chosen_rows import ChosenRows
from gradus.kernels.skinny_product import product, transposed_product

IMPLEMENTATIONS = [name for name in dispatch.implementations("skinny_product") if name != "cuda"]
TYPES = [(torch.float32, torch.float32), (torch.float64, torch.float64), (torch.float32, torch.float64)]


@pytest.fixture(scope="module", autouse=True)
def wide_from_few_columns():
    """Both ways of multiplying are run by small problems."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradus.kernels.skinny_product.cpu.WIDE", 32)
        yield


def draw(rows, columns, seed, dtype):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=generator, dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_small_whole_numbers_are_exact(implementation):
    X = torch.arange(35.0).reshape(7, 5) - 17
    W = torch.arange(15.0).reshape(5, 3) - 7
    exact = [
        [sum(Fraction(a) * Fraction(b) for a, b in zip(r, c, strict=True)) for c in W.T.tolist()] for r in X.tolist()
    ]
    with dispatch.force(implementation):
        assert product(X, W).tolist() == [[float(value) for value in row] for row in exact]
        assert transposed_product(X.T.contiguous(), W).tolist() == product(X, W).tolist()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("types", TYPES)
@settings(deadline=None, max_examples=30)
@given(rows=st.integers(0, 300), columns=st.integers(0, 70), outputs=st.integers(0, 40), seed=st.integers(0, 2**31))
def test_agrees_with_torch_in_float64(implementation, types, rows, columns, outputs, seed):
    X, W = draw(rows, columns, seed, types[0]), draw(columns, outputs, seed + 1, types[1])
    R = draw(rows, outputs, seed + 2, types[1])
    tolerance = 100 * torch.finfo(types[1]).eps
    with dispatch.force(implementation):
        assert dispatch.chosen("skinny_product", "cpu") == implementation
        forward, back = product(X, W), transposed_product(X, R)
    assert forward.dtype == back.dtype == types[1]
    torch.testing.assert_close(forward.double(), X.double() @ W.double(), rtol=tolerance, atol=tolerance * 10)
    torch.testing.assert_close(back.double(), X.double().T @ R.double(), rtol=tolerance, atol=tolerance * 20)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_any_layout(implementation):
    X, W, R = draw(50, 9, 0, torch.float64), draw(9, 4, 1, torch.float64), draw(50, 4, 2, torch.float64)
    wide = draw(100, 27, 3, torch.float64)
    wide[::2, ::3] = X
    with dispatch.force(implementation):
        for matrix in (X.T.contiguous().T, wide[::2, ::3], ChosenRows(wide[:, ::3], torch.arange(0, 100, 2))):
            torch.testing.assert_close(product(matrix, W.T.contiguous().T), X @ W)
            torch.testing.assert_close(transposed_product(matrix, R.T.contiguous().T), X.T @ R)


@pytest.mark.parametrize("outputs", [4, 40])
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_chosen_rows_in_any_order_more_than_once(implementation, outputs):
    X, W = draw(300, 21, 0, torch.float32), draw(21, outputs, 1, torch.float32)
    numbers = torch.randint(300, (500,), generator=torch.Generator().manual_seed(2))
    R = draw(500, outputs, 3, torch.float32)
    with dispatch.force(implementation):
        chosen, copied = ChosenRows(X, numbers), X[numbers]
        assert torch.equal(product(chosen, W), product(copied, W))
        assert torch.equal(transposed_product(chosen, R), transposed_product(copied, R))


def test_same_bits_on_one_thread_and_on_all():
    X, W, R = draw(20_000, 50, 0, torch.float32), draw(50, 10, 1, torch.float32), draw(20_000, 10, 2, torch.float32)
    many = product(X, W), transposed_product(X, R)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one = product(X, W), transposed_product(X, R)
    finally:
        numba.set_num_threads(before)
    assert torch.equal(many[0], one[0])
    assert torch.equal(many[1], one[1])
