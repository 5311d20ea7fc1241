"""TF32 is off inside, and what it was outside."""

import pytest
import torch

from gradus.kernels.full_precision import full_float32


@pytest.fixture
def allowed():
    """TF32 is allowed, as many programs do that train networks."""
    before = torch.backends.cuda.matmul.fp32_precision
    torch.backends.cuda.matmul.allow_tf32 = True
    yield
    torch.backends.cuda.matmul.allow_tf32 = before == "tf32"


def test_what_is_allowed_outside_is_not_inside(allowed):
    with full_float32():
        assert torch.backends.cuda.matmul.fp32_precision != "tf32"
    assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    with pytest.raises(RuntimeError, match="inside"), full_float32():
        raise RuntimeError("inside")
    assert torch.backends.cuda.matmul.fp32_precision == "tf32"


def test_nothing_is_touched_where_it_is_not_allowed():
    before = torch.backends.cuda.matmul.fp32_precision
    with full_float32():
        assert torch.backends.cuda.matmul.fp32_precision == before
    assert torch.backends.cuda.matmul.fp32_precision == before


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_products_on_a_gpu_keep_all_bits(allowed):
    from gradus.kernels.skinny_product import product

    matrix = torch.randn(512, 256, generator=torch.Generator().manual_seed(0)).cuda()
    weights = torch.randn(256, 64, generator=torch.Generator().manual_seed(1)).cuda()
    exact = matrix.double() @ weights.double()
    assert (product(matrix, weights) - exact).abs().max() < 1e-4 < (matrix @ weights - exact).abs().max()
