"""gradus's own closed forms pass gradus's own check."""

import pytest
import torch

from catalogue import losses, models
from gradus.check import Settings, check_gradient
from gradus.kernels.softmax_residual import softmax_residual
from gradus.tsne import (
    ExactRepulsion,
    Gaussian,
    KLDivergence,
    Searchable,
    joint_affinities,
    metric_named,
)

GENERATOR = torch.Generator().manual_seed(0)
# what has data bound to it cannot be looked at in other sizes
CASES = ("as given", "ties", "a row of zeros", "other values", "inputs transposed", "inputs between NaN")
LOSSES = dict(losses(torch.float64))
MODELS = dict(models(torch.float64))


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, gradus_check):
    loss = LOSSES[name]
    weights = torch.rand(loss.samples, generator=GENERATOR, dtype=torch.float64)
    logits = torch.randn(loss.samples, loss.outputs, generator=GENERATOR, dtype=torch.float64)
    gradus_check(
        lambda z: loss.value_and_residual(z, weights)[0],
        lambda upstream, z: upstream * loss.value_and_residual(z, weights)[1],
        logits,
        settings=Settings(only=CASES),
    )


@pytest.mark.parametrize("name", MODELS)
def test_linear_models(name, gradus_check):
    model = MODELS[name]
    gradus_check(
        lambda point: model.value_and_gradient(point)[0],
        lambda upstream, point: upstream * model.value_and_gradient(point)[1],
        0.3 * torch.randn(model.zeros().shape, generator=GENERATOR, dtype=torch.float64),
        settings=Settings(only=CASES),
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_softmax_residual_kernel_at_every_size(dtype, gradus_check):
    def parts(logits):
        rows, classes = logits.shape
        targets = torch.arange(rows) % max(classes, 1)
        return softmax_residual(logits, targets, torch.full((rows,), 0.5, dtype=logits.dtype))

    gradus_check(
        lambda logits: parts(logits)[0],
        lambda upstream, logits: upstream * parts(logits)[1],
        torch.randn(9, 11, generator=GENERATOR).to(dtype),
    )


@pytest.mark.parametrize("dof", [0.5, 1.0, 3.0])
def test_the_objective_of_t_sne(dof):
    data = torch.randn(60, 4, generator=GENERATOR, dtype=torch.float64)
    neighbours = Searchable.of(data, metric_named("euclidean")).others(15)
    objective = KLDivergence(joint_affinities(neighbours, Gaussian(5.0).weights(neighbours)), ExactRepulsion(dof), dof)
    verdict = check_gradient(
        lambda y: objective.value_and_gradient(y)[0],
        lambda upstream, y: upstream * objective.value_and_gradient(y)[1],
        torch.randn(60, 2, generator=GENERATOR, dtype=torch.float64),
        settings=Settings(only=("as given", "inputs transposed")),
    )
    # the affinities are float32 inside
    assert verdict, str(verdict)
