"""Sorted l1 against an exhaustive search over the order, and its special cases."""

import itertools

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import torch

from gradus.core.errors import InputError
from gradus.penalties import L1, LInf, Slope


def by_every_order(v, weights):
    """Of every order and signs as in v: the nearest sequence with |x| in that order, by SciPy."""
    best = (np.inf, None)
    for order in itertools.permutations(range(len(v))):
        size = np.abs(v)[list(order)]
        fit = scipy.optimize.isotonic_regression(size - weights, increasing=False).x.clip(0)
        x = np.zeros_like(v)
        x[list(order)] = fit
        value = 0.5 * ((x - np.abs(v)) ** 2).sum() + weights @ np.sort(x)[::-1]
        best = min(best, (value, tuple(x * np.sign(v))))
    return np.array(best[1])


@pytest.mark.parametrize("seed", range(6))
def test_equals_every_order_tried(seed):
    generator = np.random.default_rng(seed)
    v, weights = generator.normal(size=5) * 2, np.sort(generator.uniform(0, 1, 5))[::-1].copy()
    found = Slope(torch.from_numpy(weights)).prox(torch.from_numpy(v), 1.0)
    np.testing.assert_allclose(found.numpy(), by_every_order(v, weights), atol=1e-12)


def test_equal_weights_are_l1_and_one_weight_is_the_largest_entry():
    v = torch.randn(40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(Slope(torch.full((40,), 0.3)).prox(v, 1.0), L1(0.3).prox(v, 1.0), rtol=1e-6, atol=1e-8)
    first = torch.tensor([0.7] + [0.0] * 39, dtype=torch.float64)
    torch.testing.assert_close(Slope(first).prox(v, 1.0), LInf(0.7).prox(v, 1.0))
    assert Slope(first).gauge(v) == pytest.approx(LInf(0.7).gauge(v))


def test_the_weights_for_false_discoveries_are_scipys_quantiles():
    found = Slope.for_false_discoveries(2.0, size=50, rate=0.2).weights.numpy()
    np.testing.assert_allclose(found, 2 * scipy.stats.norm.isf(np.arange(1, 51) * 0.2 / 100), rtol=1e-12)


def test_rows_are_taken_one_by_one():
    rows = torch.randn(3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for penalty in (Slope(torch.tensor([0.9, 0.5, 0.5, 0.1])), LInf(0.8)):
        together = penalty.prox_of_rows(rows, 0.5)
        assert torch.equal(together, torch.stack([penalty.prox(row, 0.5) for row in rows]))
        torch.testing.assert_close(penalty.values_of_rows(rows), torch.stack([penalty.value(row) for row in rows]))


def test_wrong_weights_are_refused():
    for weights in ([0.1, 0.2], [0.1, -0.1], [float("inf"), 0.0]):
        with pytest.raises(InputError, match="not rising"):
            Slope(torch.tensor(weights))
    with pytest.raises(InputError, match="3 entries and has 2 weights"):
        Slope(torch.ones(2)).value(torch.ones(3))
    with pytest.raises(InputError, match="rate in"):
        Slope.for_false_discoveries(1.0, 3, rate=1.5)
