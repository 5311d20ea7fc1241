"""The one door through which data comes in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError
from gradus.data import checks
from gradus.data.dataset import Dataset
from gradus.data.finding import check_options, explained, find_reader
from gradus.data.joining import joined
from gradus.data.options import ReadOptions
from gradus.data.sample import sample_rows
from gradus.data.text import row_name, shown_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradus.data.labels import Labels
    from gradus.data.readers import Reader
    from gradus.data.source import Content, Source

DEFAULTS = ReadOptions()


def read(source: str | Path, options: ReadOptions = DEFAULTS) -> Dataset:
    """Read ``source``, check it, and return its rows.

    Parameters
    ----------
    source : "digits" (bundled with scikit-learn); a folder with one sub-folder of images per class; or a file ``.npz``,
        ``.npy``, ``.csv``, ``.tsv``, ``.csv.gz`` or ``.parquet``
    options : how to read it

    Raises
    ------
    InputError : one sentence, if the source is not there, is damaged, or does not hold what a classifier (or, with
        ``labelled=False``, a map) needs: finite features, at least two classes, at least two rows of each

    Examples
    --------
    >>> digits = read("digits")
    >>> digits.features.shape, digits.images.shape, digits.class_names[:3]
    ((1797, 64), (1797, 8, 8, 1), ('0', '1', '2'))
    """
    with explained(source):
        reader = find_reader(source)
        check_options(reader, options)
        opened = reader.open(Path(source), replace(options, test=None))
        if options.test is not None:
            opened = _with_test(opened, reader, options)
        opened = _without_missing_labels(opened, options)
        rows = _rows(opened, options)
        return _dataset(opened, rows, opened.load(rows), options)


def _with_test(opened: Source, kind: Reader, options: ReadOptions) -> Source:
    if opened.is_test is not None:
        raise InputError(f"{opened.where} has a test split of its own; leave out the one given with test (--test)")
    test = Path(options.test or "")
    with explained(test):
        reader = find_reader(test)
    if reader.open is not kind.open:
        raise InputError(
            f"{shown_path(test)}, given as the test rows, is {reader.kind}, and {opened.where} is {kind.kind}; "
            "expected the same kind: convert one of them"
        )
    with explained(test):
        second = reader.open(test, replace(options, test=None))
    if second.is_test is not None:
        raise InputError(f"{second.where}, given as the test rows, has a split of its own; expected test rows only")
    return joined(opened, second)


def _without_missing_labels(opened: Source, options: ReadOptions) -> Source:
    """Return the source with a label for every row, or, where labels are not needed, with none for any."""
    checks.check_some(opened.rows, 1, opened.where)
    if opened.labels is None:
        return opened
    missing = np.flatnonzero(opened.labels.codes < 0)
    if options.labelled:
        checks.check_labelled(opened.labels, opened.names_of_rows(), opened.where)
    elif len(missing):
        note = f"{len(missing)} labels are missing, the first in {row_name(int(missing[0]))}: read without labels."
        return replace(opened, labels=None, notes=(*opened.notes, note))
    return opened


def _rows(opened: Source, options: ReadOptions) -> NDArray[np.int64]:
    if options.sample is None:
        return np.arange(opened.rows, dtype=np.int64)
    return sample_rows(opened, options.sample, options.seed)


def _dataset(opened: Source, rows: NDArray[np.int64], content: Content, options: ReadOptions) -> Dataset:
    where, notes = opened.where, [*opened.notes, *content.notes]
    if len(rows) < opened.rows:
        notes.append(f"A sample of {len(rows):,} of {opened.rows:,} rows, drawn by class with seed {options.seed}.")
    if content.kept is not None:
        rows = rows[content.kept]
    names = opened.names_of_rows()
    row_ids = np.array([names[row] for row in rows.tolist()], dtype=np.str_)
    is_test = None if opened.is_test is None else opened.is_test[rows]
    checks.check_some(len(content.features), content.features.shape[1], where)
    checks.check_distinct(row_ids.tolist(), where)
    checks.check_finite(content.features, content.feature_names, row_ids.tolist(), where)
    labels = None
    if opened.labels is not None:
        labels, absent = _present(replace(opened.labels, codes=opened.labels.codes[rows]))
        notes.extend(absent)
        if options.labelled:
            checks.check_classes(labels, is_test, where)
    return Dataset(
        name=opened.name,
        features=content.features,
        labels=None if labels is None else labels.codes,
        class_names=() if labels is None else labels.class_names,
        row_ids=row_ids,
        is_test=is_test,
        images=content.images,
        feature_names=content.feature_names,
        color=None if opened.color is None else opened.color.at(rows),
        notes=tuple(notes),
    )


def _present(labels: Labels) -> tuple[Labels, list[str]]:
    """Return the labels over the classes that have rows, and a note of how many have none."""
    present = np.bincount(labels.codes, minlength=len(labels.class_names)) > 0
    if present.all():
        return labels, []
    names = tuple(name for name, there in zip(labels.class_names, present, strict=True) if there)
    note = f"{len(present) - len(names)} of {len(present)} declared classes have no rows and were left out."
    return replace(labels, codes=(np.cumsum(present) - 1)[labels.codes], class_names=names), [note]
