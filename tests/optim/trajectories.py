"""The recorded steps of optax, and the same gradients given to a torch optimiser."""

import json
from pathlib import Path

import torch

RECORDED = json.loads(Path(__file__).with_name("optax_steps.json").read_text(encoding="utf-8"))


def taken(make, start=None, gradients=None):
    """The points a torch optimiser visits, (steps, *shape); ``make`` builds it from a list of one parameter."""
    start = torch.tensor(RECORDED["start"], dtype=torch.float64) if start is None else start
    gradients = torch.tensor(RECORDED["gradients"], dtype=torch.float64) if gradients is None else gradients
    point = torch.nn.Parameter(start.clone())
    optimizer, visited = make([point]), []
    for gradient in gradients:
        point.grad = gradient.clone()
        optimizer.step()
        visited.append(point.detach().clone())
    return torch.stack(visited)


def of_optax(name):
    return torch.tensor(RECORDED["points"][name], dtype=torch.float64)


def apart(one, other):
    """The largest difference of two trajectories, relative to how far the second goes."""
    return float((one - other).abs().max() / (other[-1] - other[0]).abs().max())
