"""The laws of a smooth function, over every row of the catalogue, against autograd and differences."""

import pytest
import torch

import catalogue
from gradus.losses import LinearModel, Squared
from losses.peers import by_autograd


def random_point(model, seed, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(model.shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("name", catalogue.MODELS)
def test_value_and_gradient_are_autograds(name):
    model = catalogue.models(torch.float64)[name]
    point = random_point(model, 0).requires_grad_()
    peer = by_autograd(model, point)
    (expected,) = torch.autograd.grad(peer, point)
    value, gradient = model.value_and_gradient(point.detach())
    torch.testing.assert_close(value, peer.detach())
    torch.testing.assert_close(gradient, expected)
    torch.testing.assert_close(model.value(point.detach()), peer.detach())


@pytest.mark.parametrize("name", catalogue.MODELS)
def test_gradient_is_the_difference_of_fourth_order(name):
    model = catalogue.models(torch.float64)[name]
    point, direction = random_point(model, 1), random_point(model, 2)
    h = 1e-3
    ahead = [model.value(point + step * h * direction).item() for step in (-2, -1, 1, 2)]
    slope = (ahead[0] - 8 * ahead[1] + 8 * ahead[2] - ahead[3]) / (12 * h)
    gradient = model.value_and_gradient(point)[1]
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("name", catalogue.MODELS)
def test_curvature_is_autograds_and_symmetric(name):
    model = catalogue.models(torch.float64)[name]
    point, u, v = (random_point(model, seed) for seed in (3, 4, 5))
    product = model.curvature(point)
    expected = torch.autograd.functional.hvp(lambda x: by_autograd(model, x), point, v)[1]
    torch.testing.assert_close(product(v), expected)
    assert (u * product(v)).sum().item() == pytest.approx((v * product(u)).sum().item(), rel=1e-10)
    assert (v * product(v)).sum() >= 0


@pytest.mark.parametrize("name", [name for name in catalogue.MODELS if not name.startswith("poisson")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_finite_at_huge_logits(name, dtype):
    model = catalogue.models(dtype)[name]
    value, gradient = model.value_and_gradient(random_point(model, 6, 1e4).to(dtype))
    assert value.isfinite()
    assert gradient.isfinite().all()
    assert gradient.dtype == dtype


@pytest.mark.parametrize("name", catalogue.MODELS)
def test_single_precision_is_within_its_errors_of_double(name):
    point = random_point(catalogue.models(torch.float64)[name], 7)
    value, gradient = catalogue.models(torch.float64)[name].value_and_gradient(point)
    single_value, single = catalogue.models(torch.float32)[name].value_and_gradient(point.float())
    assert single_value.item() == pytest.approx(value.item(), rel=1e-5)
    assert (single.double() - gradient).abs().max() <= 1e-5 * gradient.abs().max()


@pytest.mark.parametrize("name", catalogue.MODELS)
def test_the_point_is_not_changed(name):
    model = catalogue.models(torch.float64)[name]
    point = random_point(model, 8)
    before = point.clone()
    model.value_and_gradient(point)
    model.curvature(point)(point)
    assert torch.equal(point, before)


@pytest.mark.parametrize("name", [name for name in catalogue.MODELS if "centred" in name])
def test_a_centre_only_moves_the_intercept(name):
    model = catalogue.models(torch.float64)[name]
    plain = LinearModel(model.loss, model.features, model.weights, True, model.scale)
    point = random_point(model, 9)
    there = model.uncentred_point(point)
    torch.testing.assert_close(plain.value(there), model.value(point))
    torch.testing.assert_close(model.centred_point(there), point)
    torch.testing.assert_close(there[:-1], point[:-1])


def test_blocks_of_rows_add_up(monkeypatch):
    monkeypatch.setattr("gradus.losses.blockwise.BLOCK_LOGITS", 7 * catalogue.OUTPUTS)
    loss = Squared(catalogue.labels("numbers", torch.float64))
    model = catalogue.models(torch.float64)["squared"]
    small = LinearModel(loss, model.features, model.weights)
    assert len(small.blocks) == 5
    point = random_point(model, 10)
    torch.testing.assert_close(small.value_and_gradient(point), model.value_and_gradient(point))
