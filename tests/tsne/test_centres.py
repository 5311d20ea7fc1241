import numba
import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from gradus.kernels.threads import threads
from gradus.tsne.centres import centres_of, owners


def cloud(samples, features=20, seed=0):
    return torch.randn(samples, features, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("samples", [1, 256, 1000])
def test_owners_are_the_nearest_by_scipy(samples):
    points, centres = cloud(samples), cloud(37, seed=1)
    np.testing.assert_array_equal(owners(points, centres), cdist(points, centres).argmin(1))


def test_centres_are_nearer_than_points_drawn_at_random():
    points = torch.cat([cloud(2000) * 0.1 + 9 * cloud(1, seed=k) for k in range(12)])
    centres = centres_of(points, 40)
    drawn = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(3))[:40]]
    found, at_random = (cdist(points, some).min(1).mean() for some in (centres, drawn))
    assert found < 0.9 * at_random


def test_no_bit_depends_on_the_number_of_threads():
    points = cloud(30_000, 50)
    found = []
    for count in (1, numba.get_num_threads()):
        with threads(count):
            centres = centres_of(points, 300)
            found.append((centres, owners(points, centres)))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
