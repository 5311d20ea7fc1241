import numpy as np
import pytest
import torch
from openTSNE.kl_divergence import kl_divergence_exact
from scipy import sparse

from gradus.tsne import (
    ExactRepulsion,
    Gaussian,
    GridRepulsion,
    KLDivergence,
    Rule,
    Searchable,
    joint_affinities,
    metric_named,
)


@pytest.fixture(scope="module")
def affinities():
    data = torch.randn(150, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    neighbours = Searchable.of(data, metric_named("euclidean")).others(30)
    return joint_affinities(neighbours, Gaussian(10.0).weights(neighbours))


def matrix(affinities):
    arrays = affinities.weights.double().numpy(), affinities.neighbours.numpy(), affinities.offsets.numpy()
    return sparse.csr_matrix(arrays, shape=(affinities.samples, affinities.samples))


def written_out(p, y, dof):
    """KL(P || Q) over all pairs, as it is defined."""
    weight = (1 + ((y[:, None] - y) ** 2).sum(2) / dof) ** -dof
    weight = weight - torch.diag(weight.diagonal())
    q = weight / weight.sum()
    linked = p > 0
    return (p[linked] * (p[linked] / q[linked]).log()).sum()


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("dof", [0.4, 1.0, 3.0])
def test_value_and_gradient_are_those_of_autograd(affinities, dimensions, dof):
    y = torch.randn(150, dimensions, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 5
    p = torch.from_numpy(matrix(affinities).toarray())
    p = p / p.sum()
    objective = KLDivergence(affinities, ExactRepulsion(dof), dof)
    value, gradient = objective.value_and_gradient(y)
    y.requires_grad_()
    expected = written_out(p, y, dof)
    (expected_gradient,) = torch.autograd.grad(expected, y)
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-5, atol=1e-8)


def test_value_is_openTSNE_s(affinities):
    y = torch.randn(150, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 5
    found, _ = KLDivergence(affinities, ExactRepulsion(1.0)).value_and_gradient(y)
    expected = kl_divergence_exact(matrix(affinities).toarray(), y.numpy())
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_exaggeration_scales_the_attraction_and_leaves_the_value(affinities):
    y = torch.randn(150, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    gradients, values = {}, {}
    for exaggeration in (1.0, 2.0, 3.0):
        objective = KLDivergence(affinities, ExactRepulsion(1.0), exaggeration=exaggeration)
        values[exaggeration], gradients[exaggeration] = objective.value_and_gradient(y)
    assert values[1.0] == values[2.0] == values[3.0]
    torch.testing.assert_close(gradients[3.0] - gradients[2.0], gradients[2.0] - gradients[1.0])
    assert not torch.equal(gradients[1.0], gradients[2.0])


def test_points_too_far_apart_to_repel_leave_finite_values(affinities):
    y = torch.arange(300, dtype=torch.float32).reshape(150, 2) * 1e14
    value, gradient = KLDivergence(affinities, ExactRepulsion(1.0)).value_and_gradient(y)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()


def test_the_gradient_through_the_grid_is_that_of_its_own_value(affinities):
    """Differences of the approximate log Z, not of the exact one, give the approximate repulsion."""
    y = torch.randn(150, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 5
    y[0], y[1] = torch.tensor([-30.0, -30.0]), torch.tensor([30.0, 30.0])  # they hold the box where it is
    repulsion = GridRepulsion(Rule(1.0, 0.5, 6))
    forces, _ = repulsion(y)
    step = 1e-3
    for point, axis in ((5, 0), (77, 1)):
        ahead, behind = y.clone(), y.clone()
        ahead[point, axis] += step
        behind[point, axis] -= step
        slope = (repulsion(ahead)[1] - repulsion(behind)[1]) / (2 * step)
        # Z counts every pair twice, and the spectrum is rounded to float32
        assert slope / -4 == pytest.approx(forces[point, axis].item(), rel=1e-4)
    assert np.isfinite(forces.numpy()).all()
