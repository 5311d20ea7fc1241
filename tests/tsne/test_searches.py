"""Every search against scikit-learn's neighbours and SciPy's distances."""

import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors, kneighbors_graph

from gradus.core.errors import InputError
from gradus.tsne import (
    SPARSE_METRICS,
    Chebyshev,
    DistancesToAll,
    DistancesToSome,
    Given,
    Manhattan,
    MeasuredSearch,
    Searchable,
    SparseSearch,
    metric_named,
)


def canberra(x, y):
    return float((np.abs(x - y) / (np.abs(x) + np.abs(y) + 1e-300)).sum())


def data(samples=120, features=30):
    """Return non-negative rows, two thirds of them zeros, of which some occur twice."""
    generator = np.random.default_rng(0)
    values = generator.random((samples, features)) * (generator.random((samples, features)) < 0.3)
    values[-10:] = values[:10]
    return values


def sparse_euclidean(rows):
    return SparseSearch.of(sparse.csr_array(rows), SPARSE_METRICS["euclidean"])


SEARCHES = {
    "dense euclidean": ("euclidean", lambda rows: Searchable.of(torch.from_numpy(rows), metric_named("euclidean"))),
    "dense manhattan": ("cityblock", lambda rows: MeasuredSearch.of(rows, Manhattan())),
    "dense chebyshev": ("chebyshev", lambda rows: MeasuredSearch.of(rows, Chebyshev())),
    "function": (canberra, lambda rows: MeasuredSearch.of(rows, Given(canberra))),
    "sparse euclidean": ("euclidean", sparse_euclidean),
    "sparse cosine": ("cosine", lambda rows: SparseSearch.of(sparse.csr_array(rows), SPARSE_METRICS["cosine"])),
    "sparse correlation": (
        "correlation",
        lambda rows: SparseSearch.of(sparse.csr_array(rows), SPARSE_METRICS["correlation"]),
    ),
    "sparse manhattan": ("cityblock", lambda rows: MeasuredSearch.of(sparse.csr_array(rows), Manhattan())),
    "precomputed": ("euclidean", lambda rows: DistancesToAll.of(cdist(rows, rows))),
}


def given_as(name, rows, stored):
    """Return new rows as the search of this name takes them."""
    if name == "precomputed":
        return cdist(rows, stored)
    return sparse.csr_array(rows) if name.startswith("sparse") else rows


def distances_of(found):
    return np.sqrt(found.squared.numpy()) * found.unit


@pytest.mark.parametrize("name", SEARCHES)
def test_own_neighbours_have_the_distances_that_scipy_measures(name):
    metric, search = SEARCHES[name]
    table = cdist(data(), data(), metric)
    np.fill_diagonal(table, np.inf)
    found = search(data()).others(9)
    np.testing.assert_allclose(distances_of(found), np.sort(table, 1)[:, :9], atol=1e-7)
    np.testing.assert_allclose(np.take_along_axis(table, found.indices.numpy(), 1), np.sort(table, 1)[:, :9], atol=1e-7)
    assert (found.indices.numpy() != np.arange(120)[:, None]).all()


@pytest.mark.parametrize("name", SEARCHES)
def test_new_rows_find_the_nearest_and_their_twins_at_zero_also_after_a_pickle(name):
    metric, search = SEARCHES[name]
    new = np.concatenate([data()[:3], 0.9 * data()[5:9] + 0.01])
    stored = pickle.loads(pickle.dumps(search(data()).remembered()))
    assert stored.samples == 120
    found = stored.among(given_as(name, new, data()), 5)
    np.testing.assert_allclose(distances_of(found), np.sort(cdist(new, data(), metric), 1)[:, :5], atol=1e-7)
    if name not in ("sparse cosine", "sparse correlation"):  # where rows of one direction are equal too
        assert (found.squared[:3, 0] == 0).all() and (found.squared[3:, 0] > 0).all()


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@pytest.mark.parametrize("name", [name for name in SEARCHES if name not in ("function", "precomputed")])
def test_scale_changes_no_neighbour(name, scale):
    plain, scaled = (SEARCHES[name][1](data() * factor).others(9) for factor in (1.0, scale))
    np.testing.assert_allclose(scaled.squared, plain.squared, rtol=1e-6, atol=1e-12)
    assert np.isfinite(scaled.unit) and scaled.unit > 0


@pytest.mark.parametrize("metric", SPARSE_METRICS)
def test_sparse_rows_that_are_equal_zero_or_constant_have_finite_distances(metric):
    for rows in (np.zeros((10, 3)), np.ones((10, 3)), np.eye(10)[:, :3]):
        found = SparseSearch.of(sparse.csr_array(rows), SPARSE_METRICS[metric]).others(4)
        expected = Searchable.of(torch.from_numpy(rows), metric_named(metric)).others(4)
        np.testing.assert_allclose(distances_of(found), distances_of(expected), atol=1e-12)


def test_a_graph_of_distances_gives_its_nearest_and_counts_stored_zeros():
    graph = kneighbors_graph(data(), 12, mode="distance")
    assert (graph.data == 0).any()
    found = DistancesToSome.of(sparse.csr_array(graph)).others(9)
    expected = NearestNeighbors(n_neighbors=9).fit(data()).kneighbors()[0]
    np.testing.assert_allclose(distances_of(found), expected, atol=1e-7)
    loops = kneighbors_graph(data(), 13, mode="distance", include_self=True)  # a row is no neighbour of itself
    np.testing.assert_array_equal(DistancesToSome.of(sparse.csr_array(loops)).others(9).squared, found.squared)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (np.zeros((3, 4)), "square distance matrix"),
        (np.array([[0.0, -2.0], [1.0, 0.0]]), "X holds -2, but precomputed distances are positive or 0"),
    ],
)
@pytest.mark.parametrize("kind", [DistancesToAll.of, lambda table: DistancesToSome.of(sparse.csr_array(table))])
def test_tables_that_hold_no_distances_are_refused(table, words, kind):
    with pytest.raises(InputError, match=words):
        kind(table).others(1)


def test_a_graph_with_too_few_neighbours_says_how_many_it_has():
    graph = sparse.lil_array(kneighbors_graph(data(), 12, mode="distance"))
    graph[7] = 0
    graph[7, :3] = 1.0
    with pytest.raises(InputError, match=r"9 neighbors of every row are needed, but row 7 .* stores 3.*n_neighbors=3"):
        DistancesToSome.of(sparse.csr_array(graph)).others(9)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_function_that_returns_no_distance_is_refused(value):
    with pytest.raises(InputError, match="the metric given returned"):
        MeasuredSearch.of(data(), Given(lambda x, y: value)).others(3)
