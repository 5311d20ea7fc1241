"""Every implementation of the inner product, against exact sums of exact products."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.kernels import dispatch
from gradus.kernels.inner_product import inner_product

IMPLEMENTATIONS = [name for name in dispatch.implementations("inner_product") if name != "cuda"]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@settings(deadline=None, max_examples=40)
@given(rows=st.integers(0, 70), columns=st.integers(0, 40), seed=st.integers(0, 2**31), single=st.booleans())
def test_is_the_sum_of_products_in_float64(implementation, rows, columns, seed, single):
    generator = torch.Generator().manual_seed(seed)
    dtype = torch.float32 if single else torch.float64
    left, right = (torch.randn(rows, columns, generator=generator, dtype=torch.float64).to(dtype) for _ in range(2))
    with dispatch.force(implementation):
        found = inner_product(left, right)
        turned = inner_product(left.t(), right.t())
    products = [a * b for a, b in zip(left.double().ravel().tolist(), right.double().ravel().tolist(), strict=True)]
    error = 1e-15 * math.fsum(abs(product) for product in products)
    assert found == pytest.approx(math.fsum(products), abs=8 * error)
    assert turned == pytest.approx(found, abs=8 * error)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_small_differences_of_large_float32_numbers_are_kept(implementation):
    left = torch.tensor([1.0, 2.0**-30, -1.0])
    with dispatch.force(implementation):
        assert inner_product(left, torch.tensor([1.0, 1.0, 1.0])) == 2.0**-30
