import math

import numpy as np
import pytest
import torch

from gradus.kernels import dispatch
from gradus.kernels.gain_step import StepRule, centred, gain_step
from gradus.kernels.threads import threads

IMPLEMENTATIONS = dispatch.implementations("gain_step")
RULE = StepRule(rate=0.7, momentum=0.6, longest_step=1.5)


def expected(gradient, update, gains):
    """The rule written out, one coordinate at a time."""
    update, gains = update.copy(), gains.copy()
    for i, axis in np.ndindex(gradient.shape):
        same = np.sign(gradient[i, axis]) == np.sign(update[i, axis])
        gains[i, axis] = 0.8 * gains[i, axis] + 0.01 if same else gains[i, axis] + 0.2
        update[i, axis] = 0.6 * update[i, axis] - 0.7 * gains[i, axis] * gradient[i, axis]
    for row in update:
        length = np.sqrt((row**2).sum())
        if length > 1.5:
            row *= 1.5 / length
    return update, gains


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_a_step_is_the_rule_written_out(implementation, dtype, dimensions):
    generator = torch.Generator().manual_seed(0)
    gradient, update = (torch.randn(200, dimensions, generator=generator, dtype=dtype) for _ in range(2))
    gains = torch.rand(200, dimensions, generator=generator, dtype=dtype) + 0.1
    update[0] = 0
    gradient[1] = 0
    before = update.clone(), gains.clone()
    with dispatch.force(implementation):
        found = gain_step(gradient, update, gains, RULE)
    for one, other in zip(found, expected(gradient.numpy(), update.numpy(), gains.numpy()), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-6 if dtype == torch.float32 else 1e-13, atol=1e-7)
    assert torch.equal(update, before[0])
    assert torch.equal(gains, before[1])


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_what_is_not_a_number_is_not_hidden(implementation):
    gradient = torch.tensor([[torch.nan, 0.0]])
    with dispatch.force(implementation):
        assert gain_step(gradient, torch.zeros(1, 2), torch.ones(1, 2), RULE)[0].isnan().any()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_points_are_centred_by_the_exact_mean(implementation, dimensions):
    points = torch.randn(5_000, dimensions, generator=torch.Generator().manual_seed(0)) + 30
    with dispatch.force(implementation):
        found = centred(points)
    means = [math.fsum(axis) / len(axis) for axis in points.double().T.tolist()]
    np.testing.assert_allclose(found, points.numpy() - np.float32(means), atol=4e-6)


def test_no_bit_depends_on_the_number_of_threads():
    generator = torch.Generator().manual_seed(0)
    points, slope, update = (torch.randn(600_000, 2, generator=generator) for _ in range(3))
    found = []
    for count in (1, None):
        with threads(count):
            found.append((centred(points), *gain_step(slope, update, points.abs(), RULE)))
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
