"""Every loss as a function of logits on a device: value, derivative, curvature, and a sentence where they are apart."""

from dataclasses import replace

import pytest
import torch

import catalogue
from gradus.core.errors import InputError
from simulated_device import compared


def given(name, dtype):
    loss = catalogue.losses(dtype)[name]
    generator = torch.Generator().manual_seed(4)
    logits = torch.randn(loss.samples, loss.outputs, generator=generator, dtype=torch.float64).to(dtype)
    return loss, logits, torch.rand(loss.samples, generator=generator, dtype=torch.float64).to(dtype)


def numbers(loss, logits, weights):
    value, residual = loss.value_and_residual(logits, weights)
    found = [value, residual, loss.curvature(logits, weights)(logits.cos())]
    part, product = loss.curvature_parts(logits, weights)
    found += [part] if product is None else [part, product]
    if hasattr(loss, "dual_value"):
        unweighted = loss.value_and_residual(logits, torch.ones_like(weights))[1]
        found += [loss.dual_value(0.5 * unweighted, weights), loss.balanced(unweighted, weights)]
    rows = torch.tensor([3, 1, 2], device=logits.device)
    found.append(loss.taken(rows).value_and_residual(logits[rows], weights[rows])[1])
    return found


@pytest.mark.parametrize("name", catalogue.LOSSES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 1e-5)])
def test_the_numbers_of_the_processor(name, dtype, tolerance, device):
    loss, logits, weights = given(name, dtype)
    with compared():
        wanted = numbers(loss, logits, weights)
    moved = replace(loss, targets=loss.targets.to(device))
    for own, other in zip(numbers(moved, logits.to(device), weights.to(device)), wanted, strict=True):
        assert own.device == device
        assert own.dtype == other.dtype
        torch.testing.assert_close(own.cpu(), other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", catalogue.LOSSES)
def test_logits_and_targets_on_two_devices(name, device):
    loss, logits, weights = given(name, torch.float32)
    with pytest.raises(InputError, match="logits is on cuda:0 and targets on cpu"):
        loss.value_and_residual(logits.to(device), weights.to(device))
    moved = replace(loss, targets=loss.targets.to(device))
    with pytest.raises(InputError, match="logits is on cuda:0 and weights on cpu"):
        moved.value_and_residual(logits.to(device), weights)
    with pytest.raises(InputError, match="logits is on cpu and targets on cuda:0"):
        moved.value_and_residual(logits, weights)
