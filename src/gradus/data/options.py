"""What a person may say about how their data is to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class ReadOptions:
    """How to read a source; an option that a format has no use for is refused by `read`, never dropped.

    Attributes
    ----------
    label : the column that holds the classes (CSV, Parquet); None: the one called label, target, class or y
    labels : a file with one label a row beside a ``.npy`` of features (``.npy``, ``.csv``, ``.tsv`` or ``.txt``)
    ids : the column (CSV, Parquet) or array (``.npz``) whose values name the rows; they must differ
    color : the column (CSV, Parquet) or array (``.npz``) that a map is coloured by; text in it is no feature
    size : (height, width) in pixels that every image is resized to; None: all must have the same size
    channels : 1 or 3, that every image is converted to; None: grey if all are grey, else colour
    skip_bad : leave out images that cannot be decoded, and say so in the notes; otherwise they are an error
    sample : keep this many rows, drawn by class and split in proportion, in their order; said in the notes
    test : a second source of the same kind whose rows are the test split
    labelled : False where labels are welcome but not needed (to predict, or to draw a map)
    seed : of the sample
    """

    label: str | None = None
    labels: Path | None = None
    ids: str | None = None
    color: str | None = None
    size: tuple[int, int] | None = None
    channels: int | None = None
    skip_bad: bool = False
    sample: int | None = None
    test: Path | None = None
    labelled: bool = True
    seed: int = 0
