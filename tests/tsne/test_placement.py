import numpy as np
import torch

from gradus.kernels.student_attraction import Affinities
from gradus.tsne import Placement, at_their_twins, field_of
from gradus.tsne.placement import weighted_medians


def test_weighted_medians_split_the_weight_of_every_row_in_two():
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, 9, size=40)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    columns = generator.integers(0, 25, size=offsets[-1]).astype(np.int32)
    weights = generator.random(offsets[-1]).astype(np.float32)
    values = torch.from_numpy(generator.normal(size=25))
    graph = Affinities(*map(torch.from_numpy, (offsets, columns, weights)))
    for row, median in enumerate(weighted_medians(values, graph).tolist()):
        own, weight = values.numpy()[columns[offsets[row] : offsets[row + 1]]], weights[offsets[row] : offsets[row + 1]]
        assert median in own
        assert weight[own < median].sum() <= weight.sum() / 2 * (1 + 1e-6)
        assert weight[own > median].sum() <= weight.sum() / 2 * (1 + 1e-6)


def test_the_gradient_is_that_of_the_divergence_of_every_row():
    generator = torch.Generator().manual_seed(0)
    fixed = torch.randn(30, 2, generator=generator, dtype=torch.float64)
    weights = torch.rand(4, 30, generator=generator, dtype=torch.float64)
    weights /= weights.sum(1, keepdim=True)
    graph = Affinities(torch.arange(0, 121, 30), torch.arange(30, dtype=torch.int32).repeat(4), weights.reshape(-1))
    point = torch.randn(4, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    for dof in (0.5, 1.0, 3.0):
        w = (1 + torch.cdist(point, fixed) ** 2 / dof) ** -dof
        cost = -(weights * (w / w.sum(1, keepdim=True)).log()).sum()
        expected = torch.autograd.grad(cost, point)[0]
        found = Placement(graph, fixed, field_of(fixed, dof), dof).gradient(point.detach())
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_only_rows_with_a_twin_are_moved():
    fixed, placed = torch.arange(6.0).reshape(3, 2), torch.full((2, 2), 9.0)
    torch.testing.assert_close(at_their_twins(placed, torch.tensor([-1, 2]), fixed), torch.tensor([[9.0, 9], [4, 5]]))
