"""What a trained network says of images, and the files it goes to: the half of a classifier that does not learn."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from gradus.core.devices import working_device
from gradus.core.errors import InputError
from gradus.estimators.convnet_file import SavedNetwork, read_network
from gradus.estimators.convnet_training import channels_last, inputs_of, outputs
from gradus.estimators.image_input import Channels, ImageLayout
from gradus.estimators.portable_network import on_device_of
from gradus.networks import EpochRecord, ImageNetwork, penultimate
from gradus.networks.onnx_file import write_onnx
from gradus.optim import prune_channels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray


class NetworkOutputs(ABC):
    """Predictions and learned features of an estimator that has a ``network_``, ``classes_`` and ``image_shape_``."""

    network_: torch.nn.Module
    classes_: NDArray[Any]
    image_shape_: tuple[int, ...]
    records_: tuple[EpochRecord, ...]
    best_epoch_: int
    n_iter_: int
    n_features_in_: int

    @abstractmethod
    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the estimator's settings by name."""

    image_shape: Sequence[int] | None
    channels: Channels
    device: str | None

    def save(self, path: str | PathLike[str], **about: Any) -> None:
        """Write the trained network to a safetensors file, whole or not at all; it holds numbers and names, no code.

        Modules and functions that the estimator was given are not in it. ``about`` is kept beside as JSON.

        Raises
        ------
        InputError : if the labels are neither texts nor numbers
        """
        check_is_fitted(self)
        plain = {name: value for name, value in self.get_params(deep=False).items() if _is_plain(value)}
        plain.pop("device", None)  # is not here where it is read
        saved = SavedNetwork(
            self.network_.plan if isinstance(self.network_, ImageNetwork) else None,
            dict(self.network_.state_dict()),
            self.classes_,
            self.image_shape_,
            self.records_,
            self.best_epoch_,
            plain,
            about,
        )
        saved.write(Path(path))

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        module: torch.nn.Module | None = None,
        pooling: torch.nn.Module | None = None,
        device: str | None = None,
    ) -> Self:
        """Return the classifier that ``save`` wrote; ``module`` or ``pooling`` as it had been given.

        It is on ``device``, which is as in the constructor, wherever it was trained.

        Raises
        ------
        InputError : if the file is missing, damaged or of something else, or its weights do not fit the module
        UnavailableError : if there is no such device
        """
        return cls.load_with(path, module, pooling, device)[0]

    @classmethod
    def load_with(
        cls,
        path: str | PathLike[str],
        module: torch.nn.Module | None = None,
        pooling: torch.nn.Module | None = None,
        device: str | None = None,
    ) -> tuple[Self, dict[str, Any]]:
        """Return what ``load`` does, and the ``about`` that ``save`` was given."""
        saved = read_network(Path(path))
        estimator = cls(**saved.settings | {"module": module, "pooling": pooling, "device": device})
        network = saved.network(copy.deepcopy(module), pooling)
        # weights that lie in memory as they did are summed over in the same order
        estimator.network_ = channels_last(network).to(estimator._device()).eval()
        estimator.classes_, estimator.image_shape_ = saved.classes, saved.image_shape
        estimator.records_, estimator.best_epoch_ = saved.records, saved.best_epoch
        estimator.n_iter_ = len(saved.records)
        estimator.n_features_in_ = int(np.prod(saved.image_shape))
        return estimator, saved.about

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of the largest logit for each image."""
        best = self._logits(X).argmax(dim=1).numpy()
        predicted: NDArray[Any] = self.classes_[best]
        return predicted

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Return the logits (samples, classes); of two classes their difference (samples,), positive for the second."""
        logits = self._logits(X).numpy()
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probabilities (samples, classes); rows sum to 1."""
        return torch.softmax(self._logits(X), dim=1).numpy()

    def predict_log_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the logarithms of the probabilities (samples, classes), finite where the probability underflows."""
        return torch.log_softmax(self._logits(X), dim=1).numpy()

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return the learned features (samples, features): what the network's last linear layer is given.

        Raises
        ------
        InputError : if a ``module`` has no linear layer
        """
        pixels = self._pixels(X)
        with inputs_of(penultimate(self.network_)) as seen:
            outputs(self.network_, pixels, on_device_of(self.network_))
            return seen().flatten(1).numpy()

    def export_onnx(self, path: str | PathLike[str]) -> None:
        """Write the network as an ONNX graph from ``images`` (samples, channels, height, width) float32 to ``logits``.

        Pixels are given to it as they were given here, whatever their range. Outputs are in the order of ``classes_``.

        Raises
        ------
        UnavailableError : if the packages onnx and onnxscript are not installed
        """
        check_is_fitted(self)
        height, width, channels = self.image_shape_
        example = torch.zeros(2, channels, height, width, device=on_device_of(self.network_))
        write_onnx(self.network_, example, Path(path))

    def pruned(self) -> Self:
        """Return a classifier that predicts the same: channels that are zero are gone, norms and scaling are folded.

        It is smaller, also as a file, and faster; it does not learn on. See ``gradus.optim.prune_channels``.

        Raises
        ------
        InputError : if a ``module`` cannot be pruned
        """
        check_is_fitted(self)
        height, width, channels = self.image_shape_
        example = torch.rand((2, channels, height, width), generator=torch.Generator().manual_seed(0)) * 255
        smaller = copy.copy(self)
        network = prune_channels(self.network_, example.to(on_device_of(self.network_)))
        if isinstance(network, ImageNetwork):
            network.fold_scaling()
            network.drop_identities()
        smaller.network_ = channels_last(network)
        return smaller

    def _layout(self) -> ImageLayout:
        return ImageLayout(self.image_shape, self.channels)

    def _device(self) -> torch.device:
        return working_device(self.device)

    def _pixels(self, X: Any) -> torch.Tensor:
        check_is_fitted(self)
        pixels = self._layout().read(self, X, reset=False)
        if tuple(pixels.shape[1:]) != self.image_shape_:
            raise InputError(
                f"X has images of shape {tuple(pixels.shape[1:])} (height, width, channels), and the network was "
                f"trained on {self.image_shape_}: give images of that shape"
            )
        return pixels

    def _logits(self, X: Any) -> torch.Tensor:
        pixels = self._pixels(X)
        return outputs(self.network_, pixels, on_device_of(self.network_))


def _is_plain(value: Any) -> bool:
    """Tell whether JSON holds a setting as it is."""
    if isinstance(value, tuple | list):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, bool | int | float | str)
