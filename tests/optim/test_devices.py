"""Every step rule, proximal steps and pruning on a device: the same steps as on the processor."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from gradus import layers
from gradus.optim import DeltaBarDelta, Lion, Muon, Proximal, by_name, cosine, of_filters, prune_channels
from gradus.penalties import L1, ElasticNet, GroupLasso, Nuclear, Slope, WeightedGroupLasso
from simulated_device import compared

OPTIMISERS = {
    "sgd, momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.05),
    # whose count of steps, on the device, is in float32
    "adamw, capturable": lambda p: torch.optim.AdamW(p, lr=0.05, capturable=p[0].is_cuda),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.05),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.05),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.02, momentum=0.8),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "adamax": lambda p: torch.optim.Adamax(p, lr=0.05),
    "adadelta": lambda p: torch.optim.Adadelta(p, lr=1.0),
    "lion": lambda p: Lion(p, lr=0.01),
    "delta-bar-delta": lambda p: DeltaBarDelta(p, lr=0.05),
    "muon": lambda p: Muon([q for q in p if q.dim() > 1], lr=0.02),
}
STEPS = 6
TOLERANCES = {"adamw, capturable": 1e-3}
PENALTIES = {
    "l1": L1(0.05),
    "elastic net": ElasticNet(0.03, 0.05),
    "group lasso of filters": of_filters(GroupLasso(0.1)),
}


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        *(layers.Conv2d(2, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), layers.MaxPool2d(2)),
        *(layers.Conv2d(6, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)),
    ).double()


def images(seed=0):
    return torch.randn(8, 2, 8, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def trained(start, make, on, penalty=None, patterns=("0.weight", "4.weight")):
    model = copy.deepcopy(start).to(on)
    optimizer = make(list(model.parameters()))
    if penalty is not None:
        held = {q for group in optimizer.param_groups for q in group["params"]}
        penalised = dict.fromkeys(patterns, penalty)
        named = {q: p for q, p in by_name(model, penalised).items() if q in held}
        optimizer = Proximal(optimizer, named)
    scheduler = lr_scheduler.LambdaLR(optimizer, cosine(STEPS, last=0.1))
    with compared() if on == "cpu" else nullcontext():
        for step in range(STEPS):
            optimizer.zero_grad()
            model(images(step).to(on)).square().mean().backward()
            optimizer.step()
            scheduler.step()
    return model, optimizer


def close(found, wanted, device, tolerance=1e-6):
    for own, other in zip(found.parameters(), wanted.parameters(), strict=True):
        assert own.device == device
        torch.testing.assert_close(own.detach().cpu(), other.detach(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_steps(name, device):
    start = network()
    found, wanted = (trained(start, OPTIMISERS[name], on)[0] for on in (device, "cpu"))
    close(found, wanted, device, TOLERANCES.get(name, 1e-6))


@pytest.mark.parametrize(
    ("name", "penalty"),
    [(name, "l1") for name in OPTIMISERS if name not in ("muon", "lion")]
    + [("adam", "elastic net"), ("adam", "group lasso of filters"), ("sgd, momentum", "group lasso of filters")],
)
def test_proximal_steps(name, penalty, device):
    start = network()
    found, optimizer = trained(start, OPTIMISERS[name], device, PENALTIES[penalty])
    wanted, other = trained(start, OPTIMISERS[name], "cpu", PENALTIES[penalty])
    close(found, wanted, device, TOLERANCES.get(name, 1e-6))
    assert optimizer.penalty() == pytest.approx(other.penalty(), rel=TOLERANCES.get(name, 1e-6))


@pytest.mark.parametrize("penalty", [Nuclear(0.1), Slope(torch.linspace(0.05, 0.01, 48))], ids=["nuclear", "slope"])
def test_proximal_steps_of_penalties_without_a_metric(penalty, device):
    start, make = network(), OPTIMISERS["sgd, momentum"]
    found, wanted = (trained(start, make, on, penalty, ("7.weight",))[0] for on in (device, "cpu"))
    close(found, wanted, device)


def test_a_state_goes_to_the_other_device_and_on(device):
    start, make = network(), OPTIMISERS["adam"]
    first, optimizer = trained(start, make, "cpu", PENALTIES["l1"])
    moved = copy.deepcopy(first).to(device)
    penalties = by_name(moved, {"0.weight": PENALTIES["l1"], "4.weight": PENALTIES["l1"]})
    there = Proximal(make(list(moved.parameters())), penalties)
    there.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for model, steps, on in ((first, optimizer, "cpu"), (moved, there, device)):
        with compared() if on == "cpu" else nullcontext():
            steps.zero_grad()
            model(images(9).to(on)).square().mean().backward()
            steps.step()
    close(moved, first, device)


def test_pruning(device):
    model = network()
    with torch.no_grad():
        model[1].running_var.add_(0.5)
        model[0].weight[[1, 4]] = 0.0
        model[1].bias[[1, 4]] = -0.5
        model[4].weight[2] = 0.0
    with compared():
        wanted = prune_channels(model, torch.zeros(1, 2, 8, 8, dtype=torch.float64), fold=True)
    moved = model.to(device)
    smaller = prune_channels(moved, torch.zeros(1, 2, 8, 8, dtype=torch.float64, device=device), fold=True)
    assert [tuple(p.shape) for p in smaller.parameters()] == [tuple(p.shape) for p in wanted.parameters()]
    assert smaller[0].out_channels == 4
    close(smaller, wanted, device)
    torch.testing.assert_close(smaller(images().to(device)), moved.eval()(images().to(device)), rtol=1e-9, atol=1e-9)


def test_a_penalty_with_weights_of_its_own(device):
    penalty = WeightedGroupLasso(0.1, torch.linspace(0.5, 2.0, 4))
    weight = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = []
    for on in ("cpu", device):
        point = nn.Parameter(weight.clone().to(on))
        optimizer = Proximal(torch.optim.SGD([point], lr=0.1), {point: penalty})
        for _ in range(5):
            optimizer.zero_grad()
            (point.square().sum() / 2).backward()
            optimizer.step()
        found.append(point.detach().cpu())
    torch.testing.assert_close(*found, rtol=1e-9, atol=1e-12)
