"""A convolutional network for images behind scikit-learn's interface."""

from __future__ import annotations

import math
import warnings
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from gradus.core.errors import InputError
from gradus.estimators.convnet_checks import check_lone_image, checked_schedule
from gradus.estimators.convnet_settings import ConvNetSettings
from gradus.estimators.convnet_training import (
    Parts,
    checkpoint_of,
    drawing_from,
    held_out,
    plan_of,
    threads_for_steps,
)
from gradus.estimators.image_input import Channels, labelled_images
from gradus.estimators.network_outputs import NetworkOutputs
from gradus.estimators.portable_network import PortableNetwork, on_device_of
from gradus.estimators.stderr import reporting_to_stderr
from gradus.networks import (
    Course,
    EpochRecord,
    LabelledImages,
    Learner,
    Shuffled,
    Trained,
    train,
)
from gradus.networks.images import as_input
from gradus.networks.sparsity import ALWAYS, Phases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    import torch
    from numpy.typing import NDArray

    from gradus.core.protocols import Proximable
    from gradus.solvers.checkpoint import Checkpoint


# share of the learning rates at which ``partial_fit`` goes on for ever
ONGOING = 0.25


class ConvNetClassifier(ClassifierMixin, TransformerMixin, PortableNetwork, NetworkOutputs):
    """A small convolutional network that learns to tell images apart, in seconds to minutes on a few cores.

    Minimises the mean weighted cross-entropy of smoothed labels over augmented images. The network is an
    ``ImageNetwork``: whitened patches, then blocks of two 3x3 convolutions, moved by Muon; or any module. Images are
    uint8 or floating point, of any range: (samples, height, width), (samples, height, width, channels), (samples,
    channels, height, width), or flat rows with ``image_shape``.

    The same seed gives the same weights, bit for bit, on the same machine with the same number of threads: torch sums
    gradients over threads.

    Parameters
    ----------
    widths : channels of each block of the network; small images take the first two only
    epochs : passes over the images; None: 8, or more of few images
    batch_size : images a step; None: 512, or fewer of few images
    module : None, or a ``torch.nn.Module`` to train instead, from its own weights: (samples, channels, height, width)
        float32 -> logits (samples, classes). It is copied, and given the pixels as they are
    pooling : None, or a module that halves the sides of images, such as those of ``gradus.layers``, for every block
    optimizer : None, or a function from a list of parameters to an optimiser, such as ``functools.partial(
        torch.optim.AdamW, lr=1e-3)``. None is Muon for filters and SGD for the rest, and AdamW for a ``module``
    schedule : None, or a function from the number of steps to a schedule of ``gradus.optim``, such as
        ``gradus.optim.cosine``; None rises in a tenth of the steps and falls to 0 in the rest
    penalty : None, or an object of ``gradus.penalties`` by which channels are chosen: under ``RowsAtMost(0.5)`` half
        of the channels of every layer become exactly zero. It acts on the scales behind the norms, (channels, 1) each,
        from a quarter to half of the training; what is zero then stays zero, and the rest learns on without it.
        ``pruned`` gives the network without them
    label_smoothing : share of every label that is spread over all classes, in [0, 1)
    shift : most pixels that images are moved by at random; None: a fourteenth of their sides
    flip : whether images are mirrored at random: right for most photographs, wrong for digits and text
    image_shape : of flat rows: (height, width), or three sides in the order of ``channels``; one may be -1
    channels : "first", "last", or "auto", which looks where 1, 3 or 4 stands in the shape
    class_weight : None, "balanced", or a dict from class to weight
    early_stopping : whether a part of the images is not learned from, but used to find the best epoch, whose weights
        are restored
    validation_fraction : that part, in (0, 1)
    n_iter_no_change : with ``early_stopping``, epochs without a better one after which training ends
    precision : what convolutions are computed in while learning: "float32", "bfloat16", or "auto", which is bfloat16
        where the processor multiplies it faster; predictions are float32
    device : None is "cuda" where there is one, else "cpu"; or any of torch
    random_state : seed of the first weights, the order of the images and how they are moved
    verbose : 1 prints progress to stderr
    checkpoint : None, or the path of a file for trainings that take long: at most every 30 seconds all that the
        training is is written there; the same training, begun again after its process was killed, goes on from it to
        the same weights (on a GPU but for the order in which cuDNN adds up), and deletes the file when it is done.
        Needs a ``random_state`` that is a number

    Attributes
    ----------
    network_ : the trained ``torch.nn.Module``
    classes_ : the labels, sorted
    image_shape_ : (height, width, channels)
    n_iter_ : epochs
    records_ : of every epoch the training loss, and with ``early_stopping`` the validation loss and error
    best_epoch_ : the one whose weights were kept, counted from 0
    n_features_in_, feature_names_in_ : as in scikit-learn, of flat rows

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> images, labels = load_digits(return_X_y=True)
    >>> model = ConvNetClassifier((16, 16), epochs=4, image_shape=(8, 8), random_state=0)
    >>> model = model.fit(images[:900], labels[:900])
    >>> model.score(images[900:], labels[900:]) > 0.9, model.transform(images[:5]).shape
    (True, (5, 16))
    """

    # of the optimisers of partial_fit, which goes on with them
    _moments: tuple[dict[str, Any], ...] = ()

    def __init__(
        self,
        widths: Sequence[int] = (64, 128, 128),
        epochs: int | None = None,
        batch_size: int | None = None,
        module: torch.nn.Module | None = None,
        pooling: torch.nn.Module | None = None,
        optimizer: Callable[[list[torch.Tensor]], torch.optim.Optimizer] | None = None,
        schedule: Callable[[int], Callable[[int], float]] | None = None,
        penalty: Proximable | None = None,
        label_smoothing: float = 0.1,
        shift: int | None = None,
        flip: bool = False,
        image_shape: Sequence[int] | None = None,
        channels: Channels = "auto",
        class_weight: Any = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        precision: str = "auto",
        device: str | None = None,
        random_state: Any = None,
        verbose: int = 0,
        checkpoint: str | PathLike[str] | None = None,
    ) -> None:
        self.widths = widths
        self.epochs = epochs
        self.batch_size = batch_size
        self.module = module
        self.pooling = pooling
        self.optimizer = optimizer
        self.schedule = schedule
        self.penalty = penalty
        self.label_smoothing = label_smoothing
        self.shift = shift
        self.flip = flip
        self.image_shape = image_shape
        self.channels = channels
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.precision = precision
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.checkpoint = checkpoint

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a new network on images ``X`` and labels ``y``, (samples,).

        Raises
        ------
        InputError : for settings outside their range, and images and labels that cannot be learned from
        """
        settings, parts = self._settings(), self._parts()
        pixels = self._layout().read(self, X, reset=True)
        images, classes = labelled_images(pixels, y, (sample_weight, self.class_weight))
        seed = self._seed()
        validation = None
        if self.early_stopping:
            images, validation = held_out(images, self.validation_fraction, seed)
        with reporting_to_stderr(self.verbose), drawing_from(seed), threads_for_steps(images, settings):
            batches = self._batches(settings, images, seed)
            epochs = settings.passes(batches.count)
            phases = Phases.of(epochs * batches.count)
            learner = self._learner(parts, images, classes, phases)
            batches = replace(batches, images=images.near(learner.device))
            self._try_out(learner, batches)
            since = 0 if self.penalty is None else math.ceil(phases.last / batches.count) - 1
            course = Course(epochs, checked_schedule(self.schedule), validation, int(self.n_iter_no_change), since)
            kept = self._kept(learner, batches, course)
            trained = train(learner, batches, course, kept)
        if kept is not None:
            kept.discard()
        self._publish(learner, classes, images, trained)
        if not trained.finite:
            warnings.warn(
                f"the loss is not finite after {self.n_iter_} epochs: lower the learning rate or scale the images",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go over some images once, from the weights as they are, at a constant learning rate.

        The first call makes the network, measures its scaling on these images, and needs all ``classes``, unless
        ``fit`` was called before. The state of the optimiser goes on from call to call. A penalty chooses channels at
        every step.

        Raises
        ------
        InputError : as ``fit``; for labels that are not among the classes, and images of another shape
        """
        settings, parts = self._settings(), self._parts()
        begun = hasattr(self, "network_")
        pixels = self._pixels(X) if begun else self._layout().read(self, X, reset=True)
        if not begun and classes is None:
            raise InputError("classes is None in the first call of partial_fit; expected all labels there will be")
        known = self.classes_ if begun else np.unique(classes)
        if begun and classes is not None and not np.array_equal(np.unique(classes), known):
            raise InputError(
                f"classes are {np.unique(classes).tolist()}, and the network was made for {known.tolist()}: give these "
                "or None, or fit a new one"
            )
        images, _ = labelled_images(pixels, y, (sample_weight, self.class_weight), known)
        seed = self._seed()
        with reporting_to_stderr(self.verbose), drawing_from(seed), threads_for_steps(images, settings):
            if not begun:
                learner = self._learner(parts, images, known, ALWAYS)
                self._publish(learner, known, images, Trained((), 0, finite=True))
            optimizers = parts.optimizers(self.network_, ALWAYS)
            for optimizer, state in zip(optimizers, self._moments, strict=False):
                optimizer.load_state_dict(state)
            learner = Learner(
                self.network_, optimizers, float(self.label_smoothing), settings.dtype(on_device_of(self.network_))
            )
            batches = self._batches(settings, images, seed)
            self._try_out(learner, batches)
            losses = [learner.step(batch, ONGOING) for batch in batches.epoch(len(self.records_))]
        records = (*self.records_, EpochRecord(sum(losses) / len(losses)))
        self._publish(learner, known, images, Trained(records, len(records) - 1, finite=True))
        self._moments = tuple(optimizer.state_dict() for optimizer in optimizers)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.input_tags.three_d_array = True
        return tags

    def _settings(self) -> ConvNetSettings:
        return ConvNetSettings(**{each.name: getattr(self, each.name) for each in fields(ConvNetSettings)})

    def _parts(self) -> Parts:
        parts = Parts(self.module, self.pooling, self.optimizer, self.penalty)
        parts.check()
        return parts

    def _seed(self) -> int:
        if self.checkpoint is not None and not isinstance(self.random_state, int | np.integer):
            raise InputError(
                f"checkpoint was given and random_state is {self.random_state!r}; expected a number, by which the same "
                "training is known again"
            )
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _learner(self, parts: Parts, images: LabelledImages, classes: NDArray[Any], phases: Phases) -> Learner:
        device = self._device()
        network = parts.network(plan_of(images.pixels, len(classes), self.widths), images).to(device)
        optimizers = parts.optimizers(network, phases)
        return Learner(network, optimizers, float(self.label_smoothing), self._settings().dtype(device))

    def _batches(self, settings: ConvNetSettings, images: LabelledImages, seed: int) -> Shuffled:
        augmentation = settings.augmentation(*images.pixels.shape[1:3])
        return Shuffled(images, settings.rows_a_step(len(images)), augmentation, seed)

    def _try_out(self, learner: Learner, batches: Shuffled) -> None:
        if len(batches.images) // batches.count == 1:
            check_lone_image(learner.network, as_input(batches.images.pixels[:1]))

    def _kept(self, learner: Learner, batches: Shuffled, course: Course) -> Checkpoint | None:
        if self.checkpoint is None:
            return None
        return checkpoint_of(Path(self.checkpoint), learner, batches, course, repr(self.penalty))

    def _publish(self, learner: Learner, classes: NDArray[Any], images: LabelledImages, trained: Trained) -> None:
        self.network_ = learner.network.eval()
        self.classes_ = classes
        self.image_shape_ = tuple(images.pixels.shape[1:])
        self.records_: tuple[EpochRecord, ...] = trained.records
        self.best_epoch_ = trained.best
        self.n_iter_ = len(trained.records)
        self._moments = ()
