"""What docs/pooling.md says of padding, of what is kept for the gradient, and of threads."""

import math

import pytest
import torch
from torch.nn import functional

import catalogue
from gradus.core.errors import InputError
from gradus.kernels.threads import LEAST_OPERATIONS
from gradus.layers import GatedPool2d, GeMPool2d, MaxPool2d, MixedPool2d, RankPool2d, max_pool, max_pooling, windows
from gradus.layers.operators import Inputs

# by name in the catalogue: the formula over (..., positions) and whether each is inside
FORMULAS = {
    "max": lambda v, inside: v.masked_fill(~inside, -math.inf).amax(-1),
    "min": lambda v, inside: v.masked_fill(~inside, math.inf).amin(-1),
    "average": lambda v, inside: v.mean(-1),
    "average of what is inside": lambda v, inside: v.sum(-1) / inside.sum(-1),
    "sum": lambda v, inside: v.sum(-1),
    "l1": lambda v, inside: v.abs().sum(-1),
    "l2": lambda v, inside: v.square().sum(-1).sqrt(),
    "l3": lambda v, inside: v.abs().pow(3).sum(-1).pow(1 / 3),
    "log-sum-exp": lambda v, inside: ((2 * v).exp() * inside).sum(-1).div(inside.sum(-1)).log() / 2,
    "soft": lambda v, inside: (v.exp() * inside * v).sum(-1) / (v.exp() * inside).sum(-1),
}
# kernel 3; padding before and after on both axes, dilation
WIDE = {
    "all but one": (((2, 2), (2, 2)), 1),
    "on one side": (((2, 0), (0, 2)), 1),
    "dilated": (((4, 3), (0, 4)), 2),
}


def unfolded(x, padding, dilation):
    (top, bottom), (left, right) = padding
    reach = 2 * dilation + 1
    padded = functional.pad(x, (left, right, top, bottom))
    cut = padded.unfold(2, reach, 2)[..., ::dilation].unfold(3, reach, 2)[..., ::dilation]
    return cut.flatten(4)


@pytest.mark.parametrize("given", WIDE)
@pytest.mark.parametrize("name", FORMULAS)
def test_padding_beyond_half_a_window(name, given):
    padding, dilation = WIDE[given]
    x = torch.randn(2, 3, 7, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    found = catalogue.POOLING[name](x, windows(2, 3, 2, padding, dilation))
    inside = unfolded(torch.ones_like(x), padding, dilation) > 0
    expected = FORMULAS[name](unfolded(x, padding, dilation), inside)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    upstream = torch.linspace(-1, 2, found.numel(), dtype=torch.float64).reshape(found.shape)
    ours, theirs = (torch.autograd.grad(y, x, upstream)[0] for y in (found, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_torch_stops_at_half_and_gradus_at_a_window():
    x = torch.zeros(1, 1, 6, 6)
    with pytest.raises(RuntimeError, match="half"):
        functional.max_pool2d(x, 3, 2, 2)
    assert MaxPool2d(3, 2, 2)(x).shape == (1, 1, 4, 4)
    with pytest.raises(ValueError, match="a window would lie in the padding") as told:
        MaxPool2d(3, 2, 3)
    assert type(told.value) is InputError


SAME_BITS = ("average", "l2", "l3", "soft", "log-sum-exp", "gem positive", "mixed", "weighted")


@pytest.mark.parametrize("name", SAME_BITS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_have_the_same_bits_on_one_thread_and_on_two(name, layout):
    x = torch.randn(32, 10, 60, 60, generator=torch.Generator().manual_seed(0)).abs().add(0.1)
    x = x.contiguous(memory_format=layout).requires_grad_()
    assert 4 * x.numel() >= LEAST_OPERATIONS  # so much that two threads share it
    both = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        value = catalogue.POOLING[name](x, windows(2, 3, 2, 1))
        upstream = torch.linspace(-1, 2, value.numel()).reshape(value.shape)
        both.append((value.detach(), torch.autograd.grad(value, x, upstream)[0]))
    for one, two in zip(*both, strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(
    "layer", [GeMPool2d(3, 2), MixedPool2d(3, 2), GatedPool2d(3, 2), RankPool2d(3, 2)], ids=lambda p: type(p).__name__
)
def test_gradients_of_learned_numbers_have_the_same_bits_too(layer):
    x = torch.randn(32, 10, 60, 60, generator=torch.Generator().manual_seed(0)).abs().add(0.1)
    both = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        value = layer(x)
        upstream = torch.linspace(-1, 2, value.numel()).reshape(value.shape)
        both.append(torch.autograd.grad(value, list(layer.parameters()), upstream))
    for one, two in zip(*both, strict=True):
        assert torch.equal(one, two)


def kept(function):
    """Return the tensors that autograd keeps of ``function``, but for its input."""
    found = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: found.append(t) or t, lambda t: t):
        function()
    return found


def test_the_winner_is_one_byte_and_only_where_a_gradient_is_wanted():
    geometry = windows(2, 3, 2, 1)
    x = torch.randn(2, 3, 9, 8, generator=torch.Generator().manual_seed(0))
    assert kept(lambda: max_pool(x, geometry)) == []
    assert max_pooling.MAX(x, Inputs(geometry)).winner is None
    wanted = x.clone().requires_grad_()
    with torch.no_grad():
        assert kept(lambda: max_pool(wanted, geometry)) == []
    places = [t for t in kept(lambda: max_pool(wanted, geometry)) if not t.is_floating_point()]
    assert [(t.dtype, t.numel()) for t in places] == [(torch.uint8, 2 * 3 * 5 * 4)]
