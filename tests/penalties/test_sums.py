"""Sums of penalties and penalties of linear maps: what they are made of, and their proxes against closed forms."""

import pytest
import torch

from gradus.core.errors import InputError
from gradus.core.protocols import Splittable
from gradus.core.splitting import Split
from gradus.penalties import (
    L0,
    L1,
    L2,
    Box,
    Composed,
    Differences,
    ElasticNet,
    FirstRows,
    GridDifferences,
    GroupLasso,
    MatrixMap,
    Nonnegative,
    NonnegativeL1,
    Sum,
    TotalVariation,
)


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


MAPS = {
    "matrix": (MatrixMap(numbers(4, 6)), (6, 2)),
    "differences": (Differences(), (6, 2)),
    "differences of one": (Differences(), (1, 2)),
    "grid": (GridDifferences(2, 3), (6, 2)),
    "grid of one row": (GridDifferences(1, 6), (6, 2)),
    "first rows": (FirstRows(Differences(), rows=5, below=1), (6, 2)),
}


@pytest.mark.parametrize("name", MAPS)
def test_the_adjoint_is_the_adjoint(name):
    linear, shape = MAPS[name]
    x, y = numbers(*shape, seed=1), numbers(*shape, seed=2)
    image = linear.times(x)
    dual = numbers(*image.shape, seed=3)
    pulled = linear.adjoint_times(dual)
    assert pulled.shape == x.shape
    torch.testing.assert_close((image * dual).sum(), (x * pulled).sum())
    torch.testing.assert_close(linear.times(2 * x - y), 2 * image - linear.times(y))
    assert linear.times(x.float()).dtype == linear.adjoint_times(dual.float()).dtype == torch.float32


@pytest.mark.parametrize("name", [name for name in MAPS if name != "differences of one"])
def test_the_norm_is_the_largest_singular_value(name):
    linear, shape = MAPS[name]
    split = Split.of(Composed(L1(1.0), linear).terms + Sum([Nonnegative(), L2(1.0)]).terms)
    columns = [torch.cat([part.ravel() for part in split.times(row.reshape(shape))]) for row in torch.eye(12).double()]
    exact = torch.linalg.matrix_norm(torch.stack(columns, dim=1), 2).item()
    assert exact * 0.97 <= split.norm(torch.zeros(shape, dtype=torch.float64)) <= exact * (1 + 1e-12)


@pytest.mark.parametrize(
    ("penalty", "closed"),
    [
        (Sum([L1(0.4), L2(0.9)]), ElasticNet(0.4, 0.9)),
        (Sum([L1(0.4), Nonnegative()]), NonnegativeL1(0.4)),
        (Sum([Sum([L1(0.1), L1(0.1)]), Nonnegative(), L1(0.2)]), NonnegativeL1(0.4)),
        (Composed(L1(0.4), Differences()), TotalVariation(0.4)),
        (Composed(L1(0.4), GridDifferences(6, 1)), TotalVariation(0.4)),
        (Composed(GroupLasso(0.4), GridDifferences(1, 6)), TotalVariation(0.4)),
        (Sum([L1(0.4)]), L1(0.4)),
    ],
    ids=str,
)
@pytest.mark.parametrize("step", [1e-3, 1.0, 1e3])
def test_the_iterated_prox_is_the_closed_form(penalty, closed, step):
    v = 3 * numbers(6, 2, seed=4)
    torch.testing.assert_close(penalty.prox(v, step), closed.prox(v, step), atol=1e-8, rtol=1e-8)
    torch.testing.assert_close(penalty.value(v.abs()), closed.value(v.abs()))


def test_a_sum_of_sums_is_one_sum():
    penalty = Sum([Sum([L1(1.0), Composed(L2(1.0), Differences())]), Box(0, 1)])
    assert isinstance(penalty, Splittable)
    assert [type(term.penalty) for term in penalty.terms] == [L1, L2, Box]
    assert [term.map is None for term in penalty.terms] == [True, False, True]


def test_refuses_what_is_no_penalty():
    for parts, words in (([], "no parts"), ([L1], "part 0 of a Sum is"), ([L1(1.0), L0(1.0)], "not convex")):
        with pytest.raises(InputError, match=words):
            Sum(parts)
    with pytest.raises(InputError, match=r"inner penalty of Composed is L0.* not convex"):
        Composed(L0(1.0), Differences())
    with pytest.raises(InputError, match="expected positive sides"):
        GridDifferences(0, 3)
    with pytest.raises(InputError, match=r"expected \(6, columns\)"):
        GridDifferences(2, 3).times(torch.zeros(5, 1))
    with pytest.raises(InputError, match="expected a floating-point matrix"):
        MatrixMap(torch.ones(3))
