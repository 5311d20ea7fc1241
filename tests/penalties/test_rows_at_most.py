"""Of a matrix the largest rows: how many, which, and in which metric."""

import itertools

import pytest
import torch

from gradus.core.errors import InputError
from gradus.penalties import RowsAtMost


@pytest.mark.parametrize(
    ("share", "rows", "left"), [(0.5, 7, 4), (0.2, 15, 3), (0.001, 5, 1), (1.0, 6, 6), (0.7, 10, 7), (1 / 3, 3, 1)]
)
def test_how_many_rows_stay(share, rows, left):
    point = torch.randn(rows, 3, generator=torch.Generator().manual_seed(0))
    assert int((RowsAtMost(share).prox(point, 1.0) != 0).any(dim=1).sum()) == left


def test_no_choice_of_rows_is_nearer():
    generator = torch.Generator().manual_seed(1)
    point = torch.randn(6, 2, generator=generator, dtype=torch.float64)
    metric = torch.rand(6, 2, generator=generator, dtype=torch.float64) + 0.01
    penalty = RowsAtMost(0.5)
    for weights, found in (
        (torch.ones_like(metric), penalty.prox(point, 0.3)),
        (metric, penalty.prox_in_metric(point, metric)),
    ):
        distances = []
        for rows in itertools.combinations(range(6), 3):
            kept = torch.zeros_like(point)
            kept[list(rows)] = point[list(rows)]
            distances.append(float((weights * (kept - point).square()).sum()))
        assert float((weights * (found - point).square()).sum()) == pytest.approx(min(distances), rel=1e-12)
        assert penalty.value(found) == 0.0 and penalty.value(point) == float("inf")


def test_of_equal_rows_the_first_stay_and_float32_does_not_overflow():
    assert RowsAtMost(0.5).prox(torch.ones(4, 1), 1.0).ravel().tolist() == [1.0, 1.0, 0.0, 0.0]
    assert RowsAtMost(0.5).prox(torch.tensor([[1e30], [2e30]]), 1.0).ravel().tolist() == [0.0, pytest.approx(2e30)]


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(InputError, match="RowsAtMost's share is"):
        RowsAtMost(share)
