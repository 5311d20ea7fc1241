"""How true a map is: which neighbours it keeps, and whether near and far on it are near and far in the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.stats import spearmanr

from gradus.core import progress
from gradus.kernels.nearest_neighbours import nearest_among

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from gradus.tsne.search import Search

# rows whose neighbours are compared: the standard error of the recall is then below 0.005
ROWS_FOR_RECALL = 5000
# rows between all of which distances are compared
ROWS_FOR_RANKS = 1000


@dataclass(frozen=True)
class MapQuality:
    """How true a map is; 1 is a map that lost nothing.

    Attributes
    ----------
    recall : k -> mean share of a row's k nearest rows that are among its k nearest points of the map; chance is
        k / (samples - 1). Left out for a k that nearly all rows are within (k >= samples - 1)
    rank_correlation : Spearman's correlation of the distances between rows and between points; NaN where all distances
        are equal
    rows : how many rows the recall is over, drawn at random where there are more
    """

    recall: dict[int, float]
    rank_correlation: float
    rows: int


def map_quality(
    rows: Any, embedding: Tensor, search_of: Callable[[Any], Search], counts: Sequence[int] = (10, 50)
) -> MapQuality:
    """Return how true ``embedding`` (samples, dimensions) is to ``rows`` (samples, features).

    The rows that are compared are drawn with a fixed seed, so the same map has the same figures.

    Parameters
    ----------
    rows : whatever ``search_of`` takes and an array of positions selects from
    embedding : where they are on the map
    search_of : rows -> a search of them under the metric that the map was made with
    counts : the k of the recall

    Cost
    ----
    The distances of 5,000 rows to all, twice: 9 s for 70,000 rows of 50 features on two busy cores.

    Examples
    --------
    >>> from gradus.tsne import METRICS, Searchable
    >>> points = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    >>> found = map_quality(points, 3 * points, lambda rows: Searchable.of(rows, METRICS["euclidean"]))
    >>> found.recall, round(found.rank_correlation, 6)
    ({10: 1.0, 50: 1.0}, 1.0)
    """
    generator = np.random.default_rng(0)
    samples = len(embedding)
    chosen = np.sort(generator.permutation(samples)[:ROWS_FOR_RECALL])
    few = np.sort(generator.permutation(samples)[:ROWS_FOR_RANKS])
    with progress.task("quality of the map"):
        points = embedding.double()
        recall = {}
        fitting = [count for count in counts if count < samples - 1]
        if fitting:
            # one more, because a row's nearest is itself or a duplicate of it
            in_rows = search_of(rows).among(rows[chosen], max(fitting) + 1).indices.numpy()
            on_map = nearest_among(points[chosen], points, max(fitting) + 1)[0].numpy()
            pairs = {count: (_others(in_rows, chosen, count), _others(on_map, chosen, count)) for count in fitting}
            recall = {count: _shared(*pair) for count, pair in pairs.items()}
        correlation = _rank_correlation(search_of(rows[few]), points[few])
    return MapQuality(recall, correlation, len(chosen))


def _others(found: NDArray[np.int32], own: NDArray[np.int64], count: int) -> NDArray[np.int32]:
    """Return the first ``count`` of the rows found for each, without itself."""
    is_own = found == own[:, None]
    # where duplicates crowd a row out of its own list, the last of the list goes
    is_own[~is_own.any(1), -1] = True
    others: NDArray[np.int32] = found[~is_own].reshape(len(found), -1)[:, :count]
    return others


def _shared(first: NDArray[np.int32], second: NDArray[np.int32]) -> float:
    """Return the mean share of a row's entries in ``first`` that are in ``second`` too."""
    both = np.sort(np.concatenate([first, second], axis=1), axis=1)
    hits = int((both[:, 1:] == both[:, :-1]).sum())
    return hits / first.size


def _rank_correlation(search: Search, points: Tensor) -> float:
    """Return Spearman's correlation over all pairs of the searched rows and of their points."""
    samples = len(points)
    if samples < 3:
        return float("nan")
    found = search.others(samples - 1)
    in_rows = torch.zeros(samples, samples, dtype=torch.float64).scatter_(1, found.indices.long(), found.squared)
    on_map = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    upper = torch.triu_indices(samples, samples, offset=1)
    first, second = (matrix[upper[0], upper[1]].numpy() for matrix in (in_rows, on_map))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearmanr(first, second).statistic)
