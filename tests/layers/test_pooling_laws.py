"""What holds for every pooling variant, over the rows of the catalogue."""

import pytest
import torch

import catalogue
from gradus import layers
from gradus.check import Settings, check_gradient
from gradus.kernels import dispatch
from gradus.layers import (
    Same,
    average_pooling,
    gated_pooling,
    gem_pooling,
    lip_pooling,
    log_sum_exp_pooling,
    lp_pooling,
    max_pooling,
    mixed_pooling,
    rank_pooling,
    soft_pooling,
    stochastic_pooling,
    weighted_pooling,
    windows,
)

GEOMETRIES = {
    "2x2": windows(2, 2),
    "3x3 with stride 2 and padding": windows(2, 3, 2, 1),
    "uneven": windows(2, (3, 2), (1, 3), ((1, 0), (0, 1)), (2, 1), ceil_mode=True),
    "same": windows(2, 3, 2, Same.UPPER),
}
OPERATORS = [
    max_pooling.MAX,
    max_pooling.MIN,
    average_pooling.MEAN,
    average_pooling.PADDED_MEAN,
    average_pooling.SUM,
    lp_pooling.L1,
    lp_pooling.L2,
    lp_pooling.LP,
    log_sum_exp_pooling.LOG_SUM_EXP,
    soft_pooling.SOFT,
    lip_pooling.LIP,
    gem_pooling.GEM,
    stochastic_pooling.DRAWN,
    stochastic_pooling.EXPECTED,
    mixed_pooling.MIXED,
    gated_pooling.GATED,
    weighted_pooling.WEIGHTED,
    rank_pooling.RANK,
]
rows = pytest.mark.parametrize("name", catalogue.POOLING)


def draw(name, *shape, dtype=torch.float64):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return (x.abs() + 0.1 if name.endswith("positive") else x).to(dtype)


def value_and_gradient(name, geometry, x):
    x = x.detach().requires_grad_()
    y = catalogue.POOLING[name](x, geometry)
    upstream = torch.linspace(-1, 2, y.numel(), dtype=torch.float64).reshape(y.shape).to(y.dtype)
    return y.detach(), torch.autograd.grad(y, x, upstream)[0]


@rows
@pytest.mark.parametrize("channels", [5, 17])  # planes one by one, and laid side by side
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_the_kernel_is_its_reference_in_both_layouts(name, geometry, channels):
    x = draw(name, 2, channels, 7, 9)
    with dispatch.force("reference"):
        wanted = value_and_gradient(name, GEOMETRIES[geometry], x)
    for layout in (torch.contiguous_format, torch.channels_last):
        found = value_and_gradient(name, GEOMETRIES[geometry], x.contiguous(memory_format=layout))
        for own, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-12)


@rows
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.float16, 2e-2), (torch.bfloat16, 1e-1)])
def test_narrow_types_are_near_float64(name, dtype, tolerance):
    if name == "stochastic":
        pytest.skip("a drawn value jumps where a sum is rounded")
    x = draw(name, 2, 3, 7, 9, dtype=dtype)
    wanted = value_and_gradient(name, GEOMETRIES["3x3 with stride 2 and padding"], x.double())
    found = value_and_gradient(name, GEOMETRIES["3x3 with stride 2 and padding"], x)
    for own, other in zip(found, wanted, strict=True):
        assert own.dtype == dtype
        assert (own.double() - other).abs().max() <= tolerance * other.abs().max()


@rows
@pytest.mark.parametrize("shape", [(2, 3, 11), (2, 2, 5, 6, 4), (3, 8)])
def test_one_and_three_axes_and_no_samples(name, shape):
    axes = 1 if len(shape) < 4 else 3
    geometry = windows(axes, 3, 2, 1)
    x = draw(name, *shape)
    with dispatch.force("reference"):
        wanted = value_and_gradient(name, geometry, x)
    for own, other in zip(value_and_gradient(name, geometry, x), wanted, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-12)


@rows
def test_first_and_second_derivatives(name):
    x = draw(name, 1, 2, 5, 5).requires_grad_()
    call = lambda t: catalogue.POOLING[name](t, windows(2, 3, 2, 1))  # noqa: E731
    assert torch.autograd.gradcheck(call, x)
    assert torch.autograd.gradgradcheck(call, x)


@rows
def test_the_check_of_gradus(name):
    cases = ("as given", "inputs transposed", "inputs between NaN")
    call = lambda t: catalogue.POOLING[name](t, windows(2, 2))  # noqa: E731
    verdict = check_gradient(call, None, draw(name, 2, 2, 4, 6), settings=Settings(only=cases))
    assert verdict, str(verdict)


def seeded(function):
    """Return ``function`` of its input and a generator that draws the same every time."""
    return lambda x: function(x, torch.Generator().manual_seed(3))


UNPOOLED = torch.tensor([[[0, 7, 17], [24, 21, 34]]]).expand(2, 2, 2, 3)
# what is public and not a row of the catalogue: (module, input's sizes)
MODULES = {
    "AdaptiveMaxPool1d": (layers.AdaptiveMaxPool1d(3), (7,)),
    "AdaptiveMaxPool2d": (layers.AdaptiveMaxPool2d((3, 4)), (5, 6)),
    "AdaptiveMaxPool3d": (layers.AdaptiveMaxPool3d((2, 1, 3)), (3, 4, 5)),
    "AdaptiveAvgPool1d": (layers.AdaptiveAvgPool1d(3), (7,)),
    "AdaptiveAvgPool2d": (layers.AdaptiveAvgPool2d((3, 4)), (5, 6)),
    "AdaptiveAvgPool3d": (layers.AdaptiveAvgPool3d((2, 1, 3)), (3, 4, 5)),
    "GlobalMaxPool1d": (layers.GlobalMaxPool1d(), (6,)),
    "GlobalMaxPool2d": (layers.GlobalMaxPool2d(), (5, 6)),
    "GlobalMaxPool3d": (layers.GlobalMaxPool3d(), (2, 3, 2)),
    "GlobalAvgPool1d": (layers.GlobalAvgPool1d(), (6,)),
    "GlobalAvgPool2d": (layers.GlobalAvgPool2d(), (5, 6)),
    "GlobalAvgPool3d": (layers.GlobalAvgPool3d(), (2, 3, 2)),
    "SpatialPyramidPool1d": (layers.SpatialPyramidPool1d(), (5,)),
    "SpatialPyramidPool2d": (layers.SpatialPyramidPool2d(), (5, 6)),
    "SpatialPyramidPool3d": (layers.SpatialPyramidPool3d((1, 2)), (2, 3, 4)),
    "RankPool1d": (layers.RankPool1d(3, 2), (9,)),
    "RankPool2d": (layers.RankPool2d(3, 2), (5, 7)),
    "RankPool3d": (layers.RankPool3d(2), (4, 5, 4)),
    "MedianPool1d": (layers.MedianPool1d(3, 2), (9,)),
    "MedianPool2d": (layers.MedianPool2d(2), (4, 6)),
    "MedianPool3d": (layers.MedianPool3d(2), (4, 5, 4)),
    "FractionalMaxPool2d": (
        lambda x: layers.fractional_max_pool2d(x, 2, (3, 4), samples=torch.full((2, 2, 2), 0.4).to(x)),
        (6, 7),
    ),
    "FractionalMaxPool3d": (
        lambda x: layers.fractional_max_pool3d(x, 2, (2, 3, 2), samples=torch.full((2, 2, 3), 0.4).to(x)),
        (3, 4, 3),
    ),
    "S3Pool1d": (seeded(lambda x, drawn: layers.s3_pool1d(x, 2, 2, 4, generator=drawn)), (8,)),
    "S3Pool2d": (seeded(lambda x, drawn: layers.s3_pool2d(x, 2, 2, 4, generator=drawn)), (8, 4)),
    "S3Pool3d": (seeded(lambda x, drawn: layers.s3_pool3d(x, 2, 2, 4, generator=drawn)), (4, 4, 4)),
    "S3Pool2d, in evaluation": (layers.S3Pool2d(2, 2, 4).eval(), (8, 4)),
    "BlurPool1d": (layers.BlurPool1d(3), (9,)),
    "BlurPool2d": (layers.BlurPool2d(3), (6, 7)),
    "BlurPool3d": (layers.BlurPool3d(3), (3, 4, 3)),
    "MaxBlurPool1d": (layers.MaxBlurPool1d(), (9,)),
    "MaxBlurPool2d": (layers.MaxBlurPool2d(), (6, 7)),
    "MaxBlurPool3d": (layers.MaxBlurPool3d(), (4, 3, 4)),
    "MaxUnpool1d": (lambda x: layers.MaxUnpool1d(2)(x, torch.tensor([1, 2, 4]).expand(2, 2, 3)), (3,)),
    "MaxUnpool2d": (lambda x: layers.MaxUnpool2d(2)(x, UNPOOLED, (5, 7)), (2, 3)),
    "MaxUnpool3d": (lambda x: layers.MaxUnpool3d(2)(x, torch.tensor([[[[5, 15]]]]).expand(2, 2, 1, 1, 2)), (1, 1, 2)),
}


@pytest.mark.parametrize("name", MODULES)
def test_the_check_of_gradus_where_windows_are_drawn_sorted_or_fitted(name):
    call, sizes = MODULES[name]
    call = call.double() if isinstance(call, torch.nn.Module) else call
    cases = ("as given", "inputs transposed", "inputs between NaN", "upstream expanded")
    x = torch.randn(2, 2, *sizes, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    verdict = check_gradient(call, None, x, settings=Settings(only=cases))
    assert verdict, str(verdict)
    assert set(verdict.looked_at) == set(cases)
    assert torch.autograd.gradcheck(call, x.clone().requires_grad_())


# the layers of a row of the catalogue, in as many dimensions as there are
ROWS = {
    "MaxPool": "max",
    "MinPool": "min",
    "AvgPool": "average",
    "SumPool": "sum",
    "LpPool": "l3",
    "LogSumExpPool": "log-sum-exp",
    "SoftPool": "soft",
    "LIPPool": "lip",
    "GeMPool": "gem positive",
    "StochasticPool": "stochastic",
    "MixedPool": "mixed",
    "GatedPool": "gated",
}


def test_every_public_layer_is_checked():
    public = {name for name in layers.__all__ if name[0].isupper() and "ool" in name}
    assert set(ROWS.values()) <= set(catalogue.POOLING)
    of_rows = {name for name in public if name[:-2] in ROWS}
    assert public - of_rows == {name.partition(",")[0] for name in MODULES}


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.variant.name)
def test_torchs_check_of_operators(operator):
    variant = operator.variant
    x = draw("positive", 2, 2, 5, 5)
    tensors = (
        x.clone().requires_grad_(),
        x.clone().requires_grad_() if variant.second_input else None,
        torch.rand(4, dtype=torch.float64)
        if variant.name in ("weighted_pool", "gated_pool", "rank_pool")
        else torch.full((1,), 0.5).double(),
        torch.rand(2, 2, 2, 2, dtype=torch.float64) if variant.reads_extra else None,
    )
    torch.library.opcheck(operator.value, (*tensors, None, None, None, windows(2, 2).code(), [1.5], True))


def test_learned_numbers_get_their_gradients():
    x = draw("positive", 2, 2, 6, 6)
    two = windows(2, 2)
    number = torch.tensor([1.7], dtype=torch.float64, requires_grad=True)
    filters = torch.rand(2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: gem_pooling.gem_pool(x, p, two), number)
    assert torch.autograd.gradcheck(lambda a: mixed_pooling.mixed_pool(x, a, two), number)
    assert torch.autograd.gradcheck(lambda w: gated_pooling.gated_pool(x, w, two), filters)
    assert torch.autograd.gradcheck(lambda w: weighted_pooling.weighted_pool(x, w, windows(2, 2, 1, 1)), filters)
    logits = x.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: lip_pooling.lip_pool(x, z, two), logits)


@pytest.mark.parametrize("name", ["max", "average", "l2", "soft", "mixed"])
def test_compiled_exported_and_mapped(name):
    class Module(torch.nn.Module):
        def forward(self, x):
            return catalogue.POOLING[name](x, windows(2, 3, 2, 1))

    x = draw(name, 2, 3, 9, 8)
    wanted = Module()(x)
    assert torch.equal(torch.compile(Module(), backend="aot_eager", fullgraph=True)(x), wanted)
    exported = torch.export.export(Module(), (x,), dynamic_shapes=({0: torch.export.Dim("samples")},))
    assert torch.equal(exported.module()(x[:1]), wanted[:1])
    mapped = torch.vmap(Module())(torch.stack([x, 2 * x]))
    assert torch.equal(mapped, torch.stack([wanted, Module()(2 * x)]))
