"""Every solver that multiplies whole matrices, on a device: the minimum of the processor, certified there."""

import pytest
import torch

import catalogue
from gradus.core.solution import Status
from gradus.losses import DualityGap
from gradus.solvers import CoordinateDescent, Newton, Stop, minimize
from losses.test_on_a_device import moved
from solvers.test_solver_laws import masked

ON_THE_PROCESSOR = (CoordinateDescent, Newton)
SOLVERS = {name: row for name, row in catalogue.SOLVERS.items() if not isinstance(row[0], ON_THE_PROCESSOR)}


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_on_a_device_ends_at_the_minimum(name, device):
    solver, penalties = SOLVERS[name]
    here = catalogue.models(torch.float64)["cross-entropy of codes"]
    for penalty in {type(each): each for each in (penalties[0], penalties[-1])}.values():
        values = []
        for model in (here, moved(here, device)):
            stop = Stop(DualityGap(model, penalty), 1e-4, 2000)
            solution = minimize(model, masked(penalty), model.zeros(), solver, stop)
            assert solution.status is Status.CONVERGED
            assert solution.point.device == model.features.device
            values.append(solution.value)
        assert values[1] == pytest.approx(values[0], rel=3e-4)
