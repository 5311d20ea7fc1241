"""The descent of a quadratic model, against its exact solution and against a trust region solved by SciPy."""

import math

import pytest
import scipy.optimize
import torch

from gradus.solvers.conjugate_gradients import ConjugateGradients


def quadratic(size=8):
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(size, size, generator=generator, dtype=torch.float64)
    return root @ root.t() + 0.1 * torch.eye(size, dtype=torch.float64), torch.randn(
        size, dtype=torch.float64, generator=generator
    )


def test_unbounded_it_solves_the_system_and_promises_what_it_gains():
    hessian, gradient = quadratic()
    descent = ConjugateGradients(lambda vector: vector, 1e-12, 100).descent(lambda v: hessian @ v, gradient, math.inf)
    torch.testing.assert_close(descent.move, torch.linalg.solve(hessian, gradient))
    gain = gradient @ descent.move - 0.5 * descent.move @ hessian @ descent.move
    assert descent.promise == pytest.approx(gain.item())
    assert descent.length == pytest.approx(descent.move.norm().item())
    assert not descent.at_edge


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_bounded_it_stops_at_the_edge_in_the_norm_of_the_preconditioner(share):
    hessian, gradient = quadratic()
    scales = torch.linspace(0.5, 2.0, 8, dtype=torch.float64)
    search = ConjugateGradients(lambda vector: vector / scales, 1e-12, 100)
    whole = search.descent(lambda v: hessian @ v, gradient, math.inf)
    radius = share * whole.length
    cut = search.descent(lambda v: hessian @ v, gradient, radius)
    assert cut.at_edge
    assert (scales * cut.move.square()).sum().sqrt().item() == pytest.approx(radius)
    best = -scipy.optimize.minimize(
        lambda x: -(gradient.numpy() @ x - 0.5 * x @ hessian.numpy() @ x),
        cut.move.numpy(),
        constraints={"type": "ineq", "fun": lambda x: radius**2 - (scales.numpy() * x**2).sum()},
    ).fun
    # at least half of what the best point of the ball gains (Yuan 2000)
    assert best / 2 <= cut.promise <= best * (1 + 1e-6)


def test_it_goes_no_further_than_is_of_use():
    hessian, gradient = quadratic()
    norms = []

    def enough(residual):
        norms.append(residual.norm().item())
        return norms[-1] <= 0.5 * gradient.norm().item()

    search = ConjugateGradients(lambda vector: vector, 1e-12, 100, enough)
    descent = search.descent(lambda v: hessian @ v, gradient, math.inf)
    assert norms[-1] <= 0.5 * gradient.norm().item()
    assert all(norm > 0.5 * gradient.norm().item() for norm in norms[:-1])
    assert (gradient - hessian @ descent.move).norm().item() == pytest.approx(norms[-1])


def test_a_flat_direction_ends_the_search():
    gradient = torch.tensor([1.0, 1.0], dtype=torch.float64)
    flat = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    descent = ConjugateGradients(lambda vector: vector, 1e-12, 100).descent(lambda v: flat @ v, gradient, 10.0)
    assert descent.move.isfinite().all()
    assert descent.promise > 0
    assert descent.length <= 10.0 + 1e-9
