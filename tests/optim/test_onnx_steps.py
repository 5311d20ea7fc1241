"""ONNX's training cases: torch's optimisers take their steps, and Proximal's metric is that of their outputs."""

import warnings

import numpy as np
import pytest
import torch

from gradus.optim import Proximal
from gradus.penalties import L1

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from onnx.backend.test.case.node import collect_testcases

    NODE_CASES = collect_testcases(None)

CASES = {
    case.name: case
    for case in NODE_CASES
    if case.model is not None
    and case.model.graph.node[0].domain == "ai.onnx.preview.training"
    and case.model.graph.node[0].op_type in ("Adagrad", "Adam", "Momentum")
}
# of ONNX at step 0 moments are not corrected for their start, as torch's are not after many steps
MANY = 1e6


def read(case):
    """Return the kind, its settings, the rate, the step, and (parameter, gradient, state..., outputs...) of each."""
    node = case.model.graph.node[0]
    given = {a.name: a.s.decode() if a.s else a.f for a in node.attribute}
    inputs, outputs = ([torch.as_tensor(np.array(t)) for t in side] for side in case.data_sets[0])
    states = 4 if node.op_type == "Adam" else 3
    count = (len(inputs) - 2) // states
    rows = [[*inputs[2 + place :: count], *outputs[place::count]] for place in range(count)]
    return node.op_type, given, float(inputs[0]), int(inputs[1]), rows


def prepared(kind, given, rate, step, row):
    """Return the parameter and torch's optimiser in the state that the case begins with."""
    point, gradient = torch.nn.Parameter(row[0].clone()), row[1]
    point.grad = gradient.clone()
    decay = given["norm_coefficient"]
    if kind == "Momentum":
        nesterov = given["mode"] == "nesterov"
        optimizer = torch.optim.SGD([point], lr=rate, momentum=given["alpha"], weight_decay=decay, nesterov=nesterov)
        optimizer.state[point] = {"momentum_buffer": row[2].clone()}
    elif kind == "Adagrad":
        settings = {"lr_decay": given["decay_factor"], "weight_decay": decay, "eps": given["epsilon"]}
        optimizer = torch.optim.Adagrad([point], lr=rate, **settings)
        optimizer.state[point] = {"step": torch.tensor(float(step)), "sum": row[2].clone()}
    else:
        settings = {"betas": (given["alpha"], given["beta"]), "weight_decay": decay, "eps": given["epsilon"]}
        optimizer = torch.optim.Adam([point], lr=rate, **settings)
        moments = {"exp_avg": row[2].clone(), "exp_avg_sq": row[3].clone()}
        optimizer.state[point] = {"step": torch.tensor(MANY), **moments}
    return point, optimizer


def length_of_step(kind, given, rate, row):
    """Return the step of each entry by what ONNX says it divided by."""
    if kind == "Momentum":
        return torch.full_like(row[0], rate / (1 - given["alpha"]))
    return rate / (row[-1].sqrt() + given["epsilon"])


@pytest.mark.parametrize("name", CASES)
def test_torch_takes_onnxs_step(name):
    kind, given, rate, step, rows = read(CASES[name])
    assert step == 0
    for row in rows:
        point, optimizer = prepared(kind, given, rate, step, row)
        optimizer.step()
        after = row[4] if kind == "Adam" else row[3]
        torch.testing.assert_close(point.detach(), after, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_the_proximal_step_after_it_has_its_metric(name):
    kind, given, rate, step, rows = read(CASES[name])
    for row in rows:
        point, inner = prepared(kind, given, rate, step, row)
        after = row[4] if kind == "Adam" else row[3]
        lengths = length_of_step(kind, given, rate, row)
        strength = float(0.5 * (after.abs() / lengths).max())
        Proximal(inner, {point: L1(strength)}).step()
        expected = after.sign() * (after.abs() - strength * lengths).clamp(min=0)
        assert (expected != 0).any()
        torch.testing.assert_close(point.detach(), expected, rtol=1e-5, atol=1e-6)


def test_all_of_onnxs_cases_are_there():
    kinds = [case.model.graph.node[0].op_type for case in CASES.values()]
    assert {kind: kinds.count(kind) for kind in ("Adagrad", "Adam", "Momentum")} == {
        "Adagrad": 2,
        "Adam": 2,
        "Momentum": 3,
    }
