"""Differences against autograd, at kinks and far from them."""

import pytest
import torch

from gradus.check.slope import golden_at


def golden(function, x, upstream):
    return golden_at(lambda inputs: (function(inputs[0]),), (x,), (upstream,), (function(x),))


@pytest.mark.parametrize("function", [torch.sin, torch.exp, torch.nn.functional.softplus])
def test_smooth_functions_agree_with_autograd_within_the_error_stated(function):
    generator = torch.Generator().manual_seed(1)
    x, upstream, direction = (torch.randn(50, generator=generator, dtype=torch.float64) for _ in range(3))
    slope = golden(function, x, upstream).along(0, direction)
    leaf = x.clone().requires_grad_()
    exact = float((torch.autograd.grad(function(leaf), leaf, upstream)[0] * direction).sum())
    assert not slope.kinked
    assert abs(slope.value - exact) <= 4 * slope.error
    assert slope.error < 1e-7


def test_both_sides_of_a_kink():
    slope = golden(torch.abs, torch.zeros(1, dtype=torch.float64), torch.ones(1).double()).along(
        0, torch.ones(1).double()
    )
    assert slope.kinked
    assert (slope.left, slope.right) == pytest.approx((-1.0, 1.0))
    assert slope.distance(0.3) == 0.0
    assert slope.distance(1.5) == pytest.approx(0.5)


def test_where_the_function_ends_nothing_is_known():
    slope = golden(torch.sqrt, torch.zeros(1, dtype=torch.float64), torch.ones(1).double()).along(
        0, torch.ones(1).double()
    )
    assert not slope.known
    assert slope.distance(5.0) == 0.0
