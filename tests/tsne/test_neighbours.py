import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from gradus.core.errors import InputError
from gradus.tsne import Searchable, metric_named


def rows(samples=120, features=6):
    return torch.randn(samples, features, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 3


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
def test_neighbours_are_those_of_scikit_learn(metric):
    found = Searchable.of(rows(), metric_named(metric)).others(9)
    distances, expected = NearestNeighbors(n_neighbors=9, metric=metric, algorithm="brute").fit(rows()).kneighbors()
    np.testing.assert_array_equal(found.indices, expected)
    ratio = found.squared.sqrt().numpy() / distances
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-6)  # a common scale is left out


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
def test_new_rows_find_what_scipy_finds(metric):
    stored, asked = rows(), rows(7) * 1.3 + torch.linspace(-1, 1, 6)
    found = Searchable.of(stored, metric_named(metric)).among(asked, 5)
    np.testing.assert_array_equal(found.indices, cdist(asked, stored, metric).argsort(1)[:, :5])


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1e20, 1e300])
def test_scale_changes_no_neighbour(scale):
    plain = Searchable.of(rows(), metric_named("euclidean")).others(9)
    scaled = Searchable.of(rows() * scale, metric_named("euclidean")).others(9)
    assert torch.equal(plain.indices, scaled.indices)
    torch.testing.assert_close(plain.squared, scaled.squared, rtol=1e-6, atol=0)


def test_an_outlier_does_not_blur_the_others():
    data = rows()
    data[7] = 1e20
    found = Searchable.of(data, metric_named("euclidean")).others(9)
    rest = torch.arange(120) != 7
    expected = Searchable.of(data[rest], metric_named("euclidean")).others(9)
    renumbered = expected.indices + (expected.indices >= 7)
    assert torch.equal(found.indices[rest], renumbered)
    assert torch.isfinite(found.squared).all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
def test_equal_rows_and_rows_of_zeros_have_finite_distances(metric):
    for data in (torch.zeros(10, 3), torch.ones(10, 3), torch.cat([torch.zeros(5, 3), rows(5, 3).float()])):
        assert torch.isfinite(Searchable.of(data, metric_named(metric)).others(4).squared).all()


def test_an_unknown_metric_is_refused():
    with pytest.raises(InputError, match="did you mean 'cosine'"):
        metric_named("cosin")
