"""Gradients of functions on a device are judged as those of the same functions on the processor."""

import json

import pytest
import torch
from torch import nn

from gradus import layers
from gradus.check import GradientError, Settings, check_gradient, gradcheck
from gradus.cli import main
from gradus.core.errors import InputError
from simulated_device import compared


def draw(*shape, dtype=torch.float32, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def softmax_pullback(upstream, x):
    y = torch.softmax(x, -1)
    return y * (upstream - (upstream * y).sum(-1, keepdim=True))


def without_the_rest(upstream, x):
    y = torch.softmax(x, -1)
    return y * upstream


def wrong_in_the_last_column(upstream, x):
    found = softmax_pullback(upstream, x).clone()
    found[..., -1] *= 1.5
    return found


def written_into(upstream, x):
    found = softmax_pullback(upstream, x)
    upstream.zero_()
    return found


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return (x @ weight).exp()

    @staticmethod
    def backward(ctx, upstream):
        x, weight = ctx.saved_tensors
        inner = upstream * (x @ weight).exp()
        return inner @ weight.t(), x.t() @ inner


def softmax(x):
    return torch.softmax(x, -1)


CASES = ("as given", "inputs transposed", "inputs between NaN", "upstream expanded", "ties")
JUDGED = {
    "right": (softmax, softmax_pullback, (draw(5, 7),)),
    "right in bfloat16": (softmax, softmax_pullback, (draw(5, 7, dtype=torch.bfloat16),)),
    "a lost term": (softmax, without_the_rest, (draw(9, 5),)),
    "a wrong column": (softmax, wrong_in_the_last_column, (draw(9, 40, dtype=torch.float64),)),
    "a wrong column in float16": (softmax, wrong_in_the_last_column, (draw(9, 40, dtype=torch.float16),)),
    "wrong: written into": (softmax, written_into, (draw(3, 4),)),
    "autograd": (lambda x, w: (x @ w).tanh(), None, (draw(4, 5), draw(5, 3, seed=1))),
    "an autograd function": (Twice, None, (0.3 * draw(4, 5), draw(5, 3, seed=1))),
    "integers": (lambda table, rows: table[rows].square(), None, (draw(6, 3), torch.tensor([0, 5, 5]))),
    "several outputs": (lambda x: (x.sin(), x.sum(0)), None, (draw(2, 3),)),
}


@pytest.mark.parametrize("name", JUDGED)
def test_the_verdict_is_that_of_the_processor(name, device):
    function, pullback, inputs = JUDGED[name]
    settings = Settings(only=None if name == "several outputs" else CASES)
    wanted = check_gradient(function, pullback, *inputs, settings=settings)
    found = check_gradient(function, pullback, *(x.to(device) for x in inputs), settings=settings)
    assert found.passed == wanted.passed == ("wrong" not in name and "lost" not in name)
    assert [(f.kind, f.which, f.case) for f in found.findings] == [(f.kind, f.which, f.case) for f in wanted.findings]
    assert found.looked_at == wanted.looked_at
    str(found)


@pytest.mark.parametrize("name", ["MaxPool2d", "SoftPool2d", "Conv2d", "GatedPool2d"])
def test_modules_on_the_device(name, device):
    torch.manual_seed(0)
    layer = getattr(layers, name)(*((3, 4, 3) if name == "Conv2d" else (2,))).double().to(device)
    only = Settings(only=("as given",))
    verdict = check_gradient(layer, None, draw(1, 3, 4, 4, dtype=torch.float64).to(device), settings=only)
    assert verdict, str(verdict)


def test_a_reference_on_the_device(device):
    x = draw(5, 7).to(device)
    assert check_gradient(
        softmax, softmax_pullback, x, settings=Settings(reference=lambda t: t.softmax(-1), only=CASES)
    )


def test_the_face_of_torch(device):
    x = draw(1, 2).to(device).requires_grad_()
    assert gradcheck(nn.Sigmoid(), x)
    with pytest.raises(GradientError, match="sign"):
        gradcheck(Negated.apply, x)


class Negated(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, upstream):
        return -upstream * ctx.saved_tensors[0].cos()


def test_inputs_on_two_devices(device):
    with pytest.raises(InputError, match=r"input 0 is on cuda:0 and input 1 on cpu: move one of them"):
        check_gradient(torch.mul, None, draw(3).to(device), draw(3))
    with compared():
        assert check_gradient(torch.mul, None, draw(3), draw(3))


def test_the_command_puts_the_inputs_there(device, capsys):
    run = ["check", "torch:tanh", "--shape", "3,4", "--case", "as given", "--json"]
    assert main([*run, "--device", "cuda"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"]
    assert main([*run, "--device", "tpu"]) == 2
    assert "device is 'tpu'; expected None or a device of torch" in capsys.readouterr().err
