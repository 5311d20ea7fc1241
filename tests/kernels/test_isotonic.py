"""Isotonic regression: every implementation against SciPy's."""

import numpy as np
import pytest
import scipy.optimize
import torch

from gradus.core.errors import InputError
from gradus.kernels import dispatch
from gradus.kernels.isotonic import nonincreasing

each = pytest.mark.parametrize("implementation", dispatch.implementations("isotonic"))


@each
@pytest.mark.parametrize("n", [1, 2, 3, 50, 1000])
@pytest.mark.parametrize("kind", ["noise", "ties", "rising", "falling", "huge"])
def test_equals_scipy(implementation, n, kind):
    generator = np.random.default_rng(n)
    rows = generator.normal(size=(4, n))
    rows = {
        "noise": rows,
        "ties": rows.round(),
        "rising": np.sort(rows),
        "falling": -np.sort(rows),
        "huge": rows * 1e20 ** generator.uniform(-1, 1, rows.shape),
    }[kind]
    with dispatch.force(implementation):
        found = nonincreasing(torch.from_numpy(rows)).numpy()
    expected = np.stack([scipy.optimize.isotonic_regression(row, increasing=False).x for row in rows])
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12 * np.abs(rows).max())
    assert (np.diff(found, axis=1) <= 0).all()


@each
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_of_nothing(implementation, shape):
    with dispatch.force(implementation):
        assert nonincreasing(torch.zeros(shape, dtype=torch.float64)).shape == shape


@each
def test_strided_rows_are_read_and_left_alone(implementation):
    rows = torch.randn(6, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before = rows.clone()
    with dispatch.force(implementation):
        assert torch.equal(nonincreasing(rows.T[::2]), nonincreasing(rows.T[::2].contiguous()))
    assert torch.equal(rows, before)


def test_another_type_or_shape_is_refused():
    with pytest.raises(InputError, match="float64 was expected"):
        nonincreasing(torch.zeros(2, 2))
    with pytest.raises(InputError, match="float64 was expected"):
        nonincreasing(torch.zeros(2, dtype=torch.float64))
