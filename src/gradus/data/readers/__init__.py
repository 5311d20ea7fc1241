"""One file a format. A new one is its file and its row in `READERS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.data.readers.delimited import open_delimited
from gradus.data.readers.digits import open_digits
from gradus.data.readers.image_folder import open_image_folder
from gradus.data.readers.npy import open_npy
from gradus.data.readers.npz import open_npz
from gradus.data.readers.parquet import open_parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gradus.data.options import ReadOptions
    from gradus.data.source import Source

BUNDLED = "digits"
FOLDER = "an image folder"


@dataclass(frozen=True)
class Reader:
    """A format.

    Attributes
    ----------
    kind : what a sentence calls it
    suffixes : endings of file names, lower case; none where the source is not a file
    open : finds out what there is, and how to read it
    accepts : the options of `ReadOptions` that mean something here, beside those that every format has
    """

    kind: str
    suffixes: tuple[str, ...]
    open: Callable[[Path, ReadOptions], Source]
    accepts: frozenset[str] = frozenset()


DELIMITED = frozenset({"label", "ids", "color", "test"})
READERS = (
    Reader("the bundled digits", (), open_digits),
    Reader(FOLDER, (), open_image_folder, frozenset({"size", "channels", "test"})),
    Reader("an .npz archive", (".npz",), open_npz, frozenset({"ids", "color", "test"})),
    Reader("an .npy array", (".npy",), open_npy, frozenset({"labels", "label"})),
    Reader("a CSV table", (".csv", ".csv.gz"), open_delimited, DELIMITED),
    Reader("a TSV table", (".tsv", ".tsv.gz"), open_delimited, DELIMITED),
    Reader("a Parquet table", (".parquet",), open_parquet, DELIMITED | {"size", "channels"}),
)
