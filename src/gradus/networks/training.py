"""The loop that trains a network: epochs of batches, a schedule, early stopping, and going on after a kill."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from gradus.core.progress import task

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from gradus.core.progress import Task
    from gradus.networks.images import LabelledImages, Shuffled
    from gradus.networks.learner import Learner
    from gradus.solvers.checkpoint import Checkpoint


@dataclass(frozen=True)
class EpochRecord:
    """How one epoch went.

    Attributes
    ----------
    loss : mean training loss over the epoch, of augmented images, smoothed labels and moving weights
    validation_loss, validation_error : after the epoch; None without validation images
    """

    loss: float
    validation_loss: float | None = None
    validation_error: float | None = None


@dataclass(frozen=True)
class Course:
    """How long a training takes and what it looks at.

    Attributes
    ----------
    epochs : most passes over the images, > 0
    schedule : from the number of steps in all to the factor of every step
    validation : images that are not learned from, by which the best epoch is chosen; None: the last is best
    patience : epochs without a better one after which the training ends
    since : epochs of which none is kept: the network is not yet what it was asked to be
    """

    epochs: int
    schedule: Callable[[int], Callable[[int], float]]
    validation: LabelledImages | None = None
    patience: int = 10
    since: int = 0


@dataclass(frozen=True)
class TrainingState:
    """All that a training is, between two batches.

    Attributes
    ----------
    epoch, batch : which comes next
    total : sum of the losses of the epoch's batches so far
    records : of the epochs that are done
    best : its number among them, and the network's state after it where it was not the last
    network, optimizers : their states
    random : torch's state on the processor, and on the network's device if it has one of its own, for layers that draw
    """

    epoch: int
    batch: int
    total: float
    records: tuple[EpochRecord, ...]
    best: tuple[int, dict[str, Tensor] | None]
    network: dict[str, Tensor]
    optimizers: tuple[dict[str, Any], ...]
    random: tuple[Tensor, ...]


class Trained(NamedTuple):
    """What a training leaves beside the weights.

    Attributes
    ----------
    records : of every epoch
    best : the epoch whose weights the network has, counted from 0
    finite : whether the loss was to the end
    """

    records: tuple[EpochRecord, ...]
    best: int
    finite: bool


def train(learner: Learner, batches: Shuffled, course: Course, kept: Checkpoint | None = None) -> Trained:
    """Train a network; it ends with the weights of its best epoch.

    Where ``kept`` holds the state of the same training, it goes on from there: to the same bits on the processor,
    and to rounding on a GPU, where cuDNN may add up in another order each time.
    """
    state = _begun(learner, kept)
    factors = course.schedule(course.epochs * batches.count)
    with task("training", total=course.epochs * batches.count) as progress:
        progress.advance(state.epoch * batches.count + state.batch)
        while state.epoch < course.epochs and not _is_over(state, course):
            state = _epoch(learner, batches, state, factors, (kept, progress))
            score = None if course.validation is None else learner.score(course.validation)
            record = EpochRecord(state.total / batches.count, *(score or ()))
            state = _recorded(learner, state, record, course.since)
    best, weights = state.best
    if weights is not None:
        learner.network.load_state_dict(weights)
    return Trained(state.records, best, math.isfinite(state.records[-1].loss))


def _begun(learner: Learner, kept: Checkpoint | None) -> TrainingState:
    """Return the state that was kept, given back to the network and its optimisers, or a new one."""
    state: TrainingState | None = None if kept is None else kept.state
    if state is None:
        return _state(learner, TrainingState(0, 0, 0.0, (), (0, None), {}, (), ()))
    learner.network.load_state_dict(state.network)
    for optimizer, its in zip(learner.optimizers, state.optimizers, strict=True):
        optimizer.load_state_dict(its)
    torch.set_rng_state(state.random[0])
    for own in state.random[1:]:
        torch.cuda.set_rng_state(own, learner.device)
    return state


def _epoch(
    learner: Learner,
    batches: Shuffled,
    state: TrainingState,
    factors: Callable[[int], float],
    told: tuple[Checkpoint | None, Task],
) -> TrainingState:
    """Return the state after the last batch of an epoch."""
    kept, progress = told
    for batch in batches.epoch(state.epoch, state.batch):
        step = state.epoch * batches.count + state.batch
        loss = learner.step(batch, factors(step))
        state = replace(state, batch=state.batch + 1, total=state.total + loss)
        if kept is not None:
            kept.keep(_state(learner, state))
        progress.advance(1, f"epoch {state.epoch + 1}, loss {loss:.3f}")
    return state


def _state(learner: Learner, state: TrainingState) -> TrainingState:
    """Return ``state`` with what the network and its optimisers are now."""
    return replace(
        state,
        network=dict(learner.network.state_dict()),
        optimizers=tuple(optimizer.state_dict() for optimizer in learner.optimizers),
        random=_random_states(learner.device),
    )


def _random_states(device: torch.device) -> tuple[Tensor, ...]:
    own = device.type == "cuda" and torch.cuda.is_available()
    return (torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if own else []))


def _recorded(learner: Learner, state: TrainingState, record: EpochRecord, since: int) -> TrainingState:
    """Return the state at the beginning of the next epoch; a better one than all ``since`` is remembered."""
    records = (*state.records, record)
    best = state.best
    if record.validation_error is None:
        best = (len(records) - 1, None)
    elif best[0] < since or not state.records or _rank(record) < _rank(state.records[best[0]]):
        weights = {name: tensor.clone() for name, tensor in learner.network.state_dict().items()}
        best = (len(records) - 1, weights)
    return replace(state, epoch=state.epoch + 1, batch=0, total=0.0, records=records, best=best)


def _rank(record: EpochRecord) -> tuple[float, float]:
    """Return what is lower for a better epoch: its errors, and among equals its loss; NaN is worst."""
    loss = record.validation_loss
    assert record.validation_error is not None and loss is not None
    return (record.validation_error, loss) if math.isfinite(loss) else (math.inf, math.inf)


def _is_over(state: TrainingState, course: Course) -> bool:
    """Tell whether more epochs are in vain: the loss is not finite, or none was better for long."""
    if not state.records:
        return False
    in_vain = len(state.records) - 1 - state.best[0]
    return not math.isfinite(state.records[-1].loss) or (course.validation is not None and in_vain >= course.patience)
