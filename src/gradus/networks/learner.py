"""One step of a network down its loss, and how well it does on images it does not learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn.functional import cross_entropy

from gradus.networks.precision import computing_in

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from gradus.networks.images import Batch, LabelledImages

# images whose activations are held at a time where nothing is learned
EVALUATED_ROWS = 512


class Score(NamedTuple):
    """Mean cross-entropy in nats and share of wrong answers, both weighted."""

    loss: float
    error: float


@dataclass(frozen=True)
class Learner:
    """A network, and how its weights are moved.

    Attributes
    ----------
    network : (samples, channels, height, width) float32 -> logits (samples, classes)
    optimizers : each moves some of the weights
    label_smoothing : share of every label that is spread over all classes, in [0, 1)
    dtype : of convolutions and products
    """

    network: nn.Module
    optimizers: tuple[Optimizer, ...]
    label_smoothing: float = 0.0
    dtype: torch.dtype = torch.float32

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def step(self, batch: Batch, factor: float) -> float:
        """Move the weights by one step, at ``factor`` times the optimisers' learning rates; return the loss before."""
        self.network.train()
        with computing_in(self.dtype, self.device):
            logits = self.network(batch.images.to(self.device))
        losses = cross_entropy(
            logits.float(), batch.codes.to(self.device), reduction="none", label_smoothing=self.label_smoothing
        )
        loss = (losses * batch.weights.to(self.device)).mean()
        for optimizer in self.optimizers:
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in self.optimizers:
            optimizer.step()
        return loss.item()

    @torch.no_grad()
    def score(self, images: LabelledImages) -> Score:
        """Return how well the network does on ``images``, without smoothing and without augmentation."""
        self.network.eval()
        loss = error = 0.0
        for batch in images.all(EVALUATED_ROWS):
            with computing_in(self.dtype, self.device):
                logits = self.network(batch.images.to(self.device)).float().cpu()
            loss += float(cross_entropy(logits, batch.codes, reduction="none").double() @ batch.weights.double())
            error += float((logits.argmax(dim=1) != batch.codes).double() @ batch.weights.double())
        return Score(loss / len(images), error / len(images))
