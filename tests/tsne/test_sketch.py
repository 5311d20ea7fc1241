import pytest
import torch

from gradus.tsne.sketch import sketched


def rows(samples, features, decay):
    normal = torch.randn(samples, features, generator=torch.Generator().manual_seed(0))
    return normal * torch.arange(1, features + 1) ** -decay + 5


def test_few_features_stay_as_they_are():
    points = rows(50, 100, 1.0)
    assert sketched(points) is points


@pytest.mark.parametrize("decay", [0.0, 0.7, 1.5])
def test_distances_are_never_overestimated_and_nearly_right(decay):
    points = rows(400, 300, decay)
    exact, told = (
        torch.cdist(points.double(), points.double()),
        torch.cdist(sketched(points).double(), sketched(points).double()),
    )
    apart = ~torch.eye(400, dtype=torch.bool)
    ratio = (told[apart] / exact[apart]) ** 2
    assert ratio.max() < 1 + 1e-3
    assert ratio.mean() > 0.9


def test_rows_that_all_coincide():
    assert torch.isfinite(sketched(torch.ones(40, 120))).all()
