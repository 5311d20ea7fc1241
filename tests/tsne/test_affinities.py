import numpy as np
import pytest
import torch
from openTSNE.affinity import FixedSigmaNN, Multiscale, PerplexityBasedNN
from scipy import sparse
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import _t_sne

from gradus.core.errors import InputError
from gradus.tsne import (
    FixedGaussian,
    Gaussian,
    Gaussians,
    Neighbours,
    Searchable,
    Uniform,
    joint_affinities,
    metric_named,
    row_affinities,
)


def rows(samples=200, features=5):
    return torch.randn(samples, features, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def dense(affinities):
    arrays = affinities.weights.numpy(), affinities.neighbours.numpy(), affinities.offsets.numpy()
    return sparse.csr_matrix(arrays, shape=(affinities.samples, affinities.samples)).toarray()


def joint(data, kernel):
    neighbours = Searchable.of(data, metric_named("euclidean")).others(kernel.count(len(data)))
    return joint_affinities(neighbours, kernel.weights(neighbours))


def test_with_every_neighbour_they_are_scikit_learn_s_dense_ones():
    data = rows(91)
    expected = squareform(_t_sne._joint_probabilities(squareform(pdist(data, "sqeuclidean")), 30.0, 0))
    np.testing.assert_allclose(dense(joint(data, Gaussian(30.0))), expected, rtol=2e-3, atol=1e-8)


@pytest.mark.filterwarnings("ignore")
def test_with_some_neighbours_they_are_openTSNE_s():
    data = rows()
    expected = PerplexityBasedNN(data.numpy(), perplexity=20, method="exact").P.toarray()
    np.testing.assert_allclose(dense(joint(data, Gaussian(20.0))), expected, rtol=1e-4, atol=1e-8)


@pytest.mark.filterwarnings("ignore")
def test_several_perplexities_are_averaged_as_in_openTSNE():
    data = rows()
    expected = Multiscale(data.numpy(), perplexities=[5, 30], method="exact").P.toarray()
    np.testing.assert_allclose(dense(joint(data, Gaussians((5.0, 30.0)))), expected, rtol=1e-4, atol=1e-8)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e20])
def test_a_fixed_width_is_in_the_units_of_the_data(scale):
    data = rows()
    expected = FixedSigmaNN(data.numpy(), sigma=0.7, k=20, method="exact").P.toarray()
    found = dense(joint(data * scale, FixedGaussian(0.7 * scale, 20)))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_a_fixed_width_of_an_angle_does_not_depend_on_the_scale(metric):
    def weights(data):
        neighbours = Searchable.of(data, metric_named(metric)).others(20)
        return FixedGaussian(0.1, 20).weights(neighbours), neighbours

    found, neighbours = weights(rows())
    angles = squareform(pdist(rows(), metric))
    own = np.take_along_axis(angles, neighbours.indices.numpy(), 1)
    expected = np.exp(-0.5 * (own / 0.1) ** 2)
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(weights(rows() * 1e9)[0], found, rtol=1e-9)


@pytest.mark.parametrize("sigma", [1e-300, 1e300])
def test_extreme_widths_leave_the_nearest_neighbour_or_all(sigma):
    neighbours = Neighbours(torch.tensor([[1, 2]] * 3), torch.tensor([[0.0, 1.0]] * 3, dtype=torch.float64), unit=1e9)
    weights = FixedGaussian(sigma, 2).weights(neighbours)
    expected = [1.0, 0.0] if sigma < 1 else [0.5, 0.5]
    torch.testing.assert_close(weights, torch.tensor([expected] * 3, dtype=torch.float64))


@pytest.mark.parametrize(
    "kernel", [Gaussian(9.5), Gaussians((2.0, 9.5)), FixedGaussian(1.0, 15), Uniform(1), Uniform(15)]
)
def test_they_are_symmetric_and_sum_to_one(kernel):
    matrix = dense(joint(rows(), kernel))
    np.testing.assert_array_equal(matrix, matrix.T)
    assert matrix.sum(dtype=np.float64) == pytest.approx(1, rel=1e-6)
    assert not matrix.diagonal().any()


def test_uniform_affinities_tell_mutual_neighbours_from_one_sided_ones():
    matrix = dense(joint(rows(), Uniform(7)))
    np.testing.assert_allclose(np.unique(matrix), [0, 1 / (7 * 400), 2 / (7 * 400)], rtol=1e-6)


def test_rows_for_new_points_each_sum_to_one():
    stored = Searchable.of(rows(), metric_named("euclidean"))
    neighbours = stored.among(rows(20) + 0.1, 30)
    affinities = row_affinities(neighbours, Gaussian(10.0).weights(neighbours))
    torch.testing.assert_close(affinities.weights.reshape(20, 30).sum(1), torch.ones(20))


@pytest.mark.parametrize(
    ("kernel", "samples", "words"),
    [
        (Gaussian(30), 50, "give at most 16.3"),
        (Gaussian(5), 3, "n_neighbors=1"),
        (Gaussian(0.5), 50, "at least 1"),
        (Gaussian(float("nan")), 50, "at least 1"),
        (Gaussians((5.0, 30.0)), 50, "perplexity is 30.*give at most 16.3"),
        (FixedGaussian(1.0, 50), 50, "give 1 to 49"),
        (Uniform(50), 50, "give 1 to 49"),
        (Uniform(0), 50, "give 1 to 49"),
    ],
)
def test_what_the_rows_do_not_allow_is_refused_with_what_they_do(kernel, samples, words):
    with pytest.raises(InputError, match=words):
        kernel.count(samples)


def test_the_largest_perplexity_that_is_named_is_accepted():
    assert Gaussian(16.3).count(50) == 48
