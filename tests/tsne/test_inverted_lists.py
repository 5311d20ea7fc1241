import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from gradus.tsne.inverted_lists import nearest_approximately


def mixture(samples, features, clusters=30, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(clusters, features, generator=generator) * 3
    return centres[torch.arange(samples) % clusters] + torch.randn(samples, features, generator=generator)


def recall(found, points):
    sample = np.arange(0, len(points), 7)
    search = NearestNeighbors(n_neighbors=found.shape[1] + 1, algorithm="brute").fit(points.numpy())
    expected = search.kneighbors(points[sample].numpy())[1][:, 1:]
    return np.mean([np.isin(e, f).mean() for e, f in zip(expected, found[sample].numpy(), strict=True)])


@pytest.mark.parametrize("features", [8, 160])
@pytest.mark.parametrize("count", [15, 90])
def test_recall_of_rows_with_structure(features, count):
    points = mixture(6000, features)
    indices, squared = nearest_approximately(points, count)
    assert recall(indices, points) > 0.99
    assert (squared.diff(dim=1) >= 0).all()
    assert not (indices == torch.arange(6000)[:, None]).any()


def test_recall_of_rows_without_structure():
    points = mixture(4000, 60, clusters=1)
    assert recall(nearest_approximately(points, 20)[0], points) > 0.99


def test_the_same_rows_give_the_same_bits():
    points = mixture(3000, 20)
    one, other = nearest_approximately(points, 10), nearest_approximately(points.clone(), 10)
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])


def test_equal_rows_are_neighbours_of_each_other():
    points = torch.cat([torch.ones(3000, 5), mixture(1000, 5)])
    indices, squared = nearest_approximately(points, 12)
    assert not squared[:3000].any()
    assert (indices[:3000] < 3000).all()
    assert not (indices == torch.arange(4000)[:, None]).any()


def test_a_far_outlier_finds_its_true_neighbours():
    points = mixture(4000, 10)
    points[7] = 1e4
    indices, _ = nearest_approximately(points, 40)
    expected = ((points - points[7]) ** 2).double().sum(1).argsort()[1:41]
    assert len(np.intersect1d(indices[7], expected)) >= 39
