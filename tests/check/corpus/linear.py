"""Products, convolutions and attention."""

import torch
from torch.nn import functional

from check.corpus.sample import Operator, blocks_only, draw, raw

matmul = Operator("matrix product", torch.matmul, (draw(5, 5), draw(5, 5, seed=1)))
oblong = Operator("matrix product, oblong", torch.matmul, (draw(6, 70), draw(70, 4, seed=1)))
batched = Operator("batch of matrices times one", torch.matmul, (draw(3, 4, 5), draw(5, 6, seed=1)))
bilinear = Operator("quadratic form", lambda x, a: ((x @ a) * x).sum(-1), (draw(4, 6), draw(6, 6, seed=2)))
trace = Operator("trace of a product", lambda a, b: (a * b.T).sum(), (draw(4, 5), draw(5, 4, seed=1)))
convolve = Operator(
    "convolution",
    lambda x, w: functional.conv2d(x, w),
    (draw(2, 3, 7, 8), draw(4, 3, 3, 2, seed=1)),
)
attention = Operator(
    "attention weights times values",
    lambda q, k, v: torch.softmax(q @ k.transpose(-1, -2) / 2.0, -1) @ v,
    (draw(5, 4), draw(6, 4, seed=1), draw(6, 3, seed=2)),
)


def convolve_backward(u, x, w):
    return torch.nn.grad.conv2d_input(x.shape, w, u), torch.nn.grad.conv2d_weight(x, w.shape, u)


def attention_backward(u, q, k, v, scale=0.5, mean=True):
    p = torch.softmax(q @ k.T / 2.0, -1)
    dp = u @ v.T
    ds = p * (dp - (p * dp).sum(-1, keepdim=True) if mean else dp)
    return scale * ds @ k, scale * ds.T @ q, p.T @ u


RIGHT = [
    matmul.right(lambda u, a, b: (u @ b.T, a.T @ u)),
    matmul.right(lambda u, a, b: (u @ b.T, a.T @ u), "bfloat16", (draw(5, 9).bfloat16(), draw(9, 4).bfloat16())),
    oblong.right(lambda u, a, b: (u @ b.T, a.T @ u)),
    batched.right(lambda u, a, b: (u @ b.T, (a.transpose(-1, -2) @ u).sum(0))),
    bilinear.right(lambda u, x, a: (u[:, None] * (x @ (a + a.T)), x.T @ (u[:, None] * x))),
    trace.right(lambda u, a, b: (u * b.T, u * a.T)),
    convolve.right(convolve_backward),
    attention.right(attention_backward),
]

WRONG = [
    matmul.wrong("the left gradient transposed", "transposed", lambda u, a, b: ((u @ b.T).T, a.T @ u)),
    matmul.wrong("the right factor not transposed", "missing term", lambda u, a, b: (u @ b, a.T @ u)),
    matmul.wrong("u' a instead of a' u", "transposed", lambda u, a, b: (u @ b.T, u.T @ a)),
    matmul.wrong(
        "the upstream's memory is read as contiguous", "memory layout", lambda u, a, b: (raw(u) @ b.T, a.T @ raw(u))
    ),
    oblong.wrong(
        "the rest after blocks of 64 is forgotten", "edges", lambda u, a, b: (blocks_only(u @ b.T, 64), a.T @ u)
    ),
    oblong.wrong(
        "the upstream is taken to be ones", "upstream ignored", lambda u, a, b: (torch.ones_like(u) @ b.T, a.T @ u)
    ),
    batched.wrong("not summed over the batch", "missing sum", lambda u, a, b: (u @ b.T, a.transpose(-1, -2) @ u)),
    batched.wrong(
        "the last of the batch alone", "missing sum", lambda u, a, b: (u @ b.T, (a.transpose(-1, -2) @ u)[-1:].sum(0))
    ),
    bilinear.wrong(
        "a is taken to be symmetric, without the 2",
        "missing term",
        lambda u, x, a: (u[:, None] * (x @ a), x.T @ (u[:, None] * x)),
    ),
    trace.wrong("not transposed back", "wrong shape", lambda u, a, b: (u * b, u * a)),
    trace.wrong("twice", "constant factor", lambda u, a, b: (2 * u * b.T, u * a.T)),
    convolve.wrong(
        "the filter is not flipped",
        "missing term, flipped",
        lambda u, x, w: (torch.nn.grad.conv2d_input(x.shape, w.flip(-1, -2), u), convolve_backward(u, x, w)[1]),
    ),
    convolve.wrong(
        "the filter's gradient is flipped",
        "flipped",
        lambda u, x, w: (convolve_backward(u, x, w)[0], convolve_backward(u, x, w)[1].flip(-1, -2)),
    ),
    convolve.wrong(
        "the mean over the batch",
        "constant factor",
        lambda u, x, w: (convolve_backward(u, x, w)[0], convolve_backward(u, x, w)[1] / max(len(x), 1)),
    ),
    attention.wrong(
        "the softmax's mean is forgotten", "missing term", lambda u, q, k, v: attention_backward(u, q, k, v, mean=False)
    ),
    attention.wrong(
        "the scale is forgotten", "constant factor", lambda u, q, k, v: attention_backward(u, q, k, v, scale=1.0)
    ),
    attention.wrong(
        "no gradient for the keys",
        "detached",
        lambda u, q, k, v: (attention_backward(u, q, k, v)[0], torch.zeros_like(k), attention_backward(u, q, k, v)[2]),
    ),
]
