"""Whatever a pooling layer is given, it is right or says in a sentence what is wrong, and reads nothing else."""

import numpy as np
import pytest
import torch

from gradus.core.errors import InputError
from gradus.kernels import dispatch
from gradus.layers import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    Bins,
    BlurPool2d,
    FractionalMaxPool2d,
    GatedPool2d,
    GeMPool2d,
    LIPPool2d,
    LogSumExpPool2d,
    LpPool2d,
    MaxPool2d,
    MaxUnpool2d,
    MedianPool2d,
    MixedPool2d,
    RankPool2d,
    S3Pool2d,
    SoftPool2d,
    SpatialPyramidPool2d,
    StochasticPool2d,
    fractional_max_pool2d,
    gated_pool,
    gem_pool,
    max_unpool,
    mixed_pool,
    rank_pool,
    soft_pool,
    stochastic_pool,
    windows,
)

X = torch.rand(2, 3, 8, 8)
TWO = windows(2, 2)
NAN, INF = float("nan"), float("inf")
ONE = torch.ones(1, 1, 1, 1)
WRONG = {
    "kernel_size is 2.5": lambda: MaxPool2d(2.5),
    r"kernel_size is \(2.0, 2\)": lambda: MaxPool2d((2.0, 2)),
    "kernel_size is '2'": lambda: MaxPool2d("2"),
    "kernel_size is True": lambda: MaxPool2d(True),
    "kernel_size is None": lambda: SoftPool2d(None),
    "stride is 1.5": lambda: AvgPool2d(2, 1.5),
    "padding is 'same'": lambda: MaxPool2d(2, 1, "same"),
    r"padding is \(\(0, 1\), 1\); numbers, or a pair": lambda: MaxPool2d(2, 1, ((0, 1), 1)),
    r"padding is \(\(0, 1, 1\), \(1, 0\)\)": lambda: MaxPool2d(2, 1, ((0, 1, 1), (1, 0))),
    r"padding after is \(-1, 0\)": lambda: MaxPool2d(2, 1, ((0, -1), (0, 0))),
    "axes is 4": lambda: windows(4, 2),
    "the geometry is 2": lambda: soft_pool(X, 2),
    "the geometry is Bins": lambda: gated_pool(X, torch.ones(2, 2), Bins((2, 2))),
    "output_size is .*2.5": lambda: AdaptiveMaxPool2d(2.5)(X),
    r"output_size is \(1, 2, 3\)": lambda: AdaptiveMaxPool2d((1, 2, 3))(X),
    "ndarray": lambda: AdaptiveAvgPool2d(2)(np.ones((1, 1, 4, 4))),
    r"levels is \(\)": lambda: SpatialPyramidPool2d(()),
    r"levels is \(0, 1\)": lambda: SpatialPyramidPool2d((0, 1)),
    "norm_type is 'a'": lambda: LpPool2d("a", 2),
    "norm_type is inf; .* limit": lambda: LpPool2d(INF, 2),
    "sharpness is 0": lambda: LogSumExpPool2d(2, sharpness=0),
    "power is 0.0": lambda: GeMPool2d(2, power=0.0),
    "least is 0": lambda: GeMPool2d(2, least=0),
    "power is float": lambda: gem_pool(X, 3.0, TWO),
    "share is torch.int64": lambda: mixed_pool(X, torch.tensor(1), TWO),
    r"share has shape \(2,\)": lambda: mixed_pool(X, torch.ones(2), TWO),
    r"the weights has shape \(3, 3\); \(2, 2\)": lambda: gated_pool(X, torch.ones(3, 3), TWO),
    "the weights is list": lambda: rank_pool(X, [1.0, 0.0, 0.0, 0.0], TWO),
    "the logits is NoneType": lambda: LIPPool2d(2)(X, None),
    "the logits has shape": lambda: LIPPool2d(2)(X, X[..., 1:]),
    "grid is 0": lambda: S3Pool2d(2, 2, 0),
    "grid is 4, stride 3": lambda: S3Pool2d(2, 3, 4),
    "kernel_size is 0": lambda: S3Pool2d(0, 2, 4),
    "reflects 4 positions": lambda: BlurPool2d(9)(torch.ones(1, 1, 3, 3)),
    "size is 2.5": lambda: BlurPool2d(2.5),
    r"shape \(4, 4\)": lambda: BlurPool2d(3)(torch.ones(4, 4)),
    "output_size is 3.5": lambda: FractionalMaxPool2d(2, 3.5),
    "output_ratio is a": lambda: FractionalMaxPool2d(2, output_ratio="a"),
    r"samples has shape \(1, 1, 2\); \(2, 3, 2\)": lambda: fractional_max_pool2d(X, 2, 3, samples=torch.rand(1, 1, 2)),
    "uniform has shape": lambda: stochastic_pool(X, TWO, uniform=torch.rand(1, 1, 1, 1)),
    "uniform are not all in": lambda: stochastic_pool(X, TWO, uniform=torch.ones(2, 3, 4, 4)),
    "indices torch.float32": lambda: max_unpool(ONE, ONE, (2, 2)),
    r"output_size is \(-2, -2\)": lambda: max_unpool(ONE, ONE.long(), (-2, -2)),
    r"output_size is \(30, 30\); .* stride of \(2, 2\)": lambda: MaxUnpool2d(2)(ONE, ONE.long(), (30, 30)),
    "divisor_override is 'a'": lambda: AvgPool2d(2, divisor_override="a")(X),
}


@pytest.mark.parametrize("words", WRONG)
def test_it_is_said_in_a_sentence(words):
    with pytest.raises(InputError, match=words):
        WRONG[words]()


def test_numbers_of_numpy_and_lists_are_as_good_as_pythons():
    assert MaxPool2d(np.int64(2))(X).shape == MaxPool2d([2, 2])(X).shape == (2, 3, 4, 4)
    assert torch.equal(AdaptiveMaxPool2d([3, None])(X), torch.nn.AdaptiveMaxPool2d((3, None))(X))
    assert torch.equal(MaxPool2d(3, 2, [[0, 1], [1, 1]])(X), MaxPool2d(3, 2, ((0, 1), (1, 1)))(X))


def test_no_samples_at_all():
    for layer in (FractionalMaxPool2d(2, 3), S3Pool2d(), StochasticPool2d(2), SpatialPyramidPool2d(), BlurPool2d()):
        assert len(layer(X[:0])) == 0
    assert torch.equal(SpatialPyramidPool2d()(X)[1], SpatialPyramidPool2d()(X[1]))


@pytest.mark.parametrize(
    "layer", [LogSumExpPool2d, GeMPool2d, MixedPool2d, GatedPool2d, RankPool2d, MedianPool2d, SoftPool2d]
)
def test_every_layer_of_one_window_is_dilated(layer):
    # every second row and column are an image of their own
    own = layer(2, 1, dilation=2)(X)[..., ::2, ::2]
    torch.testing.assert_close(own, layer(2, 1)(X[..., ::2, ::2]))


@pytest.mark.parametrize("layer", [LogSumExpPool2d, GeMPool2d, MixedPool2d, GatedPool2d])
def test_a_window_that_reaches_over_the_end_is_that_of_what_is_inside(layer):
    found = layer(3, ceil_mode=True)(X)
    assert found.shape == (2, 3, 3, 3)
    torch.testing.assert_close(found[..., :2, 2:], layer((3, 2), (3, 2))(X[..., :6, 6:]))


@pytest.mark.parametrize("wild", [NAN, INF, -3.2e9, 1e30])
def test_no_drawn_place_lies_beside_the_input(wild):
    found = fractional_max_pool2d(X, 2, 3, samples=torch.full((2, 3, 2), wild))
    assert (found.reshape(6, 9, 1) == X.reshape(6, 1, 64)).any(-1).all()


def test_nan_is_not_hidden():
    x = X.clone()
    x[0, 0, 0, 0] = NAN
    for layer in (StochasticPool2d(2), StochasticPool2d(2).eval(), GeMPool2d(2), LpPool2d(3, 2), LogSumExpPool2d(2)):
        found = layer(x)
        assert found[0, 0, 0, 0].isnan() and found.isnan().sum() == 1
    for power in (0.0, NAN):
        assert gem_pool(X, torch.tensor(power), TWO).isnan().all()


def test_an_infinite_norm_is_infinite_in_the_reference_too():
    x = torch.tensor([[[[1.0, INF], [2.0, -3.0]]]])
    for power in (1, 2, 3.5):
        with dispatch.force("reference"):
            assert LpPool2d(power, 2)(x).item() == INF
        assert LpPool2d(power, 2)(x).item() == INF
