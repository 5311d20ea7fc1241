import numba
import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from gradus.kernels import dispatch
from gradus.kernels.cell_search import Cells, nearest_in_cells

IMPLEMENTATIONS = dispatch.implementations("cell_search")


def rows(samples, features, dtype=torch.float32, seed=0):
    return torch.randn(samples, features, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def scattered(samples, cells, probed):
    """Cells and probes that have nothing to do with where the rows are."""
    generator = torch.Generator().manual_seed(1)
    owner = torch.randint(cells, (samples,), generator=generator)
    probes = torch.rand(samples, cells, generator=generator).argsort(1)[:, :probed].int()
    return owner, Cells.of(owner, cells), probes


def test_a_fast_implementation_runs_on_the_processor():
    assert dispatch.chosen("cell_search", "cpu") == "cpu"


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("features", [1, 6, 50])
def test_each_row_finds_the_nearest_of_its_cells_by_a_tree(implementation, dtype, features):
    points = rows(400, features, dtype)
    owner, cells, probes = scattered(400, 13, 4)
    with dispatch.force(implementation):
        indices, squared = nearest_in_cells(points, points, cells, probes, 7)
    for row in range(0, 400, 9):
        inside = np.setdiff1d(np.flatnonzero(np.isin(owner, probes[row])), row)
        distances, expected = cKDTree(points[inside].numpy()).query(points[row].numpy(), k=7)
        np.testing.assert_array_equal(indices[row], inside[expected])
        np.testing.assert_allclose(squared[row], distances**2, rtol=1e-6)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_an_answer_that_is_too_short_ends_in_zeros(implementation):
    points = torch.tensor([[0.0], [2.0], [9.0]])
    cells = Cells.of(torch.tensor([0, 0, 1]), 3)
    with dispatch.force(implementation):
        indices, squared = nearest_in_cells(points, points, cells, torch.tensor([[0], [0], [1]]).int(), 2)
    assert indices.tolist() == [[1, 0], [0, 0], [0, 0]]
    assert squared.tolist() == [[4, 0], [4, 0], [0, 0]]


def test_a_sketch_only_chooses_the_candidates():
    points = rows(500, 30) * torch.linspace(1, 0.01, 30)
    _, cells, probes = scattered(500, 5, 5)
    indices, squared = nearest_in_cells(points, points[:, :20].contiguous(), cells, probes, 10)
    expected, distances = nearest_in_cells(points, points, cells, probes, 10)
    assert (indices == expected).float().mean() > 0.99
    torch.testing.assert_close(squared[indices == expected], distances[indices == expected])


def test_no_bit_depends_on_the_number_of_threads():
    points = rows(3000, 10)
    _, cells, probes = scattered(3000, 40, 9)
    both, most = [], numba.get_num_threads()
    try:
        for threads in (1, most):
            numba.set_num_threads(threads)
            both.append(nearest_in_cells(points, points, cells, probes, 30))
    finally:
        numba.set_num_threads(most)
    assert torch.equal(both[0][0], both[1][0])
    assert torch.equal(both[0][1], both[1][1])
