"""Every penalty of the catalogue on a device, its own tensors left where they were made: as on the processor."""

import pytest
import torch

import catalogue
from simulated_device import compared

PENALTIES = catalogue.PENALTIES | catalogue.NONCONVEX


def point_of(name, seed=0):
    shape = catalogue.SHAPES.get(name, catalogue.SHAPE)
    point = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return point.abs() + 0.1 if name in ("entropy",) else point


def here(call, *given):
    with compared():
        return call(*given)


def close(found, wanted, device, tolerance=1e-9):
    if not isinstance(wanted, torch.Tensor):
        assert found == pytest.approx(wanted, rel=tolerance)
        return
    assert found.device == device
    assert found.dtype == wanted.dtype
    torch.testing.assert_close(found.cpu(), wanted, rtol=tolerance, atol=tolerance)


# each with what it is given beside a point
CALLS = {
    "value": (),
    "conjugate": (),
    "gauge": (),
    "value_and_gradient": (),
    "prox": (0.3,),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_values_proxes_conjugates_and_gauges(name, device):
    penalty, ran = PENALTIES[name], 0
    for what, rest in CALLS.items():
        call = getattr(penalty, what, None)
        if call is None:
            continue
        for seed in (0, 1):
            point = point_of(name, seed)
            found, wanted = call(point.to(device), *rest), here(call, point, *rest)
            if not isinstance(wanted, tuple):
                found, wanted = (found,), (wanted,)
            for own, other in zip(found, wanted, strict=True):
                close(own, other, device)
        ran += 1
    assert ran >= 2


@pytest.mark.parametrize("name", [name for name, p in PENALTIES.items() if hasattr(p, "prox_in_metric")])
def test_proxes_in_a_metric_on_either_device(name, device):
    point, metric = point_of(name), point_of(name, 2).abs() + 0.5
    if name in ("group lasso", "nonnegative group lasso"):
        metric = metric[:, :1].expand_as(metric)
    wanted = here(PENALTIES[name].prox_in_metric, point, metric)
    close(PENALTIES[name].prox_in_metric(point.to(device), metric.to(device)), wanted, device)


@pytest.mark.parametrize("name", [name for name, p in PENALTIES.items() if hasattr(p, "curvature")])
def test_curvatures(name, device):
    point, direction = point_of(name), point_of(name, 2)
    wanted = PENALTIES[name].curvature(point)(direction)
    close(PENALTIES[name].curvature(point.to(device))(direction.to(device)), wanted, device)


@pytest.mark.parametrize("name", PENALTIES)
def test_points_in_float32(name, device):
    point = point_of(name).float()
    wanted = here(PENALTIES[name].prox, point, 0.3)
    close(PENALTIES[name].prox(point.to(device), 0.3), wanted, device, 1e-4)
