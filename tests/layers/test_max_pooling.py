"""Max and min pooling against torch: values, indices, gradients, in every layout and type."""

import itertools
import math

import pytest
import torch
from torch.nn import functional

from gradus.core.errors import InputError
from gradus.layers import MaxPool1d, MaxPool2d, MaxPool3d, MinPool2d, Same, max_pool2d

GENERATOR = torch.Generator().manual_seed(0)
GEOMETRIES = list(itertools.product([(2, 2), (3, 2), (3, 1), (5, 3), (2, 4)], [0, 1], [1, 2], [False, True]))


def draw(*shape, dtype=torch.float64):
    # few different numbers, so that windows hold ties
    return torch.randint(-4, 5, shape, generator=GENERATOR).to(dtype)


def gradient(function, x):
    x = x.detach().requires_grad_()
    y = function(x)
    # so small that sums of them are exact in bfloat16, in which torch adds and gradus does not
    upstream = (torch.arange(y.numel()) % 16 + 1).reshape(y.shape)
    return y.detach(), torch.autograd.grad((y * upstream).sum(), x)[0]


@pytest.mark.parametrize(("sizes", "padding", "dilation", "ceil"), GEOMETRIES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_every_geometry_is_torchs(sizes, padding, dilation, ceil, layout):
    x = draw(2, 3, 13, 16, dtype=torch.float32).contiguous(memory_format=layout)
    options = (*sizes, padding, dilation, ceil)
    for ours, theirs in zip(
        gradient(lambda t: max_pool2d(t, *options), x),
        gradient(lambda t: functional.max_pool2d(t, *options), x),
        strict=True,
    ):
        assert torch.equal(ours, theirs)
        assert ours.stride() == theirs.stride()
    if layout == torch.contiguous_format:
        ours, theirs = (f(x, *options, True)[1] for f in (max_pool2d, functional.max_pool2d))
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("view", [lambda x: x, lambda x: x.transpose(2, 3), lambda x: x[:, ::2, 1:], lambda x: x[:0]])
def test_every_type_and_view_is_torchs(dtype, view):
    x = view(draw(2, 4, 9, 11, dtype=dtype))
    for ours, theirs in zip(gradient(MaxPool2d(3, 2), x), gradient(torch.nn.MaxPool2d(3, 2), x), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs", "shape"),
    [
        (MaxPool1d(3, 2, 1), torch.nn.MaxPool1d(3, 2, 1), (2, 3, 12)),
        (MaxPool3d((2, 3, 1), 2, (1, 1, 0)), torch.nn.MaxPool3d((2, 3, 1), 2, (1, 1, 0)), (2, 3, 5, 7, 6)),
        (MaxPool2d(3), torch.nn.MaxPool2d(3), (3, 9, 7)),
    ],
)
def test_one_and_three_axes_and_no_samples(ours, theirs, shape):
    x = draw(*shape)
    for own, other in zip(gradient(ours, x), gradient(theirs, x), strict=True):
        assert torch.equal(own, other)


def test_nan_wins_and_infinity_loses_as_in_torch():
    x = draw(1, 2, 8, 8)
    x[0, 0, 3:5] = math.nan
    x[0, 1] = -math.inf
    ours, theirs = (f(x, 3, 2, 1, 1, False, True) for f in (max_pool2d, functional.max_pool2d))
    torch.testing.assert_close(ours[0], theirs[0], rtol=0, atol=0, equal_nan=True)
    assert torch.equal(ours[1], theirs[1])


def test_windows_of_more_than_256_positions():
    x = torch.randn(2, 2, 40, 41, generator=GENERATOR)
    ours, theirs = (f(x, 17, 5, return_indices=True) for f in (max_pool2d, functional.max_pool2d))
    assert torch.equal(ours[0], theirs[0])
    assert torch.equal(ours[1], theirs[1])


def test_the_minimum_is_the_maximum_of_the_negative():
    x = torch.randn(2, 3, 9, 8, generator=GENERATOR, dtype=torch.float64)
    ours = gradient(MinPool2d(3, 2, 1), x)
    theirs = gradient(lambda t: -functional.max_pool2d(-t, 3, 2, 1), x)
    assert torch.equal(ours[0], theirs[0])
    assert torch.equal(ours[1], theirs[1])


def test_the_gradient_has_the_same_bits_on_one_thread():
    x = torch.randn(64, 8, 56, 56, generator=GENERATOR)
    both = gradient(MaxPool2d(3, 2), x)
    torch.set_num_threads(1)
    for one, two in zip(gradient(MaxPool2d(3, 2), x), both, strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: MaxPool2d(0), "kernel_size is 0"),
        (lambda: MaxPool2d(2, padding=2), "padding is"),
        (lambda: MaxPool2d((2, 2, 2)), "one number or 2"),
        (lambda: MaxPool2d(5)(torch.zeros(1, 1, 4, 4)), "no window of 5 fits an input of 4"),
        (lambda: MaxPool2d(2)(torch.zeros(4, 4)), r"shape \(4, 4\)"),
        (lambda: MaxPool2d(2)(torch.zeros(1, 4, 4, dtype=torch.int64)), "torch.int64"),
    ],
)
def test_what_is_wrong_is_said(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_tools_read_of_it_what_they_read_of_torchs():
    ours, theirs = (
        MaxPool2d((3, 2), 2, (1, 0), ceil_mode=True),
        torch.nn.MaxPool2d((3, 2), (2, 2), (1, 0), (1, 1), ceil_mode=True),
    )
    for name in ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert "kernel_size=(3, 2), stride=(2, 2), padding=(1, 0)" in repr(ours)
    assert MaxPool2d(3, padding=((0, 1), (1, 1))).padding == ((0, 1), (1, 1))
    assert "Same.UPPER" in repr(MaxPool2d(3, padding=Same.UPPER))
