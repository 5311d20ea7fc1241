"""A network made ready for the weights of its pruned self."""

import pytest
import torch
from torch import nn

from gradus.optim import prune_channels
from gradus.optim.pruning import take_shapes


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 6, 3), nn.ReLU(), nn.BatchNorm2d(6), nn.Flatten(), nn.Linear(6 * 16, 3),
    )  # fmt: skip


@pytest.mark.parametrize("fold", [True, False])
def test_the_weights_of_a_pruned_network_fit(fold):
    model, images = network().eval(), torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        model[1].weight[2:5] = 0
        model[1].bias[2:5] = 0
        model[5].weight[1] = 0
    smaller = prune_channels(model, images, fold=fold)
    again = network().eval()
    take_shapes(again, smaller.state_dict())
    again.load_state_dict(smaller.state_dict())
    assert str(again) == str(smaller) and again[0].out_channels == 5
    torch.testing.assert_close(again(images), smaller(images), rtol=0, atol=0)


def test_a_whole_network_keeps_its_layers():
    model = network()
    before = str(model)
    take_shapes(model, network().state_dict())
    assert str(model) == before
