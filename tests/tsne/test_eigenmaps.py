import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.spatial.distance import pdist, squareform
from sklearn.decomposition import PCA
from sklearn.manifold import SpectralEmbedding

from gradus.tsne import (
    Gaussian,
    Searchable,
    as_matrix,
    eigenmaps,
    joint_affinities,
    joint_of_graph,
    laplacian_eigenmaps,
    metric_named,
    principal_components,
    principal_coordinates,
    sparse_principal_components,
)


def stretched(samples, features=20):
    rows = np.random.default_rng(42).normal(size=(samples, features))
    rows[:, 0] *= 5
    rows[:, 1] *= 3
    return rows


def affinities(samples):
    neighbours = Searchable.of(torch.from_numpy(stretched(samples)), metric_named("euclidean")).others(30)
    return joint_affinities(neighbours, Gaussian(10.0).weights(neighbours))


@pytest.fixture(params=["in full", "lanczos"])
def method(request, monkeypatch):
    if request.param == "lanczos":
        monkeypatch.setattr(eigenmaps, "LARGEST_GRAM", 0)


def assert_same_axes(found, expected):
    assert found.dtype == torch.float32
    assert float(found.double().std(0, correction=0).max()) == pytest.approx(1e-4, rel=0.05)
    for axis in range(found.shape[1]):
        assert abs(np.corrcoef(found[:, axis], expected[:, axis])[0, 1]) > 0.999


@pytest.mark.usefixtures("method")
@pytest.mark.parametrize("samples", [60, 700])
def test_eigenmaps_are_those_of_scikit_learn_and_their_sign_is_fixed(samples):
    joint = affinities(samples)
    expected = SpectralEmbedding(affinity="precomputed").fit_transform(as_matrix(joint))
    found = laplacian_eigenmaps(joint, 2)
    assert_same_axes(found, expected)
    largest = found.abs().argmax(0)
    assert (found[largest, torch.arange(2)] > 0).all()
    assert torch.equal(found, laplacian_eigenmaps(joint, 2))


def test_the_parts_of_a_graph_begin_apart_and_no_two_points_coincide():
    block = np.ones((20, 20)) - np.eye(20)
    found = laplacian_eigenmaps(joint_of_graph(sparse.csr_array(sparse.block_diag([block] * 3))), 2)
    assert len(torch.unique(found, dim=0)) == 60
    centres = found.reshape(3, 20, 2).mean(1)
    spread = (found.reshape(3, 20, 2) - centres[:, None]).norm(dim=2).max()
    assert torch.pdist(centres).min() > 5 * spread


@pytest.mark.usefixtures("method")
@pytest.mark.parametrize("samples", [60, 700])
def test_principal_coordinates_of_euclidean_distances_are_the_principal_components(samples):
    rows = stretched(samples)
    found = principal_coordinates(squareform(pdist(rows)) * 1e200, 3)
    assert_same_axes(found, PCA(3).fit_transform(rows))
    np.testing.assert_allclose(found.std(0), principal_components(torch.from_numpy(rows), 3).std(0), rtol=1e-3)


@pytest.mark.usefixtures("method")
@pytest.mark.parametrize("shape", [(300, 40), (40, 300), (700, 600)])
def test_components_of_sparse_rows_are_those_of_dense_ones(shape):
    rows = np.abs(stretched(*shape)) * (np.random.default_rng(0).random(shape) < 0.3)
    found = sparse_principal_components(sparse.csr_array(rows), 2)
    torch.testing.assert_close(found, principal_components(torch.from_numpy(rows), 2), rtol=1e-3, atol=1e-7)


def test_data_without_extent_begins_on_a_faint_pattern():
    for found in (
        sparse_principal_components(sparse.csr_array((30, 5)), 2),
        principal_coordinates(np.zeros((30, 30)), 2),
        laplacian_eigenmaps(joint_of_graph(sparse.csr_array(np.ones((2, 2)))), 3),
    ):
        assert torch.isfinite(found).all()
        assert len(torch.unique(found, dim=0)) == len(found)
