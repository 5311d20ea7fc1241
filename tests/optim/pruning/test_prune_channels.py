"""Smaller networks against the networks they came from."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.nn.utils import prune

from gradus.core.errors import InputError
from gradus.layers import MaxPool2d
from gradus.optim import Proximal, by_name, of_filters, prune_channels
from gradus.penalties import GroupLasso


def settled(model, seed=0):
    """Random weights and running statistics, as after training."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            if tensor.is_floating_point():
                tensor.copy_(0.5 * torch.randn(tensor.shape, generator=generator))
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.running_var.abs_().add_(0.3)
    return model.eval()


def silence(layer, *channels):
    with torch.no_grad():
        layer.weight[list(channels)] = 0.0


def same(model, smaller, *shape):
    x = torch.randn(3, *shape, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        torch.testing.assert_close(smaller(x), model(x), rtol=1e-4, atol=1e-5)


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


class Residual(nn.Module):
    """conv-bn-relu, then a block with a skip connection, then pooling and a linear layer."""

    def __init__(self, width=6):
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.first, self.first_norm = nn.Conv2d(width, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.second, self.second_norm = nn.Conv2d(8, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.head = nn.Linear(width, 4)

    def forward(self, x):
        x = functional.relu(self.stem_norm(self.stem(x)))
        y = torch.relu(self.first_norm(self.first(x)))
        x = torch.relu(x + self.second_norm(self.second(y)))
        return self.head(x.mean((2, 3)))


def test_a_plain_network_with_flattening():
    model = settled(
        nn.Sequential(
            *(nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(6 * 4, 5), nn.ReLU(), nn.Linear(5, 3)),
        )
    )
    silence(model[0], 1, 4)
    silence(model[3], 0, 2, 5)
    silence(model[6], 3)
    with torch.no_grad():
        model[0].bias[[1, 4]] = -0.5  # dead behind the ReLU
    smaller = prune_channels(model, torch.zeros(1, 2, 8, 8))
    assert [tuple(smaller[i].weight.shape) for i in (0, 3, 6, 8)] == [(6, 2, 3, 3), (3, 6, 3, 3), (4, 12), (3, 4)]
    assert type(smaller) is type(model)
    assert model[0].weight.shape[0] == 8
    same(model, smaller, 2, 8, 8)


def test_a_constant_behind_zeros_around_the_image_stays_and_without_them_goes():
    for padding, mode, left in ((1, "zeros", 4), (0, "zeros", 3), (1, "circular", 3), ("same", "reflect", 3)):
        second = nn.Conv2d(4, 2, 3, padding=padding, padding_mode=mode)
        model = settled(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), second))
        silence(model[0], 2)
        with torch.no_grad():
            model[0].bias[2] = 0.7
        smaller = prune_channels(model, torch.zeros(1, 1, 9, 9))
        assert len(smaller[0].weight) == left
        same(model, smaller, 1, 9, 9)


def test_batch_norms_fold_and_their_zeros_make_channels_constant():
    model = settled(nn.Sequential(nn.Conv2d(1, 5, 3, bias=False), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 2, 3)))
    silence(model[1], 0, 3)
    folded, kept = (prune_channels(model, torch.zeros(1, 1, 9, 9), fold=fold) for fold in (True, False))
    assert isinstance(folded[1], nn.Identity)
    assert kept[1].num_features == len(kept[1].running_mean) == folded[0].out_channels == 3
    for smaller in (folded, kept):
        same(model, smaller, 1, 9, 9)


@pytest.mark.parametrize("pooling", [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1), MaxPool2d(2)])
def test_a_norm_behind_a_maximum_folds_unless_it_turns_the_order_around(pooling):
    torch.manual_seed(0)
    images = torch.randn(3, 2, 9, 9)
    for scales, folds in (([0.5, 0.0, 2.0, 1.0], True), ([0.5, -0.1, 2.0, 1.0], False)):
        model = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), pooling, nn.BatchNorm2d(4), nn.Tanh(), nn.Conv2d(4, 2, 2))
        with torch.no_grad():
            model[2].weight.copy_(torch.tensor(scales))
            model[2].bias.uniform_(-1, 1)
            model[2].running_mean.uniform_(-1, 1)
            model[2].running_var.uniform_(0.5, 2)
        smaller = prune_channels(model, images)
        assert isinstance(smaller[2], nn.Identity) == folds
        torch.testing.assert_close(smaller(images), model.eval()(images), rtol=1e-5, atol=1e-5)


def test_a_norm_behind_another_pooling_or_read_twice_stays():
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.LPPool2d(2, 2), nn.BatchNorm2d(4))
    assert isinstance(prune_channels(model, torch.rand(1, 2, 8, 8))[2], nn.BatchNorm2d)

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.pool, self.norm = nn.Conv2d(2, 4, 3), nn.MaxPool2d(2), nn.BatchNorm2d(4)

        def forward(self, x):
            hidden = self.layer(x)
            return self.norm(self.pool(hidden)).sum() + hidden.sum()

    assert isinstance(prune_channels(Twice(), torch.rand(1, 2, 8, 8)).norm, nn.BatchNorm2d)


def test_a_norm_before_the_convolution_is_not_folded_but_pruned():
    model = settled(nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU(), nn.BatchNorm2d(5), nn.Conv2d(5, 2, 3)))
    silence(model[2], 1)
    smaller = prune_channels(model, torch.zeros(1, 1, 9, 9))
    assert smaller[2].num_features == 4
    same(model, smaller, 1, 9, 9)


def test_a_skip_connection_keeps_a_channel_until_both_ways_are_idle():
    model = settled(Residual())
    silence(model.stem_norm, 0, 1)
    silence(model.second_norm, 1, 2)
    silence(model.first_norm, 5)
    with torch.no_grad():
        model.stem_norm.bias[[0, 1]] = -1.0
        model.second_norm.bias[[1, 2]] = 0.0
        model.first_norm.bias[5] = -2.0
    smaller = prune_channels(model, torch.zeros(1, 3, 8, 8))
    # channel 1 is idle on both ways, 0 and 2 on one
    assert (smaller.stem.out_channels, smaller.second.out_channels, smaller.head.in_features) == (5, 5, 5)
    assert smaller.first.out_channels == 7
    same(model, smaller, 3, 8, 8)


def test_what_nobody_reads_goes_with_what_only_it_reads():
    model = settled(nn.Sequential(nn.Conv2d(1, 4, 1), nn.ReLU(), nn.Conv2d(4, 3, 1), nn.ReLU(), nn.Conv2d(3, 2, 1)))
    with torch.no_grad():
        model[4].weight[:, 0] = 0.0  # nobody reads channel 0 of the second
        model[2].weight[1:, 3] = 0.0  # which alone reads channel 3 of the first
    smaller = prune_channels(model, torch.zeros(1, 1, 4, 4))
    assert (smaller[0].out_channels, smaller[2].out_channels) == (3, 2)
    same(model, smaller, 1, 4, 4)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_separable(multiplier):
    depthwise = nn.Conv2d(6, 6 * multiplier, 3, padding=1, groups=6)
    model = settled(nn.Sequential(nn.Conv2d(1, 6, 1), nn.ReLU(), depthwise, nn.ReLU(), nn.Conv2d(6 * multiplier, 2, 1)))
    silence(model[0], 0, 4)
    with torch.no_grad():
        model[0].bias[[0, 4]] = 0.0
    smaller = prune_channels(model, torch.zeros(1, 1, 5, 5))
    assert (smaller[2].groups, smaller[2].in_channels, smaller[2].out_channels) == (4, 4, 4 * multiplier)
    same(model, smaller, 1, 5, 5)


def test_a_group_goes_as_a_whole_or_not_at_all():
    model = settled(nn.Sequential(nn.Conv2d(1, 6, 1), nn.ReLU(), nn.Conv2d(6, 9, 3, groups=3), nn.Conv2d(9, 2, 1)))
    silence(model[2], 3, 4, 5, 8)
    smaller = prune_channels(model, torch.zeros(1, 1, 5, 5))
    assert (smaller[2].groups, smaller[2].in_channels, smaller[2].out_channels) == (2, 4, 6)
    assert smaller[0].out_channels == 4
    same(model, smaller, 1, 5, 5)


def test_transposed_convolutions():
    model = settled(
        nn.Sequential(
            nn.Conv2d(1, 5, 3), nn.ReLU(), nn.ConvTranspose2d(5, 4, 2, stride=2), nn.ReLU(), nn.Conv2d(4, 1, 1)
        )
    )
    silence(model[0], 2)
    with torch.no_grad():
        model[0].bias[2] = 0.0
        model[2].weight[:, 1] = 0.0
    smaller = prune_channels(model, torch.zeros(1, 1, 6, 6))
    assert smaller[2].weight.shape[:2] == (4, 3)
    same(model, smaller, 1, 6, 6)


class Branches(nn.Module):
    """Concatenation, squeeze and excitation, and a reshape."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(1, 5, 1)
        self.squeeze, self.excite = nn.Conv2d(9, 3, 1), nn.Conv2d(3, 9, 1)
        self.head = nn.Linear(9 * 9, 2)

    def forward(self, x):
        x = torch.cat([functional.relu(self.left(x)), functional.relu(self.right(x))], dim=1)
        x = x * torch.sigmoid(self.excite(torch.relu(self.squeeze(functional.adaptive_avg_pool2d(x, 1)))))
        x = functional.max_pool2d(x, 2)
        return self.head(x.view(x.shape[0], -1))


def test_concatenation_excitation_and_reshaping():
    model = settled(Branches())
    silence(model.left, 0)
    silence(model.right, 1, 4)
    silence(model.squeeze, 2)
    with torch.no_grad():
        model.left.bias[0], model.right.bias[[1, 4]] = 0.0, -1.0
    smaller = prune_channels(model, torch.zeros(1, 1, 6, 6))
    assert (smaller.left.out_channels, smaller.right.out_channels, smaller.squeeze.out_channels) == (3, 3, 2)
    assert (smaller.excite.out_channels, smaller.head.in_features) == (6, 54)
    same(model, smaller, 1, 6, 6)


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 1), kind=st.sampled_from(["residual", "branches"]))
def test_any_pattern_of_zeros_leaves_the_output(seed, share, kind):
    model, shape = (Residual(), (3, 8, 8)) if kind == "residual" else (Branches(), (1, 6, 6))
    model = settled(model, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter[torch.rand(len(parameter), generator=generator) < share] = 0.0
    smaller = prune_channels(model, torch.zeros(1, *shape))
    assert count(smaller) <= count(model)
    same(model, smaller, *shape)


def test_what_is_not_known_keeps_its_channels():
    model = settled(nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.Conv2d(4, 2, 1)))
    silence(model[0], 1)
    assert prune_channels(model, torch.zeros(1, 1, 6, 6))[0].out_channels == 4
    shared = nn.Conv2d(3, 3, 1)
    model = settled(nn.Sequential(shared, nn.ReLU(), shared))
    silence(shared, 0)
    assert prune_channels(model, torch.zeros(1, 3, 6, 6))[0].out_channels == 3


class Branching(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Meddling(nn.Module):
    """Reads a layer's weights past its call."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 3, 1), nn.Conv2d(3, 1, 1)

    def forward(self, x):
        return self.second(torch.relu(self.first(x))) * self.first.bias.sum()


def test_networks_that_cannot_be_pruned_are_refused():
    with pytest.raises(InputError, match="must not branch on the data"):
        prune_channels(Branching(), torch.zeros(1, 1, 2, 2))
    model = settled(Meddling())
    silence(model.first, 0)
    with pytest.raises(InputError, match="cannot be pruned"):
        prune_channels(model, torch.ones(1, 1, 2, 2))


def test_masks_of_torch_become_smaller_weights():
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 6, 3), nn.ReLU(), nn.Conv2d(6, 2, 1))
    prune.ln_structured(model[0], "weight", 0.5, 2, dim=0)
    prune.l1_unstructured(model[0], "bias", 4)
    prune.ln_structured(model[2], "weight", 0.5, 2, dim=1)
    images = torch.randn(2, 1, 9, 9)
    wanted = model(images)
    smaller = prune_channels(model, images)
    assert smaller[0].out_channels <= 4 and not prune.is_pruned(smaller) and prune.is_pruned(model)
    torch.testing.assert_close(smaller(images), wanted)
    wanted.sum().backward()  # the masked network learns on
    assert model[0].weight_orig.grad is not None


def test_what_is_no_network_or_no_example_is_refused_in_words():
    model = nn.Sequential(nn.Conv2d(3, 8, 3))
    pair = type("Pair", (nn.Module,), {"forward": lambda self, x: (x, x)})()
    for words, call in {
        "the model is int": lambda: prune_channels(3, torch.ones(1)),
        "does not take the example: .*4 channels": lambda: prune_channels(model, torch.ones(1, 4, 8, 8)),
        "does not take the example: ": lambda: prune_channels(model, None),
        "Pair gives a tuple": lambda: prune_channels(pair, torch.ones(1)),
    }.items():
        with pytest.raises(InputError, match=words):
            call()


def test_trained_with_a_group_lasso_the_file_shrinks(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3, bias=False)),
        *(nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2)),
    )
    penalties = by_name(model, {"1.weight": of_filters(GroupLasso(0.02)), "4.weight": of_filters(GroupLasso(0.02))})
    optimizer = Proximal(torch.optim.Adam(model.parameters(), lr=0.02), penalties)
    generator = torch.Generator().manual_seed(1)
    images, labels = torch.randn(64, 1, 10, 10, generator=generator), torch.arange(64) % 2
    images[labels == 1, :, 3:6] += 1.0
    for _ in range(60):
        optimizer.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    smaller = prune_channels(model, images[:1])
    same(model.eval(), smaller, 1, 10, 10)
    for name, one in (("before", model), ("after", smaller)):
        torch.save(one.state_dict(), tmp_path / name)
    assert 1 <= smaller[0].out_channels < 12
    assert (tmp_path / "after").stat().st_size < 0.9 * (tmp_path / "before").stat().st_size
    assert count(smaller) < 0.6 * count(model)
