"""Channels of a network chosen by a penalty: when, which, and that they stay zero."""

import pytest
import torch
from torch import nn

from gradus.core.errors import InputError
from gradus.networks.sparsity import ALWAYS, Phases, SparseChannels, channel_norms, choosing_channels
from gradus.penalties import L1, RowsAtMost


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 3)
    )


def steps(model, optimizer, count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        images, labels = torch.randn(16, 1, 8, 8, generator=generator), torch.arange(16) % 3
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()


@pytest.mark.parametrize(
    "kind", [lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), lambda p: torch.optim.AdamW(p, lr=0.01)]
)
def test_half_of_the_channels_go_in_the_phase_and_stay_away(kind):
    model = network()
    optimizer = SparseChannels(kind(list(model.parameters())), channel_norms(model), RowsAtMost(0.5), Phases(3, 6))
    steps(model, optimizer, 3)
    assert (model[1].weight != 0).all()
    steps(model, optimizer, 1, seed=1)
    assert int((model[1].weight == 0).sum()) == 4
    steps(model, optimizer, 2, seed=2)
    gone = model[1].weight == 0
    assert int(gone.sum()) == 4 and (model[1].bias[gone] == 0).all()
    before = model[1].weight.clone()
    steps(model, optimizer, 5, seed=3)
    assert torch.equal(model[1].weight == 0, gone) and (model[1].bias[gone] == 0).all()
    assert (model[1].weight != before)[~gone].all()


def test_before_the_phase_the_steps_are_the_optimisers():
    alone, chosen = network(), network()
    sgd = torch.optim.SGD(alone.parameters(), lr=0.1, momentum=0.9)
    optimizer = SparseChannels(
        torch.optim.SGD(chosen.parameters(), lr=0.1, momentum=0.9), [chosen[1]], L1(100.0), Phases(4, 5)
    )
    steps(alone, sgd, 4)
    steps(chosen, optimizer, 4)
    assert all(torch.equal(one, other) for one, other in zip(alone.parameters(), chosen.parameters(), strict=True))
    steps(chosen, optimizer, 1)
    assert (chosen[1].weight == 0).all()


def test_the_state_goes_on_in_the_same_phase():
    whole, first, second = network(), network(), network()
    made = [
        SparseChannels(
            torch.optim.SGD(each.parameters(), lr=0.1, momentum=0.9), [each[1]], RowsAtMost(0.5), Phases(2, 4)
        )
        for each in (whole, first, second)
    ]
    steps(whole, made[0], 3)
    steps(first, made[1], 3)
    second.load_state_dict(first.state_dict())
    made[2].load_state_dict(made[1].state_dict())
    for model, optimizer in ((whole, made[0]), (second, made[2])):
        steps(model, optimizer, 4, seed=1)
    assert all(torch.equal(one, other) for one, other in zip(whole.parameters(), second.parameters(), strict=True))
    assert int((second[1].weight == 0).sum()) == 4


def test_a_learning_rate_written_to_it_is_the_optimisers():
    model = network()
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer = SparseChannels(sgd, [model[1]], L1(0.1), ALWAYS)
    optimizer.param_groups[0]["lr"] = 0.0
    before = model[4].weight.clone()
    steps(model, optimizer, 1)
    assert torch.equal(model[4].weight, before)


def test_only_optimisers_that_move_norms_choose():
    model = network()
    norms = torch.optim.SGD(channel_norms(model)[0].parameters(), lr=0.1)
    others = torch.optim.SGD([model[0].weight, *model[4].parameters()], lr=0.1)
    made = choosing_channels((norms, others), model, RowsAtMost(0.5), ALWAYS)
    assert isinstance(made[0], SparseChannels) and made[1] is others


def test_a_network_without_norms_is_refused():
    with pytest.raises(InputError, match="has no batch norm"):
        channel_norms(nn.Linear(2, 2))
    frozen = nn.BatchNorm2d(3)
    frozen.weight.requires_grad_(False)
    assert channel_norms(frozen)[0].weight.requires_grad
