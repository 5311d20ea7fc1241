import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from sklearn.neighbors import NearestNeighbors

from gradus.kernels import dispatch
from gradus.kernels.nearest_neighbours import nearest_among, nearest_others
from gradus.kernels.nearest_neighbours.selection import SLACK, keep_few, offer

IMPLEMENTATIONS = dispatch.implementations("nearest_neighbours")


def points(samples, features, dtype, seed=0):
    return torch.randn(samples, features, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_a_fast_implementation_runs_on_the_processor():
    assert dispatch.chosen("nearest_neighbours", "cpu") == "cpu"


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("samples", "features", "count"), [(2, 1, 1), (40, 3, 39), (700, 50, 90), (1030, 785, 7)])
def test_others_are_those_of_scikit_learn(implementation, dtype, samples, features, count):
    rows = points(samples, features, dtype)
    with dispatch.force(implementation):
        indices, squared = nearest_others(rows, count)
    oracle = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(rows.double().numpy())
    distances, expected = oracle.kneighbors()
    np.testing.assert_array_equal(indices.numpy(), expected)
    np.testing.assert_allclose(squared.numpy(), distances**2, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("queries", [1, 31, 33])
def test_among_are_those_of_a_tree(implementation, queries):
    stored, asked = points(500, 6, torch.float64), points(queries, 6, torch.float64, seed=1)
    with dispatch.force(implementation):
        indices, squared = nearest_among(asked, stored, 12)
    distances, expected = cKDTree(stored.numpy()).query(asked.numpy(), k=12)
    np.testing.assert_array_equal(indices.numpy(), expected)
    np.testing.assert_allclose(squared.numpy(), distances**2, rtol=1e-9)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_duplicates_are_neighbours_at_distance_zero_in_order_of_index(implementation):
    rows = torch.full((20, 3), 0.1)
    with dispatch.force(implementation):
        indices, squared = nearest_others(rows, 3)
    assert not squared.any()
    assert indices[0].tolist() == [1, 2, 3] or len(set(indices[0].tolist())) == 3
    assert all(row not in found for row, found in enumerate(indices.tolist()))


def test_queries_alone_find_what_they_find_together():
    stored, asked = points(900, 20, torch.float32), points(70, 20, torch.float32, seed=1)
    together, _ = nearest_among(asked, stored, 15)
    alone = torch.cat([nearest_among(row[None], stored, 15)[0] for row in asked])
    assert torch.equal(together, alone)


def test_no_bit_depends_on_the_number_of_threads():
    rows = points(1500, 10, torch.float32)
    both = []
    most = numba.get_num_threads()
    try:
        for threads in (1, most):
            numba.set_num_threads(threads)
            both.append(nearest_others(rows, 30))
    finally:
        numba.set_num_threads(most)
    assert torch.equal(both[0][0], both[1][0])
    assert torch.equal(both[0][1], both[1][1])


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 80), st.integers(1, 9), st.integers(0, 10**6), st.sampled_from([1e-15, 1.0, 1e15]))
def test_distances_are_the_smallest_there_are(samples, features, seed, scale):
    rows = points(samples, features, torch.float32, seed) * scale
    count = min(samples - 1, 1 + seed % 20)
    indices, squared = nearest_others(rows, count)
    wide = rows.double()
    every = ((wide[:, None] - wide[None]) ** 2).sum(2).fill_diagonal_(torch.inf)
    torch.testing.assert_close(squared, every.sort(1).values[:, :count], rtol=1e-6, atol=0.0)
    torch.testing.assert_close(every.gather(1, indices.long()), squared, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("equal", [False, True])
def test_a_full_buffer_keeps_the_wanted_smallest_and_a_few_more(dtype, equal):
    generator = np.random.default_rng(0)
    for size in (33, 200, 317):
        keys, index = np.empty(384, dtype), np.full(384, -1, np.int32)
        keys[:size] = 2.5 if equal else generator.normal(size=size)
        index[:size] = generator.permutation(size)
        named = dict(zip(index[:size].tolist(), keys[:size].tolist(), strict=True))
        smallest = np.sort(keys[:size])
        kept, bound = keep_few(keys, index, size, 31)
        assert 31 <= kept <= 31 + 31 // SLACK + 1
        np.testing.assert_array_equal(np.sort(keys[:kept]), smallest[:kept])
        assert bound >= smallest[kept - 1]
        assert [named[place] for place in index[:kept].tolist()] == keys[:kept].tolist()
        assert len(set(index[:kept].tolist())) == kept


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_point_below_the_bound_is_taken_but_the_excluded_one(dtype):
    generator = np.random.default_rng(0)
    products, norms = generator.normal(size=128).astype(dtype), generator.normal(size=128).astype(dtype)
    norms[-3:] = np.inf
    distances = norms - 2 * products
    keys, index = np.empty(320, dtype), np.empty(320, np.int32)
    size, _, _ = offer(products.copy(), norms, 1000, 5, keys, index, (0, dtype(0.3), 31))
    expected = np.flatnonzero((distances < 0.3) & (np.arange(128) != 5))
    np.testing.assert_array_equal(index[:size], 1000 + expected)
    np.testing.assert_allclose(keys[:size], distances[expected], rtol=1e-6)
