"""From rows to their nearest neighbours under a metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradus.core import progress
from gradus.kernels.nearest_neighbours import nearest_among, nearest_others
from gradus.tsne.inverted_lists import nearest_approximately

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from gradus.tsne.metric import Metric

# below this many rows float64 and all pairs cost nothing that can be felt
FEW = 10_000
# norms above this, squared, come near the largest float32
LARGEST_NORM = 1e15
SMALLEST = 1e-300
# rows that the centre is computed from, at least, if there are as many
LEARNT_FROM = 5_000


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of every row, nearest first.

    Attributes
    ----------
    indices : (samples, neighbours), int32
    squared : (samples, neighbours), float64, squared distances in units of ``unit``
    unit : what a distance of 1 is under the metric
    """

    indices: Tensor
    squared: Tensor
    unit: float = 1.0

    @property
    def count(self) -> int:
        """Neighbours per row."""
        return self.indices.shape[1]


@dataclass(frozen=True)
class Searchable:
    """Rows made ready to be searched: transformed by the metric, centred, scaled.

    Centring keeps the digits that |p|^2 - 2 q.p would lose, scaling keeps squares in range: both by the median, which
    one far outlier does not move. Affinities do not depend on a common scale of the distances.
    """

    metric: Metric
    unit: float
    centre: Tensor
    scale: float
    points: Tensor

    @classmethod
    def of(cls, rows: Tensor, metric: Metric) -> Searchable:
        """Make ``rows`` (samples, features), finite, searchable under ``metric``."""
        transformed = metric.transform(rows.double())
        # divided before anything is subtracted, so that values near the largest float64 do not overflow
        unit = max(*(abs(float(extreme)) for extreme in transformed.aminmax()), SMALLEST)
        transformed = transformed / unit
        centre = transformed[:: max(1, len(rows) // LEARNT_FROM)].median(0).values
        transformed -= centre
        norms = transformed.norm(dim=1)
        widest = float(norms.max())
        scale = max(float(norms.median()), widest / LARGEST_NORM) or 1.0
        dtype = torch.float64 if len(rows) <= FEW else torch.float32
        return cls(metric, unit, centre, scale, transformed.div_(scale).to(dtype))

    @property
    def samples(self) -> int:
        """The number of rows that are searched."""
        return len(self.points)

    def prepared(self, rows: Tensor) -> Tensor:
        """Return new rows as the points are stored; a row that was stored becomes the same bits again."""
        transformed = self.metric.transform(rows.double()) / self.unit
        return ((transformed - self.centre) / self.scale).to(self.points.dtype)

    def others(self, count: int) -> Neighbours:
        """Return the ``count`` nearest other rows of every row; beyond 10,000 rows more than 99 % of them are."""
        search = nearest_others if len(self.points) <= FEW else nearest_approximately
        with progress.task("nearest neighbours"):
            indices, squared = search(self.points, count)
        return self._named(indices, squared)

    def among(self, rows: Tensor | NDArray[np.floating], count: int) -> Neighbours:
        """Return the ``count`` nearest stored rows of every new row."""
        with progress.task("nearest neighbours"):
            indices, squared = nearest_among(self.prepared(torch.as_tensor(rows)), self.points, count)
        return self._named(indices, squared)

    def remembered(self) -> Searchable:
        """Return the search, all of which new rows need too."""
        return self

    def _named(self, indices: Tensor, squared: Tensor) -> Neighbours:
        return Neighbours(indices, self.metric.squared(squared), (self.unit * self.scale) ** self.metric.power)
