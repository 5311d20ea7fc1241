import numba
import numpy as np
import pytest
import torch
from scipy import sparse

from gradus.kernels import dispatch
from gradus.kernels.joint_graph import joint_graph

IMPLEMENTATIONS = dispatch.implementations("joint_graph")


def graph(samples, count, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(samples, samples, generator=generator).fill_diagonal_(2)
    return scores.argsort(1)[:, :count].int(), torch.rand(samples, count, generator=generator, dtype=dtype)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("samples", "count"), [(2, 1), (50, 1), (50, 20), (50, 49)])
def test_the_mean_is_that_of_scipy_s_matrices(implementation, dtype, samples, count):
    neighbours, weights = graph(samples, count, dtype)
    with dispatch.force(implementation):
        found = joint_graph(neighbours, weights)
    rows = np.repeat(np.arange(samples), count)
    one = sparse.csr_matrix((weights.double().numpy().ravel(), (rows, neighbours.numpy().ravel())))
    one.resize((samples, samples))
    expected = ((one + one.T) / (2 * samples)).toarray()
    matrix = sparse.csr_matrix((found.weights, found.neighbours, found.offsets), shape=(samples, samples))
    assert matrix.nnz == np.count_nonzero(expected)
    np.testing.assert_allclose(matrix.toarray(), expected, rtol=1e-6)
    assert matrix.sum() == pytest.approx(weights.sum().item() / samples, rel=1e-5)


def test_no_bit_depends_on_the_number_of_threads():
    neighbours, weights = graph(600, 30)
    both, most = [], numba.get_num_threads()
    try:
        for threads in (1, most):
            numba.set_num_threads(threads)
            both.append(joint_graph(neighbours, weights))
    finally:
        numba.set_num_threads(most)
    assert torch.equal(both[0].neighbours, both[1].neighbours)
    assert torch.equal(both[0].weights, both[1].weights)
