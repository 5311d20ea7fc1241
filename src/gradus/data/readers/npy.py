"""One NumPy array of features, with its labels in a file beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.data.label_files import load_array, read_labels
from gradus.data.readers.array_source import array_source
from gradus.data.text import readable, shown_path

if TYPE_CHECKING:
    from pathlib import Path

    from gradus.data.options import ReadOptions
    from gradus.data.source import Source


def open_npy(path: Path, options: ReadOptions) -> Source:
    """Open an array of features, rows first; nothing is ever unpickled, and only the rows asked for are read.

    Raises
    ------
    InputError : if the file is damaged or holds objects, labels are needed and not given, or are not one a row
    """
    where = shown_path(path)
    features = load_array(path)
    if options.labels is None and options.labelled:
        raise InputError(f"{where}: an array of features has no labels in it; give a file of labels (--labels)")
    labels = None if options.labels is None else read_labels(options.labels, options.label)
    return array_source(features, where, readable(path.stem), labels)
