"""Anderson's extrapolation: the limit of linear sweeps at once, and never a higher model."""

import numpy as np
import pytest

from gradus.kernels.column_descent.anderson import DEPTH, bent, combination, swept_to


def test_the_limit_of_a_linear_iteration_of_few_factors_is_found_at_once():
    generator = np.random.default_rng(0)
    directions, factors = generator.standard_normal((DEPTH - 1, 40)), np.linspace(0.3, 0.95, DEPTH - 1)
    limit, moves = generator.standard_normal(40), (np.zeros(40), np.zeros(2))
    jumped = []

    def sweep(done):
        moves[0][:] = limit + factors ** (done + 1) @ directions
        return 1.0

    assert swept_to(sweep, moves, jumped.append, (0.5, DEPTH + 3)) == DEPTH + 3
    assert len(jumped) == 1
    assert np.abs(jumped[0][0] - limit).max() < 0.03 * np.abs(moves[0] - limit).max()


def test_ends_where_a_sweep_is_good_enough():
    violations = [4.0, 3.0, 0.5, 0.1]
    assert swept_to(lambda done: violations[done], (np.zeros(2), np.zeros(1)), lambda moves: None, (0.5, 9)) == 3
    assert swept_to(lambda done: 1.0, (np.zeros(2), np.zeros(1)), lambda moves: None, (0.5, 9)) == 9


def test_points_that_do_not_differ_stay_where_they_are():
    assert combination([np.ones(3)] * 4).tolist() == [0.0, 0.0, 1.0]
    shares = combination(list(np.random.default_rng(1).standard_normal((6, 50))))
    assert shares.sum() == pytest.approx(1.0)


def test_what_bends_is_the_hessian_of_the_log_sum_exp():
    generator = np.random.default_rng(2)
    chances = generator.dirichlet(np.ones(4), 30).T
    shares, climbs = generator.random(30), generator.standard_normal((4, 30))
    expected = sum(
        share * climb @ (np.diag(p) - np.outer(p, p)) @ climb
        for share, p, climb in zip(shares, chances.T, climbs.T, strict=True)
    )
    assert bent(chances, shares, climbs) == pytest.approx(expected, rel=1e-12)
