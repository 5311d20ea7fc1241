"""Every linear model of the catalogue on a device: the numbers of the processor, and nothing that goes back there."""

from dataclasses import replace

import pytest
import torch

import catalogue
from gradus.core.errors import InputError
from gradus.losses import DenseFeatures, DualityGap
from gradus.losses.certificate import Stationarity
from gradus.losses.sample_loss import DualLoss
from gradus.losses.shared_preconditioner import OutputCurvature, SharedPreconditioner, Spectrum
from gradus.penalties import L2

MODELS = [
    name for name in catalogue.MODELS if isinstance(catalogue.models(torch.float64)[name].features, DenseFeatures)
]


def moved(model, device):
    """The same model with its tensors on a device."""
    return replace(
        model,
        loss=replace(model.loss, targets=model.loss.targets.to(device)),
        features=DenseFeatures(model.features.matrix.to(device)),
        weights=model.weights.to(device),
        centre=None if model.centre is None else model.centre.to(device),
    )


def point_of(model, seed=0):
    return torch.randn(model.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def assert_same(found, expected, device):
    for one, other in zip(found, expected, strict=True):
        assert one.device == device
        torch.testing.assert_close(one.cpu(), other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_on_a_device_has_the_numbers_of_the_processor(name, device):
    here = catalogue.models(torch.float64)[name]
    there, point, direction = moved(here, device), point_of(here), point_of(here, 1)
    entries = torch.arange(0, point.numel(), 2)
    rows = torch.arange(len(point))

    def numbers(model, at, along, kind):
        product = model.curvature(at)(along)
        some = model.sampled(at, model.samples // 2)
        factors = model.hessian_factors(at, rows.to(kind), model.samples)
        among = model.hessian_among(at, entries.to(kind), model.samples)
        return [*model.value_and_gradient(at), model.value(at), product, among, *factors, some.weights, some.value(at)]

    found = numbers(there, point.to(device), direction.to(device), device)
    assert_same(found, numbers(here, point, direction, "cpu"), device)
    if here.intercept:
        assert_same([there.centred().centre], [here.centred().centre], device)


@pytest.mark.parametrize("name", MODELS)
def test_a_certificate_on_a_device_is_that_of_the_processor(name, device):
    here = catalogue.models(torch.float32)[name]
    here = replace(here, centre=None)
    there, point = moved(here, device), 0.1 * point_of(here)
    penalty = L2(0.1)
    certificate = DualityGap if isinstance(here.loss, DualLoss) else Stationarity.of
    expected = certificate(here, penalty)(point)
    assert certificate(there, penalty)(point.to(device)) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_the_preconditioner_of_a_path_on_a_device(device):
    here = catalogue.models(torch.float64)["cross-entropy of codes"].centred()
    gradient, point = point_of(here), point_of(here, 1)

    def applied(model, at, slopes):
        spectrum = Spectrum.of(model, diagonal=False)
        curvature = OutputCurvature.at(model, at, model.samples, spectrum.basis)
        return SharedPreconditioner(spectrum, curvature, 0.1, model.intercept)(slopes)

    found = applied(moved(here, device), point.to(device), gradient.to(device))
    assert_same([found], [applied(here, point, gradient)], device)


def test_parts_on_two_devices_are_refused(device):
    model = catalogue.models(torch.float64)["cross-entropy of codes"]
    with pytest.raises(InputError, match="weights is on cpu and features on cuda:0: move one to the other"):
        replace(model, features=DenseFeatures(model.features.matrix.to(device)))
