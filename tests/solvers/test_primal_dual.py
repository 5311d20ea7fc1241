"""Primal-dual splitting against SciPy, the taut string, and linear programmes."""

import numpy as np
import pytest
import scipy.optimize
import torch

import catalogue
from gradus.core.errors import InputError
from gradus.core.solution import Status
from gradus.penalties import (
    L1,
    AffineSet,
    Box,
    Composed,
    Differences,
    GridDifferences,
    GroupLasso,
    L2Ball,
    Masked,
    MatrixMap,
    Nonnegative,
    Sum,
    TotalVariation,
    translated,
)
from gradus.solvers import DavisYin, PrimalDual, ProximalGradient, Stop, minimize
from solvers.sums import Distance, LeastSquares, Nothing, gradient_mapping, numbers, scipys_minimum


def solve(smooth, penalty, start, solver=None, tolerance=1e-8, limit=20_000):
    stop = Stop(gradient_mapping(smooth, penalty), tolerance, limit)
    return minimize(smooth, penalty, start, solver or PrimalDual(), stop)


@pytest.mark.parametrize("strength", [0.1, 1.0, 10.0])
def test_total_variation_of_differences_is_the_taut_string_then_clipped(strength):
    signal = numbers(80, seed=1).cumsum(0)
    smooth = Distance(signal)
    penalty = Sum([Nonnegative(), Composed(L1(strength), Differences())])
    solution = solve(smooth, penalty, torch.zeros_like(signal))
    # the sign constraint only clips the solution without it
    expected = TotalVariation(strength).prox(signal, 1.0).clamp_min(0.0)
    assert solution.status is Status.CONVERGED
    torch.testing.assert_close(solution.point, expected, atol=1e-6, rtol=0)
    assert solution.point.min() >= 0


def test_least_squares_with_bounds_on_a_map():
    matrix, rows = numbers(20, 5, seed=3), numbers(4, 5, seed=5)
    smooth = LeastSquares(matrix / 5, 2 * numbers(20, seed=4))
    penalty = Sum([L2Ball(1.0), Composed(Box(-0.3, 0.2), MatrixMap(rows))])
    expected = scipys_minimum(
        smooth,
        np.zeros(5),
        constraints=[
            {"type": "ineq", "fun": lambda x: 1 - x @ x},
            {"type": "ineq", "fun": lambda x: 0.2 - rows.numpy() @ x},
            {"type": "ineq", "fun": lambda x: rows.numpy() @ x + 0.3},
        ],
    )
    solution = solve(smooth, penalty, torch.zeros(5, dtype=torch.float64), tolerance=1e-6)
    assert solution.status is Status.CONVERGED
    np.testing.assert_allclose(solution.point.numpy(), expected, atol=1e-5)


def test_a_linear_programme():
    """The least absolute deviations of a picture and its neighbours, by SciPy's simplex method."""
    height, width, strength = 4, 5, 0.7
    picture = numbers(height * width, 1, seed=6)
    penalty = Sum([translated(L1(1.0), picture), Composed(L1(strength), GridDifferences(height, width))])
    pixels = height * width
    difference = np.stack(
        [
            GridDifferences(height, width).times(row[:, None]).ravel().numpy()
            for row in torch.eye(pixels, dtype=torch.float64)
        ],
        axis=1,
    )
    moving = np.vstack([np.eye(pixels), strength * difference])
    target = np.concatenate([picture.numpy().ravel(), np.zeros(len(difference))])
    bounded = np.eye(len(moving))
    programme = scipy.optimize.linprog(
        np.concatenate([np.zeros(pixels), np.ones(len(moving))]),
        A_ub=np.block([[moving, -bounded], [-moving, -bounded]]),
        b_ub=np.concatenate([target, -target]),
        bounds=[(None, None)] * pixels + [(0, None)] * len(moving),
    )
    stop = Stop(lambda point: penalty.value(point).item() - programme.fun, 1e-7, 20_000)
    solution = minimize(Nothing(), penalty, torch.zeros_like(picture), PrimalDual(), stop)
    assert programme.success
    assert solution.status is Status.CONVERGED
    assert solution.value >= programme.fun - 1e-9


def test_a_programme_with_equations():
    matrix, target = numbers(3, 8, seed=7), numbers(3, seed=8)
    penalty = Sum([Nonnegative(), AffineSet(matrix, (matrix @ numbers(8, seed=9).abs()))])
    costs = numbers(8, seed=10).abs() + 0.1
    programme = scipy.optimize.linprog(costs.numpy(), A_eq=matrix.numpy(), b_eq=penalty.parts[1].target.numpy())
    assert target.shape == (3,)

    class Linear:
        def value(self, point):
            return costs @ point

        def value_and_gradient(self, point):
            return self.value(point), costs

    for solver in (PrimalDual(), DavisYin()):
        solution = solve(Linear(), penalty, torch.zeros(8, dtype=torch.float64), solver, tolerance=1e-7)
        assert solution.status is Status.CONVERGED
        assert solution.value == pytest.approx(programme.fun, abs=1e-5)


@pytest.mark.parametrize("name", ["cross-entropy of codes", "squared"])
def test_fused_weights_are_those_of_the_taut_string(name):
    model = catalogue.models(torch.float64)[f"{name}, no intercept, temperature 0.5"]
    composed, closed = Composed(L1(0.02), Differences()), TotalVariation(0.02)
    ours = solve(model, Sum([L1(0.01), composed]), model.zeros(), tolerance=1e-7)
    fused = solve(model, Sum([L1(0.01), closed]), model.zeros(), DavisYin(), tolerance=1e-7)
    alone = solve(model, composed, model.zeros(), tolerance=1e-7)
    best = solve(model, closed, model.zeros(), ProximalGradient(), tolerance=1e-9)
    assert ours.converged and fused.converged and alone.converged
    torch.testing.assert_close(ours.point, fused.point, atol=1e-5, rtol=0)
    torch.testing.assert_close(alone.point, best.point, atol=1e-5, rtol=0)


def test_three_penalties_without_a_map():
    smooth = LeastSquares(numbers(30, 5, seed=3), 4 * numbers(30, seed=4))
    penalty = Sum([Nonnegative(), L1(1.0), L2Ball(0.5)])
    best = solve(smooth, penalty, torch.zeros(5, dtype=torch.float64), ProximalGradient(), tolerance=1e-7)
    solution = solve(smooth, penalty, torch.zeros(5, dtype=torch.float64), tolerance=1e-7)
    assert solution.converged and best.converged
    torch.testing.assert_close(solution.point, best.point, atol=1e-6, rtol=0)


@pytest.mark.parametrize("first_step", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_any_first_step_and_any_units_will_do(first_step, scale):
    signal = scale * numbers(40, seed=1).cumsum(0)
    penalty = Composed(GroupLasso(scale), MatrixMap(10 * numbers(12, 40, seed=2)))
    smooth = Distance(signal[:, None])
    solution = solve(smooth, penalty, torch.zeros_like(signal[:, None]), PrimalDual(first_step), tolerance=1e-5 * scale)
    assert solution.status is Status.CONVERGED
    assert solution.iterations < 3000


def test_single_precision():
    signal = numbers(80, seed=1).cumsum(0)
    penalty = Sum([Nonnegative(), Composed(L1(1.0), Differences())])
    smooth = Distance(signal.float())
    solution = solve(smooth, penalty, torch.zeros(80), tolerance=1e-4)
    assert solution.status is Status.CONVERGED
    assert solution.point.dtype == torch.float32


def test_refuses_numbers_outside_their_range():
    with pytest.raises(InputError, match="first_step is -1"):
        PrimalDual(first_step=-1.0)


def test_a_map_of_zeros_is_no_map():
    smooth = Distance(numbers(5, seed=1))
    penalty = Sum([Masked(L1(0.5), 5), Composed(L1(1.0), MatrixMap(torch.zeros(3, 5)))])
    solution = solve(smooth, penalty, torch.zeros(5, dtype=torch.float64))
    torch.testing.assert_close(solution.point, L1(0.5).prox(smooth.target, 1.0), atol=1e-7, rtol=0)
