"""Every schedule against torch's schedulers and optax's."""

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from gradus.core.errors import InputError
from gradus.optim import constant, cosine, linear, one_cycle, steps, trapezoid, warmed_up
from optim.trajectories import RECORDED

TOTAL = 12


def rates(make, count, lr=1.0):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler, found = make(optimizer), []
    for _ in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


CASES = {
    "cosine": (cosine(TOTAL, last=0.1), lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL, eta_min=0.1), TOTAL + 1),
    "linear": (linear(5, first=0.2, last=1.0), lambda o: lr_scheduler.LinearLR(o, 0.2, 1.0, 5), TOTAL),
    "steps": (steps({3: 0.1, 7: 0.01}), lambda o: lr_scheduler.MultiStepLR(o, [3, 7], 0.1), TOTAL),
    "one cycle": (one_cycle(TOTAL), lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=TOTAL), TOTAL - 1),
    "one cycle, early peak": (
        one_cycle(40, peak=0.1, first=0.1, last=0.01),
        lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=40, pct_start=0.1, div_factor=10, final_div_factor=10),
        39,
    ),
    "constant": (constant(0.3), lambda o: lr_scheduler.ConstantLR(o, 0.3, 100), TOTAL),
}


@pytest.mark.parametrize("name", CASES)
def test_same_rates_as_torch_through_lambda_lr(name):
    schedule, theirs, count = CASES[name]
    ours = rates(lambda optimizer: lr_scheduler.LambdaLR(optimizer, schedule), count)
    np.testing.assert_allclose(ours, rates(theirs, count), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("cosine", cosine(10, last=0.1)),
        ("linear", linear(10, last=0.2)),
        ("warmed up cosine", warmed_up(cosine(10), over=4)),
    ],
)
def test_same_factors_as_optax_and_past_the_end(name, schedule):
    np.testing.assert_allclose([schedule(step) for step in range(16)], RECORDED["schedules"][name], atol=1e-6)


def test_trapezoid_is_numpys_interpolation():
    schedule = trapezoid(20, up=5, down=8, first=0.2, last=0.07)
    expected = np.interp(np.arange(24), [0, 5, 12, 20], [0.2, 1, 1, 0.07])
    np.testing.assert_allclose([schedule(step) for step in range(24)], expected, atol=1e-12)
    assert trapezoid(3, up=0, down=0)(2) == 1.0


def test_wrong_settings_are_refused():
    for wrong in (
        lambda: cosine(0),
        lambda: cosine("9"),
        lambda: linear(3, last=-1.0),
        lambda: trapezoid(3, up=2, down=2),
        lambda: one_cycle(9, peak=1.0),
        lambda: steps({3: -0.1}),
        lambda: warmed_up(constant(), over=0),
    ):
        with pytest.raises(InputError):
            wrong()
