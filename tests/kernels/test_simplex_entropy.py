"""Every implementation of the entropies, against mpmath and the reference."""

import mpmath
import numba
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.kernels import dispatch
from gradus.kernels.simplex_entropy import Repair, simplex_entropy
from gradus.kernels.softmax_sweep import Labelled

IMPLEMENTATIONS = [name for name in dispatch.implementations("simplex_entropy") if name != "cuda"]
SCALES = [0.0, 1e-9, 0.3, 0.98, 1.0 - 1e-12, 1.0]


def problem(samples, classes, kind, seed, spread=2.0, repaired=True):
    generator = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(samples, classes, generator=generator, dtype=torch.float64)
    weights = torch.rand(samples, generator=generator, dtype=torch.float64)
    targets = torch.randint(classes, (samples,), generator=generator)
    if kind == "soft":
        targets = (2 * torch.randn(samples, classes, generator=generator)).softmax(dim=1)
    give = torch.arange(classes) < classes // 2
    shares = torch.rand(classes, generator=generator, dtype=torch.float64) * give * repaired
    receivers = torch.rand(classes, generator=generator, dtype=torch.float64) * ~give
    return (
        logits.softmax(dim=1),
        Labelled(targets, weights / weights.sum()),
        Repair(shares, receivers / receivers.sum()),
    )


def exact(probabilities, labelled, repair, scale):
    """The definition in 40 digits, row by row."""
    with mpmath.workdps(40):
        total = mpmath.mpf(0)
        shares, receivers = ([mpmath.mpf(x) for x in part.tolist()] for part in repair)
        for row, target, weight in zip(
            probabilities.tolist(), labelled.targets.tolist(), labelled.weights.tolist(), strict=True
        ):
            p = [mpmath.mpf(x) / mpmath.fsum(row) for x in row]
            freed = mpmath.fsum(a * b for a, b in zip(p, shares, strict=True))
            q = [a * (1 - b) + freed * c for a, b, c in zip(p, shares, receivers, strict=True)]
            y = target if isinstance(target, list) else [float(k == target) for k in range(len(p))]
            m = mpmath.fsum(y)
            v = [b / m + scale * (a - b / m) for a, b in zip(q, y, strict=True)]
            total += weight * m * mpmath.fsum(-x * mpmath.log(x) for x in v if x > 0)
        return float(total)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("stored", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["hard", "soft"])
@pytest.mark.parametrize("spread", [0.1, 2.0, 30.0])
def test_is_the_definition_in_many_digits(implementation, stored, kind, spread):
    probabilities, labelled, repair = problem(40, 6, kind, 0, spread)
    probabilities = probabilities.to(stored)
    with dispatch.force(implementation):
        assert dispatch.chosen("simplex_entropy", "cpu") == implementation
        found = simplex_entropy(probabilities, labelled, repair, SCALES)
    for value, scale in zip(found.tolist(), SCALES, strict=True):
        assert value == pytest.approx(exact(probabilities, labelled, repair, scale), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@settings(deadline=None, max_examples=30)
@given(
    samples=st.integers(0, 3000),
    classes=st.integers(2, 12),
    kind=st.sampled_from(["hard", "soft"]),
    seed=st.integers(0, 2**31),
    repaired=st.booleans(),
)
def test_agrees_with_the_reference(implementation, samples, classes, kind, seed, repaired):
    probabilities, labelled, repair = problem(samples, classes, kind, seed, repaired=repaired)
    with dispatch.force(implementation):
        found = simplex_entropy(probabilities, labelled, repair, SCALES)
    with dispatch.force("reference"):
        expected = simplex_entropy(probabilities, labelled, repair, SCALES)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)


def test_a_certain_row_has_no_entropy_and_gives_no_nan():
    probabilities = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    nothing = Repair(*torch.zeros(2, 3, dtype=torch.float64))
    labelled = Labelled(torch.tensor([0, 0]), torch.ones(2, dtype=torch.float64))
    for implementation in IMPLEMENTATIONS:
        with dispatch.force(implementation):
            values = simplex_entropy(probabilities, labelled, nothing, [0.0, 0.5, 1.0])
        # the second row goes from its label to another class: half way it is a coin
        assert values.tolist() == pytest.approx([0.0, 0.6931471805599453, 0.0], abs=1e-15)


def test_same_bits_on_one_thread_and_on_all():
    probabilities, labelled, repair = problem(50_000, 10, "hard", 1)
    many = simplex_entropy(probabilities, labelled, repair, SCALES)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one = simplex_entropy(probabilities, labelled, repair, SCALES)
    finally:
        numba.set_num_threads(before)
    assert torch.equal(many, one)
