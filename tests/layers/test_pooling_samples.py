"""torch's own samples of pooling operators, forward and backward, and the inputs that it refuses."""

import warnings

import pytest
import torch

from gradus import layers
from gradus.core.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db

INFOS = {
    (info.name.removeprefix("nn.functional."), info.variant_test_name): info for info in op_db if "pool" in info.name
}
EXCEPTIONS = {
    "max_pool2d_with_indices_backward": "an operator inside torch; the gradients of max_pool2d are compared",
}
# so many samples of an operator are run, spread over all of them
MOST = 150


def maximum(axes):
    layer = (layers.MaxPool1d, layers.MaxPool2d, layers.MaxPool3d)[axes - 1]

    def call(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        return layer(kernel_size, stride, padding, dilation, return_indices, ceil_mode)(x)

    return call


def fractional(axes):
    call = (layers.fractional_max_pool2d, layers.fractional_max_pool3d)[axes - 2]

    def pool(x, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        if output_size is None:
            ratios = (output_ratio,) * axes if isinstance(output_ratio, float) else output_ratio
            output_size = tuple(int(size * ratio) for size, ratio in zip(x.shape[-axes:], ratios, strict=True))
        return call(x, kernel_size, output_size, samples=_random_samples)

    return pool


def unpooled(axes):
    layer = (layers.MaxUnpool1d, layers.MaxUnpool2d, layers.MaxUnpool3d)[axes - 1]

    def call(x, indices, kernel_size, stride=None, padding=0, output_size=None):
        return layer(kernel_size, stride, padding)(x, indices, output_size)

    return call


FUNCTIONS = {
    **{f"max_pool{axes}d": maximum(axes) for axes in (1, 2, 3)},
    "avg_pool1d": lambda x, *a, **k: layers.AvgPool1d(*a, **k)(x),
    "avg_pool2d": layers.avg_pool2d,
    "avg_pool3d": lambda x, *a, **k: layers.AvgPool3d(*a, **k)(x),
    "adaptive_max_pool1d": lambda x, *a, **k: layers.AdaptiveMaxPool1d(*a, **k)(x),
    "adaptive_max_pool2d": lambda x, *a, **k: layers.AdaptiveMaxPool2d(*a, **k)(x),
    "adaptive_max_pool3d": lambda x, *a, **k: layers.AdaptiveMaxPool3d(*a, **k)(x),
    "adaptive_avg_pool1d": lambda x, *a, **k: layers.AdaptiveAvgPool1d(*a, **k)(x),
    "adaptive_avg_pool2d": lambda x, *a, **k: layers.AdaptiveAvgPool2d(*a, **k)(x),
    "adaptive_avg_pool3d": lambda x, *a, **k: layers.AdaptiveAvgPool3d(*a, **k)(x),
    **{f"fractional_max_pool{axes}d": fractional(axes) for axes in (2, 3)},
    **{f"max_unpool{axes}d": unpooled(axes) for axes in (1, 2, 3)},
}


def samples(key):
    found = list(INFOS[key].sample_inputs("cpu", torch.float64, requires_grad=True))
    return found[:: -(-len(found) // MOST)]


def arguments(name, sample):
    """Return the sample's, with drawn places that both are given."""
    if name.startswith("fractional") and sample.kwargs.get("_random_samples") is None:
        axes = int(name[-2])
        shape = (*((1,) * (axes + 2 - sample.input.dim())), *sample.input.shape[:-axes], axes)
        drawn = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        return sample.args, {**sample.kwargs, "_random_samples": drawn}
    return sample.args, sample.kwargs


@pytest.mark.parametrize("key", [key for key in INFOS if key[0] in FUNCTIONS], ids=" ".join)
def test_torchs_own_samples_forward_and_backward(key):
    ran = 0
    for sample in samples(key):
        args, kwargs = arguments(key[0], sample)
        expected = INFOS[key].op(sample.input, *args, **kwargs)
        found = FUNCTIONS[key[0]](sample.input, *args, **kwargs)
        if isinstance(expected, tuple):
            if isinstance(found, tuple):
                assert torch.equal(found[1], expected[1])
            expected = expected[0]
        found = found[0] if isinstance(found, tuple) else found
        torch.testing.assert_close(found, expected)
        upstream = torch.linspace(-1, 2, expected.numel(), dtype=torch.float64).reshape(expected.shape)
        ours, theirs = (torch.autograd.grad(y, sample.input, upstream)[0] for y in (found, expected))
        torch.testing.assert_close(ours, theirs)
        ran += 1
    assert ran >= 6


def wide(kernel_size=None, padding=0, dilation=1, **_):
    """Whether the padding is more than half a window and less than one, which gradus takes."""
    return isinstance(kernel_size, int) and 0 < padding < dilation * (kernel_size - 1) + 1


@pytest.mark.parametrize(
    "key", [key for key in INFOS if key[0] in FUNCTIONS and INFOS[key].error_inputs_func], ids=" ".join
)
def test_what_torch_refuses_is_refused_in_words(key):
    for case in INFOS[key].error_inputs("cpu"):
        sample = case.sample_input
        if wide(**sample.kwargs):
            assert "half of effective kernel size" in str(case.error_regex)
            FUNCTIONS[key[0]](sample.input, *sample.args, **sample.kwargs)
            continue
        with pytest.raises(InputError):
            FUNCTIONS[key[0]](sample.input, *sample.args, **sample.kwargs)


def test_every_pooling_operator_of_torch_is_run_or_named():
    assert {name for name, _ in INFOS} == set(FUNCTIONS) | set(EXCEPTIONS)
