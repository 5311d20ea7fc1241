"""Groups of indices: against a loop over the groups, against each other, and on wrong input."""

import pytest
import scipy.optimize
import torch

from gradus.core.errors import InputError
from gradus.penalties import (
    L1,
    GroupLasso,
    Groups,
    IndexGroupLasso,
    NonnegativeGroupLasso,
    SparseGroupLasso,
    WeightedGroupLasso,
)

MEMBERS = [[4, 0], [1], [2, 5, 3]]


def point(seed=0, shape=(6, 3)):
    return 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(6,), (6, 3), (6, 2, 2)], ids=str)
def test_equals_a_loop_over_the_groups(shape):
    v, penalty = point(shape=shape), IndexGroupLasso(0.6, Groups(MEMBERS))
    expected, total = torch.zeros_like(v), 0.0
    for group in MEMBERS:
        weight = len(group) ** 0.5
        block = v[group]
        expected[group] = block * max(1 - 0.5 * 0.6 * weight / block.norm().item(), 0)
        total += 0.6 * weight * block.norm().item()
    torch.testing.assert_close(penalty.prox(v, 0.5), expected)
    assert penalty.value(v).item() == pytest.approx(total)


def test_single_rows_are_the_group_lasso_and_single_entries_absolute_values():
    v = point()
    rows = IndexGroupLasso(0.6, Groups([[row] for row in range(6)]))
    torch.testing.assert_close(rows.prox(v, 0.5), GroupLasso(0.6).prox(v, 0.5))
    assert rows.gauge(v) == pytest.approx(GroupLasso(0.6).gauge(v))
    torch.testing.assert_close(rows.prox(v[:, 0], 0.5), L1(0.6).prox(v[:, 0], 0.5))
    ones = WeightedGroupLasso(0.6, torch.ones(3))
    torch.testing.assert_close(ones.prox(v, 0.5), GroupLasso(0.6).prox(v, 0.5))


def test_the_dual_norm_of_the_sparse_group_lasso_is_scipys_root():
    v, penalty = point(3), SparseGroupLasso(0.3, 0.2, Groups(MEMBERS))
    roots = []
    for group in MEMBERS:
        block, weight = v[group], len(group) ** 0.5

        def excess(s, block=block, weight=weight):
            return (block.abs() - s * 0.3).clamp_min(0).norm().item() - s * 0.2 * weight

        roots.append(scipy.optimize.brentq(excess, 0, block.abs().max().item() / 0.3, xtol=1e-14))
    assert penalty.gauge(v) == pytest.approx(max(roots), rel=1e-12)
    assert penalty.conjugate(v / penalty.gauge(v)) == 0


def test_few_rows_and_few_entries_in_each():
    found = SparseGroupLasso(1.0, 1.0).prox(point(1, (200, 5)), 1.0)
    rows = (found != 0).any(dim=1)
    assert 0 < rows.sum() < 200
    assert (found[rows] == 0).any()
    nonnegative = NonnegativeGroupLasso(1.0).prox(point(1, (200, 5)), 1.0)
    assert (nonnegative >= 0).all()
    assert nonnegative.any()


def test_what_is_no_partition_is_refused():
    for members in ([[0, 1], [1]], [[0], [2]], [[-1, 0]]):
        with pytest.raises(InputError, match="each once"):
            Groups(members)
    with pytest.raises(InputError, match="no members"):
        Groups([[0], []])
    for weights in ([1.0], [1.0, 0.0], [1.0, float("nan")]):
        with pytest.raises(InputError, match="2 positive numbers"):
            Groups([[0], [1]], weights=weights)
    with pytest.raises(InputError, match="first axis"):
        IndexGroupLasso(1.0, Groups([[0], [1]])).value(torch.ones(3))
    with pytest.raises(InputError, match="expected a matrix"):
        SparseGroupLasso(1.0, 1.0).value(torch.ones(3))
    with pytest.raises(InputError, match="expected a matrix"):
        WeightedGroupLasso(1.0, torch.ones(3)).value(torch.ones(3))
    with pytest.raises(InputError, match="positive"):
        WeightedGroupLasso(1.0, torch.tensor([1.0, 0.0]))
