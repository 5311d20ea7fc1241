"""What a caller says of the rows and of how to read them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


class NanScores(Enum):
    """What to do with a row whose scores hold a NaN."""

    ERROR = "error"
    MISS = "miss"  # the row is a miss for every k, in its label's class


class UnknownLabels(Enum):
    """What to do with a row whose label is none of the scores' classes."""

    ERROR = "error"
    MISS = "miss"  # a miss for every k; it has no class, so per-class and macro errors do not see it
    DROP = "drop"  # left out, and said in the result's notes


class AbsentClasses(Enum):
    """What the macro error does with a class that no row is labelled with."""

    SKIP = "skip"  # the mean over the classes that are present, which the result's notes count
    ERROR = "error"


@dataclass(frozen=True)
class Policy:
    """How labels and scores are read; the defaults refuse whatever is not plain.

    Attributes
    ----------
    classes : the label that each column of the scores stands for, K distinct strings or integers; None where labels are
        the columns' numbers, 0 to K - 1
    nan_scores : rows with a NaN among their scores
    unknown_labels : rows whose label is no column of the scores
    absent_classes : classes without a row
    """

    classes: Sequence[Any] | None = None
    nan_scores: NanScores = NanScores.ERROR
    unknown_labels: UnknownLabels = UnknownLabels.ERROR
    absent_classes: AbsentClasses = AbsentClasses.SKIP

    def __post_init__(self) -> None:
        if self.classes is not None:
            names = (name.item() if isinstance(name, np.generic) else name for name in self.classes)
            object.__setattr__(self, "classes", tuple(names))


STRICT = Policy()


@dataclass(frozen=True, eq=False)
class Rows:
    """Labels with what else is known of each row; every function that takes labels takes these too.

    Attributes
    ----------
    labels : (n,) integers, or the names in ``Policy.classes``
    sample_weight : (n,) finite numbers >= 0, or None where all rows count the same
    groups : (n,) strings or integers: rows of one group (patient, video, author) are not independent, and
        ``ClusterBootstrap`` draws them together
    row_ids : (n,) strings or integers; of rows with the same id one is counted (samplers that pad the last batch of a
        distributed evaluation repeat rows)
    """

    labels: Any
    sample_weight: Any = None
    groups: Any = None
    row_ids: Any = None
