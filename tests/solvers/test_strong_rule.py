"""The strong rule along a path: it chooses what moves first, and never what is found."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from gradus.core import progress
from gradus.core.errors import InputError
from gradus.core.solution import Problem
from gradus.losses import (
    ColumnModel,
    CrossEntropy,
    DenseFeatures,
    DualityGap,
    LinearModel,
    SparseFeatures,
    column_access,
)
from gradus.penalties import L1, ElasticNet, GroupLasso, Masked, SparseGroupLasso
from gradus.solvers import CoordinateDescent, Stop, Terms, minimize, resume
from gradus.solvers.strong_rule import Sighting
from gradus.solvers.working_columns import Candidates

FEATURES = 250
KINDS = {
    "l1": lambda a: (L1(a), Terms(a, 0.0, FEATURES)),
    "elastic net": lambda a: (ElasticNet(0.8 * a, 0.2 * a), Terms(0.8 * a, 0.2 * a, FEATURES)),
    "rows": lambda a: (GroupLasso(a), Terms(0.0, 0.0, FEATURES, a)),
    "rows and entries": lambda a: (SparseGroupLasso(0.3 * a, 0.7 * a), Terms(0.3 * a, 0.0, FEATURES, 0.7 * a)),
}


def model_of(store):
    """Features that go together in fives, on 60 rows of four classes."""
    generator = np.random.default_rng(0)
    X = generator.standard_normal((60, FEATURES)) + np.repeat(generator.standard_normal((60, FEATURES // 5)), 5, axis=1)
    logits = X[:, :200:50] * 2 + generator.gumbel(size=(60, 4))
    features = DenseFeatures(torch.from_numpy(X)) if store == "dense" else SparseFeatures(csr_array(X))
    return LinearModel(
        CrossEntropy(torch.from_numpy(logits.argmax(axis=1)), 4),
        features,
        torch.full((60,), 1 / 60, dtype=torch.float64),
    )


def followed(smooth, penalty, descent, begun, tolerance=1e-9):
    problem = Problem(smooth, Masked(penalty, FEATURES))
    stop = Stop(DualityGap(smooth.model, penalty), tolerance, 200)
    state = descent.start(problem, smooth.model.zeros()) if begun is None else descent.follow(problem, begun)
    with progress.task("fitting", total=200) as fitting:
        return resume(problem, descent, state, stop, fitting)


@pytest.mark.parametrize("store", ["dense", "sparse"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_path_ends_where_fits_from_zero_end(kind, store):
    model = model_of(store)
    smooth, state = ColumnModel(model, column_access(model.features)), None
    # small steps, large ones, and back up
    for strength in (0.2, 0.17, 0.05, 0.049, 0.02, 0.1):
        penalty, terms = KINDS[kind](strength)
        end = followed(smooth, penalty, CoordinateDescent(terms, remembers=True), state)
        state = end.state
        assert DualityGap(model, penalty)(state.point) <= 1e-9
        stop = Stop(DualityGap(model, penalty), 1e-9, 200)
        alone = minimize(smooth, Masked(penalty, FEATURES), model.zeros(), CoordinateDescent(terms), stop)
        assert state.value == pytest.approx(alone.value, rel=3e-9)
        assert torch.equal(state.point.abs() > 1e-3, alone.point.abs() > 1e-3)


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("wrong", [0.0, -1.0, 100.0])
def test_a_wrong_guess_is_put_right(kind, wrong):
    model = model_of("dense")
    smooth = ColumnModel(model, column_access(model.features))
    (first, before), (penalty, terms) = KINDS[kind](0.1), KINDS[kind](0.05)
    last = followed(smooth, first, CoordinateDescent(before, remembers=True), None).state
    lied = last.sighting._replace(slopes=wrong * last.sighting.slopes.flip(0))
    end = followed(smooth, penalty, CoordinateDescent(terms, remembers=True), replace(last, sighting=lied))
    assert end.certificate <= 1e-9


def test_the_first_to_move_are_those_that_the_rule_leaves():
    model = model_of("dense")
    smooth = ColumnModel(model, column_access(model.features))
    (first, before), (penalty, terms) = KINDS["l1"](0.1), KINDS["l1"](0.08)
    last = followed(smooth, first, CoordinateDescent(before, remembers=True), None).state
    problem = Problem(smooth, Masked(penalty, FEATURES))
    begun = CoordinateDescent(terms, remembers=True).follow(problem, last)
    gradient = model.value_and_gradient(last.point)[1][:-1]
    expected = ((gradient.abs() > 0.06) | (last.point[:-1] != 0)).any(dim=1).nonzero()[:, 0]
    assert begun.working.features.tolist() == expected.tolist()
    assert begun.gap == np.inf
    assert begun.residual == np.inf


def test_slopes_of_features_that_were_not_seen_are_0():
    seen = Candidates(torch.tensor([1, 4, 6]), torch.ones(3))
    sighting = Sighting(Terms(2.0, 0.0, 9), seen, torch.arange(6.0).reshape(3, 2))
    assert sighting.slopes_of(Candidates(torch.tensor([0, 4, 8]), torch.ones(3))).tolist() == [[0, 0], [2, 3], [0, 0]]
    some = sighting.updated(Candidates(torch.tensor([4]), torch.ones(1)), torch.tensor([[7.0, 8.0]]))
    assert some.slopes.tolist() == [[0, 1], [7, 8], [4, 5]]
    assert sighting.slopes.tolist() == [[0, 1], [2, 3], [4, 5]]
    limits = [sighting.limit(Terms(strength, 0.0, 9)) for strength in (1.5, 0.5, 3.0)]
    assert limits == [1.0, 0.0, 3.0]


def test_refuses_a_state_without_slopes():
    model = model_of("dense")
    smooth, (penalty, terms) = ColumnModel(model, column_access(model.features)), KINDS["l1"](0.1)
    state = followed(smooth, penalty, CoordinateDescent(terms), None).state
    with pytest.raises(InputError, match="holds no slopes"):
        CoordinateDescent(terms).follow(Problem(smooth, Masked(penalty, FEATURES)), state)
