"""The prox of a norm in a diagonal metric against mpmath's root, its optimality, and the plain group lasso."""

import mpmath
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.core.errors import InputError
from gradus.penalties import GroupLasso, norm_prox_in_metric


def rows(seed, count=4, n=5):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, n, generator=generator, dtype=torch.float64)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**31), spread=st.floats(0, 20), strength=st.floats(1e-6, 1e3), scale=st.floats(-8, 8))
def test_the_gradient_vanishes_or_zero_is_best(seed, spread, strength, scale):
    z = 10**scale * rows(seed)
    metric = 10 ** (
        spread * (torch.rand(4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 0.5)
    )
    found = norm_prox_in_metric(z, metric, strength)
    for x, v, d in zip(found, z, metric, strict=True):
        pull = torch.linalg.vector_norm(d * v)
        if pull <= strength:
            assert not x.any()
        else:
            gradient = d * (x - v) + strength * x / torch.linalg.vector_norm(x)
            assert torch.linalg.vector_norm(gradient) <= 1e-9 * pull


def test_equals_mpmaths_root():
    z, metric = rows(1, 1)[0], torch.tensor([1e-6, 1e-3, 1.0, 1e3, 1e6], dtype=torch.float64)
    with mpmath.workdps(50):
        terms = [(mpmath.mpf(d), mpmath.mpf(v)) for d, v in zip(metric.tolist(), z.tolist(), strict=True)]
        r = mpmath.findroot(
            lambda r: sum((d * v / (d * r + 2)) ** 2 for d, v in terms) - 1, (0.1, 5.0), solver="anderson"
        )
        expected = [float(d * r * v / (d * r + 2)) for d, v in terms]
    found = norm_prox_in_metric(z[None], metric, 2.0)[0]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-10, atol=0)


def test_of_a_constant_metric_it_is_the_group_lasso():
    z = rows(2)
    found = norm_prox_in_metric(z, torch.tensor([4.0]), 0.7)
    torch.testing.assert_close(found, GroupLasso(0.7).prox(z, step=0.25), rtol=1e-14, atol=0)


def test_the_edges():
    z = rows(3)
    assert torch.equal(norm_prox_in_metric(z, torch.ones(5), 0.0), z)
    assert norm_prox_in_metric(z, torch.ones(5), 0.0) is not z
    assert not norm_prox_in_metric(torch.zeros(2, 3), torch.ones(3), 1.0).any()
    assert norm_prox_in_metric(torch.zeros(0, 3), torch.ones(3), 1.0).shape == (0, 3)
    assert norm_prox_in_metric(torch.zeros(3, 0), torch.ones(0), 1.0).shape == (3, 0)
    assert norm_prox_in_metric(z.float(), torch.ones(5), 0.5).dtype == torch.float32
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="not positive and finite"):
            norm_prox_in_metric(z, torch.tensor([1.0, 1.0, wrong, 1.0, 1.0]), 1.0)
