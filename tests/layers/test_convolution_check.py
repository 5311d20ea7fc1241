"""gradus's own check of gradients over every convolution, function and layer, plain and transposed."""

from unittest import mock

import pytest
import torch

from gradus import layers
from gradus.check import Settings, check_gradient
from gradus.kernels import shallow_conv2d

CASES = (
    "as given",
    *("inputs transposed", "inputs between NaN", "upstream transposed", "upstream between NaN", "upstream expanded"),
    *("large values", "a row of zeros"),
)
# channels in and out, then stride, padding, dilation, groups
PLAIN = {
    "plain": (2, 3, {}),
    "one channel": (1, 4, {"padding": 1}),
    "strided and padded": (3, 2, {"stride": 2, "padding": 1}),
    "uneven": (2, 3, {"stride": 2, "padding": "uneven", "dilation": 2}),
    "same, in groups": (4, 6, {"padding": "same", "groups": 2}),
    "depthwise": (3, 3, {"dilation": 2, "groups": 3}),
}
# channels in and out, then stride, padding, output_padding, groups, dilation
TRANSPOSED = {
    "plain": (2, 3, {}),
    "strided and padded": (2, 3, {"stride": 2, "padding": 1, "output_padding": 1}),
    "dilated": (3, 2, {"stride": 2, "dilation": 2}),
    "in groups": (4, 2, {"padding": 1, "groups": 2}),
}
SIZES = {1: (9,), 2: (7, 6), 3: (5, 4, 6)}
KERNELS = {1: (3,), 2: (3, 2), 3: (2, 2, 3)}


def draw(*shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def arrays(axes, weights, biases, channels):
    return (
        draw(2, channels, *SIZES[axes], seed=0),
        draw(*weights, *KERNELS[axes], seed=1),
        draw(biases, seed=2),
    )


def checked(function, inputs):
    verdict = check_gradient(function, None, *inputs, settings=Settings(only=CASES))
    assert verdict, str(verdict)
    assert set(verdict.looked_at) == set(CASES)


@pytest.mark.parametrize(
    ("axes", "given"),
    [*((2, name) for name in PLAIN), *((axes, name) for axes in (1, 3) for name in ("uneven", "same, in groups"))],
)
def test_functions(axes, given):
    function = (layers.conv1d, layers.conv2d, layers.conv3d)[axes - 1]
    channels, out, settings = PLAIN[given]
    if settings.get("padding") == "uneven":
        settings = {**settings, "padding": ((1, 0), (0, 2), (1, 1))[:axes]}
    inputs = arrays(axes, (out, channels // settings.get("groups", 1)), out, channels)
    checked(lambda x, w, b: function(x, w, b, **settings), inputs)


@pytest.mark.parametrize(("axes", "given"), [*((2, name) for name in TRANSPOSED), (1, "in groups"), (3, "dilated")])
def test_transposed_functions(axes, given):
    function = (layers.conv_transpose1d, layers.conv_transpose2d, layers.conv_transpose3d)[axes - 1]
    channels, out, settings = TRANSPOSED[given]
    inputs = arrays(axes, (channels, out // settings.get("groups", 1)), out, channels)
    checked(lambda x, w, b: function(x, w, b, **settings), inputs)


MODULES = {
    "Conv1d": (1, layers.Conv1d(2, 4, 3, stride=2, padding=1)),
    "Conv2d": (2, layers.Conv2d(2, 4, 3, stride=2, padding=1, dilation=2, groups=2)),
    "Conv2d, reflected": (2, layers.Conv2d(2, 3, 3, padding=1, padding_mode="reflect")),
    "Conv3d": (3, layers.Conv3d(2, 3, 2, padding=((1, 0), (0, 1), (0, 0)))),
    "ConvTranspose1d": (1, layers.ConvTranspose1d(2, 3, 3, stride=2)),
    "ConvTranspose2d": (2, layers.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2)),
    "ConvTranspose3d": (3, layers.ConvTranspose3d(2, 3, 2, stride=2)),
}


@pytest.mark.parametrize("name", MODULES)
def test_layers_with_their_weights(name):
    axes, layer = MODULES[name]
    layer = layer.double()
    names = [key for key, _ in layer.named_parameters()]
    weights = [draw(*value.shape, seed=3 + place) for place, value in enumerate(layer.parameters())]

    def called(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    checked(called, (draw(2, 2, *SIZES[axes], seed=0), *weights))


def test_every_convolution_is_here():
    public = {name for name in layers.__all__ if name.startswith("Conv")}
    assert {name.partition(",")[0] for name in MODULES} == public


def test_images_of_few_channels_by_their_own_kernel():
    """Large enough for the kernel, in float32, in every situation of memory."""
    inputs = (draw(8, 3, 20, 20, seed=0).float(), draw(16, 3, 3, 3, seed=1).float(), draw(16, seed=2).float())
    with mock.patch.object(shallow_conv2d, "gradients", wraps=shallow_conv2d.gradients) as kernel:
        checked(lambda x, w, b: layers.conv2d(x, w, b, padding=1), inputs)
    assert kernel.called


def test_a_wrong_convolution_is_found():
    """What the check is worth here: a gradient to the weights of the filter turned around."""

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return layers.conv2d(x, w, padding=1)

        @staticmethod
        def backward(ctx, upstream):
            x, w = ctx.saved_tensors
            with torch.enable_grad():
                own = [t.detach().requires_grad_() for t in (x, w)]
                right = torch.autograd.grad(layers.conv2d(*own, padding=1), own, upstream)
            return right[0], right[1].flip(-1)

    verdict = check_gradient(
        Wrong.apply, None, draw(2, 2, 7, 6, seed=0), draw(3, 2, 3, 3, seed=1), settings=Settings(only=CASES)
    )
    assert not verdict
    assert {finding.which for finding in verdict.findings} == {1}
