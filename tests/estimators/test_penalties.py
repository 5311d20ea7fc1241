"""Softmax regression under every penalty that makes sense on weights (features, classes)."""

import warnings

import numpy as np
import pytest
import scipy.special
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from gradus.core.errors import InputError
from gradus.core.protocols import Conjugable
from gradus.estimators import SoftmaxRegression
from gradus.penalties import (
    L0,
    L1,
    L2,
    MCP,
    SCAD,
    AffineSet,
    Box,
    BoxedL1,
    Composed,
    ElasticNet,
    Entropy,
    GridDifferences,
    GroupLasso,
    Groups,
    HalfSpace,
    Huber,
    IndexGroupLasso,
    L1Ball,
    L2Ball,
    LHalf,
    LInf,
    LInfBall,
    LogSum,
    Nonconvex,
    Nonnegative,
    NonnegativeGroupLasso,
    NonnegativeL1,
    Nuclear,
    Rank,
    RankAtMost,
    RowsAtMost,
    SecondOrderCone,
    Simplex,
    Slope,
    SparseGroupLasso,
    SpectralBall,
    Sum,
    TotalVariation,
    WeightedGroupLasso,
    over_columns,
    over_rows,
    rotated,
    scaled,
    translated,
    transposed,
)

FEATURES, CLASSES, STRENGTH = 64, 10, 5e-3
IMAGE_ROWS = Groups([list(range(start, start + 8)) for start in range(0, 64, 8)])
BASIS = torch.linalg.qr(torch.randn(64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)).Q
CENTRE = torch.full((FEATURES, CLASSES), 0.1, dtype=torch.float64)


def zeros(W):
    return (W == 0).mean() > 0.4


def zero_rows(W):
    rows = (W == 0).all(axis=1)
    return rows.sum() > 10 and not rows.all()


def whole_zero_rows(W):
    return zero_rows(W) and np.array_equal((W == 0).all(axis=1), (W == 0).any(axis=1))


def low_rank(W):
    return 0 < np.linalg.matrix_rank(W, tol=1e-8) < 9


def several_largest(W):
    return (np.abs(W) > np.abs(W).max() * (1 - 1e-9)).sum() > 20


def fewer_jumps(W):
    return (np.diff(W, axis=0) == 0).mean() > 0.3


def small(W):
    return np.abs(W).max() < 10


ROWS = {
    "l1": (L1(STRENGTH), zeros),
    "l2": (L2(STRENGTH), small),
    "elastic net": (ElasticNet(STRENGTH, STRENGTH), zeros),
    "nonnegative l1": (NonnegativeL1(STRENGTH), lambda W: zeros(W) and W.min() >= 0),
    "boxed l1": (BoxedL1(STRENGTH, -0.5, 1.0), lambda W: zeros(W) and W.min() == -0.5 and W.max() == 1),
    "huber": (Huber(STRENGTH, 0.3), small),
    "entropy": (Entropy(STRENGTH), lambda W: W.min() >= 0),
    "group lasso": (GroupLasso(STRENGTH), whole_zero_rows),
    "index group lasso": (
        IndexGroupLasso(3 * STRENGTH, IMAGE_ROWS),
        lambda W: 0 < (W.reshape(8, 80) == 0).all(axis=1).sum() < 8,
    ),
    "sparse group lasso": (SparseGroupLasso(STRENGTH / 2, STRENGTH / 2), lambda W: zeros(W) and zero_rows(W)),
    "nonnegative group lasso": (NonnegativeGroupLasso(STRENGTH), lambda W: zero_rows(W) and W.min() >= 0),
    "weighted group lasso": (WeightedGroupLasso(STRENGTH, torch.linspace(0.5, 2, 10)), whole_zero_rows),
    "nuclear": (Nuclear(2 * STRENGTH), low_rank),
    "l_inf": (LInf(20 * STRENGTH), several_largest),
    "l_inf of each row": (over_rows(LInf(STRENGTH)), zero_rows),
    "slope": (Slope.for_false_discoveries(STRENGTH / 3, FEATURES * CLASSES), zeros),
    "total variation": (TotalVariation(STRENGTH), fewer_jumps),
    "simplex of each class": (
        over_columns(Simplex(3.0)),
        lambda W: W.min() >= 0 and np.allclose(W.sum(axis=0), 3.0) and zeros(W),
    ),
    "l1 ball": (L1Ball(30.0), lambda W: np.abs(W).sum() <= 30 + 1e-9 and zeros(W)),
    "l2 ball": (L2Ball(5.0), lambda W: np.linalg.norm(W) == pytest.approx(5.0)),
    "l_inf ball": (LInfBall(0.5), lambda W: np.abs(W).max() == 0.5),
    "box": (Box(-0.3, 0.6), lambda W: W.min() == -0.3 and W.max() == 0.6),
    "nonnegative": (Nonnegative(), lambda W: W.min() == 0),
    "spectral ball": (SpectralBall(2.0), lambda W: np.linalg.norm(W, 2) == pytest.approx(2.0)),
    "half-space": (HalfSpace(CENTRE, -1.0), lambda W: 0.1 * W.sum() <= -1.0 + 1e-9),
    "affine set": (AffineSet(torch.ones(1, 64), torch.zeros(1, 10)), lambda W: np.abs(W.sum(axis=0)).max() < 1e-9),
    "second-order cone of each row": (
        over_rows(SecondOrderCone()),
        lambda W: (np.linalg.norm(W[:, :-1], axis=1) <= W[:, -1] + 1e-9).all(),
    ),
    "translated": (translated(L1(STRENGTH), CENTRE), lambda W: (W == 0.1).mean() > 0.4),
    "rotated": (rotated(L1(STRENGTH), BASIS), lambda W: (np.abs(BASIS.numpy() @ W) < 1e-12).mean() > 0.4),
    "transposed": (transposed(GroupLasso(STRENGTH)), small),
    "scaled": (scaled(Nuclear(1.0), 2 * STRENGTH), low_rank),
    "l0": (L0(STRENGTH / 10), zeros),
    "l_1/2": (LHalf(STRENGTH / 2), zeros),
    "mcp": (MCP(STRENGTH), zeros),
    "scad": (SCAD(STRENGTH), zeros),
    "log-sum": (LogSum(STRENGTH, 0.5), zeros),
    "rank": (Rank(5 * STRENGTH), low_rank),
    "rows at most 16 of 64": (RowsAtMost(0.25), lambda W: (W != 0).any(axis=1).sum() == 16),
    "rank at most 4": (RankAtMost(4), lambda W: np.linalg.matrix_rank(W, tol=1e-8) == 4),
}


def digits(dtype=np.float64):
    X, y = load_digits(return_X_y=True)
    return (X[:300] / 16).astype(dtype), y[:300]


def objective(W, b, X, y, penalty):
    """Mean cross-entropy, in NumPy, plus the penalty."""
    logits = X @ W + b
    loss = (scipy.special.logsumexp(logits, axis=1) - logits[np.arange(len(y)), y]).mean()
    return loss + penalty.value(torch.from_numpy(W)).item()


@pytest.mark.parametrize(("penalty", "structure"), ROWS.values(), ids=ROWS)
def test_fits_and_shows_its_structure(penalty, structure):
    X, y = digits()
    model = SoftmaxRegression(penalty=penalty, max_iter=3000).fit(X, y)
    convex = not isinstance(penalty, Nonconvex)
    assert model.status_ == ("converged" if convex else "stationary")
    assert model.relative_gap_ <= model.tol
    assert (model.dual_gap_ >= 0) if isinstance(penalty, Conjugable) else np.isnan(model.dual_gap_)
    W, b = np.ascontiguousarray(model.coef_.T), model.intercept_
    assert structure(W)
    assert model.score(X, y) > 0.75
    found = objective(W, b, X, y, penalty)
    assert model.objective_ == pytest.approx(found, rel=1e-9)
    generator = torch.Generator().manual_seed(1)
    for size in [1e-3] * 10 + [0.1] * 10 * convex:
        moved = torch.from_numpy(W) + size * torch.randn(W.shape, generator=generator, dtype=torch.float64)
        feasible = penalty.prox(moved, 1e-9).numpy()
        slack = model.dual_gap_ if isinstance(penalty, Conjugable) else 1e-3 * np.linalg.norm(feasible - W)
        assert objective(feasible, b, X, y, penalty) >= found - slack - 1e-12


@pytest.mark.parametrize(
    "name", ["slope", "simplex of each class", "nuclear", "total variation", "mcp", "rank at most 4"]
)
def test_single_precision(name):
    penalty, structure = ROWS[name]
    model = SoftmaxRegression(penalty=penalty, tol=1e-3, max_iter=3000).fit(*digits(np.float32))
    assert model.coef_.dtype == np.float32
    assert model.relative_gap_ <= 1e-3
    assert model.score(*digits(np.float32)) > 0.75
    if name != "simplex of each class":
        assert structure(model.coef_.T) or name in ("nuclear", "rank at most 4")
    else:
        np.testing.assert_allclose(model.coef_.sum(axis=1), 3.0, rtol=1e-5)


@pytest.mark.parametrize("name", ["mcp", "scad", "l0", "l_1/2"])
def test_what_is_not_convex_ends_no_higher_than_where_it_starts(name):
    X, y = digits()
    penalty, _ = ROWS[name]
    model = SoftmaxRegression(penalty=penalty, max_iter=3000).fit(X, y)
    start = SoftmaxRegression(penalty=penalty.relaxation(), tol=1e-3, max_iter=3000).fit(X, y)
    W, b = np.ascontiguousarray(start.coef_.T), start.intercept_
    assert model.objective_ < objective(W, b, X, y, penalty)


def test_an_entropy_alone_is_certified_though_its_value_is_negative():
    X, y = digits()
    model = SoftmaxRegression(penalty=Entropy(0.02)).fit(X, y)
    assert model.objective_ < 0 <= model.dual_gap_


def test_stopping_early_under_a_penalty_that_is_not_convex_says_how_far():
    with pytest.warns(ConvergenceWarning, match=r"after 2 iterations the relative gradient is \d"):
        model = SoftmaxRegression(penalty=MCP(STRENGTH), max_iter=2).fit(*digits())
    assert model.status_ == "iteration_limit"


def test_a_solver_that_needs_a_gradient_refuses():
    with pytest.raises(InputError, match="MCP is not one"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        SoftmaxRegression(penalty=MCP(STRENGTH), solver="lbfgs").fit(*digits())


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("solver", ["auto", "davis-yin", "primal-dual", "proximal-gradient"])
def test_a_sum_is_its_closed_form(solver, intercept):
    X, y = load_digits(return_X_y=True)
    settings = {"tol": 1e-4, "max_iter": 5000, "fit_intercept": intercept}
    penalty = Sum([L1(STRENGTH), Nonnegative()])
    model = SoftmaxRegression(penalty=penalty, solver=solver, **settings).fit(X[:300] / 16, y[:300])
    closed = SoftmaxRegression(penalty=NonnegativeL1(STRENGTH), **settings).fit(X[:300] / 16, y[:300])
    assert model.status_ == "converged"
    assert np.isnan(model.dual_gap_)
    assert model.objective_ == pytest.approx(closed.objective_, rel=2e-4)
    assert np.abs(model.predict_proba(X) - closed.predict_proba(X)).mean() < 0.01


def test_weights_that_are_smooth_pictures():
    X, y = load_digits(return_X_y=True)
    smooth = Composed(GroupLasso(2e-3), GridDifferences(8, 8))
    plain = SoftmaxRegression(penalty=L1(2e-3)).fit(X / 16, y)
    model = SoftmaxRegression(penalty=Sum([L1(1e-3), smooth]), max_iter=5000, tol=1e-3).fit(X / 16, y)
    assert model.status_ == "converged"
    assert model.score(X / 16, y) > 0.93
    variation = [smooth.value(torch.from_numpy(each.coef_.T)).item() for each in (model, plain)]
    assert variation[0] < 0.7 * variation[1]
    assert (model.coef_ == 0).mean() > 0.3
