import numpy as np
import pytest
import torch
from sklearn.manifold._t_sne import _gradient_descent

from gradus.core.errors import InputError
from gradus.optim import DeltaBarDelta

SCALES = np.array([1.0, 30.0, 0.2, 5.0])


def objective(point, **_):
    return float((SCALES * point**2).sum() / 2 + np.cos(3 * point).sum()), SCALES * point - 3 * np.sin(3 * point)


@pytest.mark.parametrize("momentum", [0.5, 0.8])
@pytest.mark.parametrize("steps", [1, 2, 7, 60])
def test_takes_the_steps_of_scikit_learns_gradient_descent(momentum, steps):
    start = np.array([1.0, -0.5, 2.0, 0.3])
    theirs, _, _ = _gradient_descent(
        objective, start, 0, steps, momentum=momentum, learning_rate=0.02, min_gain=0.05, n_iter_check=1000
    )
    point = torch.nn.Parameter(torch.tensor(start))
    optimizer = DeltaBarDelta([point], lr=0.02, momentum=momentum, least=0.05)
    for _ in range(steps):
        point.grad = torch.tensor(objective(point.detach().numpy())[1])
        optimizer.step()
    np.testing.assert_allclose(point.detach().numpy(), theirs, rtol=1e-12)


def test_fewer_steps_than_plain_momentum_where_scales_differ():
    def after(make):
        point = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
        optimizer = make([point])
        for _ in range(100):
            point.grad = torch.tensor([1.0, 0.01], dtype=torch.float64) * point.detach()
            optimizer.step()
        return float(point.detach().abs().max())

    gained = after(lambda p: DeltaBarDelta(p, lr=0.1, momentum=0.8))
    assert gained < 0.2 * after(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8))


def test_settings_are_checked():
    with pytest.raises(InputError, match="down is 1"):
        DeltaBarDelta([torch.nn.Parameter(torch.ones(2))], down=1.0)
    with pytest.raises(InputError, match="momentum is 2"):
        DeltaBarDelta([{"params": [torch.nn.Parameter(torch.ones(2))], "momentum": 2}])
