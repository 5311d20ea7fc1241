"""A fitted network as a run sees it: the images of a dataset in, scores and learned features out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.core.errors import InputError
from gradus.estimators import ConvNetClassifier

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.data import Dataset


@dataclass(frozen=True)
class NetworkRecord:
    """How a network was trained; stored beside its weights.

    Attributes
    ----------
    status : "trained", or "diverged" where the loss was not finite
    epochs, parameters : passes over the training rows, and numbers learned
    losses : mean training loss of each epoch, of augmented images and smoothed labels
    flip : whether images were mirrored
    train_rows, validation_rows : all training rows were learned from, and none judged epochs
    model : what it is, for ``metrics.json``
    """

    status: str
    epochs: int
    parameters: int
    losses: tuple[float, ...]
    flip: bool
    train_rows: int
    validation_rows: int = 0
    model: str = "convnet"

    def facts(self) -> dict[str, Any]:
        """Return what ``metrics.json`` says of it."""
        facts = {name: value for name, value in asdict(self).items() if name not in ("train_rows", "validation_rows")}
        return facts | {"losses": list(self.losses), "path": []}


@dataclass(frozen=True)
class NetworkClassifier:
    """A trained ``ConvNetClassifier`` whose classes are codes, with their names.

    Attributes
    ----------
    estimator : fitted on codes 0 to K - 1
    class_names : K names
    record : how it was trained
    """

    estimator: ConvNetClassifier
    class_names: tuple[str, ...]
    record: NetworkRecord

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Height, width and channels of the images that it was trained on."""
        return self.estimator.image_shape_

    def check(self, dataset: Dataset, run: Path) -> None:
        """Check that the rows of ``dataset`` are images of the shape that the network of ``run`` was trained on.

        Raises
        ------
        InputError : if they are not
        """
        shape = " x ".join(map(str, self.image_shape))
        given = "no images" if dataset.images is None else " x ".join(map(str, dataset.images.shape[1:]))
        if given != shape:
            raise InputError(
                f"{dataset.name} has {given}, but the network in {run} was trained on images of {shape} (height, "
                "width, channels): give such images"
            )

    def scores(self, dataset: Dataset, rows: slice | NDArray[np.int64]) -> NDArray[np.floating]:
        """Return the logarithms of the probabilities of some rows, (rows, K) float32."""
        assert dataset.images is not None
        return self.estimator.predict_log_proba(dataset.images[rows])

    def features(self, dataset: Dataset) -> NDArray[np.float32]:
        """Return the learned features of every row."""
        assert dataset.images is not None
        return self.estimator.transform(dataset.images)

    def save(self, path: Path) -> None:
        """Write the network to ``path``, whole or not at all."""
        self.estimator.save(path, class_names=self.class_names, record=asdict(self.record))


def trained(estimator: ConvNetClassifier, class_names: tuple[str, ...], rows: int) -> NetworkClassifier:
    """Return a fitted estimator with the record of its training on so many rows."""
    learned = (each for each in estimator.network_.parameters() if each.requires_grad)
    losses = tuple(record.loss for record in estimator.records_)
    record = NetworkRecord(
        status="trained" if np.isfinite(losses[-1]) else "diverged",
        epochs=estimator.n_iter_,
        parameters=sum(each.numel() for each in learned),
        losses=losses,
        flip=estimator.flip,
        train_rows=rows,
    )
    return NetworkClassifier(estimator, class_names, record)


def load_network(path: Path) -> NetworkClassifier:
    """Return the network that ``path`` holds.

    Raises
    ------
    InputError : if it is damaged or not one that a run wrote
    """
    estimator, about = ConvNetClassifier.load_with(path)
    try:
        kept = dict(about["record"])
        record = NetworkRecord(**kept | {"losses": tuple(kept["losses"])})
        return NetworkClassifier(estimator, tuple(about["class_names"]), record)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} is not a network that a run wrote ({error}): fit again with --overwrite") from error
