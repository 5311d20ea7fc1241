"""What the simulated device cannot show of layers: compilers, streams, autocast, and that nothing waits."""

import pytest
import torch
from torch.nn import functional

from gradus import layers
from gradus.layers import average_pooling, gated_pooling, lp_pooling, max_pooling, soft_pooling, windows
from gradus.layers.operators import Inputs
from layers.test_devices import close, draw, made, value_and_gradient

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")]


@pytest.mark.parametrize("name", ["MaxPool2d", "AvgPool2d", "SoftPool2d", "GeMPool2d", "Conv2d", "BlurPool2d"])
@pytest.mark.filterwarnings("ignore")
def test_compiled_layers(name):
    layer = getattr(layers, name)(*{"Conv2d": (3, 4, 3), "BlurPool2d": (3,)}.get(name, (2,))).cuda()
    x = draw(2, 3, 8, 8, dtype=torch.float32).cuda() + 0.5
    found = value_and_gradient(torch.compile(layer, backend="aot_eager", fullgraph=True), x)
    for own, other in zip(found, value_and_gradient(layer, x), strict=True):
        close(own, other.cpu(), torch.float32)


@pytest.mark.parametrize(
    "operator", [max_pooling.MAX, average_pooling.MEAN, soft_pooling.SOFT, lp_pooling.L2, gated_pooling.GATED]
)
def test_torchs_checks_of_operators(operator):
    x = (draw(2, 2, 5, 5) + 0.5).cuda().requires_grad_()
    weights = torch.rand(4, dtype=torch.float64, device="cuda")
    given = (x, None, weights, None, None, None, None, windows(2, 2).code(), [2.0], True)
    torch.library.opcheck(operator.value, given)
    inputs = Inputs(windows(2, 2), (2.0,), weights=weights)
    assert torch.autograd.gradcheck(lambda t: operator(t, inputs).value, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda t: operator(t, inputs).value, x, fast_mode=True)


@pytest.mark.filterwarnings("ignore")
def test_compiled_by_inductor():
    network = torch.nn.Sequential(layers.Conv2d(3, 4, 3), torch.nn.ReLU(), layers.MaxPool2d(2)).cuda()
    x = draw(2, 3, 8, 8, dtype=torch.float32).cuda()
    found = value_and_gradient(torch.compile(network, fullgraph=True), x)
    for own, other in zip(found, value_and_gradient(network, x), strict=True):
        torch.testing.assert_close(own, other, rtol=1e-2, atol=1e-2)


def test_a_stream_of_its_own():
    x, stream = draw(2, 3, 64, 64).cuda(), torch.cuda.Stream()
    wanted = value_and_gradient(layers.SoftPool2d(2), x)
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        found = value_and_gradient(layers.SoftPool2d(2), x)
    stream.synchronize()
    for own, other in zip(found, wanted, strict=True):
        close(own, other.cpu())


def test_autocast():
    layer, x = layers.Conv2d(3, 4, 3).cuda(), draw(2, 3, 8, 8, dtype=torch.float32).cuda()
    with torch.autocast("cuda", torch.bfloat16):
        found, wanted = layer(x), functional.conv2d(x, layer.weight, layer.bias)
    assert found.dtype == wanted.dtype == torch.bfloat16
    close(found.detach(), wanted.detach().cpu(), torch.bfloat16)


def test_no_layer_waits_for_the_device():
    x = draw(2, 3, 8, 8, dtype=torch.float32).cuda() + 0.5
    names = ["MaxPool2d", "AvgPool2d", "SoftPool2d", "GeMPool2d", "LpPool2d", "GatedPool2d", "MedianPool2d"]
    modules = [made(name).float().cuda() for name in names] + [layers.Conv2d(3, 4, 3).cuda()]
    for module in modules:
        value_and_gradient(module, x)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for module in modules:
            module(x)
    finally:
        torch.cuda.set_sync_debug_mode("default")
