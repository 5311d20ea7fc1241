"""Values of windows in order, against numpy's sort and median."""

import math

import numpy as np
import pytest
import torch

from gradus import layers
from gradus.kernels import dispatch
from gradus.layers import MedianPool2d, rank_pool, windows

LAYOUTS = {
    "planes one by one": (2, 3, 7, 9),
    "planes side by side": (2, 17, 7, 9),
    "channels last": (2, 40, 7, 9),
}


def draw(layout, dtype=torch.float64, *, ties=False):
    shape = LAYOUTS[layout]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    x = (2 * x).round() / 2 if ties else x
    return x.to(dtype).contiguous(
        memory_format=torch.channels_last if layout == "channels last" else torch.contiguous_format
    )


def cut(x, kernel, stride):
    return x.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4)


def results(x, weights, geometry):
    x, weights = x.detach().requires_grad_(), weights.detach().requires_grad_()
    value = rank_pool(x, weights, geometry)
    upstream = torch.linspace(-1, 2, value.numel(), dtype=torch.float64).reshape(value.shape).to(value.dtype)
    return (value.detach(), *torch.autograd.grad(value, (x, weights), upstream))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (5, 1)])
def test_values_are_numpys_in_order(layout, kernel, stride):
    x, weights = draw(layout), torch.randn(kernel * kernel, dtype=torch.float64)
    wanted = -np.sort(-cut(x, kernel, stride).numpy(), -1) @ weights.numpy()
    found = rank_pool(x, weights, windows(2, kernel, stride))
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (2, 1)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-6), (torch.float64, 1e-13)])
def test_the_kernel_is_its_reference_where_values_are_equal(layout, kernel, stride, dtype, tolerance):
    x, weights = draw(layout, dtype, ties=True), torch.arange(1.0, 1 + kernel * kernel, dtype=dtype)
    with dispatch.force("reference"):
        wanted = results(x, weights, windows(2, kernel, stride))
    for own, other in zip(results(x, weights, windows(2, kernel, stride)), wanted, strict=True):
        assert (own - other).abs().max() <= tolerance * other.abs().max()


@pytest.mark.parametrize(("kernel", "dtype"), [(2, torch.float32), (3, torch.float32), (4, torch.float64)])
def test_the_median_is_numpys_and_shares_its_gradient(kernel, dtype):
    x = draw("planes side by side", dtype).requires_grad_()
    value = MedianPool2d(kernel)(x)
    windows_of_x = cut(x.detach(), kernel, kernel).numpy()
    np.testing.assert_allclose(value.detach().numpy(), np.median(windows_of_x, -1), rtol=1e-6)
    # one gets all, or the two in the middle get a half each
    gradient = cut(torch.autograd.grad(value.sum(), x)[0], kernel, kernel).numpy()
    taps = kernel * kernel
    places = np.argsort(windows_of_x, -1)[..., [(taps - 1) // 2, taps // 2]]
    wanted = np.zeros_like(gradient)
    for place in np.moveaxis(places, -1, 0):
        np.put_along_axis(wanted, place[..., None], np.take_along_axis(wanted, place[..., None], -1) + 0.5, -1)
    np.testing.assert_array_equal(gradient, wanted)


@pytest.mark.parametrize("implementation", ["cpu", "reference"])
def test_what_is_not_finite(implementation):
    x = torch.tensor([[[1.0, math.inf, 3.0, -math.inf, -math.inf, 5.0, math.nan, 1.0, 2.0, 4.0, 4.0, 4.0]]])
    with dispatch.force(implementation):
        found = layers.MedianPool1d(3)(x)
    # an infinite value in the middle counts, one at either end does not; NaN makes a window NaN, as numpy has it
    np.testing.assert_array_equal(found[0, 0].numpy(), np.median(x.reshape(4, 3).numpy(), -1))


def test_halves_are_near_float64():
    for dtype, tolerance in ((torch.float16, 1e-3), (torch.bfloat16, 8e-3)):
        x = draw("planes side by side", dtype)
        found = MedianPool2d(2)(x)
        assert found.dtype == dtype
        assert (found.double() - MedianPool2d(2)(x.double())).abs().max() <= tolerance * x.abs().max()


def test_nothing_is_kept_but_the_input():
    kept = []
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        MedianPool2d(2)(x)
    assert sum(t.numel() for t in kept if t is not x) <= 4


def test_wrong_weights_and_edges_are_refused():
    x = torch.zeros(1, 1, 5, 5)
    with pytest.raises(ValueError, match="there are 3 weights"):
        rank_pool(x, torch.ones(3), windows(2, 2))
    with pytest.raises(ValueError, match="reaches over the edge"):
        rank_pool(x, torch.ones(4), windows(2, 2, 2, ceil_mode=True))
