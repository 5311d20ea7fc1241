"""Right gradients pass and wrong ones are named, against torch's own autograd."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from gradus.check import Settings, check_gradient
from gradus.core.errors import InputError

GENERATOR = torch.Generator().manual_seed(0)


def draw(*shape, dtype=torch.float32):
    return torch.randn(*shape, generator=GENERATOR).to(dtype)


RIGHT = {
    "softmax": (lambda x: torch.softmax(x, -1), draw(5, 7)),
    "softmax of half precision": (lambda x: torch.softmax(x, -1), draw(5, 7, dtype=torch.bfloat16)),
    "relu": (torch.relu, draw(40)),
    "maximum": (lambda x: x.amax(-1), draw(5, 7)),
    "max pooling": (lambda x: functional.max_pool2d(x[None, None], 2, 1)[0, 0], draw(6, 7)),
    "norm": (lambda x: torch.linalg.vector_norm(x, dim=-1), draw(5, 7)),
    "matrix product": (torch.matmul, draw(4, 5), draw(5, 3)),
    "layer norm": (lambda x, w, b: functional.layer_norm(x, (7,), w, b), draw(5, 7), draw(7), draw(7)),
    "log-sum-exp in float64": (lambda x: torch.logsumexp(x, -1), draw(5, 7, dtype=torch.float64)),
    "two outputs": (lambda x: (x.sin(), x.sum(0)), draw(5, 7)),
    "an integer input": (lambda x, k: x[k], draw(9), torch.tensor([1, 1, 4])),
    "a number": (lambda x: x.exp(), torch.tensor(0.3)),
    "one large input": (torch.tanh, draw(300, 400)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_autograd_passes(name):
    function, *inputs = RIGHT[name]
    verdict = check_gradient(function, None, *inputs)
    assert verdict, str(verdict)
    assert "as given" in verdict.looked_at


def only_rows(gradient, rows):
    kept = torch.zeros_like(gradient)
    kept[rows] = gradient[rows]
    return kept


def read_as_contiguous(u):
    """Read the memory behind a tensor from its beginning, as a kernel does that ignores strides."""
    if u.storage_offset() or u.untyped_storage().nbytes() < u.numel() * u.element_size():
        return u
    return torch.as_strided(u, u.shape, torch.empty(u.shape).stride())


WRONG = {
    "wrong sign": (torch.sin, lambda u, x: -u * x.cos(), draw(5, 7)),
    "constant factor": (torch.square, lambda u, x: u * x, draw(5, 7)),
    "detached": (torch.mul, lambda u, x, y: (u * y, None), draw(5), draw(5)),
    "upstream ignored": (torch.sin, lambda u, x: x.cos(), draw(5, 7)),
    "transposed": (torch.matmul, lambda u, a, b: (u @ b.T, (a.T @ u).T), draw(4, 4), draw(4, 4)),
    "missing sum": (torch.add, lambda u, a, b: (u, u[0]), draw(5, 7), draw(7)),
    "missing term": (
        lambda x: torch.softmax(x, -1),
        lambda u, x: u * torch.softmax(x, -1) * (1 - torch.softmax(x, -1)),
        draw(5, 7),
    ),
    "edges": (torch.sin, lambda u, x: only_rows(u * x.cos(), slice(0, -1)), draw(6, 7)),
    "memory layout": (torch.sin, lambda u, x: read_as_contiguous(u) * x.cos(), draw(6, 7)),
    "not finite": (lambda x: x * x, lambda u, x: u * (2 * x) / (x != x[:1]), draw(5, 7)),
    "raises": (torch.sin, lambda u, x: u[10**9], draw(5, 7)),
    "changes its inputs": (torch.sin, lambda u, x: u.mul_(x.cos()), draw(5, 7)),
    "not deterministic": (torch.sin, lambda u, x: u * torch.rand(x.shape), draw(5, 7)),
    "wrong shape": (torch.sin, lambda u, x: (u * x.cos())[:2], draw(5, 7)),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_pullback_is_found_and_named(kind):
    function, pullback, *inputs = WRONG[kind]
    verdict = check_gradient(function, pullback, *inputs)
    assert next(finding.kind for finding in verdict.findings) == kind, str(verdict)
    assert not verdict
    assert "again:" in str(verdict)


def test_one_wrong_entry_of_many_is_found_and_its_place_said():
    def pullback(u, x):
        gradient = u * (1 - torch.tanh(x) ** 2)
        if len(x) == 90_001:
            gradient[34_567] *= 1.5
        return gradient

    verdict = check_gradient(torch.tanh, pullback, draw(90_001, dtype=torch.float64))
    assert [entry.index for entry in verdict.findings[0].entries] == [(34_567,)]


def test_the_expected_entries_are_those_of_autograd():
    x = draw(3, 4, dtype=torch.float64)
    verdict = check_gradient(torch.sin, lambda u, x: 0 * u + 3.0, x)
    assert all(abs(entry.expected) <= 1.6 and entry.got == 3.0 for entry in verdict.findings[0].entries)


def test_a_failure_is_seen_again_under_its_seed_and_case():
    function, pullback, *inputs = WRONG["memory layout"]
    finding = check_gradient(function, pullback, *inputs).findings[0]
    again = check_gradient(function, pullback, *inputs, settings=Settings(only=(finding.case,)))
    assert again.findings[0] == finding


def test_equal_entries_of_a_maximum_must_share():
    def both(u, x):
        return u[:, None] * (x == x.amax(-1, keepdim=True))

    verdict = check_gradient(lambda x: x.amax(-1), both, draw(5, 7))
    assert {finding.kind for finding in verdict.findings} == {"kink"}


def test_numpy_pairs():
    x = np.linspace(0.1, 1, 6)
    assert check_gradient(np.log, lambda u, x: u / x, x)
    assert check_gradient(np.log, lambda u, x: u * x, x).findings
    with pytest.raises(InputError, match="give its pullback"):
        check_gradient(np.log, None, x)


def test_a_reference_is_trusted_instead_of_the_function():
    def wrong_forward(x):
        return 2.0 * x.exp()

    settings = Settings(reference=torch.exp)
    assert check_gradient(wrong_forward, lambda u, x: u * x.exp(), draw(5), settings=settings)
    assert not check_gradient(wrong_forward, lambda u, x: u * x.exp(), draw(5))


def test_functions_of_float32_only():
    def single(x):
        assert x.dtype == torch.float32
        return x.sin()

    verdict = check_gradient(single, lambda u, x: u * x.cos(), draw(5, 7))
    assert verdict, str(verdict)
    assert verdict.golden == "float32 differences"
    assert not check_gradient(single, lambda u, x: 1.1 * u * x.cos(), draw(5, 7))


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ((torch.arange(3),), "no gradient to check"),
        ((torch.ones(3, dtype=torch.complex64),), "complex"),
        (("three",), "is a str"),
        ((torch.ones(3), torch.ones(4)), "cannot be run in float64"),
    ],
)
def test_what_cannot_be_checked_is_said(inputs, said):
    with pytest.raises(InputError, match=said):
        check_gradient(torch.add, None, *inputs)


def test_a_custom_autograd_function():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, upstream):
            (x,) = ctx.saved_tensors
            return 3 * upstream * x

    assert check_gradient(Cube, None, draw(5)).findings[0].kind in ("missing term", "constant factor")
