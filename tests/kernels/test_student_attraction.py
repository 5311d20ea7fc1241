import numba
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


def equal_edges(samples, seed=0):
    """Rows of different lengths, the first one empty, whose edges weigh w or 2 w."""
    plain = graph(samples, samples, seed=seed)
    doubled = plain.weights > 0.6
    return Affinities(plain.offsets, plain.neighbours, torch.where(doubled, 0.25, 0.125))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("samples", [3, 16, 61])
@pytest.mark.parametrize("dof", [0.5, 1.0, 4.0])
def test_a_map_pulled_along_equal_edges(implementation, samples, dof):
    points = torch.randn(samples, 2, generator=torch.Generator().manual_seed(samples)) * 3
    affinities = equal_edges(samples)
    assert affinities.abreast is not None
    with dispatch.force(implementation):
        forces = attraction(affinities, points, points, dof)
    torch.testing.assert_close(forces.double(), expected(affinities, points, points, dof)[0], rtol=2e-6, atol=2e-5)


def test_only_edges_of_w_and_2w_are_pulled_side_by_side():
    plain = equal_edges(20)
    assert graph(20, 20).abreast is None
    assert Affinities(plain.offsets, plain.neighbours, plain.weights.double()).abreast is None
    assert Affinities(plain.offsets, plain.neighbours, plain.weights * 0).abreast is None
    assert Affinities(torch.zeros(3, dtype=torch.int64), plain.neighbours[:0], plain.weights[:0]).abreast is None


def test_equal_edges_to_other_points_pull_too():
    affinities, generator = equal_edges(20), torch.Generator().manual_seed(1)
    targets, sources = (torch.randn(20, 2, generator=generator) for _ in range(2))
    forces = attraction(affinities, targets, sources, 1.0)
    torch.testing.assert_close(forces.double(), expected(affinities, targets, sources, 1.0)[0], rtol=2e-6, atol=2e-5)


@pytest.mark.parametrize("distance", [1e15, 1e25])
def test_a_point_beyond_reach_is_not_pulled(distance):
    edge = Affinities(torch.tensor([0, 1, 2]), torch.tensor([1, 0], dtype=torch.int32), torch.tensor([0.5, 0.5]))
    points = torch.tensor([[0.0, 0.0], [distance, 0.0]])
    torch.testing.assert_close(attraction(edge, points, points, 1.0), torch.zeros(2, 2), rtol=0, atol=1e-5)


def test_no_number_of_threads_changes_the_pull_of_equal_edges():
    affinities = equal_edges(3000)
    points = torch.randn(3000, 2, generator=torch.Generator().manual_seed(0))
    found = []
    for count in (1, numba.config.NUMBA_NUM_THREADS):
        numba.set_num_threads(count)
        found.append(attraction(affinities, points, points, 1.0))
    assert torch.equal(*found)
