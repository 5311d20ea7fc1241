"""Low rank against every choice of singular values."""

import itertools

import pytest
import torch

from gradus.core.errors import InputError
from gradus.penalties import Rank, RankAtMost


@pytest.mark.parametrize("step", [0.1, 1.0, 10.0])
def test_no_choice_of_singular_values_is_better(step):
    for seed in range(10):
        v = 2 * torch.randn(5, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        left, values, right = torch.linalg.svd(v, full_matrices=False)
        choices = [torch.tensor(kept) for kept in itertools.product([0.0, 1.0], repeat=4)]

        def cost(u, v=v):
            return 0.7 * torch.linalg.matrix_rank(u).item() + (u - v).square().sum().item() / (2 * step)

        costs = [cost((left * (values * kept)) @ right) for kept in choices]
        assert cost(Rank(0.7).prox(v, step)) <= min(costs) + 1e-12


def test_single_precision_has_the_rank_it_was_given():
    v = torch.randn(300, 20, generator=torch.Generator().manual_seed(0))
    for rank in (0, 1, 7, 20, 30):
        found = RankAtMost(rank).prox(v, 1.0)
        assert RankAtMost(rank).value(found) == 0
        assert RankAtMost(rank).value(found.double()) == 0
        assert Rank(1.0).value(found.double()) == min(rank, 20)
    assert RankAtMost(6).value(RankAtMost(7).prox(v, 1.0)) == float("inf")


def test_what_is_no_rank_is_refused():
    for rank in (-1, 1.5):
        with pytest.raises(InputError, match="whole number"):
            RankAtMost(rank)
    with pytest.raises(InputError, match="expected a matrix"):
        Rank(1.0).prox(torch.ones(3), 1.0)
