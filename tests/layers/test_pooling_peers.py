"""Average, L_p, adaptive, fractional pooling and unpooling against torch; the rest against formulas."""

import itertools
import math

import pytest
import torch
from torch.nn import functional

from gradus import layers
from gradus.core.errors import InputError
from gradus.layers import windows

GENERATOR = torch.Generator().manual_seed(0)


def draw(*shape, dtype=torch.float64):
    return torch.randn(shape, generator=GENERATOR, dtype=torch.float64).to(dtype)


def gradient(function, x):
    x = x.detach().requires_grad_()
    y = function(x)
    return y.detach(), torch.autograd.grad((y * torch.arange(1, y.numel() + 1).reshape(y.shape)).sum(), x)[0]


def assert_same(ours, theirs, x, tolerance=1e-12):
    for own, other in zip(gradient(ours, x), gradient(theirs, x), strict=True):
        torch.testing.assert_close(own, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "options",
    list(itertools.product([(2, 2), (3, 2), (5, 3)], [0, 1], [False, True], [False, True], [None, 7])),
)
def test_average_is_torchs(options):
    (kernel, stride), padding, *rest = options
    x = draw(2, 3, 13, 16)
    assert_same(
        lambda t: layers.avg_pool2d(t, kernel, stride, padding, *rest),
        lambda t: functional.avg_pool2d(t, kernel, stride, padding, *rest),
        x,
    )
    assert_same(
        layers.AvgPool1d(kernel, stride, padding, rest[0]), torch.nn.AvgPool1d(kernel, stride, padding, rest[0]), x[0]
    )


@pytest.mark.parametrize("outputs", [1, 3, (5, None), (13, 16), (2, 4)])
def test_adaptive_is_torchs(outputs):
    x = draw(2, 3, 12, 16)
    assert_same(layers.AdaptiveMaxPool2d(outputs), torch.nn.AdaptiveMaxPool2d(outputs), x)
    assert_same(layers.AdaptiveAvgPool2d(outputs), torch.nn.AdaptiveAvgPool2d(outputs), x)
    ours, theirs = (
        module(outputs, return_indices=True)(x)[1] for module in (layers.AdaptiveMaxPool2d, torch.nn.AdaptiveMaxPool2d)
    )
    assert torch.equal(ours, theirs)
    assert_same(
        layers.AdaptiveMaxPool2d(outputs),
        torch.nn.AdaptiveMaxPool2d(outputs),
        x.contiguous(memory_format=torch.channels_last),
    )


@pytest.mark.parametrize("power", [1, 2, 4])
def test_even_powers_are_torchs_where_torch_is_right(power):
    x = draw(2, 3, 8, 9)
    x = x.abs() + 0.1 if power == 1 else x
    assert_same(lambda t: layers.lp_pool2d(t, power, 3, 2), lambda t: functional.lp_pool2d(t, power, 3, 2), x)


def test_l_p_is_right_where_torch_is_wrong():
    x = draw(1, 1, 6, 6)
    for power in (1.0, 3.0, 2.5):
        wanted = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).norm(p=power, dim=-1)
        torch.testing.assert_close(layers.lp_pool2d(x, power, 2), wanted)
        assert not torch.allclose(functional.lp_pool2d(x, power, 2), wanted, equal_nan=False)
    huge = torch.full((1, 1, 2, 2), 1e30)
    assert functional.lp_pool2d(huge, 2, 2).isinf().all()
    torch.testing.assert_close(layers.lp_pool2d(huge, 2, 2), torch.full((1, 1, 1, 1), 2e30))
    tiny = torch.full((1, 1, 2, 2), 1e-30)
    torch.testing.assert_close(layers.lp_pool2d(tiny, 2, 2), torch.full((1, 1, 1, 1), 2e-30), atol=0, rtol=1e-6)
    ones = torch.ones(1, 1, 3, 3)
    assert layers.lp_pool2d(ones, 1, 2, 2, True)[0, 0, 1, 1] == 1
    assert functional.lp_pool2d(ones, 1.0, 2, 2, True)[0, 0, 1, 1] == 4


def test_what_is_far_smaller_than_the_largest_still_counts_under_a_small_power():
    x = torch.tensor([[[[1e-60, 1.0], [-2.0, 3.0]]]], dtype=torch.float64)
    assert_same(lambda t: layers.lp_pool2d(t, 0.1, 2), lambda t: t.flatten(2).norm(p=0.1, dim=-1)[..., None, None], x)


def test_fractional_is_torchs_at_its_samples():
    x, samples = draw(2, 3, 11, 13), torch.rand(2, 3, 2, generator=GENERATOR, dtype=torch.float64)
    assert_same(
        lambda t: layers.fractional_max_pool2d(t, (2, 3), (5, 4), samples=samples),
        lambda t: functional.fractional_max_pool2d(t, (2, 3), (5, 4), _random_samples=samples),
        x,
    )


@pytest.mark.parametrize("axes", [2, 3])
def test_fractional_indices_and_ratios_are_torchs(axes):
    x = draw(2, 3, 9, 11, 10)[..., 0] if axes == 2 else draw(2, 3, 9, 11, 10)
    ours, theirs = (getattr(home, f"FractionalMaxPool{axes}d") for home in (layers, torch.nn))
    found = []
    for layer in (ours, theirs):
        torch.manual_seed(4)
        found.append(layer(2, output_ratio=0.6, return_indices=True)(x))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
    for wrong in ({}, {"output_size": 3, "output_ratio": 0.5}, {"output_ratio": 1.5}, {"output_ratio": (0.5,)}):
        with pytest.raises(InputError, match="output_ratio"):
            ours(2, **wrong)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_unpooling_is_torchs(axes):
    x = draw(2, 3, 8, 6, 4)[(...,) + (0,) * (3 - axes)]
    values, indices = getattr(functional, f"max_pool{axes}d")(x, 2, return_indices=True)
    layer, wanted = getattr(layers, f"MaxUnpool{axes}d")(2), getattr(functional, f"max_unpool{axes}d")
    assert_same(lambda t: layer(t, indices), lambda t: wanted(t, indices, 2), values)
    assert torch.equal(layer(values, indices, x.shape), wanted(values, indices, 2, output_size=x.shape))
    with pytest.raises(InputError, match="an index lies outside"):
        layer(values, indices + x.numel())


def unfolded(x):
    return x.unfold(2, 3, 2).unfold(3, 3, 2).flatten(4)


FORMULAS = {
    "soft": (layers.SoftPool2d(3, 2), lambda w: (w.exp() * w).sum(-1) / w.exp().sum(-1)),
    "log-sum-exp": (layers.LogSumExpPool2d(3, 2, sharpness=0.5), lambda w: (0.5 * w).exp().mean(-1).log() / 0.5),
    "gem": (layers.GeMPool2d(3, 2, power=2.2), lambda w: w.clamp(min=1e-6).pow(2.2).mean(-1).pow(1 / 2.2)),
    "mixed": (layers.MixedPool2d(3, 2), lambda w: 0.5 * w.amax(-1) + 0.5 * w.mean(-1)),
    "gated": (layers.GatedPool2d(3, 2), lambda w: 0.5 * w.amax(-1) + 0.5 * w.mean(-1)),
    "median": (layers.MedianPool2d(3, 2), lambda w: w.median(-1).values),
    "rank": (layers.RankPool2d(3, 2), lambda w: w.mean(-1)),
    "expected stochastic": (
        layers.StochasticPool2d(3, 2).eval(),
        lambda w: w.relu().square().sum(-1) / w.relu().sum(-1),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_the_formula_on_unfolded_windows(name):
    ours, formula = FORMULAS[name]
    x = draw(2, 3, 9, 11).abs() + 0.05
    for own, other in zip(gradient(ours.double(), x), gradient(lambda t: formula(unfolded(t)), x), strict=True):
        torch.testing.assert_close(own, other, rtol=1e-6, atol=1e-7)


def test_stochastic_pooling_draws_in_proportion():
    x = torch.tensor([[[[1.0, 3.0], [0.0, 4.0]]]]).expand(20000, 1, 2, 2)
    torch.manual_seed(0)
    drawn = layers.StochasticPool2d(2)(x).reshape(-1)
    for value, share in ((1.0, 1 / 8), (3.0, 3 / 8), (4.0, 4 / 8)):
        assert abs((drawn == value).double().mean() - share) < 4 * math.sqrt(share * (1 - share) / 20000)


def test_a_blur_is_a_convolution_and_shifts_little():
    x = draw(1, 2, 8, 8)
    line = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)
    filters = (line[:, None] * line).expand(2, 1, 3, 3)
    wanted = functional.conv2d(functional.pad(x, (1,) * 4, mode="reflect"), filters, stride=2, groups=2)
    torch.testing.assert_close(layers.BlurPool2d(3)(x), wanted)
    assert layers.MaxBlurPool2d()(x).shape == (1, 2, 4, 4)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_s3_keeps_the_order_of_places_and_its_mean_is_its_evaluation(axes):
    x = draw(1, 1, *(8,) * axes)
    largest, mean = getattr(functional, f"max_pool{axes}d"), getattr(functional, f"avg_pool{axes}d")
    dense = largest(functional.pad(x, (0, 1) * axes, value=-math.inf), 2, 1)
    layer, drawn_of = getattr(layers, f"S3Pool{axes}d")(2, 2, 4), getattr(layers, f"s3_pool{axes}d")
    torch.testing.assert_close(layer.eval()(x), mean(dense, 2))
    drawn = drawn_of(x, 2, 2, 4, generator=torch.Generator().manual_seed(1))
    assert all((dense == value).any() for value in drawn.flatten())
    # what grows along an axis still does, two of each four places, and other ones from draw to draw
    ramp = torch.arange(8.0).reshape(8, *(1,) * (axes - 1)).expand((1, 1, *(8,) * axes))
    starts = [
        drawn_of(ramp, 1, 2, 4)[0, 0].flatten(1)[:, 0] if axes > 1 else drawn_of(ramp, 1, 2, 4)[0, 0] for _ in range(20)
    ]
    assert all((s.diff() > 0).all() and (s[:2] < 4).all() and (s[2:] >= 4).all() for s in starts)
    assert len({tuple(s.tolist()) for s in starts}) > 1


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_pyramid_has_one_length_and_is_made_of_torchs_maxima(axes):
    layer, largest = getattr(layers, f"SpatialPyramidPool{axes}d")(), getattr(functional, f"adaptive_max_pool{axes}d")
    for size in ((7, 9, 5), (16, 5, 8)):
        x = draw(2, 3, *size[:axes])
        wanted = torch.cat([largest(x, level).flatten(1) for level in (1, 2, 4)], dim=1)
        assert torch.equal(layer(x), wanted)
        assert wanted.shape == (2, 3 * (1 + 2**axes + 4**axes))


def test_same_padding_has_both_conventions():
    x = torch.arange(1.0, 5).reshape(1, 1, 4)
    upper, lower = (layers.SumPool1d(3, 2, same)(x) for same in (layers.Same.UPPER, layers.Same.LOWER))
    assert upper.tolist() == [[[6.0, 7.0]]]
    assert lower.tolist() == [[[3.0, 9.0]]]
    assert windows(1, 3, 2, layers.Same.UPPER).output((4,)) == (2,)


@pytest.mark.parametrize("last", [False, True], ids=["planes", "channels last"])
@pytest.mark.parametrize("size", [7, (5, None)])
def test_many_adaptive_means_are_torchs(size, last):
    x = draw(17, 32, 44, 45, dtype=torch.float32)
    x = x.contiguous(memory_format=torch.channels_last) if last else x
    ours = lambda t: layers.adaptive_average_pool(t, size, 2)  # noqa: E731
    assert "average_pool" in str(ours(x.clone().requires_grad_()).grad_fn)
    assert_same(ours, lambda t: functional.adaptive_avg_pool2d(t, size), x, tolerance=2e-6)
