"""The metric that a proximal step uses is the one that the optimiser's steps have, measured from outside."""

import pytest
import torch

from gradus.core.errors import InputError
from gradus.optim import DeltaBarDelta, Lion, Muon, Proximal, Step, rms_scale
from gradus.optim.step_metrics import RULES, rule_of

GRADIENT = torch.tensor([3.0, -0.5, 0.01, 20.0], dtype=torch.float64)
# the optimisers whose steps are averages of gradients, and how many steps their buffers take to fill
AVERAGING = {
    "sgd": (lambda p: torch.optim.SGD(p, lr=0.1), 1),
    "sgd, momentum": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), 400),
    "sgd, dampened": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, dampening=0.5), 200),
    "sgd, nesterov": (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), 400),
    "asgd": (lambda p: torch.optim.ASGD(p, lr=0.1, lambd=0.0, alpha=0.5), 3),
    "adam": (lambda p: torch.optim.Adam(p, lr=0.1, eps=1e-3), 3),
    "adam, amsgrad": (lambda p: torch.optim.Adam(p, lr=0.1, amsgrad=True), 5),
    "adamw": (lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.0), 3),
    "nadam": (lambda p: torch.optim.NAdam(p, lr=0.1), 4),
    "radam, early": (lambda p: torch.optim.RAdam(p, lr=0.1), 3),
    "radam, later": (lambda p: torch.optim.RAdam(p, lr=0.1), 30),
    "adamax": (lambda p: torch.optim.Adamax(p, lr=0.1), 4),
    "rmsprop": (lambda p: torch.optim.RMSprop(p, lr=0.1, eps=1e-2), 5),
    "rmsprop, momentum": (lambda p: torch.optim.RMSprop(p, lr=0.1, alpha=0.9, momentum=0.9), 500),
    "adagrad": (lambda p: torch.optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.1), 4),
    "adadelta": (lambda p: torch.optim.Adadelta(p, lr=0.5), 6),
    "adadelta, first step": (lambda p: torch.optim.Adadelta(p, lr=0.5), 1),
    "delta-bar-delta": (lambda p: DeltaBarDelta(p, lr=0.1, down=0.0, up=0.0, least=0.7), 200),
}


class Watching:
    """A penalty that does nothing, and keeps the metric it was given."""

    def value(self, point):
        return torch.zeros((), dtype=torch.float64)

    def prox(self, point, step):
        self.metric = torch.full_like(point, 1.0 / step)
        return point.clone()

    def prox_in_metric(self, point, metric):
        self.metric = metric.clone()
        return point.clone()


@pytest.mark.parametrize("name", AVERAGING)
@pytest.mark.parametrize("maximize", [False, True])
def test_a_constant_gradient_moves_a_parameter_by_itself_over_the_metric(name, maximize):
    make, count = AVERAGING[name]
    point, watching = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64)), Watching()
    inner = make([point])
    if maximize:
        if "maximize" not in inner.defaults:
            pytest.skip("this optimiser only minimises")
        inner.param_groups[0]["maximize"] = True
    optimizer = Proximal(inner, {point: watching})
    for _ in range(count):
        before = point.detach().clone()
        point.grad = GRADIENT.clone()
        optimizer.step()
    moved = point.detach() - before
    torch.testing.assert_close(moved * watching.metric, GRADIENT if maximize else -GRADIENT, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "reach"),
    [
        (lambda p: Lion(p, lr=0.3), 0.3),
        (lambda p: Muon(p, lr=0.3), 0.3 * 2.0**0.5),
        (lambda p: Muon(p, lr=0.3, scale=rms_scale), 0.3 * 0.2 * 2.0),
        (lambda p: torch.optim.Muon(p, lr=0.3), 0.3 * 2.0**0.5),
        (lambda p: torch.optim.Muon(p, lr=0.3, adjust_lr_fn="match_rms_adamw"), 0.3 * 0.2 * 2.0),
        (lambda p: torch.optim.Rprop(p, lr=0.3), 0.3),
    ],
)
def test_sign_and_matrix_steps_have_the_length_they_may_move(make, reach):
    point, watching = torch.nn.Parameter(torch.zeros(4, 2)), Watching()
    optimizer = Proximal(make([point]), {point: watching})
    point.grad = torch.ones(4, 2)
    optimizer.step()
    torch.testing.assert_close(watching.metric, torch.full((4, 2), 1 / reach))


def test_every_rule_is_tested():
    tested = {type(make([torch.nn.Parameter(torch.zeros(2))])) for make, _ in AVERAGING.values()}
    tested |= {Lion, Muon, torch.optim.Muon, torch.optim.Rprop}
    assert set(RULES) <= tested


def test_an_unknown_optimiser_is_refused_and_a_rule_accepted():
    point = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(InputError, match="metric of LBFGS's steps is not known"):
        rule_of(torch.optim.LBFGS([point]))

    class Mine(torch.optim.SGD):
        pass

    assert rule_of(Mine([point])) is RULES[torch.optim.SGD]
    assert isinstance(Step(Mine([point], lr=0.5), {"lr": 0.5}, {}, {}, point.shape).lr, float)
