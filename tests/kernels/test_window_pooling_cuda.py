"""The pooling loops in Triton against the reference, for every variant: on a device, or in Triton's interpreter."""

import math

import pytest
import torch

import catalogue
import implementations
from gradus import layers
from gradus.kernels import dispatch
from gradus.layers import Bins, windows

pytestmark = [
    pytest.mark.skipif(not dispatch.can_compile("cuda"), reason="triton is not installed"),
    # the interpreter divides by zero, and subtracts infinities, as a device does; NumPy tells of it
    pytest.mark.filterwarnings("ignore:.* encountered in .*:RuntimeWarning"),
    *([pytest.mark.gpu] if torch.cuda.is_available() else []),
]
DEVICE, INTERPRETED = implementations.device_of("cuda"), implementations.is_interpreted("cuda")
FEW = ("max", "average of what is inside", "l3", "soft", "lip", "gem positive")
OVERLAPPING = windows(2, 3, 2, 1)
UNEVEN = windows(2, (3, 2), (1, 3), ((1, 0), (0, 1)), (2, 1), ceil_mode=True)
INSIDE = windows(2, (3, 2), (1, 2), 0, (2, 1))
OTHERS = {
    "on a line": (windows(1, 3, 2, 1), (2, 3, 20)),
    "in space": (windows(3, 2, 1, 1), (1, 2, 3, 4, 5)),
    "side by side": (windows(2, 2), (2, 5, 7, 9)),
    "more taps than are written out": (windows(2, (3, 11), 1, 1), (1, 2, 3, 12)),
    "bins that share positions": (Bins((3, 4)), (2, 3, 7, 10)),
    "bins that divide the size": (Bins((3, 5)), (2, 3, 6, 10)),
    "no samples": (windows(2, 2), (0, 3, 4, 4)),
}
LEARNING = {
    "gem": lambda x, weights, w: layers.gem_pool(x.abs() + 0.1, weights[:1] + 2, w, least=0.01),
    "mixed": lambda x, weights, w: layers.mixed_pool(x, weights[:1], w),
    "gated": lambda x, weights, w: layers.gated_pool(x, weights.reshape(w.kernel), w),
    "weighted": lambda x, weights, w: layers.weighted_pool(x, weights.reshape(w.kernel), w),
    "ranks": lambda x, weights, w: layers.rank_pool(x.round(decimals=1), weights.flip(0), INSIDE),
}


def draw(name, *shape, dtype=torch.float64):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return (x.abs() + 0.1 if name.endswith("positive") else x).to(dtype)


def value_and_gradient(layer, x, implementation):
    x = x.detach().requires_grad_()
    with dispatch.force(implementation):
        assert dispatch.chosen("window_pooling", x.device.type) == implementation
        y = layer(x)
        upstream = torch.linspace(-1, 2, y.numel(), dtype=torch.float64).reshape(y.shape).to(y)
        return y.detach(), torch.autograd.grad(y, x, upstream)[0]


def compare(layer, x, tolerance):
    """Hold what the kernel finds on its device against the reference on the processor."""
    wanted = value_and_gradient(layer, x, "reference")
    found = value_and_gradient(layer, x.to(DEVICE), "cuda")
    for own, other in zip(found, wanted, strict=True):
        assert own.dtype == other.dtype
        torch.testing.assert_close(own.cpu(), other, rtol=tolerance, atol=tolerance, equal_nan=True)
    return found


CASES = {
    "uneven": (UNEVEN, torch.contiguous_format, catalogue.POOLING),
    # step by step these would take longer than they tell of more
    "overlapping in channels last": (OVERLAPPING, torch.channels_last, FEW if INTERPRETED else catalogue.POOLING),
}


@pytest.mark.parametrize(("case", "name"), [(case, name) for case in CASES for name in CASES[case][2]])
def test_every_variant_is_its_reference(case, name):
    geometry, layout, _ = CASES[case]
    x = draw(name, 2, 5, 7, 9).contiguous(memory_format=layout)
    value, gradient = compare(lambda x: catalogue.POOLING[name](x, geometry), x, 1e-12)
    assert value.is_contiguous(memory_format=layout) and gradient.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("name", ["max", "soft"])
@pytest.mark.parametrize("case", OTHERS)
def test_other_windows(name, case):
    geometry, shape = OTHERS[case]
    compare(lambda x: catalogue.POOLING[name](x, geometry), draw(name, *shape), 1e-12)


@pytest.mark.parametrize("name", [name for name in FEW if name != "lip"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 3e-6), (torch.float16, 2e-3), (torch.bfloat16, 2e-2)], ids=str
)
def test_types_computed_in_single_precision(name, dtype, tolerance):
    x = draw(name, 2, 3, 6, 7, dtype=dtype)
    compare(lambda x: catalogue.POOLING[name](x, UNEVEN), x, tolerance)


@pytest.mark.parametrize("name", LEARNING)
def test_weights_get_their_gradients(name):
    x, found = draw(name, 2, 3, 7, 9), []
    for implementation, device in (("reference", "cpu"), ("cuda", DEVICE)):
        weights = torch.linspace(0.2, 0.9, 6, dtype=torch.float64, device=device, requires_grad=True)
        with dispatch.force(implementation):
            y = LEARNING[name](x.to(device), weights, UNEVEN)
            found.append(torch.autograd.grad((y * y).sum(), weights)[0].cpu())
    assert found[0].count_nonzero() == (1 if name in ("gem", "mixed") else 6)
    torch.testing.assert_close(found[1], found[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["max", "min", "average", "l1", "l2", "l3", "log-sum-exp", "soft"])
def test_numbers_that_are_none_infinite_or_huge(name):
    x = draw(name, 1, 2, 6, 6, dtype=torch.float32)
    x[0, 0, 1, 1], x[0, 0, 4, 0], x[0, 1, :2, :2] = math.nan, math.inf, -math.inf
    x[0, 1, 4:, 4:] = torch.tensor([[1e38, -1e38], [1e-40, -3e38]])
    with dispatch.force("reference"):
        wanted = catalogue.POOLING[name](x, windows(2, 2))
    with dispatch.force("cuda"):
        found = catalogue.POOLING[name](x.to(DEVICE), windows(2, 2))
    assert wanted.isnan().any() and (wanted.isinf().any() or name == "soft")
    torch.testing.assert_close(found.cpu(), wanted, equal_nan=True)


def test_the_winner_and_its_gradient_are_torchs():
    x = draw("max", 2, 3, 9, 9, dtype=torch.float32).round(decimals=1)
    peer = torch.nn.functional.max_pool2d(x.requires_grad_(), 3, 2, 1, return_indices=True)
    with dispatch.force("cuda"):
        mine = x.detach().to(DEVICE).requires_grad_()
        value, indices = layers.max_pool2d(mine, 3, 2, 1, return_indices=True)
        assert torch.equal(value.cpu(), peer[0]) and torch.equal(indices.cpu(), peer[1])
        (gradient,) = torch.autograd.grad(layers.max_pool(mine, OVERLAPPING).sum(), mine)
    assert torch.equal(gradient.cpu(), torch.autograd.grad(peer[0].sum(), x)[0])


def test_a_view_that_is_in_no_layout_is_pooled_too():
    x = draw("max", 2, 6, 9, 16)
    compare(lambda x: layers.lp_pool(x, 2, windows(2, 2)), x[:, ::2, 1:, ::2], 1e-12)


@pytest.mark.parametrize("geometry", [INSIDE, windows(2, 3, 2)], ids=["uneven", "overlapping"])
def test_ranks(geometry):
    x = draw("max", 2, 3, 6, 6).round(decimals=1)
    x[0, 0, 2, 2] = math.nan
    weights = torch.linspace(1, -0.5, math.prod(geometry.kernel), dtype=torch.float64)
    compare(lambda x: layers.rank_pool(x, weights.to(x), geometry), x, 1e-12)


def test_drawn_windows_are_the_references():
    uniform = torch.rand(2, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = draw("max", 2, 3, 6, 6)
    compare(lambda x: layers.fractional_max_pool2d(x, 2, output_size=4, samples=uniform.to(x)), x, 0)
