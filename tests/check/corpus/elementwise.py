"""Functions of each entry alone, and of two arrays that broadcast."""

import math

import torch

from check.corpus.sample import Operator, blocks_only, draw, raw

X = draw(6, 9)

sine = Operator("sine", torch.sin, (X,))
exponential = Operator("exponential", torch.exp, (X,))
tanh = Operator("tanh", torch.tanh, (draw(5, 70),))
relu = Operator("relu", torch.relu, (X,))
absolute = Operator("absolute value", torch.abs, (X,))
square_root = Operator("square root", torch.sqrt, (X.abs() + 0.1,))
power = Operator("cube", lambda x: x**3, (X,))
bias = Operator("add a bias", lambda x, b: x + b, (X, draw(9, seed=1)))
scale = Operator("scale by a column", lambda x, c: x * c, (X, draw(6, 1, seed=2)))
gelu = Operator("gelu", lambda x: torch.nn.functional.gelu(x, approximate="tanh"), (X,))
swish_gate = Operator("swish gate", lambda a, b: a * torch.sigmoid(a) * b, (X, draw(6, 9, seed=3)))
clip = Operator("clip", lambda x: x.clamp(-0.5, 0.5), (X,))


def gelu_backward(u, x):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
    return u * (0.5 * (1 + inner.tanh()) + 0.5 * x * (1 - inner.tanh() ** 2) * slope)


def gelu_without_the_inner_slope(u, x):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return u * (0.5 * (1 + inner.tanh()) + 0.5 * x * (1 - inner.tanh() ** 2))


def swish_gate_backward(u, a, b):
    s = torch.sigmoid(a)
    return u * b * (s + a * s * (1 - s)), u * a * s


RIGHT = [
    sine.right(lambda u, x: u * x.cos()),
    sine.right(lambda u, x: u * x.cos(), "bfloat16", (X.bfloat16(),)),
    sine.right(lambda u, x: u * x.cos(), "float16", (X.half(),)),
    sine.right(lambda u, x: u * x.cos(), "float64", (X.double(),)),
    sine.right(lambda u, x: u * x.cos(), "transposed input", (draw(9, 6).t(),)),
    sine.right(lambda u, x: u * x.cos(), "expanded input", (draw(1, 6).expand(5, 6),)),
    sine.right(lambda u, x: u * x.cos(), "a single number", (draw(),)),
    sine.right(lambda u, x: u * x.cos(), "no entries", (draw(0, 3),)),
    exponential.right(lambda u, x: u * x.exp()),
    tanh.right(lambda u, x: u * (1 - x.tanh() ** 2)),
    relu.right(lambda u, x: u * (x > 0)),
    relu.right(lambda u, x: u * (x >= 0), "slope 1 at 0", (X.round(),)),
    absolute.right(lambda u, x: u * x.sign(), "many zeros", (X.round(),)),
    square_root.right(lambda u, x: u / (2 * x.sqrt())),
    power.right(lambda u, x: 3 * u * x**2),
    bias.right(lambda u, x, b: (u, u.sum(0))),
    scale.right(lambda u, x, c: (u * c, (u * x).sum(1, keepdim=True))),
    gelu.right(gelu_backward),
    swish_gate.right(swish_gate_backward),
    clip.right(lambda u, x: u * ((x > -0.5) & (x < 0.5)), "values on the bounds", ((2 * X).round() / 4,)),
]

WRONG = [
    sine.wrong("the sign of the cosine's integral", "wrong sign", lambda u, x: -u * x.cos()),
    sine.wrong("the upstream is taken to be ones", "upstream ignored", lambda u, x: x.cos()),
    sine.wrong(
        "the first entry of the upstream for all", "upstream ignored", lambda u, x: u.reshape(-1)[:1].sum() * x.cos()
    ),
    sine.wrong("the upstream's memory is read as contiguous", "memory layout", lambda u, x: raw(u) * x.cos()),
    sine.wrong("the input's memory is read as contiguous", "memory layout", lambda u, x: u * raw(x).cos()),
    sine.wrong("the upstream is overwritten", "changes its inputs", lambda u, x: u.mul_(x.cos())),
    exponential.wrong(
        "the last row is not written",
        "edges",
        lambda u, x: (u * x.exp()) * (torch.arange(len(x)) < max(len(x) - 1, 1))[:, None],
    ),
    exponential.wrong("nothing comes back", "detached", lambda u, x: (None,)),
    tanh.wrong(
        "the rest after blocks of 32 is forgotten", "edges", lambda u, x: blocks_only(u * (1 - x.tanh() ** 2), 32)
    ),
    tanh.wrong("the derivative of the output's square root", "missing term", lambda u, x: u * (1 - x.tanh())),
    relu.wrong("leaks", "missing term", lambda u, x: u * torch.where(x > 0, 1.0, 0.01)),
    relu.wrong("negative entries pass instead", "missing term", lambda u, x: u * (x < 0)),
    absolute.wrong("slope 2 at 0", "kink", lambda u, x: u * torch.where(x == 0, 2.0, x.sign())),
    absolute.wrong("divides by the input", "not finite, singularity", lambda u, x: u * x.abs() / x),
    square_root.wrong("the half is forgotten", "constant factor", lambda u, x: u / x.sqrt()),
    power.wrong("the exponent is not lowered", "missing term", lambda u, x: 3 * u * x),
    power.wrong("the factor is forgotten", "constant factor", lambda u, x: u * x**2),
    bias.wrong("not summed over the rows", "missing sum", lambda u, x, b: (u, u)),
    bias.wrong("only the first row", "missing sum", lambda u, x, b: (u, u[:1].sum(0))),
    bias.wrong("the mean of the rows", "constant factor", lambda u, x, b: (u, u.mean(0) if len(u) else u.sum(0))),
    scale.wrong("summed along the wrong axis", "wrong shape, missing sum", lambda u, x, c: (u * c, (u * x).sum(0))),
    scale.wrong("the last column alone", "missing sum", lambda u, x, c: (u * c, (u * x)[:, -1:])),
    gelu.wrong("the inner derivative is forgotten", "missing term", gelu_without_the_inner_slope),
    swish_gate.wrong(
        "the gate's own derivative is forgotten",
        "missing term",
        lambda u, a, b: (u * b * torch.sigmoid(a), swish_gate_backward(u, a, b)[1]),
    ),
    swish_gate.wrong("both gradients exchanged", "missing term", lambda u, a, b: swish_gate_backward(u, a, b)[::-1]),
]
