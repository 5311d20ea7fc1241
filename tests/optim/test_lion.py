import pytest
import torch

from gradus.core.errors import InputError
from gradus.optim import Lion
from optim.trajectories import apart, of_optax, taken


def test_takes_optaxs_steps():
    ours = taken(lambda p: Lion(p, lr=0.1, betas=(0.9, 0.99), weight_decay=0.01))
    assert apart(ours, of_optax("lion")) < 1e-14


def test_a_parameter_without_gradient_stays():
    moved, still = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    moved.grad = torch.tensor([1.0, 0.0])
    Lion([moved, still], lr=0.5).step()
    assert moved.tolist() == [0.5, 1.0]
    assert still.tolist() == [1.0, 1.0]


def test_sparse_gradients_are_refused():
    table = torch.nn.Parameter(torch.ones(3, 2))
    table.grad = torch.zeros(3, 2).to_sparse()
    with pytest.raises(InputError, match=r"shape \(3, 2\) has a gradient that is sparse"):
        Lion([table]).step()
    with pytest.raises(InputError, match="second beta is 1"):
        Lion([table], betas=(0.9, 1.0))
    with pytest.raises(InputError, match=r"betas is .*expected 2"):
        Lion([table], betas=(0.9,))
    with pytest.raises(InputError, match="lr is 'a'"):
        Lion([table], lr="a")
