"""A folder with one sub-folder of images per class, or with ``train/`` and ``test/`` of that kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError
from gradus.core.progress import task
from gradus.data.folders import Folder, look_below, look_into
from gradus.data.image_batches import read_images
from gradus.data.labels import from_text
from gradus.data.source import Content, Source
from gradus.data.text import listed, quoted, readable, readable_and_distinct, shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.data.options import ReadOptions

TRAINING = ("train", "training")
TESTING = ("test", "testing")
VALIDATION = ("val", "valid", "validation")
EXPECTED = "expected one sub-folder of images per class"


@dataclass(frozen=True)
class _Class:
    """One class folder on one side of the split."""

    folder: Path
    inside: Folder
    is_test: bool


@dataclass(frozen=True)
class _Sides:
    """The folders that hold class folders; ``test`` is empty where there is no split."""

    train: tuple[Path, ...]
    test: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def open_image_folder(path: Path, options: ReadOptions) -> Source:
    """Find the images below ``path``; none is decoded yet.

    Raises
    ------
    InputError : if there are no class folders (and labels are needed), or one of them is empty
    """
    with task(f"looking into {readable(path.name)}"):
        top = look_into(path)
        if not options.labelled and (top.images or not top.folders):
            inside = look_below(path)
            return _source(path, inside.images, inside.others, options)
        sides = _sides(path, top)
        classes = [
            _Class(folder, look_below(folder), is_test)
            for side, is_test in ((sides.train, False), (sides.test, True))
            for parent in side
            for folder in look_into(parent).folders
        ]
    _check_classes(path, top, classes)
    files = [file for one in classes for file in one.inside.images]
    stray = [*top.images, *top.others, *(other for one in classes for other in one.inside.others)]
    sizes = [len(one.inside.images) for one in classes]
    names = np.repeat(np.array([one.folder.name for one in classes], dtype=object), sizes)
    source = _source(path, files, stray, options)
    return replace(
        source,
        labels=from_text(names.tolist()),
        is_test=np.repeat([one.is_test for one in classes], sizes) if sides.test else None,
        notes=(*sides.notes, *source.notes),
    )


def _source(path: Path, files: Sequence[Path], stray: Sequence[Path], options: ReadOptions) -> Source:
    if not files:
        raise InputError(f"{shown_path(path)}: there are no images in it{_inside(stray)}; {EXPECTED}")
    where = shown_path(path)
    row_ids = readable_and_distinct(file.relative_to(path).as_posix() for file in files)

    def load(rows: NDArray[np.int64]) -> Content:
        chosen = rows.tolist()
        return read_images((files[row] for row in chosen), [row_ids[row] for row in chosen], where, options)

    first = f", the first {quoted(stray[0].relative_to(path).as_posix())}" if stray else ""
    what = (
        "1 file that is no image of a class was"
        if len(stray) == 1
        else f"{len(stray)} files that are no image of a class were"
    )
    notes = (f"{what} ignored{first}.",) if stray else ()
    name = readable(path.resolve().name) or where
    return Source(where=where, name=name, rows=len(files), load=load, row_ids=row_ids, notes=notes)


def _sides(path: Path, top: Folder) -> _Sides:
    """Return the training and test folders where both are there and hold class folders, else ``path`` itself."""

    def named(names: tuple[str, ...]) -> tuple[Path, ...]:
        return tuple(folder for folder in top.folders if folder.name.lower() in names and look_into(folder).folders)

    train, test, validation = named(TRAINING), named(TESTING), named(VALIDATION)
    if not train or not (test or validation):
        return _Sides((path,))
    notes = []
    if test and validation:
        notes.append(
            f"The folder {quoted(validation[0].name)} was read as training rows, since there is a test folder."
        )
    train, test = (train + validation, test) if test else (train, validation)
    others = [folder.name for folder in top.folders if folder not in train + test]
    if others:
        notes.append(f"Beside the training and the test folder, {listed(others)} were ignored.")
    return _Sides(train, test, tuple(notes))


def _check_classes(path: Path, top: Folder, classes: Sequence[_Class]) -> None:
    where = shown_path(path)
    if not classes:
        given = f"{len(top.images)} images but no class folders" if top.images else "no class folders"
        raise InputError(f"{where}: there are {given} in it{_inside(top.others)}; {EXPECTED}")
    for one in classes:
        if not one.inside.images:
            folder = quoted(one.folder.relative_to(path).as_posix())
            raise InputError(
                f"{where}: the class folder {folder} holds no images{_inside(one.inside.others)}; {EXPECTED}: "
                "add some or remove the folder"
            )
    if len(classes) == 1 and (below := look_into(classes[0].folder).folders):
        raise InputError(
            f"{where}: there is one sub-folder, {quoted(classes[0].folder.name)}, which has {len(below)} of its own; "
            f"{EXPECTED}: if those are the classes, give that folder"
        )


def _inside(others: Sequence[Path]) -> str:
    """Return what there is instead of images, for the middle of a sentence."""
    return f", only files such as {listed([other.name for other in others], most=3)}" if others else ""
