"""Everything that a report shows, gathered by whoever made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from gradus.data import Dataset


@dataclass(frozen=True)
class Predictions:
    """What the classifier said of every row of the dataset, in its order.

    Attributes
    ----------
    predicted : (n,) int64 positions in ``class_names``
    probability : (n,) float32, of the predicted class
    greater : (n,) int32, classes scored above the row's label; the label is in the top k iff greater + equal < k
    equal : (n,) int32, other classes whose score equals the label's
    is_test : (n,) bool, rows that were held out and on which the errors are stated
    """

    predicted: NDArray[np.int64]
    probability: NDArray[np.float32]
    greater: NDArray[np.int32]
    equal: NDArray[np.int32]
    is_test: NDArray[np.bool_]


@dataclass(frozen=True)
class Map:
    """A two-dimensional embedding of every row of the dataset, in its order.

    Attributes
    ----------
    positions : (n, 2) float32
    settings : perplexity, iterations, ...: shown beside the map
    quality : how true it is: ``kl_divergence``, ``recall_at_10`` and ``recall_at_50`` (shares of a row's nearest rows
        that are among its nearest on the map), ``rank_correlation`` (of distances); those that are known
    """

    positions: NDArray[np.float32]
    settings: Mapping[str, str] = field(default_factory=dict)
    quality: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """What a network learned, where the classifier is one.

    Attributes
    ----------
    filters : (filters, height, width, 1 or 3) of its first learned layer, as patches of pixels, signed
    losses : mean training loss of each epoch
    """

    filters: NDArray[np.floating]
    losses: tuple[float, ...]


@dataclass(frozen=True)
class ReportContent:
    """One report; a part that is None is left out of the page.

    Attributes
    ----------
    dataset : the rows, with their images and names
    metrics : what ``metrics.json`` holds (its fields are listed in docs/run-directory.md), or None
    predictions : or None where nothing was fitted
    map : or None where no map was drawn
    weights : (K, d) coefficients of the classifier, or None
    provenance : section -> name -> value, how the run was made (configuration, versions, seed, times)
    network : what it learned, where the classifier is one, else None
    """

    dataset: Dataset
    metrics: Mapping[str, Any] | None = None
    predictions: Predictions | None = None
    map: Map | None = None
    weights: NDArray[np.floating] | None = None
    provenance: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    network: Network | None = None
