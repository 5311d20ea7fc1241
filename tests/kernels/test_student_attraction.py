import pytest
import torch

from gradus.kernels import dispatch
from gradus.kernels.student_attraction import Affinities, attraction, attraction_cost

IMPLEMENTATIONS = dispatch.implementations("student_attraction")


def graph(rows, columns, dtype=torch.float32, seed=0):
    """Rows of different lengths, the first one empty."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, 40, (rows,), generator=generator)
    lengths[0] = 0
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    neighbours = torch.randint(0, columns, (int(offsets[-1]),), generator=generator, dtype=torch.int32)
    return Affinities(offsets, neighbours, torch.rand(len(neighbours), generator=generator, dtype=dtype))


def expected(affinities, targets, sources, dof):
    """The cost edge by edge, and the forces from autograd: d cost / dy = 2 * attraction, whatever dof is."""
    places = targets.double().clone().requires_grad_()
    costs = []
    for row in range(len(targets)):
        edges = slice(int(affinities.offsets[row]), int(affinities.offsets[row + 1]))
        squared = ((places[row] - sources.double()[affinities.neighbours[edges].long()]) ** 2).sum(1)
        costs.append(dof * (affinities.weights[edges].double() * torch.log1p(squared / dof)).sum())
    cost = torch.stack(costs)
    (gradient,) = torch.autograd.grad(cost.sum(), places)
    return gradient / 2, cost.detach()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("dof", [0.5, 1.0, 4.0])
def test_forces_and_cost(implementation, dtype, dimensions, dof):
    generator = torch.Generator().manual_seed(1)
    targets = torch.randn(30, dimensions, generator=generator, dtype=dtype) * 3
    sources = torch.randn(90, dimensions, generator=generator, dtype=dtype) * 3
    affinities = graph(30, 90)
    with dispatch.force(implementation):
        forces = attraction(affinities, targets, sources, dof)
        cost = attraction_cost(affinities, targets, sources, dof)
    wanted_forces, wanted_cost = expected(affinities, targets, sources, dof)
    tolerance = 2e-6 if dtype == torch.float32 else 1e-12
    assert forces.dtype == dtype
    assert cost.dtype == torch.float64
    torch.testing.assert_close(forces.double(), wanted_forces, rtol=tolerance, atol=10 * tolerance)
    torch.testing.assert_close(cost, wanted_cost, rtol=1e-12, atol=1e-12)
