"""From a ``ConvNetClassifier``'s objects and data to a network, what moves it, and how far it got in a file."""

from __future__ import annotations

import copy
import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import nn

from gradus.core.errors import InputError
from gradus.data import stratified_split
from gradus.estimators.convnet_checks import check_outputs, checked_optimizer
from gradus.estimators.softmax_problem import checked_penalty
from gradus.networks import (
    ImageNetwork,
    LabelledImages,
    Learner,
    NetworkPlan,
    default_optimizers,
    trainable,
)
from gradus.networks.images import as_input
from gradus.networks.sparsity import Phases, channel_norms, choosing_channels
from gradus.solvers.checkpoint import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from torch.optim import Optimizer

    from gradus.estimators.convnet_settings import ConvNetSettings
    from gradus.networks import Course, Shuffled

# images that the scaling is measured on
MEASURED_IMAGES = 10_000
# of a step of training, and of a forward pass, below which one thread serves
LEAST_PIXELS = 50_000
LEAST_PIXELS_FORWARD = 20_000


class Parts(NamedTuple):
    """What a network may be made of instead of the defaults.

    Attributes
    ----------
    module : instead of an ``ImageNetwork``
    pooling : in every block of an ``ImageNetwork``
    optimizer : from the trainable parameters to an optimiser
    penalty : by which channels are chosen
    """

    module: Any
    pooling: Any
    optimizer: Any
    penalty: Any

    def check(self) -> None:
        """Check that each is what it should be.

        Raises
        ------
        InputError : naming the part, what it is and what was expected
        """
        for name, part in (("module", self.module), ("pooling", self.pooling)):
            if part is not None and not isinstance(part, nn.Module):
                raise InputError(f"{name} is {part!r}; expected None or a torch.nn.Module (an object, not its class)")
        if self.module is not None and self.pooling is not None:
            raise InputError("pooling is for the default network, and module was given too: leave one of them out")
        if self.penalty is not None:
            checked_penalty(self.penalty)
        if self.optimizer is not None and not callable(self.optimizer):
            raise InputError(
                f"optimizer is {self.optimizer!r}; expected None or a function from parameters to an optimiser, such "
                "as functools.partial(torch.optim.AdamW, lr=1e-3)"
            )

    def network(self, plan: NetworkPlan, images: LabelledImages) -> nn.Module:
        """Return a network of its own for ``images``, which gives a logit for every class.

        Raises
        ------
        InputError : if a module that was given does not take such images or gives another number of outputs
        """
        if self.module is None:
            network = ImageNetwork(plan, self.pooling)
            step = max(len(images) // MEASURED_IMAGES, 1)
            network.measure(as_input(images.pixels[::step]))
        else:
            network = copy.deepcopy(self.module)
        check_outputs(network, plan, as_input(images.pixels[:2]))
        return channels_last(network)

    def optimizers(self, network: nn.Module, phases: Phases) -> tuple[Optimizer, ...]:
        """Return what moves the weights of ``network``; with a penalty, channels are chosen in the ``phases``."""
        if self.penalty is None:
            return self._unpenalised(network)
        channel_norms(network)  # whose scales and shifts optimisers must be given
        return choosing_channels(self._unpenalised(network), network, self.penalty, phases)

    def _unpenalised(self, network: nn.Module) -> tuple[Optimizer, ...]:
        if self.optimizer is None:
            return default_optimizers(network)
        return (checked_optimizer(self.optimizer(trainable(network))),)


def channels_last(network: nn.Module) -> nn.Module:
    """Return the network with its filters laid out for images whose channels are last in memory, which is faster."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def held_out(images: LabelledImages, fraction: float, seed: int) -> tuple[LabelledImages, LabelledImages]:
    """Return images to learn from and images to choose the best epoch by, in the same shares of every class."""
    split = stratified_split(images.codes.numpy(), fraction, seed)
    if len(split.test) == 0:
        raise InputError(
            f"validation_fraction is {fraction}, of {len(images)} images none: give more, or early_stopping=False"
        )
    return images.at(torch.from_numpy(split.train)), images.at(torch.from_numpy(split.test))


def checkpoint_of(path: Path, learner: Learner, batches: Shuffled, course: Course, about: str) -> Checkpoint:
    """Return the file that keeps how far a training got, with the state that an earlier process left there.

    Two trainings are the same if their images, labels, weights, settings and first weights of the network are, and
    ``about``, which says what these do not.

    Raises
    ------
    InputError : if there is no such folder, or the file is of another training
    """
    if not path.parent.is_dir():
        raise InputError(f"checkpoint is {path}, and {path.parent} is no folder: make it, or name a file elsewhere")
    digest = hashlib.blake2b(digest_size=16)
    steps = course.epochs * batches.count
    factors = [course.schedule(steps)(step) for step in range(steps)]
    optimizers = [(type(one).__name__, one.state_dict()["param_groups"]) for one in learner.optimizers]
    drawn = (batches.size, batches.augmentation, batches.seed, course.patience, factors)
    digest.update(repr((drawn, learner.label_smoothing, learner.dtype, optimizers, about)).encode())
    parts = [batches.images] if course.validation is None else [batches.images, course.validation]
    tensors = [tensor for part in parts for tensor in (part.pixels, part.codes, part.weights)]
    for tensor in (*tensors, *learner.network.state_dict().values()):
        digest.update(str(tensor.shape).encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    return Checkpoint(path, digest.hexdigest())


@contextmanager
def drawing_from(seed: int) -> Iterator[None]:
    """Let torch draw from a stream of its own inside this block; outside of it nothing changes."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


@torch.inference_mode()
def outputs(network: nn.Module, pixels: torch.Tensor, device: torch.device, rows: int = 512) -> torch.Tensor:
    """Return what a network makes of images, (samples, height, width, channels), in float32; ``rows`` at a time."""
    if network.training:  # to walk through all layers takes a tenth of one image's time
        network.eval()
    parts = (pixels[start : start + rows] for start in range(0, len(pixels), rows))
    with threads_for(pixels[:rows].numel(), LEAST_PIXELS_FORWARD):
        return torch.cat([network(as_input(part.to(device))).float().cpu() for part in parts])


@contextmanager
def inputs_of(layer: nn.Module) -> Iterator[Callable[[], torch.Tensor]]:
    """Record what ``layer`` is given inside this block, batch by batch; the function returns all of it."""
    seen: list[torch.Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].float().cpu()))
    try:
        yield lambda: torch.cat(seen)
    finally:
        hook.remove()


def plan_of(images: torch.Tensor, classes: int, widths: Any) -> NetworkPlan:
    """Return what to build for images (samples, height, width, channels)."""
    height, width, channels = images.shape[1:]
    return NetworkPlan(channels, height, width, classes, tuple(int(each) for each in widths))


@contextmanager
def threads_for(pixels: int, least: int) -> Iterator[None]:
    """Run torch on one thread inside this block if fewer pixels than ``least`` go through a network at a time.

    Waking a second thread for each layer costs more than it saves: predicting one image of MNIST takes a third.
    """
    before = torch.get_num_threads()
    fewer = pixels < least and before > 1
    if fewer:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if fewer:
            torch.set_num_threads(before)


def threads_for_steps(images: LabelledImages, settings: ConvNetSettings) -> AbstractContextManager[None]:
    """Return ``threads_for`` a step of learning from these images."""
    return threads_for(settings.rows_a_step(len(images)) * images.pixels[0].numel(), LEAST_PIXELS)
