"""Every implementation of the softmax residual, against mpmath, autograd and the reference."""

import math

import mpmath
import numba
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import implementations
from gradus.kernels import dispatch
from gradus.kernels.softmax_residual import softmax_residual

IMPLEMENTATIONS = implementations.of("softmax_residual")
# the interpreter subtracts infinities, as a device does; NumPy tells of it
pytestmark = pytest.mark.filterwarnings("ignore:.* encountered in .*:RuntimeWarning")
DTYPES = [torch.float32, torch.float64]


def run(implementation, logits, targets, weights):
    device = implementations.device_of(implementation)
    with dispatch.force(implementation):
        assert dispatch.chosen("softmax_residual", device) == implementation
        loss, residual = softmax_residual(logits.to(device), targets.to(device), weights.to(device))
        return loss.cpu(), residual.cpu()


def exact(logits, labels, weights):
    """Loss and derivative by their definitions in 60 digits; labels are rows of probabilities."""
    with mpmath.workdps(60):
        loss, rows = mpmath.mpf(0), []
        for z, y, w in zip(logits.tolist(), labels.tolist(), weights.tolist(), strict=True):
            top = max(z)
            terms = [mpmath.exp(mpmath.mpf(value) - mpmath.mpf(top)) for value in z]
            whole = mpmath.fsum(terms)
            normaliser = mpmath.log(whole) + mpmath.mpf(top)
            loss += w * mpmath.fsum(mpmath.mpf(b) * (normaliser - mpmath.mpf(a)) for a, b in zip(z, y, strict=True))
            rows.append([float(w * (term / whole - mpmath.mpf(b))) for term, b in zip(terms, y, strict=True)])
        return float(loss), torch.tensor(rows, dtype=torch.float64).reshape(logits.shape)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["hard", "soft"])
@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0, 1e4])
def test_equals_the_definition_in_many_digits(implementation, dtype, kind, spread):
    generator = torch.Generator().manual_seed(0)
    logits = (spread * torch.randn(50, 7, generator=generator, dtype=torch.float64)).to(dtype)
    weights = torch.rand(50, generator=generator, dtype=torch.float64).to(dtype)
    codes = torch.randint(7, (50,), generator=generator)
    if kind == "hard":
        targets, labels = codes, torch.nn.functional.one_hot(codes, 7).to(dtype)
    else:
        labels = torch.softmax(torch.randn(50, 7, generator=generator, dtype=torch.float64), 1).to(dtype)
        targets = labels
    loss, residual = run(implementation, logits, targets, weights)
    expected_loss, expected = exact(logits, labels, weights)
    epsilon = torch.finfo(dtype).eps
    # a logit's own rounding moves its exponential by eps |z|
    noise = epsilon * (4 + 2 * logits.double().abs().amax().item())
    assert abs(loss.item() - expected_loss) <= 8 * epsilon * max(expected_loss, weights.double().sum().item())
    assert (residual.double() - expected).abs().max() <= noise
    assert residual.dtype == dtype
    assert loss.dtype == torch.float64


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("margin", [1.0, 20.0, 60.0])
def test_a_saturated_row_keeps_its_relative_accuracy(implementation, dtype, margin):
    logits = torch.tensor([[margin, 0.0, 0.0], [0.0, margin, 0.0]], dtype=dtype)
    weights = torch.tensor([1.0, 1.0], dtype=dtype)
    loss, residual = run(implementation, logits, torch.tensor([0, 1]), weights)
    with mpmath.workdps(50):
        rest = 2 * mpmath.exp(-margin)
        expected_loss, share = float(2 * mpmath.log1p(rest)), float(rest / (1 + rest))
    tolerance = 20 * torch.finfo(dtype).eps * (1 + margin)
    assert loss.item() == pytest.approx(expected_loss, rel=tolerance)
    assert residual[0, 0].item() == pytest.approx(-share, rel=tolerance)
    assert residual[0, 1].item() == pytest.approx(share / 2, rel=tolerance)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_finite_at_any_finite_logit(implementation, dtype, kind):
    largest = torch.finfo(dtype).max
    values = [0.0, 1e4, -1e4, largest, -largest, largest / 2]
    logits = torch.tensor([[a, b, c] for a in values for b in values for c in values], dtype=dtype)
    codes = torch.arange(len(logits)) % 3
    targets = codes if kind == "hard" else torch.nn.functional.one_hot(codes, 3).to(dtype)
    weights = torch.full((len(logits),), 1.0 / len(logits), dtype=dtype)
    loss, residual = run(implementation, logits, targets, weights)
    assert residual.isfinite().all()
    assert not math.isnan(loss.item())
    # the sum of hundreds of losses near the largest float64 is the only thing that may overflow
    assert math.isfinite(loss.item())
    assert residual.sum(1).abs().max() <= 4 * torch.finfo(dtype).eps


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_residual_is_the_derivative_that_autograd_finds(implementation, kind):
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(40, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(40, generator=generator, dtype=torch.float64)
    targets = torch.randint(5, (40,), generator=generator)
    if kind == "soft":
        targets = torch.softmax(torch.randn(40, 5, generator=generator, dtype=torch.float64), 1)
    peer = (torch.nn.functional.cross_entropy(logits, targets, reduction="none") * weights).sum()
    (gradient,) = torch.autograd.grad(peer, logits)
    loss, residual = run(implementation, logits.detach(), targets, weights)
    torch.testing.assert_close(loss, peer.detach())
    torch.testing.assert_close(residual, gradient)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@settings(deadline=None, max_examples=40)
@given(rows=st.integers(0, 700), classes=st.integers(1, 12), seed=st.integers(0, 2**31), single=st.booleans())
def test_agrees_with_the_reference(implementation, rows, classes, seed, single):
    dtype = torch.float32 if single else torch.float64
    generator = torch.Generator().manual_seed(seed)
    wide = 8 * torch.randn(rows, 2 * classes, generator=generator, dtype=torch.float64).to(dtype)
    logits = wide[:, ::2]
    weights = torch.rand(rows, generator=generator, dtype=torch.float64).to(dtype)
    codes = torch.randint(classes, (rows,), generator=generator)
    for targets in (codes, torch.nn.functional.one_hot(codes, classes).to(dtype)):
        loss, residual = run(implementation, logits, targets, weights)
        expected_loss, expected = run("reference", logits, targets, weights)
        tolerance = 200 * torch.finfo(dtype).eps
        torch.testing.assert_close(loss, expected_loss, rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(residual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_no_subnormal_numbers_which_would_slow_what_multiplies_them(dtype, kind):
    generator = torch.Generator().manual_seed(3)
    logits = 50 * torch.randn(2000, 7, generator=generator, dtype=torch.float64).to(dtype)
    if dtype == torch.float64:
        logits *= 10
    codes = torch.randint(7, (2000,), generator=generator)
    targets = codes if kind == "hard" else torch.nn.functional.one_hot(codes, 7).to(dtype)
    loss, residual = run("cpu", logits, targets, torch.full((2000,), 1e-4, dtype=dtype))
    expected_loss, expected = run("reference", logits, targets, torch.full((2000,), 1e-4, dtype=dtype))
    tiny = torch.finfo(dtype).tiny
    assert ((expected != 0) & (expected.abs() < tiny)).any(), "the reference has some, so they were possible"
    assert not ((residual != 0) & (residual.abs() < tiny)).any()
    torch.testing.assert_close(residual, expected, rtol=1e-4, atol=4e-4 * torch.finfo(dtype).eps)
    torch.testing.assert_close(loss, expected_loss)


def test_same_bits_on_one_thread_and_on_all():
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(50_000, 10, generator=generator)
    targets = torch.randint(10, (50_000,), generator=generator)
    weights = torch.rand(50_000, generator=generator)
    many = softmax_residual(logits, targets, weights)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one = softmax_residual(logits, targets, weights)
    finally:
        numba.set_num_threads(before)
    assert torch.equal(many[0], one[0])
    assert torch.equal(many[1], one[1])
    assert dispatch.chosen("softmax_residual", "cpu") == "cpu"
