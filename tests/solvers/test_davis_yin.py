"""Davis-Yin splitting against SciPy, against proxes of sums that have a closed form, and on what it cannot take."""

import numpy as np
import pytest
import torch

import catalogue
from gradus.core.errors import InputError
from gradus.core.solution import Problem, Status
from gradus.losses import DualityGap
from gradus.penalties import (
    L1,
    Box,
    Composed,
    Differences,
    GroupLasso,
    HalfSpace,
    L2Ball,
    Masked,
    Nonnegative,
    NonnegativeL1,
    Simplex,
    SparseGroupLasso,
    Sum,
)
from gradus.solvers import DavisYin, ProximalGradient, Stop, minimize
from solvers.sums import Distance, LeastSquares, gradient_mapping, numbers, scipys_minimum


def solve(smooth, penalty, start, solver=None, tolerance=1e-9, limit=5000):
    stop = Stop(gradient_mapping(smooth, penalty), tolerance, limit)
    return minimize(smooth, penalty, start, solver or DavisYin(), stop)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_projects_on_an_intersection(seed):
    smooth, normal = Distance(numbers(6, seed=seed)), numbers(6, seed=seed + 10)
    penalty = Sum([Simplex(1.0), HalfSpace(normal, offset=-0.3)])
    expected = scipys_minimum(
        smooth,
        np.full(6, 1 / 6),
        constraints=[
            {"type": "eq", "fun": lambda x: x.sum() - 1},
            {"type": "ineq", "fun": lambda x: -0.3 - normal.numpy() @ x},
        ],
        bounds=[(0, None)] * 6,
    )
    solution = solve(smooth, penalty, torch.zeros(6, dtype=torch.float64))
    assert solution.status is Status.CONVERGED
    np.testing.assert_allclose(solution.point.numpy(), expected, atol=1e-7)
    assert solution.point.min() >= 0  # the first term holds exactly
    np.testing.assert_allclose(penalty.prox(smooth.target, 1.0).numpy(), expected, atol=1e-7)


@pytest.mark.parametrize("bound", [None, "largest eigenvalue"])
def test_least_squares_in_a_ball_and_a_box(bound):
    matrix = numbers(30, 5, seed=3)
    smooth = LeastSquares(matrix, 10 * numbers(30, seed=4))
    expected = scipys_minimum(
        smooth, np.zeros(5), constraints=[{"type": "ineq", "fun": lambda x: 1 - x @ x}], bounds=[(-0.4, 0.6)] * 5
    )
    solver = DavisYin(bound=None if bound is None else float(torch.linalg.matrix_norm(matrix, 2)) ** 2)
    penalty = Sum([Box(-0.4, 0.6), L2Ball(1.0)])
    solution = solve(smooth, penalty, torch.zeros(5, dtype=torch.float64), solver, tolerance=1e-7)
    assert solution.status is Status.CONVERGED
    np.testing.assert_allclose(solution.point.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("split", "closed"),
    [
        (Sum([NonnegativeL1(0.0), L1(0.01)]), NonnegativeL1(0.01)),
        (Sum([L1(0.01), Nonnegative()]), NonnegativeL1(0.01)),
        (Sum([GroupLasso(0.01), L1(0.01)]), SparseGroupLasso(l1=0.01, l2=0.01)),
        (Sum([L1(0.01), GroupLasso(0.01)]), SparseGroupLasso(l1=0.01, l2=0.01)),
    ],
    ids=["nonnegative first", "l1 first", "groups first", "l1 and groups"],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_softmax_regression_under_a_sum_is_that_of_its_closed_prox(split, closed, dtype):
    model = catalogue.models(dtype)["cross-entropy of codes"]
    masked = Sum([Masked(part, catalogue.FEATURES) for part in split.parts])
    certificate = DualityGap(model, closed)
    rounding = 1e-4 if dtype == torch.float32 else 1e-9
    stop = Stop(certificate, rounding, 5000)
    solution = minimize(model, masked, model.zeros(), DavisYin(), stop)
    best = minimize(model, Masked(closed, catalogue.FEATURES), model.zeros(), ProximalGradient(), stop)
    assert solution.status is best.status is Status.CONVERGED
    assert solution.value == pytest.approx(best.value, rel=2 * rounding)
    assert solution.point.dtype == dtype
    if dtype == torch.float64 and split.parts[0] == L1(0.01):
        assert torch.equal(solution.point == 0, best.point == 0)


def test_one_term_is_a_proximal_gradient_method():
    smooth = LeastSquares(numbers(30, 5, seed=3), numbers(30, seed=4))
    start = torch.zeros(5, dtype=torch.float64)
    solution = solve(smooth, L1(5.0), start)
    best = solve(smooth, L1(5.0), start, ProximalGradient())
    torch.testing.assert_close(solution.point, best.point, atol=1e-8, rtol=0)


def test_a_step_too_long_is_shortened_and_one_too_short_grows():
    smooth = LeastSquares(numbers(30, 5, seed=3), numbers(30, seed=4))
    penalty, start = Sum([Nonnegative(), L1(1.0)]), torch.zeros(5, dtype=torch.float64)
    iterations = [solve(smooth, penalty, start, DavisYin(first_step=step)).iterations for step in (1e-6, 1e6)]
    assert max(iterations) < 300
    fixed = solve(smooth, penalty, start, DavisYin(bound=1e6), limit=300)
    assert fixed.status is Status.ITERATION_LIMIT
    assert fixed.certificate > 1e-6


def test_sets_without_a_common_point_do_not_converge():
    smooth = Distance(torch.zeros(2, dtype=torch.float64))
    penalty = Sum([Box(0.0, 1.0), HalfSpace(torch.ones(2, dtype=torch.float64), offset=-1.0)])
    stop = Stop(lambda point: 0.0 if penalty.value(point).isfinite() else 1.0, 0.5, 200)
    solution = minimize(smooth, penalty, smooth.target, DavisYin(), stop)
    assert solution.status is Status.ITERATION_LIMIT
    with pytest.raises(InputError, match="check that some point satisfies all of them"):
        penalty.prox(smooth.target, 1.0)


def test_refuses_maps_more_terms_and_numbers_outside_their_range():
    smooth, start = Distance(torch.zeros(3)), torch.zeros(3)
    for penalty in (Sum([L1(1.0), Nonnegative(), Box(0, 1)]), Composed(L1(1.0), Differences())):
        with pytest.raises(InputError, match=r"DavisYin takes a sum of two .* use PrimalDual"):
            DavisYin().start(Problem(smooth, penalty), start)
    for wrong in ({"first_step": 0.0}, {"bound": -1.0}, {"first_step": float("inf")}):
        with pytest.raises(InputError, match="expected a finite number > 0"):
            DavisYin(**wrong)
