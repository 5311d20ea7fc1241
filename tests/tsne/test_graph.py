import numpy as np
import pytest
import torch
from scipy import sparse

from gradus.core.errors import InputError
from gradus.tsne import Connected, as_affinities, as_matrix, joint_of_graph, rows_of_graph


def random_graph(samples=30):
    graph = sparse.random_array((samples, samples), density=0.3, rng=np.random.default_rng(0), format="csr")
    return sparse.csr_array(graph)


def test_a_graph_becomes_symmetric_without_loops_and_sums_to_one():
    graph = random_graph()
    expected = graph.toarray() + graph.toarray().T
    np.fill_diagonal(expected, 0)
    found = as_matrix(joint_of_graph(graph))
    np.testing.assert_allclose(found.toarray(), expected / expected.sum(), rtol=1e-6)
    assert found.sum(dtype=np.float64) == pytest.approx(1, rel=1e-6)
    assert found.indices.dtype == found.indptr.dtype == np.int32
    again = as_affinities(found)
    torch.testing.assert_close(as_matrix(again).toarray(), found.toarray())


def test_rows_of_new_points_each_sum_to_one():
    graph = random_graph()
    expected = graph.toarray() / graph.toarray().sum(1, keepdims=True)
    np.testing.assert_allclose(as_matrix(rows_of_graph(graph)).toarray(), expected, rtol=1e-6)


@pytest.mark.parametrize("relate", [joint_of_graph, rows_of_graph])
def test_what_is_no_graph_of_affinities_is_refused(relate):
    negative = random_graph()
    negative.data[4] = -3.0
    with pytest.raises(InputError, match="X holds -3, but precomputed affinities are positive or 0"):
        relate(negative)
    lonely = random_graph().toarray()
    lonely[5] = lonely[:, 5] = 0
    lonely[5, 5] = 0.0
    with pytest.raises(InputError, match="row 5 of the precomputed affinities has no neighbour"):
        relate(sparse.csr_array(lonely))


def test_a_graph_must_be_square():
    with pytest.raises(InputError, match="a row and a column for each sample"):
        Connected.of(sparse.csr_array(np.ones((3, 4))))
