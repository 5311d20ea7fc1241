"""The estimate of a gap costs next to nothing, and is of the gap's size near the solution."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gradus.estimators import gap_estimate
from gradus.estimators.gap_estimate import GapEstimate, Outlook
from gradus.losses import CrossEntropy, DenseFeatures, DualityGap, LinearModel
from gradus.losses.sampling import evenly_spaced
from gradus.penalties import L2

ALPHA = 1e-2


def model(samples=4000, features=12):
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, samples)
    X = 5.0 + generator.normal(size=(3, features))[y] + generator.normal(size=(samples, features))
    weights = torch.from_numpy(generator.uniform(0.5, 1.5, samples))
    loss = CrossEntropy(torch.from_numpy(y), 3)
    return LinearModel(loss, DenseFeatures(torch.from_numpy(X)), weights / weights.sum()).centred()


def test_some_rows_have_the_spread_of_all(monkeypatch):
    whole = model()
    monkeypatch.setattr(gap_estimate, "SPREAD_ROWS", 200)
    some = GapEstimate.of(whole, ALPHA).spread
    assert some == pytest.approx(float(whole.squared_norms().sum()) + ALPHA * 3, rel=0.1)


def test_evenly_spaced_rows_stand_for_all():
    whole = model()
    some = evenly_spaced(whole, 300)
    assert 300 <= some.samples < 600
    assert float(some.weights.sum()) == pytest.approx(1.0)
    point = torch.full(whole.shape, 0.1, dtype=torch.float64)
    assert some.value(point).item() == pytest.approx(whole.value(point).item(), rel=0.05)


def test_near_the_solution_it_is_of_the_size_of_the_gap():
    whole, penalty = model(), L2(ALPHA)
    point = whole.zeros()
    precondition = 1.0 / (float(whole.squared_norms().sum()) + ALPHA)
    estimate = GapEstimate.of(whole, ALPHA)
    for _ in range(200):
        value, gradient = whole.value_and_gradient(point)
        gradient = gradient + torch.cat([ALPHA * point[:-1], torch.zeros_like(point[-1:])])
        point = point - precondition * gradient
    value = float(whole.value(point) + penalty.value(point[:-1]))
    found = estimate(SimpleNamespace(value=value, gradient=gradient))
    published = LinearModel(whole.loss, whole.features, whole.weights)
    true = DualityGap(published, penalty)(whole.uncentred_point(point))
    assert true > 0
    assert true / 30 < found < 30 * true


def test_a_look_teaches_when_the_next_is_worth_it():
    class State:
        gradient = torch.ones(2, 1, dtype=torch.float64)

        def __init__(self, value):
            self.value = value

    # 1 / value; with nothing for the intercept it is the gap, and nothing is hoped for
    for spread, learns, expected in (
        (1e-9, True, [True, False, True]),
        (1e-9, False, [True, True, True]),
        (0.0, False, [False, False, False]),
        (0.0, True, [False, False, False]),
    ):
        estimate = GapEstimate(1.0, 2, spread)
        outlook = Outlook(estimate, 1.0, learns=learns)
        seen = [outlook.promising(State(0.2))]
        assert outlook.looked(4.0) == 4.0  # the gap is 0.8 of the estimate
        seen += [outlook.promising(State(0.4)), outlook.promising(State(0.5))]
        assert seen == expected
