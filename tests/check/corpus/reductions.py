"""Softmax and its losses, norms and normalisations, maxima, sums and look-ups."""

import torch
from torch.nn import functional

from check.corpus.sample import Operator, blocks_only, draw, raw

X = draw(6, 9)

softmax = Operator("softmax", lambda x: torch.softmax(x, -1), (X,))
log_softmax = Operator("log-softmax", lambda x: torch.log_softmax(x, -1), (X,))
entropy = Operator(
    "cross-entropy",
    lambda x, k: functional.cross_entropy(x, k, reduction="mean"),
    (X, torch.tensor([0, 3, 8, 2, 2, 5])),
)
layer = Operator(
    "layer norm",
    lambda x, w: functional.layer_norm(x, x.shape[-1:], w, None, 1e-5),
    (X, draw(9, seed=1)),
)
root = Operator("rms norm", lambda x: x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt(), (X,))
norm = Operator("euclidean norm", lambda x: torch.linalg.vector_norm(x, dim=-1), (X,))
unit = Operator("scale to unit length", lambda x: functional.normalize(x, dim=-1, eps=1e-12), (X,))
largest = Operator("maximum of rows", lambda x: x.amax(-1), (X,))
pool = Operator("max pooling", lambda x: functional.max_pool2d(x[None], 2)[0], (draw(2, 6, 8),))
average = Operator("average pooling", lambda x: functional.avg_pool2d(x[None], 2)[0], (draw(2, 6, 8),))
variance = Operator("variance", lambda x: x.var(-1, correction=1), (X,))
cumulative = Operator("cumulative sum", lambda x: x.cumsum(-1), (X,))
lookup = Operator("embedding", lambda table, k: table[k], (draw(7, 4), torch.tensor([0, 3, 3, 6, 1])))
logsumexp = Operator("log-sum-exp", lambda x: torch.logsumexp(x, -1), (draw(5, 40),))


def softmax_backward(u, x):
    p = torch.softmax(x, -1)
    return p * (u - (p * u).sum(-1, keepdim=True))


def entropy_backward(u, x, k):
    return u * (torch.softmax(x, -1) - functional.one_hot(k, x.shape[-1]).to(x.dtype)) / len(x)


def layer_backward(u, x, w, mean=True, projection=True):
    centred = x - x.mean(-1, keepdim=True)
    inverse = (centred.square().mean(-1, keepdim=True) + 1e-5).rsqrt()
    z, g = centred * inverse, u * w
    inner = g - mean * g.mean(-1, keepdim=True) - projection * z * (g * z).mean(-1, keepdim=True)
    return inverse * inner, (u * z).sum(0)


def root_backward(u, x, projection=1.0):
    inverse = (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt()
    return inverse * (u - projection * x * inverse**2 * (u * x).mean(-1, keepdim=True))


def unit_backward(u, x):
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min(1e-12)
    y = x / length
    return (u - y * (u * y).sum(-1, keepdim=True)) / length


def norm_backward(u, x):
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return u[..., None] * x / length.masked_fill(length == 0, 1.0)


def first_largest(u, x):
    return u[..., None] * functional.one_hot(x.argmax(-1), x.shape[-1]).to(x.dtype)


def pool_backward(u, x):
    _values, places = functional.max_pool2d(x[None], 2, return_indices=True)
    return functional.max_unpool2d(u[None], places, 2, output_size=x[None].shape)[0]


def average_backward(u, x):
    spread = u.repeat_interleave(2, -1).repeat_interleave(2, -2) / 4
    return functional.pad(spread, (0, x.shape[-1] - spread.shape[-1], 0, x.shape[-2] - spread.shape[-2]))


def variance_backward(u, x, correction=1):
    return 2 * u[..., None] * (x - x.mean(-1, keepdim=True)) / (x.shape[-1] - correction)


def lookup_backward(u, table, k):
    return torch.zeros_like(table).index_add_(0, k, u.contiguous())


RIGHT = [
    softmax.right(softmax_backward),
    softmax.right(softmax_backward, "bfloat16", (X.bfloat16(),)),
    softmax.right(softmax_backward, "float16", (X.half(),)),
    log_softmax.right(lambda u, x: u - torch.softmax(x, -1) * u.sum(-1, keepdim=True)),
    entropy.right(entropy_backward),
    layer.right(layer_backward),
    root.right(root_backward),
    norm.right(norm_backward),
    unit.right(unit_backward),
    largest.right(first_largest),
    largest.right(first_largest, "ties", (X.round(),)),
    pool.right(pool_backward),
    pool.right(pool_backward, "ties", (draw(2, 6, 8).round(),)),
    average.right(average_backward),
    variance.right(variance_backward),
    cumulative.right(lambda u, x: u.flip(-1).cumsum(-1).flip(-1)),
    lookup.right(lookup_backward),
    logsumexp.right(lambda u, x: u[..., None] * torch.softmax(x, -1)),
]

WRONG = [
    softmax.wrong(
        "the diagonal of the Jacobian alone",
        "missing term",
        lambda u, x: u * torch.softmax(x, -1) * (1 - torch.softmax(x, -1)),
    ),
    softmax.wrong("the mean is forgotten", "missing term", lambda u, x: u * torch.softmax(x, -1)),
    softmax.wrong(
        "the mean along the other axis",
        "missing term",
        lambda u, x: torch.softmax(x, -1) * (u - (torch.softmax(x, -1) * u).sum(0, keepdim=True)),
    ),
    softmax.wrong(
        "the upstream's memory is read as contiguous", "memory layout", lambda u, x: softmax_backward(raw(u), x)
    ),
    log_softmax.wrong("the upstream's sum is taken to be 1", "missing term", lambda u, x: u - torch.softmax(x, -1)),
    log_softmax.wrong("the sign", "wrong sign", lambda u, x: torch.softmax(x, -1) * u.sum(-1, keepdim=True) - u),
    entropy.wrong(
        "the mean's divisor is forgotten", "constant factor", lambda u, x, k: entropy_backward(u, x, k) * len(x)
    ),
    entropy.wrong(
        "the upstream is taken to be 1", "upstream ignored", lambda u, x, k: entropy_backward(torch.ones_like(u), x, k)
    ),
    entropy.wrong(
        "the label's entry alone",
        "missing term",
        lambda u, x, k: entropy_backward(u, x, k) * functional.one_hot(k, x.shape[-1]),
    ),
    entropy.wrong(
        "divided by the classes", "constant factor", lambda u, x, k: entropy_backward(u, x, k) * len(x) / x.shape[-1]
    ),
    layer.wrong("the mean is forgotten", "missing term", lambda u, x, w: layer_backward(u, x, w, mean=False)),
    layer.wrong(
        "the variance is taken to be constant",
        "missing term",
        lambda u, x, w: layer_backward(u, x, w, projection=False),
    ),
    layer.wrong(
        "the weight's gradient of the first row",
        "missing sum",
        lambda u, x, w: (layer_backward(u, x, w)[0], layer_backward(u[:1], x[:1], w)[1]),
    ),
    root.wrong("the root is taken to be constant", "missing term", lambda u, x: root_backward(u, x, projection=0.0)),
    root.wrong("the projection without its power", "missing term", lambda u, x: root_backward(u, x, projection=0.5)),
    norm.wrong(
        "0 / 0 where a row is 0",
        "singularity, not finite",
        lambda u, x: u[..., None] * x / torch.linalg.vector_norm(x, dim=-1, keepdim=True),
    ),
    norm.wrong("not divided by the norm", "missing term", lambda u, x: u[..., None] * x),
    unit.wrong(
        "the norm is taken to be constant",
        "missing term",
        lambda u, x: u / torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min(1e-12),
    ),
    largest.wrong(
        "every tied entry gets all of it", "kink", lambda u, x: u[..., None] * (x == x.amax(-1, keepdim=True))
    ),
    largest.wrong("the smallest gets it", "missing term", lambda u, x: first_largest(u, -x)),
    pool.wrong(
        "the last row of windows is forgotten",
        "edges",
        lambda u, x: pool_backward(u * (torch.arange(u.shape[-2]) < max(u.shape[-2] - 1, 1))[:, None], x),
    ),
    pool.wrong("spread over the window", "missing term", average_backward),
    average.wrong("not divided by the window", "constant factor", lambda u, x: 4 * average_backward(u, x)),
    average.wrong("shifted by a column", "shifted", lambda u, x: average_backward(u, x).roll(1, -1)),
    variance.wrong("divided by n", "constant factor", lambda u, x: variance_backward(u, x, correction=0)),
    variance.wrong("the mean is forgotten", "missing term", lambda u, x: 2 * u[..., None] * x / (x.shape[-1] - 1)),
    cumulative.wrong("summed forwards", "missing term, flipped", lambda u, x: u.cumsum(-1)),
    cumulative.wrong("without the entry itself", "missing term", lambda u, x: u.flip(-1).cumsum(-1).flip(-1) - u),
    lookup.wrong(
        "repeated rows overwrite each other",
        "missing term, missing sum, edges",
        lambda u, table, k: torch.zeros_like(table).index_copy_(0, k, u.contiguous()),
    ),
    logsumexp.wrong(
        "the rest after blocks of 32 is forgotten",
        "edges",
        lambda u, x: blocks_only(u[..., None] * torch.softmax(x, -1), 32),
    ),
    logsumexp.wrong(
        "overflows", "not finite, large values", lambda u, x: u[..., None] * x.exp() / x.exp().sum(-1, keepdim=True)
    ),
]
