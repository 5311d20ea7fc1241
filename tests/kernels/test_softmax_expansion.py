"""Every implementation of the expansion, against autograd of torch's own cross-entropy in float64."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.kernels import dispatch
from gradus.kernels.softmax_expansion import Samples, cost, softmax_expansion

IMPLEMENTATIONS = [name for name in dispatch.implementations("softmax_expansion") if name != "cuda"]


def samples_of(samples, features, outputs, baseline, seed):
    """Rows, labels that are probabilities, some weights of 0, and a point."""
    generator = torch.Generator().manual_seed(seed)
    rows, point, logits = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((samples, features), (features, outputs), (samples, outputs + int(baseline)))
    )
    labels = torch.softmax(3 * logits, dim=1)[:, :outputs]
    shares = torch.rand(samples, generator=generator, dtype=torch.float64)
    shares[::4] = 0.0
    return Samples(rows.t().contiguous(), labels.t().contiguous(), shares), point


def torchs(samples, point, baseline):
    rows, labels, shares = samples.columns.t(), samples.labels.t(), samples.shares
    logits = rows @ point
    if baseline:
        logits = torch.cat([logits, torch.zeros(len(rows), 1, dtype=torch.float64)], dim=1)
        labels = torch.cat([labels, 1.0 - labels.sum(dim=1, keepdim=True)], dim=1)
    return (shares * torch.nn.functional.cross_entropy(logits, labels, reduction="none")).sum()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@settings(deadline=None, max_examples=20)
@given(
    samples=st.sampled_from([0, 1, 7, 40, 128, 131]),
    features=st.integers(1, 9),
    outputs=st.integers(1, 4),
    baseline=st.booleans(),
    seed=st.integers(0, 2**31),
    size=st.sampled_from([0.0, 1.0, 20.0]),
)
def test_is_what_autograd_finds(implementation, samples, features, outputs, baseline, seed, size):
    data, point = samples_of(samples, features, outputs, baseline, seed)
    point *= size
    with dispatch.force(implementation):
        value, gradient, hessian = softmax_expansion(data, point, baseline=baseline)

    def by_outputs(turned):
        return torchs(data, turned.view(outputs, features).t(), baseline)

    turned = point.t().ravel().clone().requires_grad_()
    scale = 1.0 + size
    assert value == pytest.approx(by_outputs(turned).item(), rel=1e-12, abs=1e-12 * scale)
    expected = torch.autograd.functional.jacobian(by_outputs, turned).view(outputs, features).t()
    torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(
        hessian, torch.autograd.functional.hessian(by_outputs, turned), rtol=1e-10, atol=1e-11 * scale
    )
    assert torch.equal(hessian, hessian.t()) or implementation == "reference"


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_large_logits_are_finite(implementation):
    data, point = samples_of(20, 3, 2, True, 0)
    with dispatch.force(implementation):
        value, gradient, hessian = softmax_expansion(data, 1e5 * point, baseline=True)
    assert value == pytest.approx(torchs(data, 1e5 * point, True).item(), rel=1e-12)
    assert gradient.isfinite().all()
    assert hessian.isfinite().all()


def test_the_cost_counts_each_pair_of_outputs_once():
    assert cost(samples=10, features=3, outputs=4) == 10 * 9 * 10
