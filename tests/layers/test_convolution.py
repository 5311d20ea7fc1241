"""Convolutions against the answer sheet's example, torch, ONNX's node cases, and derivatives by differences."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from gradus import layers
from gradus.core.errors import InputError
from gradus.layers import Same
from gradus.layers import convolution_operators as operators

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import onnx
    from onnx.backend.test.case.node import collect_testcases
    from onnx.reference import ReferenceEvaluator
    from torch.testing._internal.common_methods_invocations import op_db

    NODE_CASES = collect_testcases(None)

FUNCTIONS = {
    "nn.functional.conv1d": layers.conv1d,
    "nn.functional.conv2d": layers.conv2d,
    "nn.functional.conv3d": layers.conv3d,
    "nn.functional.conv_transpose1d": layers.conv_transpose1d,
    "nn.functional.conv_transpose2d": layers.conv_transpose2d,
    "nn.functional.conv_transpose3d": layers.conv_transpose3d,
}
INFOS = {info.name: info for info in op_db if info.name in FUNCTIONS}


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_example_of_the_exercises_and_its_gradient():
    image = torch.tensor(
        [[4.0, 5, 2, 2, 1], [3, 3, 2, 2, 4], [4, 3, 4, 1, 1], [5, 1, 4, 1, 2], [5, 1, 3, 1, 4]], requires_grad=True
    )
    weights = torch.tensor([[4.0, 3, 3], [5, 5, 5], [2, 4, 3]])
    result = layers.conv2d(image[None, None], weights[None, None])[0, 0]
    assert result.tolist() == [[109, 92, 72], [108, 85, 74], [110, 74, 79]]
    result.sum().backward()
    assert image.grad.tolist() == [
        *([4, 7, 10, 6, 3], [9, 17, 25, 16, 8], [11, 23, 34, 23, 11]),
        *([7, 16, 24, 17, 8], [2, 6, 9, 7, 3]),
    ]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_torchs_own_samples_forward_and_backward(name):
    ran = 0
    for sample in INFOS[name].sample_inputs("cpu", torch.float64, requires_grad=True):
        tensors = [t for t in (sample.input, *sample.args) if isinstance(t, torch.Tensor) and t.requires_grad]
        expected = INFOS[name].op(sample.input, *sample.args, **sample.kwargs)
        if 0 in sample.input.shape[1:]:
            continue
        found = FUNCTIONS[name](sample.input, *sample.args, **sample.kwargs)
        torch.testing.assert_close(found, expected)
        upstream = draw(*expected.shape)
        for ours, theirs in zip(
            torch.autograd.grad(found, tensors, upstream), torch.autograd.grad(expected, tensors, upstream), strict=True
        ):
            torch.testing.assert_close(ours, theirs)
        ran += 1
    assert ran >= 3


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if INFOS[name].error_inputs_func])
def test_what_torch_refuses_is_refused_in_words(name):
    for case in INFOS[name].error_inputs("cpu"):
        sample = case.sample_input
        with pytest.raises((InputError, TypeError)):
            FUNCTIONS[name](sample.input, *sample.args, **sample.kwargs)


ONNX = [
    case
    for case in NODE_CASES
    if case.model is not None and case.model.graph.node[0].op_type in ("Conv", "ConvTranspose")
]


@pytest.mark.parametrize("case", ONNX, ids=lambda case: case.name)
def test_onnx_node_cases(case):
    node = case.model.graph.node[0]
    given = {a.name: list(a.ints) or a.i or a.s.decode() for a in node.attribute}
    inputs, outputs = ([torch.as_tensor(np.array(t)) for t in side] for side in case.data_sets[0])
    axes = inputs[0].dim() - 2
    kernel, size = inputs[1].shape[2:], inputs[0].shape[2:]
    stride, dilation = given.get("strides", [1] * axes), given.get("dilations", [1] * axes)
    flat = given.get("pads", [0] * 2 * axes)
    if node.op_type == "Conv":
        if given.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
            missing = [
                max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
                for n, s, d, k in zip(size, stride, dilation, kernel, strict=True)
            ]
            less = [m // 2 for m in missing]
            more = [m - half for m, half in zip(missing, less, strict=True)]
            flat = less + more if given["auto_pad"] == "SAME_UPPER" else more + less
        pads = tuple(zip(flat[:axes], flat[axes:], strict=True))
        function = (layers.conv1d, layers.conv2d, layers.conv3d)[axes - 1]
        settings = (tuple(stride), pads, tuple(dilation), given.get("group", 1))
    else:
        extra = given.get("output_padding", [0] * axes)
        wanted = given.get("output_shape")
        if wanted or given.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
            wanted = wanted or [n * s for n, s in zip(size, stride, strict=True)]
            total = [
                s * (n - 1) + e + (k - 1) * d + 1 - w
                for s, n, e, k, d, w in zip(stride, size, extra, kernel, dilation, wanted, strict=True)
            ]
            # what is missing at the end is added there
            extra = [e + max(-t, 0) for e, t in zip(extra, total, strict=True)]
            total = [max(t, 0) for t in total]
            less = [t // 2 for t in total]
            more = [t - half for t, half in zip(total, less, strict=True)]
            flat = less + more if given.get("auto_pad") == "SAME_UPPER" else more + less
        pads = tuple(zip(flat[:axes], flat[axes:], strict=True))
        function = (layers.conv_transpose1d, layers.conv_transpose2d, layers.conv_transpose3d)[axes - 1]
        settings = (tuple(stride), pads, tuple(extra), given.get("group", 1), tuple(dilation))
    bias = inputs[2] if len(inputs) > 2 else None
    torch.testing.assert_close(function(inputs[0], inputs[1], bias, *settings), outputs[0], rtol=1e-6, atol=1e-6)


def test_all_of_onnxs_cases_are_there():
    assert len(ONNX) >= 15


GEOMETRIES = [
    (2, (1, 0, 1, 1)),
    (2, (2, ((0, 1), (2, 1)), 1, 2)),
    (2, (1, "same", 2, 1)),
    (1, (2, ((1, 2),), 1, 1)),
    (3, (1, 1, 1, 1)),
]


@pytest.mark.parametrize(("axes", "given"), GEOMETRIES)
def test_first_and_second_derivatives_by_differences(axes, given):
    function = (layers.conv1d, layers.conv2d, layers.conv3d)[axes - 1]
    sizes = (4, 3, 3)[:axes] if axes == 3 else (5, 4)[:axes]
    images, weights = draw(2, 2, *sizes), draw(4, 2 // given[3], *(2,) * axes, seed=1)
    tensors = [t.requires_grad_() for t in (images, weights, draw(4, seed=2))]
    assert torch.autograd.gradcheck(lambda *t: function(*t, *given), tensors)
    assert torch.autograd.gradgradcheck(lambda *t: function(*t, *given), tensors)


def test_derivatives_of_the_transposed_one():
    tensors = [t.requires_grad_() for t in (draw(2, 4, 3, 2), draw(4, 1, 2, 2, seed=1), draw(2, seed=2))]

    def function(*t):
        return layers.conv_transpose2d(*t, (2, 1), ((0, 1), (1, 0)), (1, 0), 2)

    assert torch.autograd.gradcheck(function, tensors)
    assert torch.autograd.gradgradcheck(function, tensors)


def test_the_operators_are_registered_rightly():
    geometry = ([2, 1], [1, 1], [0, 1], [1, 1], 1)
    images, weights = draw(2, 3, 7, 6).requires_grad_(), draw(4, 3, 2, 2, seed=1).requires_grad_()
    upstream = draw(2, 4, 4, 7, seed=2).requires_grad_()
    torch.library.opcheck(operators.to_both, (upstream, images, weights, *geometry))
    torch.library.opcheck(operators.shallow_product, (images.detach(), weights.detach(), draw(4), *geometry))
    torch.library.opcheck(operators.to_images, (upstream, weights, [7, 6], *geometry))
    torch.library.opcheck(operators.to_weights, (upstream, images, [2, 2], *geometry))


@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize("stride", [1, 2])
def test_layers_train_as_torchs_do(channels, stride):
    """Large enough for the kernel of images of few channels."""
    theirs = nn.Conv2d(channels, 16, 3, stride=stride, padding=1)
    ours = layers.Conv2d(channels, 16, 3, stride=stride, padding=1)
    ours.load_state_dict(theirs.state_dict())
    x = draw(16, channels, 20, 20).float()
    for layer in (theirs, ours):
        layer.image = x.clone().requires_grad_()
        layer(layer.image).square().sum().backward()
    torch.testing.assert_close(ours.image.grad, theirs.image.grad, rtol=1e-4, atol=1e-3)
    for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(left.grad, right.grad, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [(1, 2), "same", "valid"])
def test_padding_modes(mode, padding):
    theirs = nn.Conv2d(2, 3, (3, 4), padding=padding, padding_mode=mode).double()
    ours = layers.Conv2d(2, 3, (3, 4), padding=padding, padding_mode=mode).double()
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(draw(2, 2, 8, 9)), theirs(draw(2, 2, 8, 9)))


def test_asymmetric_padding_is_padding_before():
    layer = layers.Conv2d(2, 3, 3, padding=((0, 2), (1, 0))).double()
    expected = functional.conv2d(functional.pad(draw(2, 2, 8, 9), (1, 0, 0, 2)), layer.weight, layer.bias)
    torch.testing.assert_close(layer(draw(2, 2, 8, 9)), expected)


@pytest.mark.parametrize("same", [Same.UPPER, Same.LOWER])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_padding_with_any_stride_is_onnxs(same, stride):
    layer = layers.Conv2d(2, 3, (5, 4), stride, padding=same, bias=False)
    x = torch.randn(2, 2, 11, 10)
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], auto_pad=f"SAME_{same.name}", strides=[stride] * 2)
    wanted = ReferenceEvaluator(node).run(None, {"x": x.numpy(), "w": layer.weight.detach().numpy()})[0]
    torch.testing.assert_close(layer(x).detach(), torch.from_numpy(wanted), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(layers.conv2d(x, layer.weight, None, stride, same), layer(x))
    reflecting = layers.Conv2d(2, 3, (5, 4), stride, padding=same, padding_mode="reflect")
    assert reflecting(x).shape == layer(x).shape == (2, 3, -(-11 // stride), -(-10 // stride))


def test_what_is_no_tensor_and_no_number_is_refused_in_words():
    x, weights = torch.randn(1, 3, 8, 8), torch.randn(8, 3, 3, 3)
    for words, call in {
        "the images are ndarray": lambda: layers.conv2d(x.numpy(), weights),
        "the weights are NoneType": lambda: layers.conv2d(x, None),
        "the bias are list": lambda: layers.conv2d(x, weights, [0.0] * 8),
        "groups is 1.0": lambda: layers.conv2d(x, weights, groups=1.0),
        "padding is <Same.UPPER": lambda: layers.conv_transpose2d(x, weights.transpose(0, 1), padding=Same.UPPER),
    }.items():
        with pytest.raises(InputError, match=words):
            call()


def test_a_transposed_layer_of_a_given_size():
    theirs = nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1).double()
    ours = layers.ConvTranspose2d(3, 2, 3, stride=2, padding=1).double()
    ours.load_state_dict(theirs.state_dict())
    x = draw(2, 3, 5, 6)
    for size in (None, [10, 12], [9, 12]):
        torch.testing.assert_close(ours(x, output_size=size), theirs(x, output_size=size))


def test_memory_format_dtype_and_autocast():
    layer = layers.Conv2d(8, 16, 3)
    x = draw(2, 8, 9, 9).float()
    last = x.contiguous(memory_format=torch.channels_last)
    assert layer(last).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(layer(last), layer(x), rtol=1e-5, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x).dtype == nn.Conv2d(8, 16, 3)(x).dtype == torch.bfloat16
    with pytest.raises(InputError, match=r"torch\.float32, torch\.float64"):
        layer(x.double())
    assert layer(x[:0]).shape == (0, 16, 7, 7)


# torch's compiler makes what its autograd deprecates
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_compile_export_and_vmap():
    layer = layers.Conv2d(1, 8, 3, padding=1)
    x = draw(4, 1, 8, 8).float()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    for network in (layer, compiled):
        network.zero_grad()
        network(x).square().sum().backward()
        found = layer.weight.grad.clone()
        expected = torch.autograd.grad(
            functional.conv2d(x, layer.weight, layer.bias, 1, 1).square().sum(), layer.weight
        )
        torch.testing.assert_close(found, expected[0], rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), layer(x))
    batches, weights = draw(3, 2, 1, 8, 8).float(), draw(3, 4, 1, 3, 3).float()
    torch.testing.assert_close(torch.vmap(layer)(batches), torch.stack([layer(batch) for batch in batches]))
    torch.testing.assert_close(
        torch.vmap(layers.conv2d)(batches, weights),
        torch.stack([layers.conv2d(b, w) for b, w in zip(batches, weights, strict=True)]),
    )
