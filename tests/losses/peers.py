"""The losses and the linear model on top of them written with torch's own functions."""

import torch
from torch.nn import functional

from gradus.losses import CrossEntropy, HuberLoss, Logistic, Poisson, Squared


def half_deviance(loss, logits):
    each = functional.poisson_nll_loss(logits, loss.targets, reduction="none")
    return (each + torch.xlogy(loss.targets, loss.targets) - loss.targets).sum(1)


# each sample's loss by torch
PEERS = {
    CrossEntropy: lambda loss, logits: functional.cross_entropy(logits, loss.targets, reduction="none"),
    Squared: lambda loss, logits: 0.5 * functional.mse_loss(logits, loss.targets, reduction="none").sum(1),
    Logistic: lambda loss, logits: functional.binary_cross_entropy_with_logits(
        logits, loss.targets, reduction="none"
    ).sum(1),
    HuberLoss: lambda loss, logits: functional.huber_loss(logits, loss.targets, reduction="none", delta=loss.delta).sum(
        1
    ),
    Poisson: half_deviance,
}


def by_autograd(model, point):
    """The same function written with torch's own losses."""
    X, weights = model.features.matrix, model.weights
    centre = torch.zeros(X.shape[1], dtype=X.dtype) if model.centre is None else model.centre
    W, b = (point[:-1], point[-1]) if model.intercept else (point, 0.0)
    logits = model.scale * (X - centre) @ W + b
    return (weights * PEERS[type(model.loss)](model.loss, logits)).sum()
