"""The default network: shapes for images of every size, scaling, and what is learned."""

import pytest
import torch
from torch import nn

from gradus.core.errors import InputError
from gradus.networks import ImageNetwork, NetworkPlan, penultimate


def network_for(channels, height, width, widths=(8, 16, 16, 16)):
    network = ImageNetwork(NetworkPlan(channels, height, width, 7, widths))
    images = torch.randint(0, 256, (6, channels, height, width)).float()
    network.measure(images)
    return network, images


@pytest.mark.parametrize(
    ("shape", "blocks"),
    [
        ((1, 1, 1), 2),
        ((1, 1, 9), 2),
        ((1, 8, 8), 2),
        ((2, 5, 3), 2),
        ((1, 28, 28), 2),
        ((3, 64, 48), 3),
        ((3, 128, 96), 3),
    ],
)
def test_images_of_every_size_become_a_logit_a_class(shape, blocks):
    network, images = network_for(*shape)
    assert len(network.blocks) == blocks
    assert network.eval()(images).shape == (6, 7)


def test_scaling_of_pixels_does_not_matter():
    network, images = network_for(3, 12, 12)
    other = ImageNetwork(network.plan)
    other.measure(images / 255 - 0.5)
    other.blocks.load_state_dict(network.blocks.state_dict())
    other.head.load_state_dict(network.head.state_dict())
    torch.testing.assert_close(other.eval()(images / 255 - 0.5), network.eval()(images), rtol=1e-3, atol=1e-4)


def test_scaling_folded_into_the_first_layer_changes_nothing():
    network, images = network_for(3, 12, 12)
    before, filters = network.eval()(images), network.first_filters()
    network.fold_scaling()
    torch.testing.assert_close(network(images), before, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(network.first_filters(), filters)
    assert not network.whitening.bias.requires_grad


def test_learned_are_filters_shifts_and_the_last_layer():
    network, images = network_for(1, 28, 28)
    network.train()(images).sum().backward()
    learned = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert "whitening.weight" not in learned and "head.weight" in learned
    assert sum(name.endswith("weight") for name in learned) == 5 and sum(name.endswith("bias") for name in learned) == 4


def test_a_channel_that_never_changes_is_not_divided_by_nothing():
    network = ImageNetwork(NetworkPlan(1, 8, 8, 2, (4, 4)))
    network.measure(torch.full((3, 1, 8, 8), 9.0))
    assert network.eval()(torch.full((2, 1, 8, 8), 9.0)).isfinite().all()


def test_every_block_has_a_pooling_of_its_own():
    class Learned(nn.Module):
        def __init__(self):
            super().__init__()
            self.power = nn.Parameter(torch.tensor(2.0))

        def forward(self, images):
            return nn.functional.lp_pool2d(images.abs() + 1e-3, 2, 2) * self.power

    network = ImageNetwork(NetworkPlan(1, 28, 28, 3, (4, 4)), Learned())
    powers = [layer.power for layer in network.modules() if isinstance(layer, Learned)]
    assert len(powers) == 2 and powers[0] is not powers[1]


def test_the_penultimate_layer_is_the_last_linear_one():
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    assert penultimate(model) is model[2]
    with pytest.raises(InputError, match="whose inputs are the learned features"):
        penultimate(nn.ReLU())
