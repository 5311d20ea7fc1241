"""Every implementation of the descent on a Kronecker product, against SciPy on the matrix written out."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.kernels import dispatch
from gradus.kernels.kronecker_lasso import Curvature, Quadratic, kronecker_lasso

IMPLEMENTATIONS = [name for name in dispatch.implementations("kronecker_lasso") if name != "cuda"]


def quadratic(features, outputs, seed, corrections=1, absolute=0.3, square=0.1, norm=0.0, dtype=torch.float64):
    """A positive definite curvature, whose corrections take away less than there is, and a last row that is free."""
    generator = torch.Generator().manual_seed(seed)

    def numbers(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    roots = numbers(features, features + 2), numbers(outputs, outputs + 2)
    gram, between = ((root @ root.t() / len(root)) for root in roots)
    least = torch.linalg.eigvalsh(gram)[0] * torch.linalg.eigvalsh(between)[0]
    vectors = numbers(features, 2 * corrections, outputs)
    signs = torch.tensor([-1.0, 1.0], dtype=torch.float64).repeat(corrections)
    lengths = vectors.square().sum(dim=(0, 2)).sqrt()
    vectors *= (0.9 * least / max(corrections, 1)).sqrt() / lengths[:, None]
    penalised = torch.ones(features, dtype=torch.float64)
    penalised[-1] = 0.0
    gram = gram.to(dtype)
    curvature = Curvature((gram + gram.t()) / 2, between, vectors, signs)
    start = numbers(features, outputs)
    return Quadratic(curvature, numbers(features, outputs), start, *(s * penalised for s in (absolute, square, norm)))


def matrix_of(curvature):
    """The curvature as numbers, from its columns one by one."""
    gram, between = curvature.gram, curvature.between
    units = torch.eye(len(gram) * len(between), dtype=torch.float64).reshape(-1, len(gram), len(between))
    return torch.stack([(curvature.product(unit) + curvature.correction(unit)).ravel() for unit in units])


def value(problem, point):
    moved = (point - problem.start).ravel()
    smooth = problem.gradient.ravel() @ moved + 0.5 * moved @ matrix_of(problem.curvature) @ moved
    separate = problem.absolute * point.abs().sum(dim=1) + 0.5 * problem.square * point.square().sum(dim=1)
    return (smooth + (separate + problem.norms * torch.linalg.vector_norm(point, dim=1)).sum()).item()


def peer(problem):
    """The lowest value that SciPy finds, the point split into what is above and below 0 and norms made smooth."""
    matrix, shape, size = matrix_of(problem.curvature).numpy(), problem.start.shape, problem.start.numel()
    gradient, start = problem.gradient.numpy().ravel(), problem.start.numpy().ravel()
    absolute, square, norms = (part.numpy()[:, None] for part in problem[3:])

    def value_and_slope(parts):
        x = parts[:size] - parts[size:]
        rows = x.reshape(shape)
        lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True) + 1e-10)
        slope = gradient + matrix @ (x - start) + (square * rows + norms * rows / lengths).ravel()
        moved = x - start
        total = (
            gradient @ moved + 0.5 * moved @ matrix @ moved + (0.5 * square * rows**2).sum() + (norms * lengths).sum()
        )
        each = np.broadcast_to(absolute, shape).ravel()
        return total + each @ (parts[:size] + parts[size:]), np.concatenate([slope + each, each - slope])

    begin = np.concatenate([np.maximum(start, 0), np.maximum(-start, 0)]) + 0.1
    options = {"ftol": 1e-14, "gtol": 1e-8, "maxiter": 1000, "maxfun": 2000}
    bounds = [(0, None)] * 2 * size
    found = scipy.optimize.minimize(value_and_slope, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return found.fun


@cache
def drawn(seed, absolute, norm, dtype):
    """A problem and SciPy's lowest value, once for all implementations."""
    problem = quadratic(6, 3, seed, seed % 3, absolute, norm=norm, dtype=dtype)
    return problem, peer(problem)


def test_the_map_is_the_product_and_the_corrections_written_out():
    curvature = quadratic(4, 3, seed=1, corrections=2).curvature
    flat = curvature.vectors.permute(1, 0, 2).reshape(4, -1)
    expected = torch.kron(curvature.gram, curvature.between) + (flat.t() * curvature.signs) @ flat
    torch.testing.assert_close(matrix_of(curvature), expected)
    assert torch.linalg.eigvalsh(expected)[0] > 0


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(("absolute", "norm"), [(0.3, 0.0), (0.0, 1.5), (0.2, 1.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_point_of_scipys_is_lower(implementation, absolute, norm, dtype):
    zeros = 0
    for seed in range(2):
        problem, found = drawn(seed, absolute, norm, dtype)
        before = [part.clone() for part in (*problem.curvature, *problem[1:])]
        with dispatch.force(implementation):
            point = kronecker_lasso(problem, tolerance=1e-6, sweeps=1000)
        assert value(problem, point) <= found + 1e-5 * abs(found)
        assert all(torch.equal(*pair) for pair in zip(before, (*problem.curvature, *problem[1:]), strict=True))
        zeros += int((point == 0).sum())
        assert (point[-1] != 0).all()
    assert zeros > 0


@settings(deadline=None, max_examples=12)
@given(
    features=st.integers(1, 6),
    outputs=st.integers(1, 3),
    seed=st.integers(0, 2**31),
    corrections=st.integers(0, 2),
    strengths=st.sampled_from([(0.5, 0.0, 0.0), (0.0, 0.0, 0.8), (0.1, 0.2, 0.4), (0.0, 0.1, 0.0)]),
)
def test_implementations_agree(features, outputs, seed, corrections, strengths):
    problem, points = quadratic(features, outputs, seed, corrections, *strengths), []
    for implementation in IMPLEMENTATIONS:
        with dispatch.force(implementation):
            points.append(kronecker_lasso(problem, tolerance=1e-6, sweeps=300))
    least = min(value(problem, point) for point in points)
    assert all(value(problem, point) <= least + 1e-4 * (1 + abs(least)) for point in points)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_more_sweeps_never_raise_the_value(implementation):
    problem = quadratic(9, 4, seed=5, norm=0.2)
    with dispatch.force(implementation):
        points = [kronecker_lasso(problem, tolerance=0.0, sweeps=sweeps) for sweeps in (1, 2, 5, 40)]
    values = [value(problem, point) for point in (problem.start, *points)]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(values))
    assert values[1] < values[0]
