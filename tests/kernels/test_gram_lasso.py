"""Every implementation of the descent on a Gram matrix, against SciPy and against the optimality conditions."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.kernels import dispatch
from gradus.kernels.gram_lasso import Quadratic, gram_lasso

IMPLEMENTATIONS = [name for name in dispatch.implementations("gram_lasso") if name != "cuda"]


def quadratic(entries, seed, absolute=0.5, square=0.1, rank=None, norms=()):
    generator = torch.Generator().manual_seed(seed)
    factor = torch.randn(entries, rank or entries, generator=generator, dtype=torch.float64)
    hessian = factor @ factor.t() + 1e-3 * torch.eye(entries, dtype=torch.float64)
    gradient, start = torch.randn(2, entries, generator=generator, dtype=torch.float64)
    ones = torch.ones(entries, dtype=torch.float64)
    return Quadratic(hessian, gradient, start, absolute * ones, square * ones, torch.tensor(norms, dtype=torch.float64))


def violation(problem, point):
    """The distance of 0 from the subdifferential, entry by entry."""
    slope = problem.gradient + problem.hessian @ (point - problem.start) + problem.square * point
    at_zero = (slope.abs() - problem.absolute).clamp_min(0.0)
    return torch.where(point == 0, at_zero, (slope + problem.absolute * point.sign()).abs())


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@settings(deadline=None, max_examples=20)
@given(entries=st.integers(1, 12), seed=st.integers(0, 2**31), absolute=st.sampled_from([0.0, 0.3, 3.0]))
def test_ends_where_the_optimality_conditions_hold(implementation, entries, seed, absolute):
    problem = quadratic(entries, seed, absolute)
    before = [part.clone() for part in problem]
    with dispatch.force(implementation):
        point = gram_lasso(problem, tolerance=1e-10, sweeps=20_000)
    assert violation(problem, point).max() < 1e-7
    assert all(torch.equal(*pair) for pair in zip(before, problem, strict=True))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_reaches_scipys_minimum(implementation):
    problem = quadratic(8, seed=3)
    hessian, gradient, start = (part.numpy() for part in problem[:3])

    def value(parts):
        x = parts[:8] - parts[8:]
        moved = x - start
        slope = gradient + hessian @ moved + 0.1 * x
        total = gradient @ moved + 0.5 * moved @ hessian @ moved + 0.5 * parts.sum() + 0.05 * x @ x
        return total, np.concatenate([slope + 0.5, 0.5 - slope])

    options = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 10_000, "maxfun": 50_000}
    bounds = [(0, None)] * 16
    peer = scipy.optimize.minimize(value, np.zeros(16), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    with dispatch.force(implementation):
        point = gram_lasso(problem, tolerance=1e-12, sweeps=20_000)
    np.testing.assert_allclose(point.numpy(), peer.x[:8] - peer.x[8:], atol=1e-4)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_singular_matrix_and_a_limit_of_sweeps_never_raise_the_value(implementation):
    problem = quadratic(30, seed=5, rank=3)

    def value(point):
        moved = point - problem.start
        smooth = problem.gradient @ moved + 0.5 * moved @ problem.hessian @ moved
        return smooth + (problem.absolute * point.abs() + 0.5 * problem.square * point.square()).sum()

    values = [value(problem.start)]
    with dispatch.force(implementation):
        values += [value(gram_lasso(problem, tolerance=0.0, sweeps=sweeps)) for sweeps in (1, 2, 5, 20)]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(values))


def blocks(absolute, square):
    """Blocks b, b + B, ... of which the last is free, as an intercept's row is."""
    problem = quadratic(12, seed=7, absolute=absolute, square=square, norms=(12.0, 1.0, 0.5, 0.0))
    problem.absolute[3::4], problem.square[3::4] = 0.0, 0.0
    problem.hessian.diagonal().add_(1.0)  # so that a descent needs tens of sweeps and not hundreds
    return problem


@cache
def minimum_of_blocks(absolute, square, steps=200_000):
    """The minimum by plain proximal steps in NumPy."""
    hessian, gradient, start, absolute, square, norms = (part.numpy() for part in blocks(absolute, square))
    steepness = np.linalg.eigvalsh(hessian)[-1]
    x = start.copy()
    for _ in range(steps):
        pull = x - (gradient + hessian @ (x - start)) / steepness
        soft = np.sign(pull) * np.maximum(np.abs(pull) - absolute / steepness, 0)
        rows = soft.reshape(-1, len(norms))
        kept = np.maximum(1 - norms / steepness / np.maximum(np.linalg.norm(rows, axis=0), 1e-300), 0)
        new = ((rows * kept) / (1 + square.reshape(-1, len(norms)) / steepness)).ravel()
        if np.abs(new - x).max() < 1e-14:
            break
        x = new
    return x


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(("absolute", "square"), [(0.0, 0.0), (0.4, 0.0), (0.2, 0.3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_blocks_reach_the_minimum_that_proximal_steps_find(implementation, absolute, square, dtype):
    problem = blocks(absolute, square)
    problem = problem._replace(hessian=problem.hessian.to(dtype))
    with dispatch.force(implementation):
        point = gram_lasso(problem, tolerance=1e-6, sweeps=500)
    np.testing.assert_allclose(point.numpy(), minimum_of_blocks(absolute, square), atol=1e-3)
    assert (point[0::4] == 0).all()
    assert (point[3::4] != 0).all()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_blocks_of_one_entry_are_entries(implementation):
    ones = torch.ones(8, dtype=torch.float64)
    rows, plain = quadratic(8, 4, absolute=0.0)._replace(norms=0.7 * ones), quadratic(8, 4, absolute=0.7)
    for problem in (rows, plain):
        problem.hessian.diagonal().add_(1.0)
    with dispatch.force(implementation):
        points = [gram_lasso(problem, tolerance=1e-6, sweeps=500) for problem in (rows, plain)]
    torch.testing.assert_close(points[0], points[1], rtol=0, atol=1e-3)


@pytest.mark.parametrize("norms", [(), (1e-3,) * 8])
def test_steps_between_sweeps_get_where_sweeps_crawl(norms):
    problem = quadratic(40, seed=8, absolute=0.0 if norms else 1e-3, square=0.0, norms=norms)
    far = torch.arange(40, dtype=torch.float64)
    neighbours = 0.995 ** (far[:, None] - far).abs()
    problem = problem._replace(hessian=neighbours, gradient=neighbours @ problem.gradient)

    def value(point):
        moved = point - problem.start
        smooth = problem.gradient @ moved + 0.5 * moved @ problem.hessian @ moved
        rows = point.reshape(-1, max(len(norms), 1))
        return (smooth + (problem.absolute * point.abs()).sum() + (problem.norms * rows.norm(dim=0)).sum()).item()

    with dispatch.force("reference"):
        plain = value(gram_lasso(problem, tolerance=1e-8, sweeps=90))
    with dispatch.force("cpu"):
        some, least = (value(gram_lasso(problem, tolerance=1e-8, sweeps=sweeps)) for sweeps in (90, 20_000))
    assert some - least < 0.5 * (plain - least)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_no_entries(implementation):
    with dispatch.force(implementation):
        assert gram_lasso(quadratic(0, seed=0), tolerance=0.0, sweeps=3).shape == (0,)
