"""The fitted classifier as a file: ``model.safetensors``, never a pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from gradus.core.errors import InputError
from gradus.core.files import written_whole
from gradus.core.mapped import release
from gradus.estimators.convnet_file import FORMAT as NETWORK_FORMAT
from gradus.runs.network import NetworkClassifier, load_network

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.data import Dataset

_BLOCK_ROWS = 16_384


@dataclass(frozen=True)
class Strength:
    """One point of the regularisation path, judged on the validation rows.

    Attributes
    ----------
    alpha : regularisation strength
    error : top-1 error
    cross_entropy : mean, in nats
    relative_gap : duality gap of the fit, relative to its objective; None where alpha is 0 and there is no dual
    low, high : Wilson's limits of the error at 95 %; None in files of version 0.1
    iterations : of the fit; None in files of version 0.1
    """

    alpha: float
    error: float
    cross_entropy: float
    relative_gap: float | None
    low: float | None = None
    high: float | None = None
    iterations: int | None = None


@dataclass(frozen=True)
class FitRecord:
    """How the coefficients were found; stored beside them.

    ``one_standard_error`` is the strongest alpha of the path whose error is within a standard error of the lowest.
    """

    alpha: float
    l1_ratio: float
    relative_gap: float | None
    iterations: int
    status: str
    scaling: str
    train_rows: int
    validation_rows: int
    path: tuple[Strength, ...]
    one_standard_error: float | None = None

    def facts(self) -> dict[str, Any]:
        """Return what ``metrics.json`` says of it."""
        facts = {name: value for name, value in asdict(self).items() if name not in ("train_rows", "validation_rows")}
        return {"model": "softmax"} | facts | {"path": [asdict(strength) for strength in self.path]}


@dataclass(frozen=True)
class LinearClassifier:
    """Scores are ``features @ coef.T + intercept``; scaling was folded into both.

    Attributes
    ----------
    coef : (K, d) float32 or float64, an array or a SciPy CSR matrix
    intercept : (K,) same dtype
    class_names : K names
    feature_names : d names where the data had them, else None
    image_shape : (height, width, channels) of the images that it was fitted on, or None
    record : how it was fitted
    """

    coef: Any
    intercept: NDArray[np.floating]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...] | None
    image_shape: tuple[int, ...] | None
    record: FitRecord

    def check(self, dataset: Dataset, run: Path) -> None:
        """Check that the rows of ``dataset`` are as wide as those that the classifier of ``run`` was fitted on.

        Raises
        ------
        InputError : if they are not
        """
        if dataset.features.shape[1] != self.coef.shape[1]:
            raise InputError(
                f"{dataset.name} has {dataset.features.shape[1]} features a row, but the classifier in {run} "
                f"was fitted on {self.coef.shape[1]}: give rows of that width"
            )

    def scores(self, dataset: Dataset, rows: slice | NDArray[np.int64]) -> NDArray[np.floating]:
        """Return the logits (rows, K) of some rows of ``dataset``, in blocks to bound the memory."""
        features = dataset.features[rows]
        scores = np.empty((len(features), self.coef.shape[0]), self.coef.dtype)
        for start in range(0, len(features), _BLOCK_ROWS):
            block = features[start : start + _BLOCK_ROWS]
            converted = block.astype(self.coef.dtype, copy=False)
            scores[start : start + _BLOCK_ROWS] = converted @ self.coef.T + self.intercept
            release(block)
        return scores

    def save(self, path: Path) -> None:
        """Write the classifier to ``path``, whole or not at all."""
        about = {
            "format": "linear classifier 1",
            "class_names": self.class_names,
            "feature_names": self.feature_names,
            "image_shape": self.image_shape,
            "record": asdict(self.record),
            "features": int(self.coef.shape[1]),
        }
        tensors = {**_tensors_of(self.coef), "intercept": np.ascontiguousarray(self.intercept)}
        with written_whole(path) as unfinished:
            # one entry: several would be stored in an order that changes from process to process
            save_file(tensors, unfinished, metadata={"gradus": json.dumps(about, allow_nan=False)})


def load(path: Path) -> LinearClassifier | NetworkClassifier:
    """Return the classifier that ``path`` holds.

    Raises
    ------
    InputError : if it is missing, damaged, or not a classifier of gradus
    """
    if not path.is_file():
        raise InputError(f"{path} is missing, but the fitted classifier was expected there: run `gradus fit` first")
    return load_network(path) if _format_of(path) == NETWORK_FORMAT else _load_linear(path)


def _format_of(path: Path) -> str:
    """Return what kind of classifier a file holds; "" where it does not say."""
    try:
        with safe_open(path, framework="numpy") as stream:
            return str(json.loads((stream.metadata() or {})["gradus"])["format"])
    except (SafetensorError, KeyError, TypeError, ValueError):
        return ""


def _load_linear(path: Path) -> LinearClassifier:
    try:
        with safe_open(path, framework="numpy") as stream:
            about: dict[str, Any] = json.loads((stream.metadata() or {})["gradus"])
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (a stream, not a dict)
            coef, intercept = _coef_of(tensors, about.get("features")), tensors["intercept"]
        record = _record(about["record"])
        names, features, shape = (about[entry] for entry in ("class_names", "feature_names", "image_shape"))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is not a classifier that gradus wrote ({error}): fit again with `gradus fit --overwrite`"
        ) from error
    columns = tuple(features) if features else None
    return LinearClassifier(coef, intercept, tuple(names), columns, tuple(shape) if shape else None, record)


def _tensors_of(coef: Any) -> dict[str, NDArray[Any]]:
    """Return the coefficients as they are stored: whole, or the parts of a CSR matrix."""
    if isinstance(coef, np.ndarray):
        return {"coef": np.ascontiguousarray(coef)}
    return {"coef.values": coef.data, "coef.columns": coef.indices, "coef.starts": coef.indptr}


def _coef_of(tensors: dict[str, NDArray[Any]], features: Any) -> Any:
    if "coef.values" not in tensors:
        return tensors["coef"]
    parts = (tensors["coef.values"], tensors["coef.columns"], tensors["coef.starts"])
    return scipy.sparse.csr_matrix(parts, shape=(len(tensors["intercept"]), features))


def _record(loaded: dict[str, Any]) -> FitRecord:
    path = tuple(Strength(**point) for point in loaded.pop("path"))
    return FitRecord(**loaded, path=path)
