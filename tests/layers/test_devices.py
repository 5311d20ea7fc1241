"""Every layer on a device gives what it gives on the processor, and waits for the device nowhere."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch.nn import functional

import catalogue
from gradus import layers
from gradus.core.errors import InputError
from gradus.layers import Same, windows
from simulated_device import TRAFFIC, compared

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
GEOMETRIES = {
    "2x2": windows(2, 2),
    "uneven": windows(2, (3, 2), (1, 3), ((1, 0), (0, 1)), (2, 1), ceil_mode=True),
    "same": windows(2, 3, 2, Same.UPPER),
}
TOLERANCES = {torch.float64: 1e-10, torch.float32: 2e-5, torch.float16: 2e-2, torch.bfloat16: 1e-1}
# what a module is made with beside (kernel size) = (2,), and the shape of (samples, channels) it takes
MODULES = {
    "AdaptiveAvgPool": (3,),
    "AdaptiveMaxPool": (3,),
    "BlurPool": (3,),
    "Conv": (4, 3, 3, 2, 1),
    "ConvTranspose": (4, 3, 3, 2, 1),
    "GlobalAvgPool": (),
    "GlobalMaxPool": (),
    "LpPool": (2.5, 2),
    "MaxBlurPool": (2,),
    "S3Pool": (2, 2, 4),
    "SpatialPyramidPool": ((1, 2),),
}
TWO_INPUTS, DRAWING = ("LIPPool", "MaxUnpool"), ("FractionalMaxPool", "S3Pool", "StochasticPool")
NAMES = [name for name in layers.__all__ if name[-2:] in ("1d", "2d", "3d") and name[0].isupper()]


def draw(*shape, dtype=torch.float64, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).sub(0.3).to(dtype)


def made(name):
    given = MODULES.get(name[:-2], (2,))
    if name.startswith("Fractional"):
        return getattr(layers, name)(2, output_size=3)
    return getattr(layers, name)(*given).double()


def close(found, wanted, dtype=torch.float64):
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    scale = wanted.double().abs().max().item() if wanted.numel() else 0.0
    torch.testing.assert_close(
        found.double().cpu(), wanted.double(), rtol=0, atol=TOLERANCES[dtype] * max(scale, 1e-300), equal_nan=True
    )


def value_and_gradient(call, x):
    x = x.detach().requires_grad_()
    with nullcontext() if x.is_cuda else compared():
        y = call(x)
        upstream = torch.linspace(-1, 2, y.numel(), dtype=torch.float64).reshape(y.shape).to(y)
        return y.detach(), *torch.autograd.grad(y, x, upstream)


def here(call, *given):
    with compared():
        return call(*given)


def of_every_entry(name, x):
    return x.abs() + 0.1 if name.endswith("positive") else x


@pytest.mark.parametrize("name", catalogue.POOLING)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_every_variant_in_both_layouts(name, geometry, device):
    x = of_every_entry(name, draw(2, 5, 7, 9))
    call = lambda t: catalogue.POOLING[name](t, GEOMETRIES[geometry])  # noqa: E731
    # of which each has kernels of its own to compile
    for layout in (torch.contiguous_format, torch.channels_last)[: 2 if geometry == "uneven" else 1]:
        laid = x.contiguous(memory_format=layout)
        wanted, moved = value_and_gradient(call, laid), laid.to(device)
        TRAFFIC.clear()
        found = value_and_gradient(call, moved)
        assert TRAFFIC.numbers_read == TRAFFIC.to_host == 0 or name == "stochastic"  # which looks at given numbers
        for own, other in zip(found, wanted, strict=True):
            assert own.device == device
            close(own, other)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, dtype) for name in catalogue.POOLING for dtype in (torch.float32, torch.bfloat16)]
    + [("max", torch.float16), ("soft", torch.float16), ("gated", torch.float16)],
)
def test_every_variant_in_narrow_types(name, dtype, device):
    if name == "stochastic":
        pytest.skip("a drawn value jumps where a sum is rounded")
    x = of_every_entry(name, draw(2, 3, 7, 9)).to(dtype)
    call = lambda t: catalogue.POOLING[name](t, GEOMETRIES["uneven"])  # noqa: E731
    wanted = value_and_gradient(call, x.double())
    for own, other in zip(value_and_gradient(call, x.to(device)), wanted, strict=True):
        assert own.dtype == dtype
        close(own.cpu().double(), other, dtype)


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith((*TWO_INPUTS, *DRAWING))])
def test_every_module_forward_and_backward(name, device):
    own = made(name)
    for parameter in own.parameters():
        torch.nn.init.uniform_(parameter, 0.2, 1.0, generator=torch.Generator().manual_seed(3))
    there = copy.deepcopy(own).to(device)
    x = draw(2, 4, *(8,) * int(name[-2])) + 0.5
    wanted, found = value_and_gradient(own, x), value_and_gradient(there, x.to(device))
    for mine, other in zip(found, wanted, strict=True):
        assert mine.device == device
        close(mine, other)
    if not list(own.parameters()):
        return
    with compared():
        own(x).square().sum().backward()
    there(x.to(device)).square().sum().backward()
    for mine, other in zip(there.parameters(), own.parameters(), strict=True):
        close(mine.grad, other.grad)


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith(DRAWING)])
def test_modules_that_draw(name, device):
    own, x = made(name), draw(2, 4, *(8,) * int(name[-2])) + 0.5
    moved = x.to(device).requires_grad_()
    found = own.to(device).train()(moved)
    found.sum().backward()
    assert found.device == device
    assert torch.isin(found.detach().cpu(), torch.cat([x.flatten(), torch.zeros(1, dtype=x.dtype)])).all()
    # each value drawn is an entry, which gets the whole of its gradient
    assert (moved.grad.sum() - found.numel()).abs().item() < 1e-9
    if not name.startswith("Fractional"):
        close(own.eval()(moved).detach(), here(own, x))


def test_two_inputs_and_unpooling(device):
    x, logits = draw(2, 3, 8, 8), draw(2, 3, 8, 8, seed=2)
    close(layers.LIPPool2d(2)(x.to(device), logits.to(device)), here(layers.LIPPool2d(2), x, logits))
    pool = layers.MaxPool2d(3, 2, 1, return_indices=True)
    (value, indices), (found, where) = here(pool, x), pool(x.to(device))
    assert where.device == device
    assert torch.equal(where.cpu(), indices)
    close(layers.MaxUnpool2d(3, 2, 1)(found, where, (8, 8)), here(layers.MaxUnpool2d(3, 2, 1), value, indices, (8, 8)))
    samples = (draw(2, 3, 2) + 0.3).clamp(0, 0.99)
    close(
        layers.fractional_max_pool2d(x.to(device), 2, 3, samples=samples.to(device)),
        here(lambda: layers.fractional_max_pool2d(x, 2, 3, samples=samples)),
    )
    where[0, 0, 0, 0] = 64
    with pytest.raises(InputError, match="an index lies outside the 64 entries"):
        layers.max_unpool(found, where, (8, 8))


CONVOLUTIONS = {
    "conv1d": ((2, 4, 9), (6, 2, 3), {"stride": 2, "padding": 1, "groups": 2}),
    "conv2d": ((2, 3, 9, 8), (8, 3, 3, 2), {"stride": (2, 1), "dilation": 2, "padding": 1}),
    "conv3d": ((2, 3, 6, 5, 4), (4, 3, 2, 2, 2), {"padding": 1}),
    "conv_transpose1d": ((2, 4, 9), (4, 3, 3), {"stride": 2, "output_padding": 1}),
    "conv_transpose2d": ((2, 4, 5, 6), (4, 3, 3, 2), {"stride": 2, "padding": 1, "groups": 2}),
    "conv_transpose3d": ((2, 3, 4, 3, 4), (3, 2, 2, 2, 2), {"stride": 2}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_convolutions_are_torchs_on_the_same_device(name, dtype, device):
    size, shape, settings = CONVOLUTIONS[name]
    images, weights = (draw(*of, dtype=dtype).to(device).requires_grad_() for of in (size, shape))
    filters = shape[0] if "transpose" not in name else shape[1] * settings.get("groups", 1)
    bias = draw(filters, dtype=dtype).to(device).requires_grad_()
    found = []
    for library in (layers, functional):
        y = getattr(library, name)(images, weights, bias, **settings)
        upstream = torch.linspace(-1, 2, y.numel()).reshape(y.shape).to(y)
        found.append((y.detach(), *torch.autograd.grad(y, (images, weights, bias), upstream)))
    for own, other in zip(*found, strict=True):
        assert own.device == device
        close(own, other.cpu(), dtype)


def test_a_convolution_padded_on_one_side_and_differentiated_twice(device):
    images, weights = draw(2, 3, 6, 6), draw(4, 3, 3, 3)
    found = []
    for on in ("cpu", device):
        x, w = images.to(on).requires_grad_(), weights.to(on).requires_grad_()
        y = layers.conv2d(x, w, padding=Same.UPPER, stride=2)
        first = torch.autograd.grad((y**3).sum(), (x, w), create_graph=True)
        found.append([y.detach(), *torch.autograd.grad(sum((g**2).sum() for g in first), (x, w))])
    for wanted, own in zip(*found, strict=True):
        close(own, wanted)


TRANSFORMED = {
    "MaxPool2d": (2,),
    "LpPool2d": (3, 2),
    "SoftPool2d": (2,),
    "AdaptiveMaxPool2d": (3,),
    "GatedPool2d": (2,),
    "Conv2d": (2, 3, 3),
}


@pytest.mark.parametrize("name", TRANSFORMED)
def test_transforms_of_functions_and_second_derivatives(name, device):
    own = getattr(layers, name)(*TRANSFORMED[name]).double()
    there, x = copy.deepcopy(own).to(device), draw(2, 2, 4, 4) + 0.5
    cubes = lambda layer: lambda t: (layer(t) ** 3).sum()  # noqa: E731
    calls = {
        "jvp": lambda f, t: torch.func.jvp(f, (t,), (t.cos(),))[1],
        "grad": lambda f, t: torch.func.grad(cubes(f))(t),
        "grad of each": lambda f, t: torch.vmap(torch.func.grad(lambda one: cubes(f)(one[None])))(t),
        "forward over reverse": lambda f, t: torch.func.jvp(torch.func.grad(cubes(f)), (t,), (t.cos(),))[1],
        "hessian": lambda f, t: torch.func.hessian(cubes(f))(t[:1, :, :2, :3]),
    }
    if name in ("Conv2d", "AdaptiveMaxPool2d"):
        calls["hessian"] = lambda f, t: torch.func.hessian(cubes(f))(t[:1, :, :3, :3])
    for call in calls.values():
        close(call(there, x.to(device)).detach(), here(call, own, x).detach())


MIXED = {
    "images is on .* and weights on": lambda x: layers.conv2d(x, torch.ones(1, 3, 2, 2)),
    "images is on .* and bias on": lambda x: layers.conv2d(x, x.new_ones(1, 3, 2, 2), torch.ones(1)),
    "the input is on .* and the weights on": lambda x: layers.gem_pool(x, torch.tensor([2.0]), windows(2, 2)),
    "the input is on cpu and the weights on": lambda x: layers.GatedPool2d(2).to(x.device)(x.cpu()),
    "the input is on .* and the logits on": lambda x: layers.LIPPool2d(2)(x, x.cpu()),
    "the input is on .* and uniform on": lambda x: layers.stochastic_pool(
        x, windows(2, 2), uniform=torch.full((2, 3, 3, 3), 0.5)
    ),
    "the input is on .* and samples on": lambda x: layers.fractional_max_pool2d(x, 2, 3, samples=torch.ones(2, 3, 2)),
    "values is on .* and indices on": lambda x: layers.max_unpool(x, torch.ones(2, 3, 6, 6).long(), (9, 9)),
}


@pytest.mark.parametrize("words", MIXED)
def test_two_devices_are_refused_in_a_sentence(words, device):
    with pytest.raises(InputError, match=words):
        MIXED[words](draw(2, 3, 6, 6, dtype=torch.float32).to(device))
