"""A trained ``ConvNetClassifier`` as a file of numbers and names, never a pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from gradus.core.errors import InputError
from gradus.core.files import written_whole
from gradus.networks import EpochRecord, ImageNetwork, NetworkPlan
from gradus.optim.pruning import take_shapes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

FORMAT = "convolutional network 1"


@dataclass(frozen=True)
class SavedNetwork:
    """What a file holds.

    Attributes
    ----------
    plan : of an ``ImageNetwork``; None where the network is another
    weights : the network's state
    classes : the labels, sorted
    image_shape : (height, width, channels)
    records, best_epoch : of the training
    settings : the estimator's numbers, texts and tuples, by name
    about : what else somebody wants to know of it
    """

    plan: NetworkPlan | None
    weights: dict[str, Tensor]
    classes: NDArray[Any]
    image_shape: tuple[int, ...]
    records: tuple[EpochRecord, ...]
    best_epoch: int
    settings: dict[str, Any]
    about: dict[str, Any]

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises
        ------
        InputError : if the labels are neither texts nor numbers
        """
        labels = self.classes.tolist()
        if not all(isinstance(label, str | bool | int | float) for label in labels):
            raise InputError(
                f"the label {labels[0]!r} is neither text nor number, and cannot be saved: fit on such labels"
            )
        entry = {
            "format": FORMAT,
            "plan": None if self.plan is None else asdict(self.plan),
            "classes": labels,
            "labels_dtype": "object" if self.classes.dtype == object else self.classes.dtype.str,
            "image_shape": self.image_shape,
            "records": [asdict(record) for record in self.records],
            "best_epoch": self.best_epoch,
            "settings": self.settings,
            "about": self.about,
        }
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.weights.items()}
        with written_whole(path) as unfinished:
            save_file(tensors, unfinished, metadata={"gradus": json.dumps(entry)})

    def network(self, module: nn.Module | None, pooling: nn.Module | None) -> nn.Module:
        """Return the network with its weights; ``module`` or ``pooling`` are what it was made of if not the defaults.

        Raises
        ------
        InputError : if the weights do not fit the network
        """
        if self.plan is None and module is None:
            raise InputError("the file holds the weights of a module of your own: give a module of the same kind")
        network = module if self.plan is None or module is not None else ImageNetwork(self.plan, pooling)
        assert network is not None
        if module is None and self.weights.keys() != network.state_dict().keys():  # pruned, with norms folded
            take_shapes(network, self.weights)
            if isinstance(network, ImageNetwork):
                network.drop_identities()
        try:
            network.load_state_dict(self.weights)
        except RuntimeError as error:
            raise InputError(f"the weights in the file do not fit {type(network).__name__}: {error}") from error
        return network


def read_network(path: Path) -> SavedNetwork:
    """Return what a file holds.

    Raises
    ------
    InputError : if it is missing, damaged, or was written by something else
    """
    if not path.is_file():
        raise InputError(f"{path} is missing, but a trained network was expected there")
    try:
        with safe_open(path, framework="pt") as stream:
            entry: dict[str, Any] = json.loads((stream.metadata() or {})["gradus"])
            weights = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (a stream, not a dict)
        if entry["format"] != FORMAT:
            raise ValueError(f"its format is {entry['format']!r}, and {FORMAT!r} was expected")
        plan = entry["plan"]
        return SavedNetwork(
            plan=None if plan is None else NetworkPlan(**plan | {"widths": tuple(plan["widths"])}),
            weights=weights,
            classes=np.array(entry["classes"], dtype=entry["labels_dtype"]),
            image_shape=tuple(entry["image_shape"]),
            records=tuple(EpochRecord(**record) for record in entry["records"]),
            best_epoch=int(entry["best_epoch"]),
            settings={
                name: tuple(value) if isinstance(value, list) else value for name, value in entry["settings"].items()
            },
            about=entry["about"],
        )
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(f"{path} is not a network that gradus wrote ({error}): fit again and save it") from error
