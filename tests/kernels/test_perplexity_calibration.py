import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import _t_sne

from gradus.kernels import dispatch
from gradus.kernels.perplexity_calibration import conditional_probabilities

IMPLEMENTATIONS = dispatch.implementations("perplexity_calibration")


def perplexities(probabilities):
    return torch.special.entr(probabilities.double()).sum(1).exp()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_every_row_has_the_perplexity(implementation, dtype, scale):
    squared = torch.rand(50, 60, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype) * scale
    with dispatch.force(implementation):
        probabilities = conditional_probabilities(squared, 20.0)
    assert probabilities.dtype == dtype
    torch.testing.assert_close(perplexities(probabilities), torch.full((50,), 20.0).double(), rtol=2e-6, atol=0)
    torch.testing.assert_close(probabilities.sum(1).double(), torch.ones(50).double(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_probabilities_are_those_of_scikit_learn(implementation):
    squared = (torch.rand(100, 90, generator=torch.Generator().manual_seed(1)) * 9).sort(1).values
    expected = _t_sne._utils._binary_search_perplexity(squared.numpy(), 30.0, 0)
    with dispatch.force(implementation):
        found = conditional_probabilities(squared.double(), 30.0).numpy()
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_rows_without_such_a_perplexity_get_the_nearest_there_is(implementation):
    equal = torch.full((1, 9), 3.0, dtype=torch.float64)
    few = torch.tensor([[0.0, 0.0, 0.0, 0.0, 5.0, 6.0]], dtype=torch.float64)
    with dispatch.force(implementation):
        torch.testing.assert_close(conditional_probabilities(equal, 4.0), torch.full((1, 9), 1 / 9).double())
        torch.testing.assert_close(
            conditional_probabilities(few, 2.0), torch.tensor([[0.25] * 4 + [0.0] * 2]).double(), atol=1e-12, rtol=0
        )


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 100), st.floats(0.01, 0.95), st.integers(0, 10**6), st.floats(0.1, 6))
def test_implementations_agree(count, share, seed, spread):
    generator = torch.Generator().manual_seed(seed)
    squared = torch.randn(5, count, generator=generator, dtype=torch.float64).mul(spread).exp()
    perplexity = 1 + share * (count - 1)
    with dispatch.force("reference"):
        expected = conditional_probabilities(squared, perplexity)
    torch.testing.assert_close(conditional_probabilities(squared, perplexity), expected, rtol=1e-5, atol=1e-7)
