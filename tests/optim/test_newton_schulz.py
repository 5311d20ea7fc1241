import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim._muon import _zeropower_via_newtonschulz

from gradus.core.errors import InputError
from gradus.optim import QUINTIC, newton_schulz


def draw(rows, columns, seed=0):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (6, 6), (1, 7), (7, 1)])
def test_converging_coefficients_lead_to_the_polar_factor(shape):
    matrix = draw(*shape)
    factor, _ = scipy.linalg.polar(matrix.numpy())
    found = newton_schulz(matrix, iterations=40, coefficients=(1.875, -1.25, 0.375))
    np.testing.assert_allclose(found.numpy(), factor, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(rows=st.integers(1, 12), columns=st.integers(1, 12), seed=st.integers(0, 1000))
def test_singular_values_go_their_own_way(rows, columns, seed):
    matrix = draw(rows, columns, seed)
    left, values, right = np.linalg.svd(matrix.numpy(), full_matrices=False)
    s = values / np.linalg.norm(values)
    a, b, c = QUINTIC
    for _ in range(5):
        s = a * s + b * s**3 + c * s**5
    np.testing.assert_allclose(newton_schulz(matrix).numpy(), left * s @ right, atol=1e-10)


def test_what_the_documentation_says_of_five_iterations():
    s = np.geomspace(0.003, 1, 100_000)
    a, b, c = QUINTIC
    for _ in range(5):
        s = a * s + b * s**3 + c * s**5
    assert 0.68 <= s.min() < s.max() <= 1.21


@pytest.mark.parametrize("shape", [(16, 40), (40, 16)])
def test_bfloat16_to_the_bit_as_torch(shape):
    matrix = draw(*shape).float()
    theirs = _zeropower_via_newtonschulz(matrix, QUINTIC, 5, 1e-7)
    assert torch.equal(newton_schulz(matrix.bfloat16()), theirs)


def test_zeros_stay_zeros_and_shapes_are_checked():
    assert not newton_schulz(torch.zeros(3, 4)).any()
    with pytest.raises(InputError, match=r"\(3,\)"):
        newton_schulz(torch.zeros(3))
    with pytest.raises(InputError, match=r"torch.int64"):
        newton_schulz(torch.ones(3, 3, dtype=torch.int64))
