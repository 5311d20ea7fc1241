"""The loop resumed from a state, and the certificate that is looked at only where an estimate lets it hope."""

import torch

from gradus.core import progress
from gradus.core.solution import Problem, Status
from gradus.penalties import L2
from gradus.solvers import LBFGS, Stop, minimize, resume


class Quartic:
    """sum_i (i + 1) (x_i - 1)^4"""

    scale = torch.arange(1.0, 6.0, dtype=torch.float64)

    def value(self, point):
        return (self.scale * (point - 1) ** 4).sum()

    def value_and_gradient(self, point):
        return self.value(point), 4 * self.scale * (point - 1) ** 3


def distance(point):
    gradient = Quartic().value_and_gradient(point)[1] + 0.1 * point
    return float(gradient.norm())


START = torch.zeros(5, dtype=torch.float64)


class Listener:
    """A reporter that keeps what it is told."""

    def __init__(self):
        self.notes = []

    def open(self, description, total):
        return self

    def close(self, task):
        pass

    def advance(self, amount=1.0, note=""):
        self.notes.append(note)


def test_resumed_equals_uninterrupted():
    problem, solver = Problem(Quartic(), L2(0.1)), LBFGS()
    whole = minimize(problem.smooth, problem.penalty, START, solver, Stop(distance, 0.0, 6))
    with progress.task("test") as task:
        half = resume(problem, solver, solver.start(problem, START), Stop(distance, 0.0, 3), task)
        end = resume(problem, solver, half.state, Stop(distance, 0.0, 3), task)
    assert half.iterations == end.iterations == 3
    assert torch.equal(end.state.point, whole.point)
    assert end.solution(whole.value, Stop(distance, 0.0, 3)).status is Status.ITERATION_LIMIT


def test_the_certificate_waits_for_its_estimate():
    looks = []

    def counted(point):
        looks.append(distance(point))
        return looks[-1]

    stop = Stop(counted, 1e-8, 200, promising=lambda state: state.residual <= 1e-8)
    solution = minimize(Quartic(), L2(0.1), START, LBFGS(), stop)
    assert solution.status is Status.CONVERGED
    assert len(looks) == 1
    looks.clear()
    never = minimize(Quartic(), L2(0.1), START, LBFGS(), Stop(counted, 1e-8, 4, promising=lambda state: False))
    assert never.status is Status.ITERATION_LIMIT
    assert len(looks) == 1  # at the end, whatever the estimate says
    assert never.certificate == looks[0]


def test_before_the_first_look_progress_tells_the_gradient_and_never_an_infinite_gap():
    listener = Listener()
    stop = Stop(lambda point: 1.0, 1e-12, 4, promising=lambda state: False)
    with progress.reporting(listener):
        minimize(Quartic(), L2(0.1), torch.zeros(5, dtype=torch.float64), LBFGS(), stop)
    assert len(listener.notes) == 4
    assert all(note.startswith("gradient ") for note in listener.notes)


def test_nothing_is_guessed_where_nobody_watches():
    guessed = []

    def guess(state):
        guessed.append(state)
        return 1.0

    stop = Stop(distance, 0.0, 3, promising=lambda state: False, guess=guess)
    minimize(Quartic(), L2(0.1), START, LBFGS(), stop)
    assert not guessed
    with progress.reporting(Listener()):
        minimize(Quartic(), L2(0.1), START, LBFGS(), stop)
    assert len(guessed) == 3
