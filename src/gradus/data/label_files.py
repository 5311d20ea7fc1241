"""Single arrays, and files that hold one label a row."""

from __future__ import annotations

import csv
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError, did_you_mean
from gradus.data.columns import USUAL_LABELS
from gradus.data.labels import Labels, from_array, from_cells
from gradus.data.text import listed, one_line, quoted, row_name, shown_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": None}
# What NumPy raises on bytes that are not what they should be.
DAMAGED = (EOFError, ValueError, SyntaxError, tokenize.TokenError)


def load_array(path: Path) -> NDArray[np.generic]:
    """Return the array in a ``.npy`` file, mapped from the disk; nothing is ever unpickled.

    Raises
    ------
    InputError : if the file is damaged, or holds objects
    """
    shown = shown_path(path)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGED as error:
        if "pickle" in str(error) or "Python objects" in str(error):
            raise InputError(
                f"{shown}: holds Python objects, which are never loaded because that can run code; "
                "expected numbers or text: save them with a plain dtype"
            ) from error
        raise InputError(
            f"{shown}: not a readable .npy file ({one_line(error)}); write it again with numpy.save"
        ) from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise InputError(f"{shown}: an archive of several arrays, not a single one; rename it to .npz")
    return array


def read_labels(path: Path, column: str | None = None) -> Labels:
    """Return the labels in a ``.npy`` file, or one a line in ``.txt``, or in a column of ``.csv`` or ``.tsv``.

    Parameters
    ----------
    path : the file
    column : the column to take where a table has several; None: the only one, or the one with a label's usual name

    Raises
    ------
    InputError : if the file is not there or not readable, or the column cannot be told
    """
    path = Path(path)
    shown = shown_path(path)
    if not path.is_file():
        siblings = [sibling.name for sibling in path.parent.iterdir()] if path.parent.is_dir() else []
        what = "a folder" if path.is_dir() else "no such file"
        raise InputError(
            f"{shown}: {what}{did_you_mean(path.name, siblings)}; expected a file of labels .npy, .csv, .tsv or .txt"
        )
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return from_array(np.asarray(load_array(path)), shown)
    if suffix not in DELIMITERS:
        raise InputError(f"{shown}: the ending {suffix!r} is not one of labels; expected .npy, .csv, .tsv or .txt")
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if suffix == ".txt":
        return from_cells(text.removesuffix("\n").split("\n") if text else [], shown)
    return from_cells(_column(text, DELIMITERS[suffix] or ",", column, shown), shown)


def _column(text: str, delimiter: str, column: str | None, shown: str) -> list[str]:
    """Return the cells of one column; a first line that names it is left out."""
    rows = [row or [""] for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter)]
    header = rows[0] if rows else []
    wanted = (column,) if column is not None else USUAL_LABELS
    places = [place for place, name in enumerate(header) if name == column or name.strip().lower() in wanted]
    if len(places) != 1 and (column is not None or len(header) > 1):
        raise InputError(
            f"{shown}: the label column cannot be told among {listed(header)}; "
            "expected one column, or its name (--label)"
        )
    place, body = (places[0], rows[1:]) if places else (0, rows)
    for number, row in enumerate(body):
        if len(row) != len(header):
            raise InputError(
                f"{shown}: {row_name(number)} has {len(row)} cells, {quoted(delimiter.join(row))}; "
                f"expected {len(header)}"
            )
    return [row[place] for row in body]
